"""Tables of the things that tools are about.

Enters: readings. Leaves: per thing a `Thing`: its table, key, columns with generators, and states.
What tools take and return makes the columns; where they say too little, what such things usually
have.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tdscaling.declared.definition import Parameter
from tdscaling.drafting._envelope import stated_fields
from tdscaling.drafting._read import Reading
from tdscaling.drafting._sql import identifier, unique
from tdscaling.drafting._states import Machine, machine
from tdscaling.drafting._usual import usual
from tdscaling.phrasing import kind_of, sample
from tdscaling.phrasing._stock import is_fallback
from tdscaling.phrasing.names import identified, split
from tdscaling.phrasing.samples import whole

MOST_COLUMNS = 14
"""Columns of one table, its key and status aside."""
MOST_FIELDS = 10
"""Fields of one stated result that become columns."""
ROWS = 24
_SAYABLE = 16
"""Characters of a reference that a person may have at hand."""
_PASSING = frozenset({"limit", "page", "sort", "format", "mode", "secret", "query", "code"})
"""Kinds that steer a call and are no property of a thing."""
_TYPES = {"integer": "INTEGER", "number": "REAL", "boolean": "INTEGER"}
_MADE: dict[str, Any] = {
    "available": {"choice": ["yes", "no"]}, "valid": {"choice": ["yes", "no"]},
    "verified": {"choice": ["yes", "no"]}, "result": {"number": [1, 500, 2]},
}  # fmt: skip
_FRACTIONS = frozenset(
    {"amount", "percent", "latitude", "longitude", "weight", "temperature", "distance"}
)
_WHOLE = frozenset({"limit", "rating", "age", "year", "size"})
_STAMPS = frozenset({"created", "modified", "updated", "timestamp", "expires"})
_NAMING = frozenset({"title", "name", "person", "text", "file", "summary", "company"})
"""Kinds that tell one thing from another."""
SINCE = frozenset({"since", "start", "from", "after", "min", "minimum", "begin"})
UNTIL = frozenset({"until", "end", "to", "before", "max", "maximum"})
BOUNDS = SINCE | UNTIL
_PLAIN = frozenset({"string", "integer", "number"})
_COMPARED: dict[str, tuple[str, ...]] = {
    "name": ("name", "title", "person", "company", "file"), "title": ("title", "name", "text"),
    "person": ("person",), "text": ("text", "title", "summary"),
    "year": ("year", "date", "datetime"), "date": ("date", "datetime"),
    "datetime": ("datetime", "date"),
}  # fmt: skip
"""Kinds of column that a parameter of a kind is compared with, the nearest first."""
_SOME_STATE = {"choice": ["pending", "in progress", "completed", "failed"]}
"""Of a thing that a tool asks the status of, and of which nothing tells states."""
_STATUS_WORDS = ("status", "state", "stage")


@dataclass(slots=True)
class Column:
    """One column of a thing's table."""

    name: str
    type: str
    spec: Any
    """Generator of its seeded values."""
    kind: str | None = None
    refers: str | None = None
    """Thing whose key it holds."""
    structured: bool = False
    """Whether it holds JSON text."""


@dataclass(slots=True)
class Thing:
    """One table."""

    noun: str
    table: str
    key: str
    key_type: str
    key_spec: Any
    prefix: str
    columns: dict[str, Column] = field(default_factory=dict)
    states: Machine | None = None
    named: bool = False
    """Whether its key is a name, which people know."""
    status: str = "status"
    topic: Any = None
    """Generator of what searches look for."""


def things(readings: Sequence[Reading]) -> dict[str, Thing]:
    """The things of a cluster, by noun."""
    wanted: dict[str, None] = {}
    for reading in readings:
        if reading.thing and (reading.own or reading.action == "create" or reading.many):
            wanted.setdefault(reading.thing)
        for noun in reading.keys.values():
            wanted.setdefault(noun)
    tables: set[str] = set()
    keys: set[str] = set()
    found = {noun: _thing(noun, readings, tables, keys) for noun in wanted}
    by_key = {thing.key: noun for noun, thing in found.items()}
    for noun, thing in found.items():
        about = [reading for reading in readings if reading.thing == noun]
        _fill(thing, about, found, by_key)
    return found


