"""What a tool gives: what its schema states, its description lists or its verb implies.

Enters: a tool and its reading. Leaves: `Field`s with how sure it is that the result holds them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tdscaling.dataflow._meaning import REF, Meaning, meaning
from tdscaling.dataflow._schemas import fields as schema_fields
from tdscaling.dataflow._schemas import mapping
from tdscaling.dataflow._tools import READ_FROM, Reading
from tdscaling.dataflow._vocabulary import GENERIC, IDENTIFIERS, VALUES, Action
from tdscaling.dataflow._words import singular, words
from tdscaling.schema import Tool

ANY = "*"
"""Attribute of a field that the verb implies: which one, the slot that asks for it tells."""
DECLARED, TOLD = 1.0, 0.85
"""How sure it is: the schema states it; the description lists it."""
_LOOSE = 0.8
"""Of a code or number whose name tells another thing than the tool is about."""
_DEEPER = 0.92
"""Per level that a field lies deeper in the result."""
_IMPLIED: dict[Action, dict[str, float]] = {
    "create": {"id": 0.9, REF: 0.85, "name": 0.45, "url": 0.5, "path": 0.5},
    "list": {"id": 0.9, REF: 0.85, "name": 0.85, "url": 0.5, "path": 0.6},
    "read": {"id": 0.7, REF: 0.65, "name": 0.6, "url": 0.4, "path": 0.4},
    "update": {"id": 0.4, REF: 0.4, "name": 0.2, "url": 0.1, "path": 0.1},
    "login": {"id": 0.9, REF: 0.9, "token": 0.95, "name": 0.2},
    "other": {"id": 0.2, REF: 0.2, "name": 0.1},
    "delete": {},
}
_FURTHER = 0.75
"""Share of an id's certainty with which a verb implies numbers, codes and other identifiers."""
_RETURNS = re.compile(r"\b(?:returns?|returning|output|response)\b:?", re.IGNORECASE)
_LISTED = re.compile(
    r"[`'\"]([A-Za-z_][\w.\-]{1,60})[`'\"]|\b([a-z]+(?:_[a-z]+)+|[a-z]+(?:[A-Z][a-z]+)+)\b"
    r"|\b([A-Za-z]+) (?:ID|id|identifier|uuid|UUID)s?\b"
)
_TOLD_FROM = 500
"""Characters after the word `returns` in which fields are looked for."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a tool's result."""

    tool: str
    action: Action
    column: str
    meaning: Meaning
    sure: float
    """That the result holds it, 0 to 1."""
    kind: str
    """JSON type, empty where unknown."""
    origin: str
    """Where it is known from, for people."""


def gives(tool: Tool, reading: Reading, nouns: frozenset[str]) -> Iterator[Field]:
    """The fields of a tool's result; the surest first."""
    stated = list(_stated(tool, reading, nouns))
    yield from stated
    seen = {field.meaning.head for field in stated if field.meaning.attribute == "id"}
    if not stated:
        yield from _told(tool, reading, nouns)
    if reading.entity and reading.action != "delete" and reading.entity[-1] not in seen:
        sure = _IMPLIED[reading.action]["id"] * (0.6 if stated else 1.0)
        implied = Meaning(reading.entity, ANY, own=True)
        origin = f"{reading.action} {' '.join(reading.entity)}"
        yield Field(tool.name, reading.action, "", implied, sure, "", f"the name says: {origin}")


def _stated(tool: Tool, reading: Reading, nouns: frozenset[str]) -> Iterator[Field]:
    paths: list[tuple[tuple[str, ...], str]] = [((name,), "") for name in tool.returns]
    if tool.result is not None:
        paths = list(schema_fields(mapping(tool.result)))
    for path, kind in paths:
        own, deep = reading.entity, 0
        if len(path) > 1:
            # Wrappers such as `data` or `items` name no thing.
            outer = meaning(path[-2], reading.entity, nouns)
            inner = [part for part in (outer.entity,) if part and outer.attribute == REF]
            own, deep = (inner[0], len(path) - 1) if inner else (own, 0)
        found = meaning(path[-1], own, nouns)
        sure, origin = DECLARED * _DEEPER**deep, f"its result states {'.'.join(path)[:80]}"
        yield Field(tool.name, reading.action, path[-1], found, sure, kind, origin)
        if own and not found.own and found.attribute in IDENTIFIERS and found.head not in nouns:
            # The `iata_code` of an airport is its code.
            also = Meaning(own, found.attribute, own=True)
            yield Field(tool.name, reading.action, path[-1], also, sure * _LOOSE, kind, origin)


def _told(tool: Tool, reading: Reading, nouns: frozenset[str]) -> Iterator[Field]:
    text = tool.description[:READ_FROM]
    said = _RETURNS.search(text)
    if not said:
        return
    taken = mapping(mapping(tool.parameters).get("properties"))
    for match in _LISTED.finditer(text, said.end(), said.end() + _TOLD_FROM):
        name = match[1] or match[2] or f"{match[3].lower()}_id"
        if match[3] and singular(match[3].lower()) not in nouns:
            continue
        found = meaning(name, reading.entity, nouns)
        if found.attribute and "_".join(words(name)) not in GENERIC and name not in taken:
            origin = f"its description says that it returns {name[:60]}"
            yield Field(tool.name, reading.action, name, found, TOLD, "", origin)


def sure_of(field: Field, attribute: str) -> float:
    """How sure it is that the field holds this attribute, 0 to 1."""
    if field.meaning.attribute != ANY:
        return field.sure
    implied = _IMPLIED[field.action]
    if attribute in VALUES:
        return 0.0
    share = implied.get(attribute, implied["id"] * _FURTHER) / implied["id"]
    return field.sure * share
