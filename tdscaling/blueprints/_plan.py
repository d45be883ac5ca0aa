"""Plans drawn along data-flow, bound by executing.

Enters: open sessions of one or two domains and a random stream. Leaves: a draft: steps whose
arguments come from the user's facts or from rows that earlier steps returned. Every step was
executed when it was added, so that what follows is drawn from the state it leaves behind.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from tdscaling.bindings import rows
from tdscaling.declared.arguments import candidates
from tdscaling.declared.domain import ToolSpec
from tdscaling.declared.rows import Generators
from tdscaling.declared.world import Result, Session

ROW_TRIES = 8
"""Combinations of rows tried for a step before it counts as not executable."""
CASE_TRIES = 6
"""Candidate arguments tried per combination of rows."""
REUSE_SHARE = 0.85
"""Probability that a value that is at hand is used rather than looked up again."""
KNOWN_SHARE = 0.4
"""Probability that a user gives a key that people know, where a lookup would find it too."""

Expect = Literal["ok", "refused"]


@dataclass(slots=True)
class DraftStep:
    """One executed step of a draft."""

    domain: str
    spec: ToolSpec
    turn: int
    purpose: Literal["goal", "lookup"]
    expect: Expect
    bindings: dict[str, dict[str, Any]]
    values: dict[str, Any]
    """Arguments as executed."""
    result: Result
    phrases: dict[str, str] = field(default_factory=dict)
    """How the user refers to each argument that is bound from a row."""
    needed: frozenset[str] = frozenset()
    """Arguments whose phrase tells which row is meant: the user's words must contain it."""
    fallback: bool = False
    """True where the step is what the user wants if the step before is refused."""

    @property
    def depends(self) -> set[int]:
        """Steps that it takes a value from."""
        return {b["step"] for b in self.bindings.values() if "step" in b}


@dataclass(frozen=True, slots=True)
class Picked:
    """One row of a step's result, and how a plan and a person say which."""

    row: Mapping[str, Any]
    pick: Literal["first"] | dict[str, Any]
    phrase: str
    distinct: bool
    """Whether the phrase is needed to tell the row from others."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What is wanted of one step."""

    domain: str
    turn: int
    purpose: Literal["goal", "lookup"]
    expect: Expect
    stack: tuple[str, ...]
    """Tools that wait for it, the goal first."""
    fresh: bool
    own: frozenset[str]


