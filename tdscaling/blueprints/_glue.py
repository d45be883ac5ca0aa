"""Calls that are given a figure over what two others returned: the operator `glue`.

Enters: a draft and a service. Leaves: the draft with two lookups, the code that works something out
over what they return, and a call that takes it: a payment of the difference, a booking some days
after the later date, whatever is done to the cheapest of two lists. What fits is decided by the
kinds of the columns and parameters alone. The user names the figure in the words of that last call.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, islice
from typing import Any

from tdscaling.bindings import filled, value
from tdscaling.blueprints._glue_figures import (
    LATER,
    PERCENT,
    WEEKDAYS,
    Glue,
    Pair,
    choices,
    dates,
    days_between,
    numbers,
)
from tdscaling.blueprints._plan import Planner
from tdscaling.blueprints._readings import Call, calls, columns, pairs, readers, wanted
from tdscaling.blueprints._refer import DraftStep
from tdscaling.coding import printed
from tdscaling.coding.domain import CodeDomain
from tdscaling.declared.domain import Domain, ToolSpec
from tdscaling.declared.rows import Generators
from tdscaling.declared.session import Result
from tdscaling.errors import BlueprintError

CALLS = 4
"""Calls that one takes: two lookups, the code, the call that is given the figure."""
QUANTITY_SHARE = 0.75
"""Probability that a quantity or a date is sought before a choice between things."""
PAIRS = 3
"""Pairs of calls of one tool that are considered, the most related ones."""
PER_SLOT = 3
"""Figures tried for one parameter."""
MOST = 24
"""Figures tried in all."""
_DAYS = frozenset({"day", "night"})


@dataclass(frozen=True, slots=True)
class Slot:
    """A parameter that a figure can be given to."""

    spec: ToolSpec
    name: str
    unit: str
    """What it takes, as `measure` has it; empty for the key of a thing."""

    @property
    def label(self) -> str:
        """What the code calls it when it prints it."""
        return self.spec.noun(self.name).replace(":", " ")


class Gluing:
    """Adds such calls to a draft.

    Args:
        planner: with open sessions.
        home: the service.
        code: runs the code.
        generators: the random stream.
    """

    def __init__(
        self, planner: Planner, home: Domain, code: CodeDomain, generators: Generators
    ) -> None:
        self._planner, self._home, self._code = planner, home, code
        self._random, self._generators = planner.random, generators
        self._made: dict[str, list[Call]] = {}

    def add(self, turn: int) -> bool:
        """Add one as a wish of a turn; False, with the draft as before, if none works.

        Raises:
            BlueprintError: if two programs come to different figures.
        """
        left = MOST
        for slot in self._slots():
            options = list(self._options(slot))
            self._random.shuffle(options)
            for glue, pair in options[: min(PER_SLOT, left)]:
                left -= 1
                if self._try(slot, glue, pair, turn):
                    return True
        return False

    def _slots(self) -> list[Slot]:
        """Parameters, those of calls that write first."""
        found = []
        for name, spec in self._home.tools.items():
            if name in self._planner.allowed[self._home.name]:
                for parameter, content in spec.file.parameters.items():
                    unit = wanted(parameter, content)
                    key = spec.source(parameter) in self._home.keys and content.type == "string"
                    if unit or key:
                        found.append(Slot(spec, parameter, "" if key else unit))
        self._random.shuffle(found)
        last = "" if self._random.random() < QUANTITY_SHARE else None
        return sorted(found, key=lambda slot: (not slot.spec.writes, (slot.unit or "") == last))

    def _options(self, slot: Slot) -> Iterator[tuple[Glue, Pair]]:
        """What could be worked out for a parameter, and over which two calls."""
        whole = slot.spec.file.parameters[slot.name].type == "integer"
        key = "" if slot.unit else slot.spec.source(slot.name)
        for pair, unit in self._pairs(slot):
            if key:
                # Of a list, the row is chosen, not what else it names; and no row may lack the key.
                rows = [row for call in pair.calls for row in call.result.rows]
                own = not pair.lists or next(iter(rows[0])) == key
                if not own or not all(row.get(key) for row in rows):
                    continue
                found = choices(pair, key, slot.label)
            elif unit == slot.unit == "date":
                days = [self._random.choice(LATER)]
                found = dates(pair, days, [self._random.randrange(len(WEEKDAYS))])
            elif unit == "date" and slot.unit in _DAYS:
                found = days_between(pair)
            elif unit == slot.unit:
                shares = [self._random.choice(PERCENT)]
                found = numbers(pair, shares, whole=whole, money=unit == "amount")
            else:
                continue
            yield from ((glue, pair) for glue in found)

    def _pairs(self, slot: Slot) -> Iterator[tuple[Pair, str]]:
        """Columns of two calls, each pair with what it counts."""
        single: list[tuple[Call, str, str]] = []
        for spec in readers(self._home, self._planner.allowed[self._home.name]):
            if spec is slot.spec:
                continue
            for both in islice(pairs(self._calls(spec), self._home.keys), PAIRS):
                for column, unit in columns(both, self._home):
                    yield Pair(both, (column, column)), unit
                    if spec.file.result == "one":
                        single.append((both[0], column, unit))
        if slot.unit != "amount":
            return
        # What is missing between two things: only money is compared across tools.
        for (one, column, unit), (other, another, its) in combinations(single, 2):
            if one.spec is not other.spec and unit == its == slot.unit:
                yield Pair((one, other), (column, another)), unit

    def _calls(self, spec: ToolSpec) -> list[Call]:
        if spec.name not in self._made:
            session = self._planner.sessions[self._home.name]
            self._made[spec.name] = calls(session, spec, self._generators)
        return self._made[spec.name]

    def _try(self, slot: Slot, glue: Glue, pair: Pair, turn: int) -> bool:
        planner = self._planner
        mark, facts = len(planner.steps), dict(planner.facts)
        steps = [self._looked_up(call, turn) for call in pair.calls]
        values = self._values(glue, pair, steps)
        slips = self._random.random() < self._code.recover_share
        if slips:
            slip = self._random.choice(glue.slips(slot.label))
            planner.steps.append(self._run(slip, values, turn, fails=True))
        before = frozenset({len(planner.steps) - 1}) if slips else frozenset()
        step = self._run(glue.code(slot.label), values, turn)
        step.figure, step.follows = glue.phrase, before
        planner.steps.append(step)
        taken = {
            "step": len(planner.steps) - 1,
            "column": "stdout",
            "printed": slot.label,
            "type": slot.spec.file.parameters[slot.name].type,
        }
        if self._passed_on(slot, taken, pair, steps, turn):
            self._agree(glue.check(slot.label), values, step)
            return True
        del planner.steps[mark:]
        planner.facts = facts
        return False

    def _looked_up(self, call: Call, turn: int) -> int:
        """The step that makes a call: one that the draft has already, or a new one."""
        steps = self._planner.steps
        for number in range(len(steps) - 1, -1, -1):
            if steps[number].spec is call.spec and steps[number].values == call.arguments:
                return number
            if steps[number].spec.writes:
                break
        bindings = {n: {"fact": self._planner.state(n, v)} for n, v in call.arguments.items()}
        steps.append(
            DraftStep(self._home.name, call.spec, turn, "lookup", "ok", bindings,
                      dict(call.arguments), call.result, silent=True)
        )  # fmt: skip
        return len(steps) - 1

    def _values(self, glue: Glue, pair: Pair, steps: list[int]) -> dict[str, dict[str, Any]]:
        pick = "all" if pair.lists else "first"
        values = {}
        for name, step, column in zip(("first", "second"), steps, pair.columns, strict=True):
            values[name] = {"step": step, "column": column, "pick": pick}
            if glue.key:
                values[f"{name}_keys"] = {"step": step, "column": glue.key, "pick": pick}
        return values | {n: {"fact": self._planner.state(n, given)} for n, given in glue.stated}

    def _run(
        self, template: str, values: dict[str, dict[str, Any]], turn: int, *, fails: bool = False
    ) -> DraftStep:
        """The step that runs code; what is to fail is executed in the dry run only."""
        code = self._filled(template, values)
        session = self._planner.sessions[self._code.name]
        result = Result(False, (), "") if fails else session.execute("run_python", {"code": code})
        if not fails and not result.ok:
            raise BlueprintError(f"{self._code.name}: the code was to be ok: {result.content}")
        return DraftStep(
            self._code.name, self._code.tools["run_python"], turn, "lookup",
            "refused" if fails else "ok", {"code": {"text": template, "values": values}},
            {"code": code}, result, silent=True,
        )  # fmt: skip

    def _filled(self, template: str, values: dict[str, dict[str, Any]]) -> str:
        seen = {number: step.result.content for number, step in enumerate(self._planner.steps)}
        return filled(template, {n: value(v, self._planner.facts, seen) for n, v in values.items()})

    def _passed_on(
        self, slot: Slot, taken: dict[str, Any], pair: Pair, steps: list[int], turn: int
    ) -> bool:
        """Add the call; about one of the two things if it can be, else about another."""
        given = {slot.name: taken}
        goal = self._planner.goal
        for step in dict.fromkeys(steps):
            call = self._planner.steps[step]
            same = {
                name: binding
                for name in slot.spec.file.parameters
                for own, binding in call.bindings.items()
                if name != slot.name
                and "fact" in binding
                and slot.spec.source(name) == call.spec.source(own) in self._home.keys
            }
            if same and goal(self._home.name, slot.spec.name, turn, given=given | same):
                return True
        return goal(self._home.name, slot.spec.name, turn, given=given)

    def _agree(self, check: str, values: dict[str, dict[str, Any]], step: DraftStep) -> None:
        session = self._planner.sessions[self._code.name]
        other = session.execute("run_python", {"code": self._filled(check, values)})
        one, another = printed.stdout(step.result.content), printed.stdout(other.content)
        if not printed.lines(one) or printed.lines(one) != printed.lines(another):
            raise BlueprintError(f"{self._code.name}: another program comes to {other.content}")
