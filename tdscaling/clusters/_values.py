"""Kinds of value that clusters can hand to each other: an e-mail address, a date, a file.

Enters: tools known by their schemas. Leaves: which tool returns a value of which kind, and which
parameter takes one. What a tool that shows or lists things returns is, where its schema does not
state it, what the tools that make or change those things are given.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from tdscaling.dataflow import action, entity, fields, mapping, properties
from tdscaling.phrasing import kind_of
from tdscaling.schema import Tool

_SAME = {"datetime": "date", "price": "amount", "money": "amount", "path": "file"}
KINDS = frozenset({"email", "person", "phone", "address", "city", "date", "amount", "file"})
"""Kinds that mean the same everywhere: what one service finds is of use to another."""
_GIVES = frozenset({"list", "read"})
_TAKES = frozenset({"create", "update"})


@dataclass(frozen=True, slots=True)
class Value:
    """A typed field of a result, or a typed parameter."""

    tool: str
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Values:
    """What a cluster's tools can hand over and be handed."""

    offered: tuple[Value, ...]
    taken: tuple[Value, ...]

    @property
    def offered_kinds(self) -> frozenset[str]:
        """Kinds of what is offered."""
        return frozenset(value.kind for value in self.offered)

    @property
    def taken_kinds(self) -> frozenset[str]:
        """Kinds of what is taken."""
        return frozenset(value.kind for value in self.taken)


def values_of(tools: Iterable[Tool]) -> Values:
    """The typed values of some tools of a service, in the order of the tools."""
    tools = tuple(tools)
    taken = {tool.name: tuple(_taken(tool)) for tool in tools}
    known: dict[tuple[str, ...], dict[str, Value]] = {}
    for tool in tools:
        if action(tool) in _TAKES:
            thing = known.setdefault(entity(tool)[-1:], {})
            for value in taken[tool.name]:
                thing.setdefault(value.name, value)
    offered: dict[tuple[str, str], Value] = {}
    for tool in tools:
        given = list(_stated(tool))
        if not given and action(tool) in _GIVES:
            needed = properties(tool)
            held = known.get(entity(tool)[-1:], {}).values()
            given = [Value(tool.name, v.name, v.kind) for v in held if v.name not in needed]
        for value in given:
            offered.setdefault((value.tool, value.kind), value)
    return Values(tuple(offered.values()), tuple(v for found in taken.values() for v in found))


def kind(name: str, schema: Any) -> str | None:
    """The kind of a field that means the same everywhere, else None."""
    found = kind_of(name, mapping(schema))
    found = _SAME.get(found, found) if found else None
    return found if found in KINDS else None


def _taken(tool: Tool) -> Iterator[Value]:
    for name, schema in properties(tool).items():
        found = None if "enum" in mapping(schema) else kind(str(name), schema)
        if found:
            yield Value(tool.name, str(name), found)


def _stated(tool: Tool) -> Iterator[Value]:
    names: Iterable[tuple[str, str]] = ((name, "") for name in tool.returns)
    if tool.result is not None:
        names = ((path[-1], told) for path, told in fields(tool.result) if len(path) <= 2)
    for name, told in names:
        found = kind(name, {"type": told} if told else {})
        if found:
            yield Value(tool.name, name, found)
