"""Tools without a thing: questions, computations, actions.

Enters: a reading. Leaves: the tool as SQL. A question is answered out of a seeded table, by what is
asked alone, so that the same question has the same answer; arithmetic is done; an action is logged.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tdscaling.declared.definition import Parameter
from tdscaling.drafting._envelope import stated_fields
from tdscaling.drafting._read import Reading
from tdscaling.drafting._sql import identifier, quoted, text
from tdscaling.drafting._things import Column, Thing, field_name, made_column
from tdscaling.drafting._tools import Drafted, bound, exists
from tdscaling.drafting._usual import known, usual
from tdscaling.phrasing import kind_of
from tdscaling.phrasing.clean import plain
from tdscaling.phrasing.names import split
from tdscaling.phrasing.verbs import listed, past

ANSWERS = 40
"""Seeded answers per question tool."""
MOST_FIELDS = 5
_ARITHMETIC = {
    "add": "{0} + {1}", "sum": "{0} + {1}", "subtract": "{0} - {1}", "multiply": "{0} * {1}",
    "divide": "1.0 * {0} / {1}", "diff": "{0} - {1}",
}  # fmt: skip
_MADE_UP = listed(
    """translate summarize summarise transform parse render encode decode encrypt decrypt
    format execute run evaluate echo explain extract rewrite think solve hash compile
    lint generate"""
)
"""Verbs whose result follows from the text they are given: no table holds it."""
_VERDICTS = {"validate": "valid", "verify": "verified", "check": "available"}
_INCLUDING = re.compile(
    r"\b(?:including|includes?|such as|with|returns?|containing|like)\b\s+(?:the |its |their )?"
    r"([a-z][a-z ,/-]{3,140})",
    re.IGNORECASE,
)
_PROSE = frozenset({"description", "abstract", "comment", "note"})
_TELLING = listed(
    """title name amount date datetime person city country url status category rating percent
    temperature condition email phone address language currency company year text
    priority size duration weight age summary version time distance"""
)


class UndraftableError(ValueError):
    """A tool whose results cannot be made up; the message says why."""


@dataclass(slots=True)
class Table:
    """A table of answers or of what was done."""

    name: str
    columns: dict[str, Column]
    journal: bool


def question(reading: Reading, things: Mapping[str, Thing], name: str) -> tuple[Drafted, Table]:
    """A tool that answers out of a seeded table.

    Raises:
        UndraftableError: if nothing tells what it returns.
    """
    parameters = bound(reading, things, None)
    columns = _answer_columns(reading)
    given = {p.kind for p in parameters.values() if not p.optional} & {"name", "title", "person"}
    if len(columns) > 1:
        columns = {n: c for n, c in columns.items() if c.kind not in given}
    echoed = [n for n, p in parameters.items() if _echoes(n, p, columns)][:2]
    shown = [f":{n} AS {quoted(_echo(n, parameters[n]))}" for n in echoed]
    shown += [quoted(column) for column in columns]
    asked = ", ".join([str(ANSWERS), *(f":{n}" for n in parameters)])
    returns = f"SELECT {', '.join(shown)} FROM {quoted(name)} WHERE no = bucket({asked})"
    told = (*(_echo(n, parameters[n]) for n in echoed), *columns)
    return Drafted(parameters, returns, told, _existing(reading, things)), Table(
        name, columns, journal=False
    )


def _echoes(name: str, parameter: Parameter, columns: Mapping[str, Column]) -> bool:
    """Whether an answer repeats what was asked."""
    plain = parameter.type == "string" and parameter.kind != "text"
    return plain and not parameter.optional and _echo(name, parameter) not in columns


def _echo(name: str, parameter: Parameter) -> str:
    return parameter.source or identifier(name)


def _answer_columns(reading: Reading) -> dict[str, Column]:
    stated = [(field_name(path, None), kind) for path, kind in stated_fields(reading)]
    names = [(name, kind) for name, kind in stated if not kind_is_id(name)][: MOST_FIELDS + 1]
    if not names:
        names = [(name, "") for name in _implied(reading)]
    found = {}
    for name, kind in names:
        column = made_column(name, kind)
        if column is not None:
            found[name] = column
    found.pop("no", None)
    if not found:
        raise UndraftableError("nothing tells what it returns")
    return found


def kind_is_id(name: str) -> bool:
    """Whether a field is an id, which an answer out of nowhere should not hold."""
    return kind_of(name, {}) == "id"


def _implied(reading: Reading) -> list[str]:
    """Names of fields that name and description imply."""
    thing = reading.thing
    if reading.verb in _VERDICTS:
        return [_VERDICTS[reading.verb]]
    if reading.verb in _MADE_UP:
        raise UndraftableError(f"what it returns follows from what it is given ({reading.verb})")
    if thing and known(thing):
        return list(usual(thing))
    mined = _mined(reading.tool.description)
    head = identifier(thing.rpartition(" ")[2]) if thing else ""
    kind = kind_of(head, {}) if head else None
    if kind in _TELLING or reading.action == "compute":
        own = identifier(thing) if kind in _TELLING else "result"
        return list(dict.fromkeys([own, *mined]))[:MOST_FIELDS]
    if mined:
        return mined[:MOST_FIELDS]
    raise UndraftableError("nothing tells what it returns")


def _mined(description: str) -> list[str]:
    """Attributes that a description names after words such as `including`."""
    found: dict[str, None] = {}
    for found_list in _INCLUDING.findall(plain(description, 800)):
        for part in re.split(r",|\band\b|/", found_list):
            words = split(part.strip())[:3]
            name = identifier("_".join(words)) if words else ""
            kind = kind_of(name, {}) if name else None
            if kind in _TELLING and (kind != "text" or name in _PROSE):
                found.setdefault(name)
    return list(found)


def reckoned(reading: Reading) -> None:
    """Refuse a tool whose result follows from a program, a query or a formula that it is given.

    Raises:
        UndraftableError: if it is one. One that keeps such a text, as a snippet, is none.
    """
    if reading.action not in {"get", "list", "compute", "act"} and not reading.tool.read_only:
        return
    for name, parameter in reading.parameters.items():
        named = split(name)[-1:] == ("name",)  # of a script that is somewhere
        if parameter.kind == "code" and not (parameter.optional or named):
            raise UndraftableError(
                f"what it returns follows from the {plain(name, 60)} it is given"
            )


def arithmetic(reading: Reading) -> Drafted | None:
    """A tool that computes with two numbers."""
    names = [n for n, p in reading.parameters.items() if p.type in {"integer", "number"}]
    if reading.verb not in _ARITHMETIC or len(names) != 2 or len(reading.parameters) != 2:
        return None
    first, second = (f":{name}" for name in names)
    result = _ARITHMETIC[reading.verb].format(first, second)
    rules = []
    if reading.verb == "divide":
        rules = [{"check": f"SELECT 1 WHERE {second} <> 0", "error": "a division by zero"}]
    returns = f"SELECT round({result}, 6) AS result"
    return Drafted(dict(reading.parameters), returns, ("result",), rules)


def journal(reading: Reading, things: Mapping[str, Thing], name: str) -> tuple[Drafted, Table]:
    """A tool that does something of which only a record stays."""
    parameters = bound(reading, things, None)
    columns = {slot: identifier(slot) for slot in parameters}
    columns = {slot: f"{c}_given" if c in _RESERVED else c for slot, c in columns.items()}
    if len(set(columns.values())) < len(columns):
        raise UndraftableError("two of its parameters have one name")
    outcome = past(reading.verb) if reading.verb else "done"
    names = ", ".join(["no", "outcome", *map(quoted, columns.values())])
    number = f"coalesce((SELECT max(no) FROM {quoted(name)}), 0) + 1"
    values = ", ".join([number, text(outcome), *(f":{slot}" for slot in parameters)])
    effect = f"INSERT INTO {quoted(name)} ({names}) VALUES ({values})"
    shown = [
        columns[slot]
        for slot, p in parameters.items()
        if not p.optional and p.type not in {"array", "object"}
    ][:3]
    listed_ = ", ".join([*map(quoted, shown), "outcome"])
    returns = f"SELECT {listed_} FROM {quoted(name)} ORDER BY no DESC LIMIT 1"
    drafted = Drafted(
        parameters, returns, (*shown, "outcome"), _existing(reading, things), [effect]
    )
    kinds = {"integer": "INTEGER", "number": "REAL"}
    table = {
        column: Column(column, kinds.get(parameters[slot].type, "TEXT"), None)
        for slot, column in columns.items()
    }
    return drafted, Table(name, table, journal=True)


_RESERVED = frozenset({"no", "outcome"})


def _existing(reading: Reading, things: Mapping[str, Thing]) -> list[dict[str, str]]:
    return [
        exists(name, things[noun], reading.parameters[name])
        for name, noun in reading.keys.items()
        if noun in things
    ]


def answer_rows(table: Table) -> dict[str, Any]:
    """Seeded rows of a table of answers."""
    columns: dict[str, Any] = {"no": {"seq": 1}}
    columns |= {name: column.spec for name, column in table.columns.items()}
    return {"count": ANSWERS, "columns": columns}
