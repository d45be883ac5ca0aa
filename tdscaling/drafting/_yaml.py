"""A drafted domain as a file that people read and edit.

Enters: the content of a domain file. Leaves: YAML in block style: tables and long SQL over several
lines, and comments on where it comes from. Reading it gives the same content.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from tdscaling.catalog import Skipped
from tdscaling.declared.definition import DomainFile
from tdscaling.phrasing.clean import plain

WIDTH = 100
_LONG = 80
MOST_IN_LINE = 400
"""Characters of a list of plain values that is written in one go."""


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines and long SQL as blocks, and never refers back."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, indentless=False)


def _text(dumper: _Dumper, value: str) -> yaml.Node:
    style = None
    if "\n" in value:
        style = "|"
    elif len(value) > _LONG and value.isprintable():
        style = ">"
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


def _list(dumper: _Dumper, values: list[Any]) -> yaml.Node:
    plain_values = all(isinstance(value, str | int | float) for value in values)
    short = sum(len(str(value)) for value in values) < MOST_IN_LINE
    flow = plain_values and short and not any("\n" in str(value) for value in values)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", values, flow_style=flow)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(list, _list)


def written(file: DomainFile, title: str, left_out: Sequence[Skipped], rules: str) -> str:
    """The text of a domain file.

    Args:
        file: the content.
        title: of the service that it simulates.
        left_out: tools that it lacks, and why.
        rules: who thought of its rules.
    """
    content = file.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude_none=True)
    comments = [
        f"Drafted from the schemas of {plain(title, 120)}; {rules}.",
        "What the tools return is invented. Edit freely, then check and use it:",
        "  tdscaling domains check=FILE",
        "  tdscaling tools.paths=[FILE] tools.domains=[NAME]",
        *(f"Left out: {plain(entry.where, 80)}: {plain(entry.why, 160)}" for entry in left_out),
    ]
    head = "".join(f"# {line}\n" for line in comments)
    body = yaml.dump(
        content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=WIDTH,
        default_flow_style=False,
    )  # fmt: skip
    return f"{head}{body}"
