"""How a person refers to what was observed.

Enters: the steps of a draft. Leaves: words for a row or a value ("the cheapest flight", "that
booking", "that same address"), or nothing where no words would be clear: what a plan takes from an
observation must be something that an assistant can work out from the conversation alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tdscaling.bindings import rows
from tdscaling.blueprints._spoken import is_key
from tdscaling.declared.domain import Domain, ToolSpec, noun
from tdscaling.declared.session import Result

Purpose = Literal["goal", "lookup"]
Expect = Literal["ok", "refused"]

PERSONAL = {
    "person": "person",
    "email": "e-mail address",
    "phone": "phone number",
    "address": "address",
}
"""Kinds of value that a person means without repeating them, and what they are called."""
TOLD_ROWS = 3
"""Rows of a list whose values an answer must tell, from the top."""
_SNAKE = re.compile(r"[a-z]+(?:_[a-z]+)+")


@dataclass(slots=True)
class DraftStep:
    """One executed step of a draft."""

    domain: str
    spec: ToolSpec
    turn: int
    purpose: Purpose
    expect: Expect
    bindings: dict[str, dict[str, Any]]
    values: dict[str, Any]
    """Arguments as executed."""
    result: Result
    phrases: dict[str, str] = field(default_factory=dict)
    """How the user refers to each argument that is bound from a row."""
    needed: frozenset[str] = frozenset()
    """Arguments that the user's words must contain."""
    fallback: bool = False
    """True where the step is what the user wants if the step before is refused."""
    owned: bool = False
    """True for a lookup that finds what is the user's own."""
    words: str = ""
    """The wish, imperative, where it is not one that the tool's file words."""
    figure: str = ""
    """What its code works out, where a later step is given it: "the later due date of A and B"."""
    silent: bool = False
    """True where the words of a later step give away all that this one is given."""
    follows: frozenset[int] = frozenset()
    """Steps that it must come after, besides those that it takes a value from."""

    @property
    def depends(self) -> set[int]:
        """Steps that it takes a value from."""
        return {b["step"] for b in self._sources if "step" in b} | self.follows

    @property
    def given(self) -> set[str]:
        """Facts that it takes, those in code included."""
        return {b["fact"] for b in self._sources if "fact" in b}

    @property
    def _sources(self) -> list[dict[str, Any]]:
        inner = [v for b in self.bindings.values() for v in b.get("values", {}).values()]
        return [*self.bindings.values(), *inner]


@dataclass(frozen=True, slots=True)
class Picked:
    """One row of a step's result, and how a plan and a person say which."""

    row: Mapping[str, Any]
    pick: Literal["first"] | dict[str, Any]
    phrase: str
    distinct: bool
    """Whether the phrase is needed to tell the row from others."""
    position: int = 0
    own: str = ""
    """The column that names the row's thing."""
    noun: str = ""
    """What a person calls the row's thing."""


def picks(step: DraftStep, owner: Domain) -> Iterator[Picked]:
    """The rows of a step that a person can point at."""
    found = rows(step.result.content)
    own = next((column for column in found[0] if column in owner.keys), "") if found else ""
    thing = _thing(owner, own) if own else ""
    if len(found) == 1:
        yield Picked(found[0], "first", "", False, 0, own, thing)
        return
    if step.spec.file.first:
        yield Picked(found[0], "first", f"the {step.spec.file.first}", True, 0, own, thing)
    for column, phrase in owner.file.phrases.items():
        values = [row.get(column) for row in found]
        for position, (row, value) in enumerate(zip(found, values, strict=True)):
            if value is not None and values.count(value) == 1:
                fact = {"column": column, "value": value}
                words = phrase.format(spoken(value))
                yield Picked(row, fact, words, True, position, own, thing)


def _thing(owner: Domain, column: str) -> str:
    """What a person calls the thing that a column names."""
    nouns = (
        spec.noun(name)
        for spec in owner.tools.values()
        for name in spec.file.parameters
        if spec.source(name) == column
    )
    return next(nouns, noun(column))


