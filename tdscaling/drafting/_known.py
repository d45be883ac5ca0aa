"""Which ids a person can know.

Enters: readings and drafted tools. Leaves: the same without what nobody could say: a UUID is looked
up where a tool gives it, and a tool that needs one is left out where none does. An id that a list
returns is looked up as well; a name and a reference that nothing returns are known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tdscaling.declared.definition import Parameter
from tdscaling.drafting._read import Reading
from tdscaling.drafting._things import Thing, is_opaque, is_unsayable, things
from tdscaling.drafting._tools import Drafted
from tdscaling.phrasing.clean import plain


def sayable(found: dict[str, Parameter]) -> dict[str, Parameter]:
    """The parameters without optional ids that nobody would say."""
    return {
        name: parameter
        for name, parameter in found.items()
        if not (parameter.optional and parameter.kind == "id" and is_unsayable(parameter.sample))
    }


def spoken_of(readings: list[Reading]) -> dict[str, Thing]:
    """The things, after optional keys that nobody knows were taken from the readings."""
    found = things(readings)
    opaque = {noun for noun, thing in found.items() if is_opaque(thing)}
    silent = [
        (reading, name)
        for reading in readings
        for name, noun in reading.keys.items()
        if noun in opaque and name != reading.own and reading.parameters[name].optional
    ]
    for reading, name in silent:
        del reading.parameters[name], reading.keys[name]
    return things(readings) if silent else found


def leave_unsayable(
    drafted: dict[str, Drafted], opaque: frozenset[str], left_out: dict[str, str]
) -> None:
    """Leave out tools that need a key which nobody can know and no other tool gives."""
    while True:
        unsayable = {
            name: slot
            for name, tool in drafted.items()
            for slot, parameter in tool.parameters.items()
            if not parameter.optional
            and parameter.source in opaque
            and not _given(drafted, name, parameter.source, read_only=False)
        }
        if not unsayable:
            return
        for name, slot in unsayable.items():
            del drafted[name]
            left_out[name] = f"parameter {plain(slot, 60)}: no tool returns it, nobody knows it"


def fed(
    drafted: Mapping[str, Drafted],
    readings: Mapping[str, Reading],
    public: frozenset[str],
    opaque: frozenset[str],
) -> dict[str, Drafted]:
    """Keys that no reading tool returns are such that a person knows them; `public` are anyway.

    Nobody knows `opaque` ones.
    """
    found = {}
    for name, tool in drafted.items():
        changed, cases = {}, tool.cases
        for slot, parameter in tool.parameters.items():
            changed[slot] = parameter
            if slot in readings[name].keys and parameter.source:
                given = parameter.source in opaque or _given(drafted, name, parameter.source)
                known = parameter.source in public or not given
                changed[slot] = parameter.model_copy(update={"known": known})
                if known and slot == readings[name].own and cases and tool.stale:
                    cases = f"{cases} UNION ALL SELECT {tool.stale}"
        found[name] = replace(tool, parameters=changed, cases=cases)
    return found


def _given(drafted: Mapping[str, Drafted], consumer: str, key: str, read_only: bool = True) -> bool:
    """Whether another tool reads a key out without being given it."""
    return any(
        key in tool.columns
        and not (tool.effects and read_only)
        and not any(p.source == key and not p.optional for p in tool.parameters.values())
        for name, tool in drafted.items()
        if name != consumer
    )
