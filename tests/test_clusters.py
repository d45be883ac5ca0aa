"""The command `clusters`: list, show, draw, explain, confirm, judge."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tdscaling.__main__ import main
from tdscaling.clustering._draw import FORMS
from tdscaling.schema import Cluster, Edge, Tool
from tests.bookshop import FOLDER
from tests.openai_server import said, serving

SMALL = ("tools.domains=[bookshop,desk]", f"tools.paths=[{FOLDER}]")


class Told:
    """Exit code and words of one call."""

    def __init__(self, capfd: pytest.CaptureFixture[str], *words: str) -> None:
        capfd.readouterr()
        self.code = main(["clusters", *words])
        self.out, self.err = capfd.readouterr()

    def row(self, beginning: str) -> list[str]:
        """Cells of the first row that begins so."""
        rows = [line for line in self.out.splitlines() if line.startswith(f"│ {beginning}")]
        return [cell.strip() for cell in rows[0].strip("│").split("│")]


def listed(name: str, **parameters: str) -> dict[str, Any]:
    schema = {key: {"type": kind} for key, kind in parameters.items()}
    return {
        "name": name,
        "description": f"{name} [red]of[/red] \x1b[31m the shop",
        "inputSchema": {"type": "object", "properties": schema, "required": list(parameters)},
    }


@pytest.fixture
def dump(tmp_path: Path) -> str:
    """A file with two services that have the same tools, and one with a broken entry."""
    shop = [
        listed("create_order", email="string"),
        listed("list_orders"),
        listed("get_order", order_id="string"),
        listed("pay_order", order_id="string", limit="integer"),
    ]
    lines = [
        {"server": "First shop", "tools": shop},
        {"server": "Second shop", "tools": shop},
        {"server": "Broken", "tools": [{"name": 7}, listed("only")]},
    ]
    path = tmp_path / "tools.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return f"tools.paths=[{path}]"


def test_list_and_totals_of_domains(capfd: pytest.CaptureFixture[str]) -> None:
    told = Told(capfd, *SMALL)
    assert told.code == 0
    assert told.row("bookshop-")[1:] == ["retail", "4", "3", "7", "0", "bookshop"]
    assert "services: 2\ntools: 5, 0 of them duplicates" in told.out
    assert "clusters: 1, over 4 tools" in told.out
    assert "edges: 7" in told.out


def test_list_and_totals_of_schemas(dump: str, capfd: pytest.CaptureFixture[str]) -> None:
    told = Told(capfd, "tools=dump", dump, "rows=1")
    assert told.code == 0
    assert told.row("first_shop_order_")[2:] == ["4", "2", "4", "0", "first_shop"]
    assert "services: 3\ntools: 9, 4 of them duplicates of another service's" in told.out
    assert "clusters: 1, over 4 tools" in told.out
    assert "skipped: 1\n  1 x " in told.out


def test_option_of_clusters_is_used(dump: str, capfd: pytest.CaptureFixture[str]) -> None:
    told = Told(capfd, "tools=dump", dump, "clusters.min_tools=9")
    assert told.code == 1
    assert "clusters: no 9 tools are tied" in told.err


def test_confirm(capfd: pytest.CaptureFixture[str]) -> None:
    told = Told(capfd, *SMALL, "confirm=true")
    shown = int(told.row("bookshop-")[5])
    assert 4 <= shown <= 7
    assert f"confirmed by execution: {shown} of 7 edges" in told.out


def test_show(capfd: pytest.CaptureFixture[str]) -> None:
    told = Told(capfd, *SMALL, "show=bookshop", "confirm=true")
    assert told.code == 0
    assert "bookshop-" in told.out
    assert "can cross with: desk" in told.out
    edge = ["search_books", "book_id", "order_book", "book_id", "key", "1.00", "yes"]
    rows = [
        line for line in told.out.splitlines() if "search_books" in line and "order_book" in line
    ]
    assert edge in [[cell.strip() for cell in row.strip("│").split("│")] for row in rows]


def test_markup_of_strangers_is_text(dump: str, capfd: pytest.CaptureFixture[str]) -> None:
    told = Told(capfd, "tools=dump", dump, "show=first_shop")
    assert "[red]of[/red]" in told.out
    assert "\x1b" not in told.out


def test_show_of_what_is_not_there(dump: str, capfd: pytest.CaptureFixture[str]) -> None:
    told = Told(capfd, "tools=dump", dump, "show=furst_shop_order")
    assert told.code == 1
    assert "show=furst_shop_order: there is no such cluster; did you mean first_shop_o" in told.err
    told = Told(capfd, *SMALL, "show=zzz")
    assert "show=zzz: there is no such cluster; nearest: " in told.err
    assert "bookshop-" in told.err
    told = Told(capfd, "show=c")
    assert "clusters begin so: calendar-" in told.err


def test_why(dump: str, capfd: pytest.CaptureFixture[str]) -> None:
    told = Told(capfd, "tools=dump", dump, "why=first_shop/create_order:pay_order")
    assert told.code == 0
    assert "create_order -> pay_order: order_id -> order_id (key)" in told.out
    assert "score 0.950, not confirmed by execution" in told.out
    for factor in ("name 1.00", "identifies 1.00", "producer 0.95", "verbs 1.00", "required 1.00"):
        assert factor in told.out


def test_why_of_a_domain(capfd: pytest.CaptureFixture[str]) -> None:
    told = Told(capfd, *SMALL, "why=search_books:order_book", "confirm=true")
    assert "score 1.000, confirmed by execution" in told.out
    assert "execution: accepted, and a made-up value refused" in told.out
    told = Told(capfd, *SMALL, "why=search_books:order_book")
    assert "not confirmed by execution" in told.out
    assert "the domain declares that book_id takes values of book_id" in told.out


def test_why_not(dump: str, capfd: pytest.CaptureFixture[str]) -> None:
    told = Told(capfd, "tools=dump", dump, "why=first_shop/get_order:pay_order")
    assert told.code == 0
    assert "get_order -> pay_order: no edge with a score of 0.3 or more" in told.out
    assert "order_id <- create_order (0.95), list_orders (0.95)" in told.out
    assert "limit <- nobody: generic" in told.out


@pytest.mark.parametrize(
    ("why", "problem"),
    [
        ("create_order", "expected PRODUCER:CONSUMER"),
        ("create_ordr:pay_order", "no tool 'create_ordr'; did you mean create_order"),
        ("create_order:only", "no service has both"),
        ("create_order:pay_order", "2 services have both (first_shop, second_shop); type why=f"),
        ("first_shap/create_order:pay_order", "no service 'first_shap'; did you mean first_shop"),
    ],
)
def test_why_of_what_is_not_there(
    why: str, problem: str, dump: str, capfd: pytest.CaptureFixture[str]
) -> None:
    told = Told(capfd, "tools=dump", dump, f"why='{why}'")
    assert told.code == 1
    assert problem in told.err


@pytest.mark.parametrize("ending", [".md", ".mmd", ".dot", ".jsonl"])
def test_out(ending: str, dump: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / f"picture{ending}"
    told = Told(capfd, "tools=dump", dump, f"out={path}")
    assert told.code == 0
    assert f"written to {path}" in told.out
    text = path.read_text()
    assert "create_order" in text
    assert "order_id" in text
    if ending == ".jsonl":
        (cluster,) = map(json.loads, text.splitlines())
        assert cluster["services"] == ["first_shop"]


@pytest.mark.parametrize("out", ["picture.png", "no/such/folder/picture.md"])
def test_out_that_cannot_be_written(out: str, capfd: pytest.CaptureFixture[str]) -> None:
    told = Told(capfd, *SMALL, f"out={out}")
    assert told.code == 1
    assert f"out={out}: expected a file that" in told.err


@pytest.mark.parametrize("knob", ["worlds=0", "rows=0", "similarity=0"])
def test_numbers_out_of_range(knob: str, capfd: pytest.CaptureFixture[str]) -> None:
    told = Told(capfd, *SMALL, knob)
    assert told.code == 1
    assert f"{knob.split('=')[0]}: expected" in told.err


def test_names_of_strangers_cannot_leave_their_place() -> None:
    evil = 'x"] --> y["<script>\n```'
    tools = tuple(Tool(name, evil, {}, "s", "") for name in (evil, "plain"))
    edge = Edge(evil, "plain", evil, evil, "key")
    cluster = Cluster("s_1", "s_1", "other", tools, (edge,), services=("s",))
    mermaid = FORMS[".mmd"]([cluster])
    assert "<" not in mermaid
    assert mermaid.count("-->") == 1
    assert "```" not in mermaid
    assert len(mermaid.splitlines()) == 6
    dot = FORMS[".dot"]([cluster])
    assert dot.count('"') - dot.count('\\"') == 2 * 6
    assert len(json.loads(FORMS[".jsonl"]([cluster]))["tools"]) == 2


def test_judge(dump: str, capfd: pytest.CaptureFixture[str]) -> None:
    proposal = {
        "producer": "list_orders",
        "field": "email",
        "consumer": "create_order",
        "parameter": "email",
        "why": "known buyers order again",
    }
    answer = said(json.dumps({"flows": [], "missing": [proposal]}))
    with serving(answer) as server:
        model = ("llm=openai", "llm.model=m", f"llm.base_url={server.base_url}")
        told = Told(capfd, "tools=dump", dump, "judge=first_shop", *model)
    assert told.code == 0
    assert "first_shop: 4 edges, 1 judged or proposed with 110 tokens" in told.out
    assert "list_orders -> create_order: email -> email, score 0.50: a model proposes" in told.out


def test_judge_without_a_model(dump: str, capfd: pytest.CaptureFixture[str]) -> None:
    told = Told(capfd, "tools=dump", dump, "judge=first_shop")
    assert told.code == 1
    assert "llm=openai" in told.err
    with serving(said("nonsense")) as server:
        model = ("llm=openai", "llm.model=m", f"llm.base_url={server.base_url}")
        told = Told(capfd, "tools=dump", dump, "judge=first_shop", *model)
        assert (told.code, "malformed answer" in told.err) == (1, True)
        told = Told(capfd, "tools=dump", dump, "judge=first_shap", *model)
        assert "judge=first_shap: there is no such service; did you mean first_shop" in told.err