def _thing(noun: str, readings: Sequence[Reading], tables: set[str], keys: set[str]) -> Thing:
    table = unique(identifier(noun, "thing"), tables)
    slots = [
        (name, reading.parameters[name], name in reading.named)
        for reading in readings
        for name, thing in reading.keys.items()
        if thing == noun
    ]
    prefix = "".join(part[:3] if n == 0 else part[:1] for n, part in enumerate(noun.split()))
    prefix = "".join(c for c in prefix.upper() if c.isascii() and c.isalpha())[:5] or "REF"
    prefix = "REF" if prefix == "NOW" else prefix
    named = bool(slots) and all(is_named and not _is_code(n, p) for n, p, is_named in slots)
    if named:
        name, parameter, _ = slots[0]
        own = identifier(name)
        key = own if own != "name" else f"{table}_name"
        found = Thing(noun, table, unique(key, keys), "TEXT", parameter.sample, prefix)
        found.named = True
        return found
    numbers = sum(parameter.type in {"integer", "number"} for _, parameter, _ in slots)
    numeric = numbers > len(slots) / 2
    patterned = next((p for _, p, _ in slots if _fixed_form(p)), None)
    key = unique(f"{table}_id", keys)
    if numeric:
        return Thing(noun, table, key, "INTEGER", {"seq": 101 + len(keys) * 100}, prefix)
    listed = next((p.sample for _, p, other in slots if not other and _is_listed(p)), None)
    if listed is not None:
        found = Thing(noun, table, key, "TEXT", listed, prefix)
        found.named = True
        return found
    if patterned is not None:
        return Thing(noun, table, key, "TEXT", patterned.sample, "")
    return Thing(noun, table, key, "TEXT", {"id": prefix}, prefix)


def _is_listed(parameter: Parameter) -> bool:
    """Whether a description names some ids, such as `binance`: those are names that people know."""
    spec = parameter.sample
    values = spec.get("choice", ()) if isinstance(spec, dict) else ()
    plain = all(isinstance(v, str) and not v[:1].isdigit() for v in values)
    return len(values) > 2 and plain and not is_fallback(spec)


def _is_code(name: str, parameter: Parameter) -> bool:
    """Whether a key is a reference such as `key`, of which no more is known, rather than a name."""
    return split(name)[-1:] == ("key",) and is_fallback(parameter.sample)


def is_opaque(thing: Thing) -> bool:
    """Whether its key is one that nobody can know or say, such as a UUID."""
    return thing.key_type == "TEXT" and not thing.named and is_unsayable(thing.key_spec)


def is_unsayable(spec: Any) -> bool:
    """Whether a generator makes references that nobody has in mind."""
    parts = spec if isinstance(spec, dict) else {}
    if isinstance(parts.get("list"), list):
        return is_unsayable(parts["list"][0])
    shown = [str(parts.get("pattern", "")), *map(str, parts.get("choice", ()))]
    return max(map(len, shown)) > _SAYABLE


def _fixed_form(parameter: Parameter) -> bool:
    extra: Mapping[str, Any] = parameter.model_extra or {}
    return "pattern" in extra or extra.get("format") == "uuid" or extra.get("minLength", 0) > 9


def _fill(
    thing: Thing, about: Sequence[Reading], found: Mapping[str, Thing], by_key: Mapping[str, str]
) -> None:
    named: list[str] = []
    for reading in about:
        for name, parameter in reading.parameters.items():
            if name in reading.keys and name != reading.own:
                _refer(thing, reading, name, found)
            elif name != reading.own:
                named += _take(thing, reading, name, parameter)
    for reading in about:
        _stated(thing, reading, by_key)
    thing.states = machine([r.verb for r in about if r.action == "status" and r.own], named)
    if thing.states is None and (named or any(r.asks_state for r in about)):
        spec = {"choice": list(dict.fromkeys(named))[:MOST_COLUMNS]} if named else _SOME_STATE
        thing.columns[thing.status] = Column(thing.status, "TEXT", spec, "status")
    if not any(c.kind in _NAMING for c in thing.columns.values() if not c.structured):
        _add_usual(thing, 1)
    if sum(not (c.refers or c.structured) for c in thing.columns.values()) < 2:
        _add_usual(thing, 3)
    _make_filters(thing, about)


