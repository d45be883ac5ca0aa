"""Tools on things: verbs as INSERT, SELECT, UPDATE and DELETE.

Enters: a reading and the things of its cluster. Leaves: the tool as a domain file has it, words
aside; or the reason why it cannot be drafted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tdscaling.declared.definition import Parameter
from tdscaling.drafting._envelope import stated_fields
from tdscaling.drafting._read import Reading
from tdscaling.drafting._sql import quoted, text
from tdscaling.drafting._states import forbidden, state_of
from tdscaling.drafting._things import (
    Thing,
    column_name,
    field_name,
    names_new,
)
from tdscaling.phrasing import sample
from tdscaling.phrasing.names import article, split
from tdscaling.phrasing.verbs import past

MOST_RETURNED = 9
"""Columns of a result."""


@dataclass(slots=True)
class Drafted:
    """A tool without its words."""

    parameters: dict[str, Parameter]
    returns: str
    columns: tuple[str, ...]
    requires: list[dict[str, str]] = field(default_factory=list)
    effects: list[str] = field(default_factory=list)
    cases: str | None = None
    many: bool = False
    stale: str | None = None
    """A key, in SQL, that nothing has: people ask for what is gone."""


def on_own(reading: Reading, thing: Thing, things: Mapping[str, Thing]) -> Drafted | None:
    if reading.action == "delete":
        return _delete(reading, thing, things)
    if reading.action in {"update", "status", "act"}:
        return _change(reading, thing, things)
    return _get(reading, thing, things)


def bound(reading: Reading, things: Mapping[str, Thing], own: str | None) -> dict[str, Parameter]:
    """The parameters, those that identify a thing tied to its key."""
    found = {}
    for name, parameter in reading.parameters.items():
        target = things.get(reading.keys.get(name, ""))
        if target is None:
            found[name] = parameter
            continue
        integer = target.key_type == "INTEGER"
        change: dict[str, Any] = {"source": target.key, "sample": None, "kind": "id"}
        if name == own or name in reading.named:
            change["noun"] = target.noun
        if integer and parameter.type == "number":
            change["type"] = "integer"
        found[name] = parameter.model_copy(update=change)
    return found


def exists(name: str, target: Thing, parameter: Parameter) -> dict[str, str]:
    """The rule that a named thing is there."""
    check = f"SELECT 1 FROM {quoted(target.table)} WHERE {quoted(target.key)} = :{name}"
    if parameter.optional:
        check = f"SELECT 1 WHERE :{name} IS NULL OR EXISTS ({check})"
    return {"check": check, "error": f"there is no {target.noun} {{{name}}}"}


def rules_of(reading: Reading, things: Mapping[str, Thing]) -> list[dict[str, str]]:
    return [
        exists(name, things[noun], reading.parameters[name])
        for name, noun in reading.keys.items()
        if noun in things
    ]


def columns_of(reading: Reading, thing: Thing) -> list[str]:
    """Columns that a tool returns: the stated ones, else the telling ones."""
    own = [n for n, column in thing.columns.items() if not column.structured]
    if reading.asks_state and not reading.tool.result:
        return [thing.key, thing.status]
    if thing.states is not None:
        own.append(thing.status)
    stated = [field_name(path, thing) for path, _ in stated_fields(reading)]
    listed = [name for name in dict.fromkeys(stated) if name in own]
    return [thing.key, *(listed or own)][:MOST_RETURNED]


def selected(thing: Thing, columns: list[str], condition: str) -> str:
    listed = ", ".join(quoted(name) for name in columns)
    return f"SELECT {listed} FROM {quoted(thing.table)} WHERE {condition}"


def create(reading: Reading, thing: Thing, things: Mapping[str, Thing]) -> Drafted:
    parameters = bound(reading, things, None)
    values: dict[str, str] = {}
    given: str | None = None
    made, found = _new_key(thing)
    for name, parameter in parameters.items():
        target = things.get(reading.keys.get(name, ""))
        if names_new(reading, name):
            given, parameters[name] = name, _chosen(reading.parameters[name], thing)
            if parameter.optional:
                made, found = f"coalesce(:{name}, {made})", f"coalesce(:{name}, {found})"
            else:
                made, found = f":{name}", f":{name}"
            continue
        column = target.key if target is not None and target is not thing else column_name(name)
        if column == thing.status and thing.states is not None:
            values[column] = f"coalesce(:{name}, {text(thing.states.initial)})"
        elif column in thing.columns:
            values.setdefault(column, f":{name}")
        if target is thing:
            parameters[name] = parameter.model_copy(update={"source": thing.key})
    if thing.states is not None:
        values.setdefault(thing.status, text(thing.states.initial))
    for name, stamp in thing.columns.items():
        if name not in values and stamp.kind in {"date", "datetime"} and _is_stamp(name):
            values[name] = "today()" if stamp.kind == "date" else "now()"
    names = ", ".join(quoted(name) for name in (thing.key, *values))
    effect = (
        f"INSERT INTO {quoted(thing.table)} ({names}) "
        f"VALUES ({', '.join((made, *values.values()))})"
    )
    unused = [n for n in parameters if f":{n}" not in effect]
    shown = [n for n in columns_of(reading, thing) if n in values or n == thing.key]
    rules = [r for r in rules_of(reading, things) if given is None or f":{given}" not in r["check"]]
    rules += [_absent(given, thing)] if given else []
    condition = f"{quoted(thing.key)} = {found}" + _used(unused)
    return Drafted(parameters, selected(thing, shown, condition), tuple(shown), rules, [effect])


def _chosen(parameter: Parameter, thing: Thing) -> Parameter:
    """The key that a call gives to what it makes: a name that the caller thinks of."""
    bounded = {"pattern", "format", "minLength", "maxLength", "enum"} & set(
        parameter.model_extra or {}
    )
    if parameter.kind != "id" or parameter.type != "string" or bounded:
        return parameter
    said = f"{thing.noun} name"
    return parameter.model_copy(
        update={
            "kind": "name",
            "noun": said,
            "ask": f"What should the {thing.noun} be called?",
            "sample": sample(said, {"type": "string"}, "", kind="name"),
        }
    )


def _is_stamp(name: str) -> bool:
    return split(name)[0] in {"created", "updated", "sent", "added", "modified", "published"}


def _absent(name: str, thing: Thing) -> dict[str, str]:
    check = (
        f"SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM {quoted(thing.table)} "
        f"WHERE {quoted(thing.key)} = :{name})"
    )
    return {"check": check, "error": f"there is {article(thing.noun)} {{{name}}} already"}


def _used(names: list[str]) -> str:
    """A condition that always holds and names parameters that change nothing."""
    return "".join(f" AND (:{name} IS NULL OR 1)" for name in names)


def _new_key(thing: Thing) -> tuple[str, str]:
    """SQL of a fresh key, and of the key that this call made."""
    prefix = text(thing.prefix or "NEW")
    if thing.key_type == "INTEGER":
        form = "CAST(substr({0}, -5) AS INTEGER)"
    elif thing.prefix:
        form = "{0}"
    else:
        form = "'4f0c2a9e-71b3-4d58-8e6a-0000000' || substr({0}, -5)"
    return form.format(f"new_id({prefix})"), form.format(f"last_id({prefix})")


def _get(reading: Reading, thing: Thing, things: Mapping[str, Thing]) -> Drafted:
    parameters = {
        # Nobody gives a number of results, or another thing's id, where one thing is asked for.
        name: parameter
        for name, parameter in bound(reading, things, reading.own).items()
        if name == reading.own
        or not parameter.optional
        or not (parameter.kind == "limit" or name in reading.keys)
    }
    columns = columns_of(reading, thing)
    others = [name for name in parameters if name not in reading.keys]
    condition = f"{quoted(thing.key)} = :{reading.own}" + _used(others)
    return Drafted(
        parameters,
        selected(thing, columns, condition),
        tuple(columns),
        [r for r in rules_of(reading, things) if _given(r, reading, parameters)],
        cases=_cases(reading, thing),
    )


def _given(rule: Mapping[str, str], reading: Reading, parameters: Mapping[str, Parameter]) -> bool:
    """Whether a rule is about parameters that are given."""
    dropped = [name for name in reading.parameters if name not in parameters]
    return not any(f"{{{name}}}" in rule["error"] for name in dropped)


def _cases(reading: Reading, thing: Thing) -> str:
    return f"SELECT {quoted(thing.key)} AS {quoted(str(reading.own))} FROM {quoted(thing.table)}"


def _change(reading: Reading, thing: Thing, things: Mapping[str, Thing]) -> Drafted | None:
    parameters = bound(reading, things, reading.own)
    assigned: list[str] = []
    shown: list[str] = []
    unused: list[str] = []
    rules = rules_of(reading, things)
    for name, parameter in parameters.items():
        if name == reading.own:
            continue
        target = things.get(reading.keys.get(name, ""))
        column = target.key if target is not None and target is not thing else column_name(name)
        if column in thing.columns and column != thing.key:
            assigned.append(f"{quoted(column)} = coalesce(:{name}, {quoted(column)})")
            shown += [column] if not thing.columns[column].structured else []
        elif column == thing.status and thing.states is not None:
            assigned.append(f"{quoted(column)} = coalesce(:{name}, {quoted(column)})")
            shown.append(column)
        else:
            unused.append(name)
        if column == thing.status and thing.states is not None:
            parameters[name] = _stateful(parameter, thing)
    if reading.action == "status" and thing.states is not None:
        state = state_of(reading.verb)
        assigned = [a for a in assigned if not a.startswith(quoted(thing.status))]
        assigned.append(f"{quoted(thing.status)} = {text(state)}")
        shown.append(thing.status)
        rules += _state_rules(reading, thing, state)
    if not assigned:
        return None
    _demand(parameters, reading, unused)
    columns = [thing.key, *dict.fromkeys(shown)]
    columns += [c for c in columns_of(reading, thing)[1:] if c not in columns][:2]
    condition = f"{quoted(thing.key)} = :{reading.own}"
    effect = f"UPDATE {quoted(thing.table)} SET {', '.join(assigned)} WHERE {condition}"
    returns = selected(thing, columns[:MOST_RETURNED], condition + _used(unused))
    return Drafted(
        parameters, returns, tuple(columns[:MOST_RETURNED]), rules, [effect],
        _cases(reading, thing),
    )  # fmt: skip


def _demand(parameters: dict[str, Parameter], reading: Reading, unused: list[str]) -> None:
    """Have at least one change be given: nobody asks for an update without saying which."""
    changing = [name for name in parameters if name != reading.own and name not in unused]
    if reading.action != "status" and all(parameters[name].optional for name in changing):
        first = parameters[changing[0]]
        parameters[changing[0]] = first.model_copy(update={"optional": False})


def _stateful(parameter: Parameter, thing: Thing) -> Parameter:
    """A parameter that takes one of the thing's states."""
    states = list(thing.states.states) if thing.states else []
    if (parameter.model_extra or {}).get("enum") or parameter.type != "string":
        return parameter
    return parameter.model_copy(update={"sample": {"choice": states}})