class Planner:
    """Adds executed steps to a draft.

    Args:
        sessions: open session per domain.
        allowed: tools per domain that may be used.
        generators: the random stream.
        depth: lookups that may feed a goal one after the other, at least 0.
    """

    def __init__(
        self,
        sessions: Mapping[str, Session],
        allowed: Mapping[str, frozenset[str]],
        generators: Generators,
        depth: int,
    ) -> None:
        self.sessions = sessions
        self.allowed = allowed
        self.random = generators.random
        self._generators = generators
        self.depth = depth
        self.steps: list[DraftStep] = []
        self.facts: dict[str, Any] = {}

    def goal(
        self,
        domain: str,
        tool: str,
        turn: int,
        *,
        expect: Expect = "ok",
        given: Mapping[str, dict[str, Any]] | None = None,
        fresh: bool = False,
        own: frozenset[str] = frozenset(),
    ) -> bool:
        """Add a goal and the lookups that it needs; False, with the draft as before, if none work.

        Args:
            domain: of the tool.
            tool: what the user wants done.
            turn: user turn that asks for it.
            expect: whether the goal must succeed or be refused by a rule.
            given: bindings that are fixed already.
            fresh: do not take values from earlier steps.
            own: parameters that the user gives, even where a lookup would find them.
        """
        mark, facts = len(self.steps), dict(self.facts)
        ask = Ask(domain, turn, "goal", expect, (tool,), fresh, own)
        if self._add(ask, tool, dict(given or {})):
            return True
        del self.steps[mark:]
        self.facts = facts
        return False

    def _add(self, ask: Ask, tool: str, bindings: dict[str, dict[str, Any]]) -> bool:
        spec = self.sessions[ask.domain].domain.tools[tool]
        for name in spec.file.parameters:
            if name in bindings or name in ask.own:
                continue
            source = self._source(ask, spec, name)
            if source is False:
                return False
            if source is not None:
                bindings[name] = source
        return self._execute(ask, spec, bindings)

    def _source(
        self, ask: Ask, spec: ToolSpec, name: str
    ) -> dict[str, Any] | Literal[False] | None:
        """Binding by data-flow; None leaves the parameter to the user, False gives up."""
        owner = self.sessions[ask.domain].domain
        parameter, column = spec.file.parameters[name], spec.source(name)
        producers = [e.producer for e in owner.edges if e.consumer == spec.name and e.slot == name]
        if parameter.optional or (not producers and column not in owner.keys):
            return None
        at_hand = [] if ask.fresh else self._holding(ask.domain, column, producers)
        if at_hand and self.random.random() < REUSE_SHARE:
            return {"step": at_hand[-1], "column": column}
        if column not in owner.keys or (parameter.known and self.random.random() < KNOWN_SHARE):
            return None
        if self._look_up(ask, producers):
            return {"step": len(self.steps) - 1, "column": column}
        return None if parameter.known else False

    def _holding(self, domain: str, column: str, producers: list[str]) -> list[int]:
        return [
            number
            for number, step in enumerate(self.steps)
            if step.domain == domain
            and step.expect == "ok"
            and step.spec.name in producers
            and step.result.rows[0].get(column) is not None
        ]

    def _look_up(self, ask: Ask, producers: list[str]) -> bool:
        if len(ask.stack) > self.depth:
            return False
        tools = self.sessions[ask.domain].domain.tools
        reads = [
            name
            for name in dict.fromkeys(producers)
            if name not in ask.stack and name in self.allowed[ask.domain] and not tools[name].writes
        ]
        self.random.shuffle(reads)
        for name in reads[:3]:
            mark, facts = len(self.steps), dict(self.facts)
            lookup = replace(
                ask, purpose="lookup", expect="ok", stack=(*ask.stack, name), own=frozenset()
            )
            if self._add(lookup, name, {}):
                return True
            del self.steps[mark:]
            self.facts = facts
        return False

    def _execute(self, ask: Ask, spec: ToolSpec, bindings: dict[str, dict[str, Any]]) -> bool:
        session = self.sessions[ask.domain]
        used = {b["step"] for b in bindings.values() if "step" in b}
        stated = {name: self.facts[b["fact"]] for name, b in bindings.items() if "fact" in b}
        for choice in itertools.islice(self._choices(used), ROW_TRIES):
            fixed = stated | {
                name: choice[b["step"]].row.get(b["column"])
                for name, b in bindings.items()
                if "step" in b
            }
            if None in fixed.values():
                continue
            drawn = candidates(session, spec, self._generators, fixed, CASE_TRIES)
            for arguments in itertools.islice(drawn, CASE_TRIES):
                if self._repeats(spec, arguments):
                    continue
                result = session.attempt(spec.name, arguments, lambda r: _wanted(r, ask.expect))
                if result is not None:
                    self._record(ask, spec, bindings, choice, arguments, result)
                    return True
        return False

    def _repeats(self, spec: ToolSpec, arguments: Mapping[str, Any]) -> bool:
        """Whether the same call was made and nothing has been written since."""
        for step in reversed(self.steps):
            if step.spec is spec and step.values == arguments:
                return True
            if step.spec.writes and step.expect == "ok" and not spec.writes:
                return False
        return False

    def _choices(self, used: Iterable[int]) -> Iterator[dict[int, Picked]]:
        """Rows of the used steps, in a random order."""
        order = sorted(used)
        options = []
        for number in order:
            picks = list(self.picks(number))
            self.random.shuffle(picks)
            options.append(picks)
        for combination in itertools.product(*options):
            yield dict(zip(order, combination, strict=True))

    def picks(self, number: int) -> Iterator[Picked]:
        """The rows of a step that a person can point at."""
        step = self.steps[number]
        owner = self.sessions[step.domain].domain
        found = rows(step.result.content)
        if len(found) == 1:
            yield Picked(found[0], "first", "", distinct=False)
            return
        if step.spec.file.first:
            yield Picked(found[0], "first", f"the {step.spec.file.first}", distinct=True)
        for column, phrase in owner.file.phrases.items():
            values = [row.get(column) for row in found]
            for row, value in zip(found, values, strict=True):
                if value is not None and values.count(value) == 1:
                    fact = {"column": column, "value": value}
                    yield Picked(row, fact, phrase.format(display(value)), distinct=True)

    def _record(
        self,
        ask: Ask,
        spec: ToolSpec,
        bindings: Mapping[str, dict[str, Any]],
        choice: Mapping[int, Picked],
        arguments: dict[str, Any],
        result: Result,
    ) -> None:
        step = DraftStep(ask.domain, spec, ask.turn, ask.purpose, ask.expect, {}, arguments, result)
        for name, value in arguments.items():
            source = bindings.get(name)
            if source is None:
                step.bindings[name] = {"fact": self.state(name, value)}
            elif "fact" in source:
                step.bindings[name] = source
            else:
                picked = choice[source["step"]]
                step.bindings[name] = {**source, "pick": self._pick(picked.pick)}
                step.phrases[name] = self.phrase(ask.domain, spec, name, source, picked)
                if picked.distinct:
                    step.needed |= {name}
        self.steps.append(step)

    def _pick(self, pick: Literal["first"] | dict[str, Any]) -> Any:
        if pick == "first":
            return pick
        return {"column": pick["column"], "fact": self.state(pick["column"], pick["value"])}

    def phrase(
        self,
        domain: str,
        spec: ToolSpec,
        name: str,
        source: Mapping[str, Any],
        picked: Picked,
    ) -> str:
        """How the user refers to an argument that is bound from a row."""
        step = self.steps[source["step"]]
        parameter, noun = spec.file.parameters[name], spec.noun(name)
        if step.domain != domain:
            kind = (parameter.kind or noun).replace("_", " ")
            return f"the {kind} of {picked.phrase}" if picked.distinct else f"that same {kind}"
        if not picked.distinct:
            return f"that {noun}" if step.purpose == "goal" else f"my {noun}"
        return picked.phrase if picked.pick == "first" else f"the {noun} {picked.phrase}"

    def state(self, name: str, value: Any) -> str:
        """Make a value one of the user's facts; the fact's name."""
        for number in itertools.count(1):
            fact = name if number == 1 else f"{name}_{number}"
            if fact not in self.facts:
                self.facts[fact] = value
                return fact
            if self.facts[fact] == value and type(self.facts[fact]) is type(value):
                return fact
        raise AssertionError("counting does not end")


def display(value: Any) -> str:
    """A value as a person writes it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.0f}" if value == int(value) else f"{round(value, 6)}"
    if isinstance(value, list):
        return ", ".join(display(item) for item in value)
    return str(value)


def _wanted(result: Result, expect: Expect) -> bool:
    if expect == "ok":
        return result.ok and bool(result.rows)
    return not result.ok and not result.content.startswith(
        ('{"error": "invalid arguments', '{"error": "nothing found')
    )
