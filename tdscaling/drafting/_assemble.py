"""From a cluster to a domain file.

Enters: a cluster whose tools are known by schema alone. Leaves: a `Draft`: the content of a domain
file that simulates them, and which tools were left out and why. Equal clusters, equal bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import fastjsonschema

from tdscaling.catalog import Skipped
from tdscaling.declared.definition import DomainFile, Parameter
from tdscaling.drafting._known import fed, leave_unsayable, sayable, spoken_of
from tdscaling.drafting._lists import listing
from tdscaling.drafting._lookups import (
    Table,
    UndraftableError,
    answer_rows,
    arithmetic,
    journal,
    question,
    reckoned,
)
from tdscaling.drafting._read import Reading, read
from tdscaling.drafting._sql import identifier, label_of, quoted, text, unique
from tdscaling.drafting._things import ROWS, Thing, is_opaque, ordered
from tdscaling.drafting._tools import Drafted, create, on_own
from tdscaling.drafting._wording import phrases, worded
from tdscaling.errors import DomainError
from tdscaling.phrasing import UnphrasableError, parameters
from tdscaling.phrasing.clean import plain
from tdscaling.phrasing.kinds import LABELS
from tdscaling.schema import Cluster, Tool

CLOCK = "2025-06-17 08:30"
LEAST_TOOLS = 2
LARGEST_SCHEMA = 60_000
"""Characters of a published schema; compiling larger ones takes seconds."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A drafted domain, not checked yet."""

    file: DomainFile
    left_out: tuple[Skipped, ...]
    """Tools that could not be drafted."""


def assemble(cluster: Cluster, without: Mapping[str, str] | None = None) -> Draft:
    """Draft a domain.

    Args:
        cluster: whose tools it offers.
        without: tools that must be left out, with the reason.

    Raises:
        DomainError: if fewer than two tools can be drafted.
    """
    left_out = dict(without or {})
    usable = _usable(cluster, left_out)
    readings = read(cluster, usable)
    found = spoken_of(readings)
    drafted, made = _drafted(readings, found, left_out)
    opaque = frozenset(thing.key for thing in found.values() if is_opaque(thing))
    leave_unsayable(drafted, opaque, left_out)
    tables = [table for name, table in made.items() if name in drafted]
    used = _used(found, readings, drafted)
    skipped = tuple(Skipped(f"{cluster.id}.{name}", why) for name, why in left_out.items())
    if len(drafted) < LEAST_TOOLS:
        reasons = "; ".join(f"{plain(name, 60)}: {why}" for name, why in list(left_out.items())[:3])
        raise DomainError(
            f"cluster {cluster.id}: expected at least {LEAST_TOOLS} tools that can be simulated, "
            f"got {len(drafted)} of {len(cluster.tools)} ({reasons})"
        )
    by_name = {reading.tool.name: reading for reading in readings}
    content = _content(cluster, used, tables, drafted, by_name)
    return Draft(DomainFile.model_validate(content), skipped)


def _usable(
    cluster: Cluster, left_out: dict[str, str]
) -> dict[str, tuple[Tool, dict[str, Parameter]]]:
    usable: dict[str, tuple[Tool, dict[str, Parameter]]] = {}
    for tool in cluster.tools:
        if tool.name in left_out or tool.name in usable:
            continue
        problem = _schema_problem(tool)
        if problem is None:
            try:
                usable[tool.name] = tool, sayable(parameters(tool))
            except UnphrasableError as error:
                problem = str(error).removeprefix(plain(tool.name, 60)).lstrip(":, ")
        if problem is not None:
            left_out[tool.name] = problem
    return usable


def _schema_problem(tool: Tool) -> str | None:
    """Why a tool's schema cannot be offered as it is."""
    if len(str(tool.parameters)) > LARGEST_SCHEMA:
        return f"its schema has more than {LARGEST_SCHEMA:,} characters"
    try:
        json.dumps(tool.parameters, ensure_ascii=False).encode()
    except (ValueError, TypeError, RecursionError) as error:
        return f"its schema is no JSON text: {plain(error, 120)}"
    if _points_outside(tool.parameters):
        return "its schema refers to something outside of itself"
    try:
        fastjsonschema.compile(tool.parameters, use_default=False)
    except Exception as error:  # noqa: BLE001 - of an untrusted schema the compiler may raise any
        return f"its schema does not compile: {plain(error, 120)}"
    return None