def _make_filters(thing: Thing, about: Sequence[Reading]) -> None:
    """A column for each parameter that a list is filtered by, where none of its kind is there."""
    for reading in about:
        for name, parameter in reading.parameters.items():
            if not reading.many or name in reading.keys or parameter.kind in _PASSING:
                continue
            if thing.states is not None and column_name(name) == thing.status:
                continue
            bound = parameter.optional and not BOUNDS.isdisjoint(split(name))
            if bound or parameter.type not in _PLAIN:
                continue
            if filtered(name, parameter, thing) is None:
                _add(thing, column_name(name), parameter)


def filtered(name: str, parameter: Parameter, thing: Thing) -> Column | None:
    """The column that a parameter of a list is compared with: of its name, else of its kind."""
    own = thing.columns.get(column_name(name))
    if own is not None and not own.structured:
        return own
    kinds = _COMPARED.get(str(parameter.kind), {parameter.kind} - {None})
    plain = [c for c in thing.columns.values() if not (c.refers or c.structured)]
    return next((c for kind in kinds for c in plain if c.kind == kind), None)


def _take(thing: Thing, reading: Reading, name: str, parameter: Parameter) -> list[str]:
    """Make a parameter a column where it is a property; states that it names are returned."""
    column, states = column_name(name), []
    if column in _STATUS_WORDS or split(name)[-1:] == ("status",):
        thing.status = column if column in _STATUS_WORDS else "status"
        states = _choices(parameter)
    elif len(thing.columns) < MOST_COLUMNS and _is_property(reading, parameter):
        _add(thing, column, parameter)
    if reading.many and parameter.kind == "query" and thing.topic is None:
        thing.topic = parameter.sample
    return states


def _refer(thing: Thing, reading: Reading, name: str, found: Mapping[str, Thing]) -> None:
    target = found[reading.keys[name]]
    same = target is thing
    if same and (reading.many or names_new(reading, name)):
        return
    column = identifier(name) if same else target.key
    if column == thing.key:
        return
    spec = {"value": None} if same else {"ref": f"{target.table}.{target.key}"}
    thing.columns.setdefault(
        column, Column(column, target.key_type, spec, refers=reading.keys[name])
    )


def names_new(reading: Reading, name: str) -> bool:
    """Whether a parameter is the key of what a call creates: `id`, `rule_id`, `name`."""
    if reading.action != "create" or reading.keys.get(name) != reading.thing:
        return False
    return name in reading.named or identified(name) in {"", reading.thing}


def column_name(parameter: str) -> str:
    """Column that a parameter sets or filters: `newTitle` is the title."""
    parts = split(parameter)
    while len(parts) > 1 and parts[0] in {"new", "updated", "filter", "by"}:
        parts = parts[1:]
    return identifier("_".join(parts))


def _choices(parameter: Parameter) -> list[str]:
    values = (parameter.model_extra or {}).get("enum")
    if not values and isinstance(parameter.sample, dict):
        values = parameter.sample.get("choice")
    return [value for value in values or () if isinstance(value, str)]


def _is_property(reading: Reading, parameter: Parameter) -> bool:
    if parameter.kind in _PASSING or parameter.type == "boolean":
        return False
    if reading.action in {"create", "update"}:
        return True
    return reading.many and filters_equally(parameter)


def filters_equally(parameter: Parameter) -> bool:
    """Whether a list is filtered by equality with a parameter's few values."""
    few = isinstance(parameter.sample, dict) and "choice" in parameter.sample
    return few and parameter.kind not in {*_PASSING, "text", "title", "name", "datetime", "date"}


