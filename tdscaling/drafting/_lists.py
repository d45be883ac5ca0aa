"""Lists and searches over one thing.

Enters: a reading and its thing. Leaves: the tool as SQL: its parameters filter, search, bound and
cut, and `cases` holds values that find something.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from tdscaling.declared.definition import Parameter
from tdscaling.drafting._read import Reading
from tdscaling.drafting._sql import identifier, quoted, text
from tdscaling.drafting._things import (
    SINCE,
    UNTIL,
    Column,
    Thing,
    column_name,
    filtered,
    filters_equally,
)
from tdscaling.drafting._tools import Drafted, bound, columns_of, rules_of, selected
from tdscaling.phrasing.clean import plain
from tdscaling.phrasing.names import identified, split
from tdscaling.phrasing.verbs import listed

_SEARCHED = frozenset(
    {"title", "name", "text", "tags", "category", "person", "company", "city", "file", "summary"}
)
_WORDED = frozenset({"name", "title", "text", "person", "company", "file"})
"""Kinds of which a part is enough."""
_LIMITS = listed("limit count max top maximum size num n k first results number rows take")
_ANY = "(:{0} IS NULL OR 1)"
"""A condition that always holds and names its parameter."""
_ONGOING = listed("open active pending current outstanding ongoing unresolved live waiting")
"""What is not over, where no state has that name."""
MOST_LISTED = 20
"""Rows of a list, at most."""


def listing(reading: Reading, thing: Thing, things: Mapping[str, Thing]) -> Drafted:
    parameters = bound(reading, things, None)
    conditions: list[str] = []
    cases: list[str] = []
    silent: list[str] = []
    limit = f"{MOST_LISTED // 2}"
    for name, parameter in parameters.items():
        if parameter.kind == "limit" and name not in reading.keys and _is_limit(name):
            limit = f"max(1, min(coalesce(CAST(:{name} AS INTEGER), 10), {MOST_LISTED}))"
            continue
        condition, case = _filter(name, parameter, reading, thing, things)
        if condition == _ANY.format(name) and parameter.optional:
            silent.append(name)  # one that changes nothing would be seen to
            continue
        conditions.append(condition)
        if case:
            share = "CASE WHEN rowid % 2 THEN {0} END" if parameter.optional else "{0}"
            cases.append(f"{share.format(case)} AS {quoted(name)}")
    parameters = {name: p for name, p in parameters.items() if name not in silent}
    stated = _stated_state(reading, thing)
    conditions += stated
    columns = columns_of(reading, thing)
    where = " AND ".join(conditions) or "1"
    order = next((n for n, c in thing.columns.items() if c.kind in {"date", "datetime"}), None)
    by = f"{quoted(order)} DESC, {quoted(thing.key)}" if order else quoted(thing.key)
    returns = f"{selected(thing, columns, where)} ORDER BY {by} LIMIT {limit}"
    rules = [
        rule
        for rule in rules_of(reading, things)
        if not any(f":{name}" in rule["check"] for name in (reading.own, *silent))
    ]
    listed = f"SELECT DISTINCT {', '.join(cases)} FROM {quoted(thing.table)}" if cases else None
    if listed and stated:
        listed += f" WHERE {stated[0]}"
    return Drafted(parameters, returns, tuple(columns), rules, cases=listed, many=True)


def _stated_state(reading: Reading, thing: Thing) -> list[str]:
    """The condition that name or description states: `list_open_orders` lists no closed one."""
    if thing.states is None or any(column_name(n) == thing.status for n in reading.parameters):
        return []
    states = {" ".join(split(state)): state for state in thing.states.states}
    first = plain(reading.tool.description, 300).partition(". ")[0].lower()
    noun = re.escape(thing.noun)
    for word in (*split(reading.tool.name), *_adjectives(noun, first)):
        if word in states:
            return [f"{quoted(thing.status)} = {text(states[word])}"]
        if word in _ONGOING and thing.states.final:
            over = ", ".join(map(text, sorted(thing.states.final)))
            return [f"{quoted(thing.status)} NOT IN ({over})"]
    return []


def _adjectives(noun: str, said: str) -> list[str]:
    """Words right before a noun, and what it is said to be: `orders that are still open`."""
    if re.search(rf"\b\w+,? (?:or|and) \w+ {noun}", said):
        return []  # open and closed ones
    found = re.findall(rf"\b([a-z]+) {noun}(?:s|es)?\b", said)
    found += re.findall(rf"\b{noun}(?:s|es)? (?:that|which) (?:are|is) (?:still )?([a-z]+)\b", said)
    return found


def _is_limit(name: str) -> bool:
    words = set(split(name))
    return bool(words & _LIMITS)


def _filter(
    name: str, parameter: Parameter, reading: Reading, thing: Thing, things: Mapping[str, Thing]
) -> tuple[str, str | None]:
    """A condition on the rows of a list, and the SQL of values that find some."""
    target = things.get(reading.keys.get(name, ""))
    if target is not None:
        column = target.key if target.key in thing.columns else identifier(name)
        if column in thing.columns:
            return _equal(column, name, parameter), quoted(column)
        if target is thing:
            return _equal(thing.key, name, parameter), quoted(thing.key)
        return _ANY.format(name), None
    if parameter.type == "array" and _identifies(name, thing):
        listed_ids = f"{quoted(thing.key)} IN (SELECT value FROM json_each(:{name}))"
        pair = f"json_array({quoted(thing.key)}, (SELECT min({quoted(thing.key)}) FROM {{0}}))"
        return f"(:{name} IS NULL OR {listed_ids})", pair.format(quoted(thing.table))
    column = column_name(name)
    if parameter.kind == "query" and parameter.type == "string":
        return _search(name, thing)
    if column == thing.status and thing.states is not None:
        return _equal(thing.status, name, parameter), quoted(thing.status)
    if column in thing.columns and filters_equally(parameter):
        return _equal(column, name, parameter), quoted(column)
    between = _between(name, parameter, thing)
    if between:
        return between, None
    compared = filtered(name, parameter, thing)
    if compared is not None:
        return _compared(name, parameter, compared)
    return _ANY.format(name), None


def _compared(name: str, parameter: Parameter, column: Column) -> tuple[str, str | None]:
    """A condition on a column of the parameter's kind: names are searched, a year is a date's."""
    value = quoted(column.name)
    own = column.name == column_name(name)
    if parameter.type == "string" and parameter.kind in _WORDED and column.type == "TEXT":
        return f"(:{name} IS NULL OR instr(lower({value}), lower(:{name})) > 0)", value
    if parameter.kind == "year" and column.kind in {"date", "datetime"}:
        kind = "TEXT" if parameter.type == "string" else "INTEGER"
        value = f"CAST(substr({value}, 1, 4) AS {kind})"
        return f"(:{name} IS NULL OR {value} = :{name})", value
    if parameter.type == "string" and parameter.kind in {"date", "datetime"} and not own:
        same = f"substr({value}, 1, 10) = substr(:{name}, 1, 10)"
        given = value if column.kind == parameter.kind else None
        return f"(:{name} IS NULL OR {same})", given
    return _equal(column.name, name, parameter), value


def _identifies(name: str, thing: Thing) -> bool:
    """Whether a list parameter holds keys of the thing: `paper_ids`, `ids`."""
    return not thing.named and identified(name) in {"", thing.noun}


def _equal(column: str, name: str, parameter: Parameter) -> str:
    condition = f"{quoted(column)} = :{name}"
    return f"(:{name} IS NULL OR {condition})" if parameter.optional else condition


def _search(name: str, thing: Thing) -> tuple[str, str | None]:
    texts = [n for n, c in thing.columns.items() if c.kind in _SEARCHED and not c.structured]
    parts = [f"instr(lower({quoted(column)}), lower(:{name})) > 0" for column in texts[:4]]
    if thing.topic is not None:
        parts.append(f"instr(lower(:{name}), lower(topic)) > 0")
        parts.append(f"instr(lower(topic), lower(:{name})) > 0")
    texts = [column for column in texts if column != "description"] or texts
    case = "topic" if thing.topic is not None else (quoted(texts[0]) if texts else None)
    return f"(:{name} IS NULL OR {' OR '.join(parts) or '1'})", case


def _between(name: str, parameter: Parameter, thing: Thing) -> str | None:
    """Bounds on a date or an amount: `since`, `min_price`."""
    words = set(split(name))
    sign = ">=" if words & SINCE else "<=" if words & UNTIL else ""
    if not sign or parameter.kind not in {"date", "datetime", "amount", "limit", "year", "rating"}:
        return None
    kinds = {"date", "datetime"} if parameter.kind in {"date", "datetime"} else {"amount", "rating"}
    column = next((n for n, c in thing.columns.items() if c.kind in kinds), None)
    if column is None:
        return None
    if kinds == {"date", "datetime"}:
        both = f"substr({quoted(column)}, 1, 10) {sign} substr(:{name}, 1, 10)"
    else:
        both = f"{quoted(column)} {sign} :{name}"
    return f"(:{name} IS NULL OR {both})"
