"""What a call and the lookups that feed it have in common.

Enters: the steps of a draft and a tool that is to take a value from one of them. Leaves: the facts
that they must share: who looks for rooms that are free for three nights from a day on, and reserves
one of those found, means these nights and this day.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tdscaling.blueprints._refer import DraftStep
from tdscaling.declared.domain import Domain, ToolSpec
from tdscaling.declared.session import Session

Binding = dict[str, Any]


def alike(owner: Domain, one: ToolSpec, name: str, other: ToolSpec, its: str) -> bool:
    """Whether parameters of two tools mean the same day, number, choice.

    Keys do not count: a person may well name another thing, such as the table of one reservation
    for another one. Free text counts where both tools describe it with the same words: the name
    that is looked for and the one that is given are two.
    """
    here, there = one.file.parameters[name], other.file.parameters[its]
    columns = {one.source(name), other.source(its)}
    if columns & owner.keys or here.type != there.type or here.kind != there.kind:
        return False
    if here.kind and here.noun and here.noun == there.noun:
        return True
    if name != its and len(columns) > 1:
        return False
    free = here.type == "string" and not here.kind
    listed = "enum" in (here.model_extra or {}) and "enum" in (there.model_extra or {})
    return not free or listed or here.description == there.description


def terms(
    session: Session, steps: Sequence[DraftStep], spec: ToolSpec, number: int, column: str
) -> dict[str, Binding]:
    """Per parameter of a tool, the fact that a lookup took for the same.

    Args:
        session: of the domain.
        steps: of the draft so far.
        spec: the tool.
        number: of the step that it takes a value from.
        column: which it takes.
    """
    owner = session.domain
    changed = _changed(session, spec, column)
    return {
        name: step.bindings[its]
        for step in _lookups(steps, number)
        if step.domain == owner.name
        for its in step.bindings
        for name in spec.file.parameters
        if "fact" in step.bindings[its]
        and not {spec.source(name), step.spec.source(its)} & changed
        and alike(owner, spec, name, step.spec, its)
    }


def _lookups(steps: Sequence[DraftStep], number: int) -> Iterator[DraftStep]:
    """A step and those behind it, the farthest first, as far as they only read."""
    step = steps[number]
    if step.spec.writes:
        return
    for before in sorted(step.depends):
        yield from _lookups(steps, before)
    yield step


def _changed(session: Session, spec: ToolSpec, column: str) -> set[str]:
    """What a call changes of the thing that was looked up: the new value is not the old one."""
    table = session.domain.homes.get(column)
    if table is None or table not in spec.writes:
        return set()
    return {name for (name,) in session.table(f"SELECT name FROM pragma_table_info('{table}')")}


def passed_on(
    owner: Domain, spec: ToolSpec, lookup: ToolSpec, bindings: Mapping[str, Binding]
) -> dict[str, Binding] | None:
    """What a lookup is given because the call that it is made for is; None if it can't be.

    A figure that code works out comes after the lookups: those that ask for the same are no help.
    """
    found = {}
    for its in lookup.file.parameters:
        for name, binding in bindings.items():
            if alike(owner, spec, name, lookup, its):
                if "fact" not in binding:
                    return None
                found[its] = binding
    return found
