"""Which goals a user has, by the operators asked for.

Enters: a planner and a request. Leaves: the planner's draft, filled up to the number of calls, and
the operators that shaped it. `withhold` and `perturb` change no goal: they are applied to the
finished plan.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tdscaling.blueprints._compute import add_figure, figures
from tdscaling.blueprints._glue import Gluing
from tdscaling.blueprints._plan import Planner
from tdscaling.blueprints._refer import PERSONAL
from tdscaling.coding.domain import CodeDomain
from tdscaling.declared.domain import Domain, ToolSpec
from tdscaling.declared.rows import Generators
from tdscaling.errors import BlueprintError
from tdscaling.schema import Operator

GOALS_PER_TURN = 2
"""Wishes that a user voices in one breath, at most."""
TOOL_TRIES = 12
"""Tools tried for one goal before it counts as impossible."""
NEW_TURN_SHARE = 0.7
"""Probability that `extend` gives a further goal a user turn of its own."""
FALLBACK_SHARE = 0.5
"""Probability that a user names an alternative for what will be refused."""
JOIN_TRIES = 16
"""Joins tried with the steps at hand."""
CARRIER_TRIES = 2
"""Goals added for the sake of a value that the other domain can take."""
AGAIN_SHARE = 0.5
"""Probability that a branch may be the same read about something else."""
DEPENDENT_WEIGHT, WRITE_WEIGHT, USED_WEIGHT = 4.0, 2.0, 0.15
"""Preference for goals that build on what is at hand, that change something, that are new."""


class Composer:
    """Chooses goals one after the other.

    Args:
        planner: executes them.
        domains: the service, and the one to cross with where `cross` is asked for.
        operators: asked for.
        calls: number of calls to reach, at least 1.
        depth: lookups that may feed a goal one after the other.
    """

    def __init__(
        self,
        planner: Planner,
        domains: tuple[Domain, ...],
        operators: tuple[Operator, ...],
        calls: int,
        depth: int,
    ) -> None:
        self._planner = planner
        self._random = planner.random
        self._domains = domains
        self._active = [domains[0]]
        self._asked = operators
        self._calls = calls
        self._depth = depth
        self.applied: set[Operator] = set()
        self.revised: dict[int, tuple[str, str]] = {}
        """Per step that repeats an earlier goal: parameter and the fact that it replaces."""
        self._turn = 0
        self._closed = False

    def go_on(self, applied: set[Operator], revised: dict[int, tuple[str, str]]) -> None:
        """Go on from a draft that a parent's steps fill."""
        steps = self._planner.steps
        self.applied, self.revised = set(applied), dict(revised)
        self._turn = max(step.turn for step in steps)
        self._closed = any(steps[number].turn == self._turn for number in revised)
        used = {step.domain for step in steps}
        self._active = [domain for domain in self._domains if domain.name in used]
        # Operators that only reword or disturb may be change enough; others need a further goal.
        if not {"withhold", "perturb"} & (set(self._asked) - applied):
            self._calls = max(self._calls, len(steps) + 1)

    def compose(self) -> None:
        """Fill the draft.

        Raises:
            BlueprintError: naming the operator that could not be applied.
        """
        makers: dict[Operator, Callable[[], bool]] = {
            "branch": self._branch,
            "revise": self._revise,
            "refuse": self._refuse,
            "cross": self._cross,
        }
        shaping = [o for o in self._asked if o in makers and o not in self.applied]
        self._random.shuffle(shaping)
        shaping.sort(key=lambda operator: operator == "cross")
        empty = not self._planner.steps and (not shaping or shaping == ["cross"])
        if empty and (self._calls > 0 or {"cross", "extend"} & set(self._asked)):
            self._must(self._plain, "a first goal")
        for operator in shaping:
            self._must(makers[operator], f"operator {operator}")
            self.applied.add(operator)
        while len(self._planner.steps) < self._calls and (self._plain() or self._later()):
            pass
        if "extend" in self._asked and "extend" not in self.applied:
            self._next_turn()
            self._must(self._plain, "operator extend")
            self.applied.add("extend")

    def compute(self) -> None:
        """Add a figure over what the steps returned, to be worked out by code.

        Raises:
            BlueprintError: if they returned nothing to compute over.
        """
        found = list(figures(self._planner.steps))
        for _ in range(CARRIER_TRIES):
            lists = [(d, s) for d, s in self._tools() if s.file.result == "many" and not s.writes]
            if found or not lists:
                break
            self._begin()
            self._try(lists)
            found = list(figures(self._planner.steps))
        if not found:
            raise BlueprintError(
                f"{self._domains[0].name}: nothing of this plan can be computed on"
            )
        if self._closed or self._random.random() < NEW_TURN_SHARE:
            self._next_turn()
        add_figure(self._planner, self._domains[-1].name, self._random.choice(found), self._turn)
        self.applied.add("compute")

    def glue(self, generators: Generators, *, must: bool) -> bool:
        """Add a call that is given a figure over what two others return; False where none fits.

        Raises:
            BlueprintError: if two programs come to different figures, or if none fits but must.
        """
        home, code = self._domains[0], self._domains[-1]
        if not isinstance(code, CodeDomain):
            raise BlueprintError(f"{code.name}: expected a domain that runs code")
        turn, closed, applied = self._turn, self._closed, set(self.applied)
        self._begin(own_turn=self._random.random() < NEW_TURN_SHARE)
        self._planner.depth = self._depth
        if Gluing(self._planner, home, code, generators).add(self._turn):
            self.applied |= {"compute", "glue"}
            return True
        if must:
            raise BlueprintError(f"{home.name}: no call can be given a figure over two others")
        self._turn, self._closed, self.applied = turn, closed, applied
        return False

    def _must(self, make: Callable[[], bool], what: str) -> None:
        if not make():
            name = "+".join(domain.name for domain in self._domains)
            raise BlueprintError(f"{name}: no executable plan for {what}")

    def _begin(self, *, own_turn: bool = False) -> None:
        """Decide which user turn the next goal belongs to."""
        self._planner.depth = min(self._depth, max(0, self._calls - len(self._planner.steps) - 1))
        spread = "extend" in self._asked and self._random.random() < NEW_TURN_SHARE
        full = self._closed or self._goals >= GOALS_PER_TURN
        if self._goals and (own_turn or spread or full):
            self._next_turn()

    @property
    def _goals(self) -> int:
        """Wishes of the present user turn."""
        steps = self._planner.steps
        return sum(s.turn == self._turn and s.purpose == "goal" and not s.fallback for s in steps)

    def _next_turn(self) -> None:
        self._turn, self._closed = self._turn + 1, False
        self.applied.add("extend")

    def _try(self, tools: list[tuple[Domain, ToolSpec]], **wish: object) -> ToolSpec | None:
        """The first of the tools, in weighted order, that works as a goal."""
        weights = [self._weight(domain, spec) for domain, spec in tools]
        keys = [self._random.random() ** (1 / weight) for weight in weights]
        order = sorted(range(len(tools)), key=lambda number: -keys[number])
        for number in order[:TOOL_TRIES]:
            domain, spec = tools[number]
            if self._planner.goal(domain.name, spec.name, self._turn, **wish):  # type: ignore[arg-type]
                return spec
        return None

    def _weight(self, domain: Domain, spec: ToolSpec) -> float:
        steps = self._planner.steps
        sources = {spec.source(name) for name in spec.file.parameters}
        feeds = any(s.domain == domain.name and sources & set(s.spec.columns) for s in steps)
        used = any(step.spec is spec for step in steps)
        return (
            (DEPENDENT_WEIGHT if feeds else 1.0)
            * (WRITE_WEIGHT if spec.writes else 1.0)
            * (USED_WEIGHT if used else 1.0)
        )

    def _tools(self) -> list[tuple[Domain, ToolSpec]]:
        return [
            (domain, spec)
            for domain in self._active
            for name, spec in domain.tools.items()
            if name in self._planner.allowed[domain.name]
        ]

    def _plain(self) -> bool:
        self._begin()
        return self._try(self._tools()) is not None

    def _later(self) -> bool:
        """A goal in a turn of its own: by then the user has been told what there is."""
        if not self._goals:
            return False
        self._next_turn()
        return self._plain()

    def _branch(self) -> bool:
        """Two goals of one turn, neither of which needs the other."""
        self._begin(own_turn=True)
        first = self._try(self._tools())
        if first is None:
            return False
        again = [(d, s) for d, s in self._tools() if s is first and not s.writes]
        other = [(d, s) for d, s in self._tools() if s is not first]
        if again and self._random.random() < AGAIN_SHARE:
            other = again + other
        deep, self._planner.depth = self._planner.depth, 0
        # First without lookups: with two chains side by side, "my booking" would mean two things.
        if self._try(other, fresh=True):
            return True
        self._planner.depth = max(deep, 1)
        return self._try(other, fresh=True) is not None

    def _revise(self) -> bool:
        """A read whose outcome the user sees before changing one of its facts."""
        self._begin()
        reads = [(domain, spec) for domain, spec in self._tools() if not spec.writes]
        self._random.shuffle(reads)
        for domain, spec in reads[:TOOL_TRIES]:
            mark, facts = len(self._planner.steps), dict(self._planner.facts)
            if self._planner.goal(domain.name, spec.name, self._turn):
                if self._again(domain):
                    self._closed = True
                    return True
                del self._planner.steps[mark:]
                self._planner.facts = facts
        return False

    def _again(self, domain: Domain) -> bool:
        step = self._planner.steps[-1]
        stated = [
            name
            for name, binding in step.bindings.items()
            if "fact" in binding and not step.spec.file.parameters[name].optional
        ]
        self._random.shuffle(stated)
        for name in stated:
            given = {other: b for other, b in step.bindings.items() if other != name}
            if any("step" in binding for binding in given.values()):
                continue
            if self._planner.goal(
                domain.name, step.spec.name, self._turn + 1, given=given, own=frozenset({name})
            ):
                self._turn += 1
                self.revised[len(self._planner.steps) - 1] = (name, step.bindings[name]["fact"])
                return True
        return False

    def _refuse(self) -> bool:
        """A goal that a rule refuses, sometimes with an alternative that works."""
        self._begin()
        ruled = [(domain, spec) for domain, spec in self._tools() if spec.file.requires]
        refused = self._try(ruled, expect="refused")
        if refused is None:
            return False
        if self._random.random() < FALLBACK_SHARE:
            mark = len(self._planner.steps)
            same = [(domain, spec) for domain, spec in ruled if spec is refused]
            if self._try(same) and len(self._planner.steps) == mark + 1:
                self._planner.steps[mark].fallback = True
        return True

    def _cross(self) -> bool:
        """A goal in the other domain that takes a value which the first domain returned."""
        home = self._domains[0]
        carriers = [
            (domain, spec)
            for domain, spec in self._tools()
            if domain is home and home.file.kinds.keys() & set(spec.columns)
        ]
        for _ in range(CARRIER_TRIES):
            self._begin()
            if self._join():
                return True
            if self._try(carriers) is None:
                break
        return self._join() or self._beside()

    def _beside(self) -> bool:
        """A further wish for the other of two live servers, which seldom share a kind of value."""
        home, other = self._domains[:2]
        if not (home.blocking and other.blocking):
            return False
        if not self._planner.steps and not self._plain():
            return False
        self._begin(own_turn=True)
        others = [(other, other.tools[name]) for name in sorted(self._planner.allowed[other.name])]
        if self._try(others) is None:
            return False
        self._active.append(other)
        return True

    def _join(self) -> bool:
        home, other = self._domains[:2]
        joins = [
            (number, column, spec, name)
            for number, step in enumerate(self._planner.steps)
            if step.domain == home.name and step.expect == "ok"
            for column, value in step.result.rows[0].items()
            if value is not None and column in home.file.kinds
            for spec in other.tools.values()
            for name, parameter in spec.file.parameters.items()
            if parameter.kind == home.file.kinds[column]
            and spec.name in self._planner.allowed[other.name]
        ]
        self._random.shuffle(joins)
        for number, column, spec, name in joins[:JOIN_TRIES]:
            given = self._given(number, column, spec.file.parameters[name].kind)
            if given and self._planner.goal(other.name, spec.name, self._turn, given={name: given}):
                self._active.append(other)
                return True
        return False

    def _given(self, number: int, column: str, kind: str | None) -> dict[str, Any] | None:
        """How the value crosses over: pointed at, or repeated by the user who was told it."""
        if kind in PERSONAL:
            return {"step": number, "column": column}
        step = self._planner.steps[number]
        if step.purpose != "goal" or column not in step.spec.file.tell:
            return None
        if step.turn == self._turn:
            self._next_turn()
        return {"fact": self._planner.state(column, step.result.rows[0][column])}
