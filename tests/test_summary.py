"""What a run says about its sources."""

from __future__ import annotations

import io

from rich.console import Console

from tdscaling.catalog import Skipped
from tdscaling.summary import print_skipped, print_unclustered


def printed(*skipped: Skipped) -> str:
    out = io.StringIO()
    print_skipped(Console(file=out, width=80), skipped)
    return out.getvalue()


def test_nothing_skipped_nothing_said() -> None:
    assert printed() == ""


def test_skipped_entries_are_counted_and_the_first_are_named() -> None:
    text = printed(*(Skipped(f"api.json, tool {n}", "has no name") for n in range(5)))
    assert "5 entries" in text
    assert "api.json, tool 0: has no name" in text
    assert "tool 4" not in text
    assert "table skipped" in text


def test_names_from_sources_are_no_markup_and_no_terminal_commands() -> None:
    text = printed(Skipped("[red]tool[/red] \x1b[2J", "bad\nline"))
    assert "[red]tool[/red]" in text
    assert "\x1b" not in text
    assert "bad line" in text


def test_services_without_a_cluster_are_named_then_counted() -> None:
    out = io.StringIO()
    services = [Skipped(f"service_{n}", "it has 2 tools") for n in range(5)]
    print_unclustered(Console(file=out, width=80), services, 9)
    text = out.getvalue()
    assert "5 of 9 services take no part" in text
    assert "service_2: it has 2 tools" in text
    assert "service_3" not in text
    assert "and 2 more" in text
    print_unclustered(Console(file=out), (), 9)
    assert out.getvalue() == text
