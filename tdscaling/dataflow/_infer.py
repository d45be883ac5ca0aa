"""Producer -> consumer edges of one service, out of names and schemas alone.

Enters: a service. Leaves: edges with a score and its reasons. Fields are looked up by the head of
the thing they name, and only the strongest of each head are compared, so that the work grows with
the number of parameters and not with pairs of tools.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tdscaling.dataflow._fields import ANY, Field, gives
from tdscaling.dataflow._meaning import REF, Meaning, meaning
from tdscaling.dataflow._score import score
from tdscaling.dataflow._slots import Slot, context, needs, properties, required
from tdscaling.dataflow._tools import Reading, narrowed, prefix, read
from tdscaling.dataflow._vocabulary import MODIFIERS, ROLES, TOKENS, Action
from tdscaling.dataflow._words import words
from tdscaling.schema import Edge, Service, Tool

LEAST = 0.3
"""Edges with a lower score are not worth keeping."""
PRODUCERS = 4
"""Producers kept per slot, the best ones."""
_STRONGEST = 48
"""Fields of one head that are compared with a slot."""
_ORDER: dict[Action, int] = {
    "login": 0, "create": 0, "list": 1, "read": 2, "other": 3, "update": 4, "delete": 5,
}  # fmt: skip
_LOGIN = 0.9


@dataclass(frozen=True, slots=True)
class _Known:
    """What is read off a service before its slots are filled."""

    readings: dict[str, Reading]
    fields: dict[str, list[Field]]
    """By head, strongest first."""
    taken: dict[str, frozenset[tuple[tuple[str, ...], str]]]
    """What each tool must be given: what it then returns of it is an echo."""
    by_tool: dict[str, list[Field]]


def infer(service: Service) -> tuple[Edge, ...]:
    """The edges of a service, best first per slot, in the order of its tools.

    Tools of the same name count once. Untrusted text is only ever compared.
    """
    tools = tuple({tool.name: tool for tool in service.tools}.values())
    known, nouns = _read(tools)
    ignored = context(tools)
    return tuple(
        edge
        for tool in tools
        for slot in needs(tool, known.readings[tool.name], nouns, ignored, known.readings)
        for edge in _filled(slot, known)
    )


def action(tool: Tool) -> Action:
    """What a tool does, as its name and hints tell."""
    return read(tool).action


def entity(tool: Tool) -> tuple[str, ...]:
    """Words of the thing that a tool is about, its head last; empty where nothing tells."""
    return read(tool).entity


def _read(tools: Sequence[Tool]) -> tuple[_Known, frozenset[str]]:
    shared = prefix(tools)
    first = {tool.name: read(tool, shared) for tool in tools}
    heads = frozenset(reading.entity[-1] for reading in first.values() if reading.entity)
    things = {reading.entity for reading in first.values() if reading.action != "other"}
    readings = {t.name: narrowed(first[t.name], things, _parts(t, heads)) for t in tools}
    nouns = frozenset(reading.entity[-1] for reading in readings.values() if reading.entity)
    by_tool = {t.name: list(gives(t, readings[t.name], nouns)) for t in tools}
    taken = {t.name: frozenset(_given(t, readings[t.name], nouns)) for t in tools}
    fields = _indexed(field for found in by_tool.values() for field in found)
    return _Known(readings, fields, taken, by_tool), nouns


def _parts(tool: Tool, nouns: frozenset[str]) -> frozenset[tuple[str, ...]]:
    """Things that a tool's parameters identify."""
    found = (meaning(name, (), nouns) for name in properties(tool))
    return frozenset(part.entity for part in found if part.attribute in ("id", "number", "key"))


def _given(
    tool: Tool, reading: Reading, nouns: frozenset[str]
) -> Iterable[tuple[tuple[str, ...], str]]:
    for name in properties(tool).keys() & required(tool):
        if MODIFIERS.isdisjoint(words(name)):
            yield _asked(meaning(name, reading.entity, nouns))


def _asked(found: Meaning) -> tuple[tuple[str, ...], str]:
    """What an echo is compared by: a thing is named by its id and by itself alike."""
    return found.entity, "id" if found.attribute == REF else found.attribute


def _indexed(fields: Iterable[Field]) -> dict[str, list[Field]]:
    found: dict[str, list[Field]] = {}
    for field in fields:
        head = field.meaning.head
        found.setdefault(head, []).append(field)
        if head in ROLES:
            found.setdefault(ROLES[head], []).append(field)
    for head, listed in found.items():
        listed.sort(key=lambda field: (_ORDER[field.action], -field.sure, field.tool, field.column))
        found[head] = _varied(listed)
    return found


def _varied(fields: list[Field]) -> list[Field]:
    """The strongest fields, some of each attribute and thing."""
    counts: dict[Meaning, int] = {}
    kept = []
    for field in fields:
        counts[field.meaning] = counts.get(field.meaning, 0) + 1
        if counts[field.meaning] <= _STRONGEST // 4:
            kept.append(field)
    return kept[:_STRONGEST]


def _filled(slot: Slot, known: _Known) -> list[Edge]:
    candidates = list(known.fields.get(slot.meaning.head, ()))
    if slot.meaning.head in ROLES and not candidates:
        candidates = list(known.fields.get(ROLES[slot.meaning.head], ()))
    for name in sorted(slot.mentions):
        candidates += known.by_tool[name] or [_mentioned(slot, name, known)]
    usable = [field for field in candidates if not _echo(slot, field, known)]
    things = {field.meaning.entity for field in usable if field.meaning.head == slot.meaning.head}
    exact = slot.meaning.entity in things
    best: dict[str, Edge] = {}
    for field in usable:
        total, reasons = score(slot, field, exact)
        if total >= LEAST and (field.tool not in best or total > best[field.tool].score):
            best[field.tool] = _edge(slot, field, total, reasons)
    if "_".join(words(slot.name)) in TOKENS:
        best |= _logins(slot, known)
    return sorted(best.values(), key=lambda edge: (-edge.score, edge.producer))[:PRODUCERS]


def _echo(slot: Slot, field: Field, known: _Known) -> bool:
    if field.tool == slot.tool:
        return True
    asked = _asked(slot.meaning)
    return asked in known.taken[field.tool]


def _mentioned(slot: Slot, tool: str, known: _Known) -> Field:
    does = known.readings[tool].action
    return Field(tool, does, slot.name, slot.meaning, 0.8, "", "its result is not described")


def _logins(slot: Slot, known: _Known) -> dict[str, Edge]:
    return {
        name: Edge(name, slot.tool, slot.name, slot.name, "key", _LOGIN, ("a login gives it",))
        for name, reading in known.readings.items()
        if reading.action == "login" and name != slot.tool
    }


def _edge(slot: Slot, field: Field, total: float, reasons: tuple[str, ...]) -> Edge:
    column = field.column or _column(slot.meaning)
    kind = "key" if slot.like >= 0.7 else "value"
    return Edge(field.tool, slot.tool, column, slot.name, kind, total, reasons)  # type: ignore[arg-type]


def _column(found: Meaning) -> str:
    """Name of a field that the verb implies."""
    attribute = "id" if found.attribute in (REF, ANY) else found.attribute
    return "_".join((*found.entity, attribute))