def _add(thing: Thing, name: str, parameter: Parameter) -> None:
    if name == thing.key or name in thing.columns:
        return
    structured = parameter.type in {"array", "object"}
    kind = parameter.kind if not structured else None
    thing.columns[name] = Column(
        name, _TYPES.get(parameter.type, "TEXT"), parameter.sample, kind, structured=structured
    )


def _stated(thing: Thing, reading: Reading, by_key: Mapping[str, str]) -> None:
    """Columns for the fields that a tool's source says it returns."""
    for path, stated in stated_fields(reading)[:MOST_FIELDS]:
        name = field_name(path, thing)
        if name == thing.key or name in thing.columns or len(thing.columns) >= MOST_COLUMNS:
            continue
        if name in by_key:
            continue
        if name in _STATUS_WORDS:
            thing.status = name
            continue
        column = made_column(name, stated)
        if column is not None:
            thing.columns[name] = column


def field_name(path: Sequence[str], thing: Thing | None) -> str:
    """Column for a field of a result: an id of the thing itself is its key."""
    parts = [identifier(part) for part in path]
    wrappers = {"data", "result", "results", "item", "items", "response", "records", "value"}
    if thing is not None:
        wrappers |= {thing.table, f"{thing.table}s"}
    while len(parts) > 1 and (parts[0] in wrappers or len(parts) > 2):
        parts = parts[1:]
    name = identifier("_".join(parts))
    if thing is not None and len(parts) == 1 and identified(path[-1]) == "":
        return thing.key
    return name


def made_column(name: str, stated: str) -> Column | None:
    """A column for a field of which only name and type are known."""
    json = stated if stated in {"integer", "number", "string"} else ""
    kind = kind_of(name, {"type": json} if json else {})
    if not json:
        json = "number" if kind in _FRACTIONS else ("integer" if kind in _WHOLE else "string")
    if json in {"integer", "number"} and (
        kind in {"date", "datetime", "time"} or not _STAMPS.isdisjoint(split(name)[-1:])
    ):
        return None  # seconds since 1970, of which nobody speaks
    if split(name)[-1:] == ("token",):
        return None  # of access or paging
    if kind == "code" and split(name)[-1:] == ("code",):
        kind = "reference"  # only programs are about code
    spec = _MADE.get(name) or (
        sample(name, {"type": json}, "", kind=kind) if kind or json != "string" else None
    )
    if spec is None:
        return None
    if name == "result":
        json = "number"
    if isinstance(spec, dict) and "instant" in spec:
        spec = {"datetime": spec["instant"]}
    json = "integer" if json == "number" and whole(spec) else json
    return Column(name, _TYPES.get(json, "TEXT"), spec, kind)


def _add_usual(thing: Thing, wanted: int) -> None:
    """Add what such things usually have, so many columns or until there are three plain ones."""
    added = 0
    for name in usual(thing.noun):
        plain = sum(not (c.refers or c.structured) for c in thing.columns.values())
        taken = name in thing.columns or name == thing.key or (name == "name" and thing.named)
        if taken or added == wanted or (wanted > 1 and plain >= 3):
            continue
        column = made_column(name, "")
        if column is not None:
            thing.columns[name] = column
            added += 1


def ordered(found: Iterable[Thing], by_noun: Mapping[str, Thing]) -> list[Thing]:
    """Things in an order in which each refers to earlier ones; a circle loses a reference."""
    done: list[Thing] = []
    waiting = list(found)
    while waiting:
        names = {thing.noun for thing in done}
        ready = [
            thing
            for thing in waiting
            if all(c.refers in {*names, thing.noun, None} for c in thing.columns.values())
        ]
        if not ready:
            thing = waiting[0]
            for column in thing.columns.values():
                if column.refers not in {*names, thing.noun, None}:
                    column.spec = {"value": None}
                    column.refers = None
            continue
        done += ready
        waiting = [thing for thing in waiting if thing not in ready]
    return done