def _state_rules(reading: Reading, thing: Thing, state: str) -> list[dict[str, str]]:
    key = f"SELECT 1 FROM {quoted(thing.table)} WHERE {quoted(thing.key)} = :{reading.own}"
    who = f"{thing.noun} {{{reading.own}}}"
    rules = [
        {
            "check": f"{key} AND {quoted(thing.status)} <> {text(state)}",
            "error": f"{who} is already {state}",
        }
    ]
    refused = forbidden(reading.verb, thing.states) if thing.states else ()
    if refused:
        listed = ", ".join(map(text, refused))
        rules.append(
            {
                "check": f"{key} AND {quoted(thing.status)} NOT IN ({listed})",
                "error": f"{who} is {' or '.join(refused)} and can no longer be "
                f"{past(reading.verb)}",
            }
        )
    return rules


def _delete(reading: Reading, thing: Thing, things: Mapping[str, Thing]) -> Drafted:
    parameters = bound(reading, things, reading.own)
    own = f"= :{reading.own}"
    effects = [
        f"UPDATE {quoted(other.table)} SET {quoted(name)} = NULL WHERE {quoted(name)} {own}"
        if other is thing
        else f"DELETE FROM {quoted(other.table)} WHERE {quoted(name)} {own}"
        for other, name in _referring(thing, things)
    ]
    effects.append(f"DELETE FROM {quoted(thing.table)} WHERE {quoted(thing.key)} {own}")
    others = [name for name in parameters if name != reading.own and name not in reading.keys]
    unused = "".join(f" AND (:{name} IS NULL OR 1)" for name in others)
    returns = f"SELECT :{reading.own} AS deleted WHERE 1{unused}"
    return Drafted(
        parameters, returns, ("deleted",), rules_of(reading, things), effects,
        _cases(reading, thing),
    )  # fmt: skip


def _referring(thing: Thing, things: Mapping[str, Thing]) -> list[tuple[Thing, str]]:
    return [
        (other, name)
        for other in things.values()
        for name, column in other.columns.items()
        if column.refers == thing.noun
    ]