def reference(
    steps: Sequence[DraftStep],
    domain: Domain,
    turn: int,
    spec: ToolSpec,
    name: str,
    source: Mapping[str, Any],
    picked: Picked,
) -> str | None:
    """How the user refers to an argument that is bound from a row; None where nothing is clear.

    Args:
        steps: of the draft so far.
        domain: of the tool.
        turn: in which the user speaks.
        spec: the tool.
        name: of the parameter.
        source: the step and the column that the argument comes from.
        picked: the row.
    """
    step, column = steps[source["step"]], source["column"]
    if "printed" in source:
        return str(step.figure)
    if step.domain != domain.name or column not in domain.keys:
        kind = spec.file.parameters[name].kind
        said = _value_reference(steps, turn, kind, source, picked)
        # Nobody has an order sent to "the address on that order".
        same = step.domain == domain.name and picked.own in spec.columns[:1]
        circular = said is not None and "same" not in said and same
        return None if circular else said
    thing = spec.noun(name)
    if picked.distinct:
        latest = max(number for number, other in enumerate(steps) if other.spec is step.spec)
        if latest != source["step"]:
            return None
        if column != picked.own:
            return f"the {thing} of {_row(picked)}"
        return picked.phrase if picked.pick == "first" else f"the {thing} {picked.phrase}"
    if len(_in_focus(steps, domain.name, column)) == 1:
        return f"my {thing}" if step.owned else f"that {thing}"
    if _was_told(step, column, turn, picked.position):
        return f"{thing} {picked.row[column]}"
    return None


def _row(picked: Picked) -> str:
    """A row of a list: "the oldest loan", "the parcel due on 2025-06-18"."""
    return picked.phrase if picked.pick == "first" else f"the {picked.noun} {picked.phrase}"


def _value_reference(
    steps: Sequence[DraftStep],
    turn: int,
    kind: str | None,
    source: Mapping[str, Any],
    picked: Picked,
) -> str | None:
    if kind not in PERSONAL:
        return None
    step, column = steps[source["step"]], source["column"]
    what = PERSONAL[kind]
    of = "on" if kind == "person" else "of"
    if picked.distinct:
        # Who says which row by a value knows the value.
        known = picked.pick != "first" and picked.pick["column"] == column
        if not picked.noun or known:
            return None
        return _row(picked) if _names(picked, column) else f"the {what} {of} {_row(picked)}"
    alone = len(_in_focus(steps, step.domain, column)) == 1
    if alone and _was_said(steps, turn, step, column, picked):
        return f"that same {what}"
    holder = _holder(steps, step, picked)
    if holder is None or _names(picked, column):
        return holder
    return f"the {what} {of} {holder}"


def _names(picked: Picked, column: str) -> bool:
    """Whether a value is the name of the row's thing: who says "my guest" means that person."""
    return picked.own.removesuffix("_id") == column.removesuffix("_name") != column


def _was_said(
    steps: Sequence[DraftStep], turn: int, source: DraftStep, column: str, picked: Picked
) -> bool:
    """Whether a value was spoken: told by the user, or stated in an answer of an earlier turn."""
    value = picked.row[column]
    stated = (
        step.values.get(name) == value
        for step in steps
        for name, binding in step.bindings.items()
        if "fact" in binding
    )
    return _was_told(source, column, turn, picked.position) or any(stated)


def _holder(steps: Sequence[DraftStep], step: DraftStep, picked: Picked) -> str | None:
    """The thing that has a value: the one that the user named, or the only one that there is."""
    for name, binding in step.bindings.items():
        if "fact" in binding and is_key(step.spec, name):
            return f"{step.spec.noun(name)} {spoken(step.values[name])}"
        phrase = step.phrases.get(name, "that")
        if is_key(step.spec, name) and not phrase.startswith("that"):
            return phrase
    if not picked.noun or len(_in_focus(steps, step.domain, picked.own)) != 1:
        return None
    return f"my {picked.noun}" if step.owned else f"that {picked.noun}"


def _in_focus(steps: Sequence[DraftStep], domain: str, column: str) -> set[str]:
    """Values of a column that were spoken of one by one: lists put nothing into focus."""
    found = set()
    for step in steps:
        if step.domain != domain or step.silent:
            continue
        found |= {str(v) for name, v in step.values.items() if step.spec.source(name) == column}
        if len(step.result.rows) == 1 and step.result.rows[0].get(column) is not None:
            found.add(str(step.result.rows[0][column]))
    return found


def _was_told(step: DraftStep, column: str, turn: int, position: int) -> bool:
    """Whether the assistant named a value in an earlier turn, so that the user can repeat it."""
    return (
        step.purpose == "goal"
        and step.turn < turn
        and column in step.spec.file.tell
        and position < TOLD_ROWS
    )


def display(value: Any) -> str:
    """A value as an assistant must state it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.0f}" if value == int(value) else f"{round(value, 6)}"
    if isinstance(value, list | dict):
        parts = value if isinstance(value, list) else value.values()
        return ", ".join(display(part) for part in parts)
    return str(value)


def spoken(value: Any) -> str:
    """A value as a person says it: `store_credit` is store credit."""
    if isinstance(value, list):
        return ", ".join(spoken(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {spoken(part)}" for name, part in value.items())
    text = display(value)
    return text.replace("_", " ") if _SNAKE.fullmatch(text) else text
