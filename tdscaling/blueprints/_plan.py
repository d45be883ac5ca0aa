"""Plans drawn along data-flow, bound by executing.

Enters: open sessions of one or two domains and a random stream. Leaves: a draft: steps whose
arguments come from the user's facts or from rows that earlier steps returned. Every step was
executed when it was added, so that what follows is drawn from the state it leaves behind.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from tdscaling.bindings import field
from tdscaling.blueprints._agree import passed_on, terms
from tdscaling.blueprints._refer import (
    PERSONAL,
    DraftStep,
    Expect,
    Picked,
    Purpose,
    picks,
    reference,
)
from tdscaling.declared.arguments import candidates
from tdscaling.declared.domain import ToolSpec
from tdscaling.declared.rows import Generators
from tdscaling.declared.session import Result, Session
from tdscaling.errors import BlueprintError

ROW_TRIES = 8
"""Combinations of rows tried for a step before it counts as not executable."""
CASE_TRIES = 6
"""Candidate arguments tried per combination of rows."""
TEXT = 4
"""Words from which a value is a text."""
REUSE_SHARE = 0.85
"""Probability that a value that is at hand is used rather than looked up again."""
KNOWN_SHARE = 0.4
"""Probability that a user gives a key that people know, where a lookup would find it too."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What is wanted of one step."""

    domain: str
    turn: int
    purpose: Purpose
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
            source = self._source(ask, spec, name, bindings)
            if source is False:
                return False
            if source is not None:
                bindings |= self._terms(ask, spec, source) | {name: source}
        return self._execute(ask, spec, bindings)

    def _source(
        self, ask: Ask, spec: ToolSpec, name: str, bindings: Mapping[str, dict[str, Any]]
    ) -> dict[str, Any] | Literal[False] | None:
        """Binding by data-flow; None leaves the parameter to the user, False gives up.

        What the value comes from agrees with the bindings that are there.
        """
        owner = self.sessions[ask.domain].domain
        parameter, column = spec.file.parameters[name], spec.source(name)
        producers = [e.producer for e in owner.edges if e.consumer == spec.name and e.slot == name]
        if parameter.optional or (not producers and column not in owner.keys):
            return None
        if column not in owner.keys and parameter.kind not in PERSONAL:
            return None  # an amount or a date that is at hand is seldom the one that is meant
        at_hand = [] if ask.fresh else self._holding(ask.domain, column, producers)
        sources = [{"step": number, "column": column} for number in at_hand]
        sources = [source for source in sources if self._agrees(ask, spec, source, bindings)]
        if sources and self.random.random() < REUSE_SHARE:
            return sources[-1]
        if column not in owner.keys or (parameter.known and self.random.random() < KNOWN_SHARE):
            return None
        if self._look_up(ask, spec, producers, bindings):
            source = {"step": len(self.steps) - 1, "column": column}
            if self._agrees(ask, spec, source, bindings):
                return source
            return False
        return None if parameter.known else False

    def _terms(
        self, ask: Ask, spec: ToolSpec, source: Mapping[str, Any]
    ) -> dict[str, dict[str, Any]]:
        """Facts that a call shares with the lookups behind a value that it takes."""
        session = self.sessions[ask.domain]
        found = terms(session, self.steps, spec, source["step"], source["column"])
        return {name: binding for name, binding in found.items() if name not in ask.own}

    def _agrees(
        self,
        ask: Ask,
        spec: ToolSpec,
        source: Mapping[str, Any],
        bindings: Mapping[str, dict[str, Any]],
    ) -> bool:
        """Whether those lookups ask for what is bound already."""
        return all(
            "fact" in bindings[name] and self.facts[bindings[name]["fact"]] == self.facts[b["fact"]]
            for name, b in self._terms(ask, spec, source).items()
            if name in bindings
        )

    def _holding(self, domain: str, column: str, producers: list[str]) -> list[int]:
        return [
            number
            for number, step in enumerate(self.steps)
            if step.domain == domain
            and step.expect == "ok"
            and not step.silent
            and step.spec.name in producers
            and step.result.rows[0].get(column) is not None
        ]

    def _look_up(
        self,
        ask: Ask,
        spec: ToolSpec,
        producers: list[str],
        bindings: Mapping[str, dict[str, Any]],
    ) -> bool:
        if len(ask.stack) > self.depth:
            return False
        owner = self.sessions[ask.domain].domain
        tools = owner.tools
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
            given = passed_on(owner, spec, tools[name], bindings)
            if given is not None and self._add(lookup, name, given):
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
                name: _taken(choice[b["step"]].row, b)
                for name, b in bindings.items()
                if "step" in b
            }
            phrases = {
                name: self.refer(ask.domain, ask.turn, spec, name, b, choice[b["step"]])
                for name, b in bindings.items()
                if "step" in b
            }
            if None in fixed.values() or None in phrases.values():
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
        return picks(step, self.sessions[step.domain].domain)

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
        before = set(self.facts)
        for name, value in arguments.items():
            source = bindings.get(name)
            if source is None:
                step.bindings[name] = {"fact": self.state(name, value, anew=_is_text(value))}
            elif "fact" in source:
                step.bindings[name] = source
            else:
                picked = choice[source["step"]]
                step.bindings[name] = {**source, "pick": self._pick(picked.pick)}
                self.word(step, name, source, picked)
        says_more = bool(set(self.facts) - before)
        if ask.purpose == "lookup":
            self._settle_lookup(step, says_more)
        self.steps.append(step)

    def word(self, step: DraftStep, name: str, source: Mapping[str, Any], picked: Picked) -> None:
        """Give a step the words for one argument.

        Raises:
            BlueprintError: if no words are clear.
        """
        phrase = self.refer(step.domain, step.turn, step.spec, name, source, picked)
        if phrase is None:
            raise BlueprintError(f"{step.spec.name}: no words make clear which {name} is meant")
        step.phrases[name] = phrase
        if self.must_say(step.domain, phrase, source, picked):
            step.needed |= {name}

    def _settle_lookup(self, step: DraftStep, says_more: bool) -> None:
        """A lookup that a user has to ask for is a goal: its result is to be told."""
        silent = not says_more and not step.needed
        by_context = bool(step.spec.file.context) and not step.needed
        if not silent and not by_context:
            step.purpose = "goal"
        sources = [self.steps[number] for number in step.depends]
        step.owned = step.purpose == "lookup" and (
            all(source.owned for source in sources) if sources else by_context and says_more
        )

    def _pick(self, pick: Literal["first"] | dict[str, Any]) -> Any:
        if pick == "first":
            return pick
        return {"column": pick["column"], "fact": self.state(pick["column"], pick["value"])}

    def refer(
        self,
        domain: str,
        turn: int,
        spec: ToolSpec,
        name: str,
        source: Mapping[str, Any],
        picked: Picked,
    ) -> str | None:
        """How the user refers to an argument that is bound from a row; None if nothing is clear."""
        owner = self.sessions[domain].domain
        return reference(self.steps, owner, turn, spec, name, source, picked)

    def must_say(self, domain: str, phrase: str, source: Mapping[str, Any], picked: Picked) -> bool:
        """Whether the words must contain a reference: it tells which row, or it is a value."""
        plain = phrase.startswith(("my ", "that "))
        is_key = source["column"] in self.sessions[domain].domain.keys
        return picked.distinct or not plain or not is_key

    def state(self, name: str, value: Any, *, anew: bool = False) -> str:
        """Make a value one of the user's facts; the fact's name.

        Args:
            name: of the parameter or column that it is for.
            value: what the user knows.
            anew: do not take an equal fact for it.
        """
        for number in itertools.count(1):
            fact = name if number == 1 else f"{name}_{number}"
            if fact not in self.facts:
                self.facts[fact] = value
                return fact
            same = self.facts[fact] == value and type(self.facts[fact]) is type(value)
            if same and not anew:
                return fact
        raise AssertionError("counting does not end")


def _taken(row: Mapping[str, Any], source: Mapping[str, Any]) -> Any:
    """What a binding takes of a row; None where it lacks the column."""
    return field(row, source) if source["column"] in row else None


def _is_text(value: Any) -> bool:
    """Whether nobody takes it as said because the same words were said of something else."""
    return isinstance(value, str) and len(value.split()) >= TEXT


def _wanted(result: Result, expect: Expect) -> bool:
    if expect == "ok":
        return result.ok and bool(result.rows)
    return not result.ok and not result.content.startswith(
        ('{"error": "invalid arguments', '{"error": "nothing found')
    )