def _points_outside(schema: Any) -> bool:
    if isinstance(schema, dict):
        target = schema.get("$ref", "#")
        if isinstance(target, str) and not target.startswith("#"):
            return True
        if "$id" in schema or ("id" in schema and "$schema" in schema):
            return True
        return any(map(_points_outside, schema.values()))
    return isinstance(schema, list) and any(map(_points_outside, schema))


def _drafted(
    readings: list[Reading], found: Mapping[str, Thing], left_out: dict[str, str]
) -> tuple[dict[str, Drafted], dict[str, Table]]:
    drafted: dict[str, Drafted] = {}
    tables: dict[str, Table] = {}
    taken = {thing.table for thing in found.values()}
    for reading in readings:
        name = reading.tool.name
        try:
            tool, table = _one(reading, found, taken)
        except UndraftableError as error:
            left_out[name] = str(error)
            continue
        drafted[name] = tool
        if table is not None:
            tables[name] = table
    return drafted, tables


def _one(
    reading: Reading, found: Mapping[str, Thing], taken: set[str]
) -> tuple[Drafted, Table | None]:
    """One tool, by the first way that fits."""
    reckoned(reading)
    tool = _on_thing(reading, found) or arithmetic(reading)
    if tool is not None:
        return tool, None
    words = identifier(reading.tool.name, "tool")
    if reading.action in {"get", "list", "compute"} or reading.tool.read_only:
        return question(reading, found, unique(f"answer_{words}", taken))
    if reading.action in {"act", "update", "status", "delete", "create"}:
        return journal(reading, found, unique(f"done_{words}", taken))
    raise UndraftableError("nothing tells what it does")


def _on_thing(reading: Reading, things: Mapping[str, Thing]) -> Drafted | None:
    """The tool, if it is about a thing of which there is a table."""
    thing = things.get(reading.thing)
    if thing is None:
        return None
    if reading.action == "create":
        return create(reading, thing, things)
    if reading.many and not reading.own:
        return listing(reading, thing, things)
    if not reading.own:
        return None
    tool = on_own(reading, thing, things)
    if tool is not None and not thing.named and thing.prefix:
        tool.stale = "99999" if thing.key_type == "INTEGER" else text(f"{thing.prefix}-0417")
    return tool


def _used(
    found: Mapping[str, Thing], readings: list[Reading], drafted: Mapping[str, Drafted]
) -> list[Thing]:
    """Things that drafted tools are about or refer to, referenced ones first."""
    wanted: dict[str, None] = {}
    for reading in readings:
        if reading.tool.name in drafted:
            wanted |= dict.fromkeys([reading.thing, *reading.keys.values()])
    queue = [noun for noun in wanted if noun in found]
    for noun in queue:
        refers = [c.refers for c in found[noun].columns.values() if c.refers]
        queue += [other for other in refers if other not in queue]
    return ordered([found[noun] for noun in dict.fromkeys(queue)], found)


def _content(
    cluster: Cluster,
    used: list[Thing],
    tables: list[Table],
    drafted: Mapping[str, Drafted],
    readings: Mapping[str, Reading],
) -> dict[str, Any]:
    title = plain(" and ".join(cluster.services or (cluster.domain,)).replace("_", " "), 120)
    kinds = {
        name: column.kind
        for thing in used
        for name, column in thing.columns.items()
        if column.kind in LABELS and not column.refers
    }
    shared = replace_sources(drafted, kinds, used)
    public = frozenset(thing.key for thing in used if thing.named)
    opaque = frozenset(thing.key for thing in used if is_opaque(thing))
    returned = {column for tool in shared.values() for column in tool.columns}
    return {
        "category": label_of(cluster.category),
        "about": f"{title[0].upper()}{title[1:]}: {_abouts(readings, shared)}.",
        "clock": CLOCK,
        "simulates": title,
        "tables": "\n".join([*map(_thing_sql, used), *map(_table_sql, tables)]),
        "rows": _rows(used, tables),
        "kinds": {name: kind for name, kind in kinds.items() if name in returned},
        "phrases": phrases(used, returned),
        "tools": {
            name: worded(readings[name], tool, _identifying(readings[name], used))
            for name, tool in fed(shared, readings, public, opaque).items()
        },
    }


def _abouts(readings: Mapping[str, Reading], drafted: Mapping[str, Drafted]) -> str:
    nouns = dict.fromkeys(readings[name].thing for name in drafted if readings[name].thing)
    return "services around " + ", ".join(list(nouns)[:5]) if nouns else "a set of services"


def _identifying(reading: Reading, used: list[Thing]) -> Thing | None:
    return next((thing for thing in used if thing.noun == reading.thing), None)


def replace_sources(
    drafted: Mapping[str, Drafted], kinds: Mapping[str, str], used: list[Thing]
) -> dict[str, Drafted]:
    """Personal parameters take values that other tools return under another name."""
    keys = {thing.key for thing in used}
    found = {}
    for name, tool in drafted.items():
        parameters_ = {}
        for slot, parameter in tool.parameters.items():
            column = parameter.source or slot
            personal = parameter.kind in {"person", "email", "phone", "address"}
            if personal and column not in kinds and column not in keys:
                same = [c for c, kind in kinds.items() if kind == parameter.kind]
                others = [
                    c for c in same
                    if any(c in o.columns for n, o in drafted.items() if n != name)
                ]  # fmt: skip
                if others:
                    parameter = parameter.model_copy(update={"source": others[0]})
            parameters_[slot] = parameter
        found[name] = replace(tool, parameters=parameters_)
    return found


def _thing_sql(thing: Thing) -> str:
    parts = [f"  {quoted(thing.key)} {thing.key_type} PRIMARY KEY"]
    for name, column in thing.columns.items():
        part = f"  {quoted(name)} {column.type}"
        if column.refers:
            part += f" REFERENCES {quoted(_target(thing, column.refers, column.spec))}"
        parts.append(part)
    if thing.states is not None:
        listed = ", ".join(map(text, thing.states.states))
        parts.append(f"  {thing.status} TEXT NOT NULL CHECK ({thing.status} IN ({listed}))")
    if thing.topic is not None:
        parts.append("  topic TEXT")
    return f"CREATE TABLE {quoted(thing.table)} (\n" + ",\n".join(parts) + "\n);"


def _target(thing: Thing, noun: str, spec: Any) -> str:
    if noun == thing.noun:
        return thing.table
    return str(spec["ref"]).partition(".")[0]


def _table_sql(table: Table) -> str:
    parts = ["  no INTEGER PRIMARY KEY"]
    parts += ["  outcome TEXT NOT NULL"] if table.journal else []
    parts += [f"  {quoted(name)} {column.type}" for name, column in table.columns.items()]
    return f"CREATE TABLE {quoted(table.name)} (\n" + ",\n".join(parts) + "\n);"


def _rows(used: list[Thing], tables: list[Table]) -> dict[str, Any]:
    rows: dict[str, Any] = {}
    for thing in used:
        columns: dict[str, Any] = {thing.key: thing.key_spec}
        if thing.topic is not None:
            columns["topic"] = thing.topic
        for name, column in thing.columns.items():
            columns[name] = _titled(column, thing)
        if thing.states is not None:
            weights = dict.fromkeys(thing.states.states, 2)
            columns[thing.status] = {"choice": {**weights, thing.states.initial: 5}}
        rows[thing.table] = {"count": ROWS, "columns": columns}
    for table in tables:
        rows[table.name] = {"count": 0, "columns": {"no": {"seq": 1}}}
        if not table.journal:
            rows[table.name] = answer_rows(table)
    return rows


_HEADINGS = ("An overview of {topic}", "Putting {topic} to use", "Notes on {topic}",
             "All about {topic}", "A short guide to {topic}", "What is new in {topic}")  # fmt: skip


def _titled(column: Any, thing: Thing) -> Any:
    """A title that is about what searches look for."""
    if thing.topic is not None and column.kind in {"title"}:
        return {"text": list(_HEADINGS)}
    if column.structured and column.spec is not None:
        return {"value": None}
    return column.spec
