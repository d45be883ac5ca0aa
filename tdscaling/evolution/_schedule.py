"""A schedule: phases of steering, each until its end condition.

Enters: the phases as plain data, and outcomes in index order. Leaves: the phase that a round is
drawn in, and why. Everything is checked when the schedule is made; where a run is in its schedule
is a function of the outcomes observed, so a resumed run is in the same phase.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, get_args

from tdscaling.errors import ConfigError
from tdscaling.evolution._cells import Cell, entropy
from tdscaling.schema import Menu, Operator, Outcome

PLAIN = "plain"
"""Name of the blueprint without operators in an operator mix."""

_KEYS = ("name", "until", "weights", "categories", "operators", "calls", "exploration")
_WEIGHTS = ("domain", "mode", "signature", "complexity", "cell", "cost")
_ENDS = ("budget_share", "accepted", "coverage", "gain_below")


@dataclass(frozen=True, slots=True)
class Gain:
    """Ends a phase when the entropies grow by less than this."""

    bits: float
    """Mean growth of domain plus mode entropy per round."""
    rounds: int
    """Over so many rounds."""


@dataclass(frozen=True, slots=True)
class Phase:
    """How rounds are steered for a while."""

    name: str
    until: Mapping[str, float]
    gain: Gain | None
    weights: Mapping[str, float]
    """Factors on the evolution's own weights."""
    categories: Mapping[str, float]
    """Factor on a category's draws, 1 for those not named."""
    operators: Mapping[str, float]
    """Factor on an operator's draws, 1 for those not named."""
    calls: tuple[float, float]
    """The part of the menu's numbers of calls that is drawn, by rank."""
    exploration: float | None
    """Replaces the evolution's own."""

    def mix(self, operators: tuple[str, ...]) -> float:
        """Factor on the draws of a combination."""
        product = 1.0
        for operator in operators or (PLAIN,):
            product *= self.operators.get(operator, 1.0)
        return product

    def in_reach(self, menu: Menu) -> list[bool]:
        """Which numbers of calls the phase draws; at least one."""
        low, high = self.calls
        last = max(len(menu.calls) - 1, 1)
        ranks = [i / last for i in range(len(menu.calls))]
        inside = [low <= rank <= high for rank in ranks]
        if not any(inside):  # a narrow window between two ranks of a short menu
            middle = (low + high) / 2
            nearest = min(range(len(ranks)), key=lambda i: abs(ranks[i] - middle))
            inside[nearest] = True
        return inside


class Schedule:
    """Phases, and where in them a run is.

    Args:
        spec: `{phases: [...]}` as in `conf/evolution/schedule/`.
        budget: accepted trajectories of the whole run, for `budget_share`.
    """

    def __init__(self, spec: Mapping[str, Any], budget: int) -> None:
        self.phases = tuple(_phases(spec))
        self._budget = budget
        for number, phase in enumerate(self.phases[:-1]):
            within = {"accepted": budget, "budget_share": 1.0}
            late = [key for key, limit in phase.until.items() if limit >= within.get(key, 2.0)]
            if phase.gain is None and len(late) == len(phase.until):
                _refuse(
                    f"evolution.schedule.phases.{number}.until",
                    f"an end before the {budget} trajectories of budget.trajectories",
                    dict(phase.until),
                )
        self._at = 0
        self._why = "the first phase"
        self._round = -1
        self._accepted = 0
        self._cells: Counter[Cell] = Counter()
        self._once = 0
        self._categories: defaultdict[str, float] = defaultdict(float)
        self._modes: Counter[str] = Counter()
        self._bits: list[float] = []

    def check(self, menu: Menu) -> None:
        """Refuse phases that no tool fits or that leave nothing to draw; before the first attempt.

        Raises:
            ConfigError: naming the key.
        """
        offered = sorted({cluster.category for cluster in menu.clusters})
        for number, phase in enumerate(self.phases):
            where = f"evolution.schedule.phases.{number}"
            _keys(f"{where}.categories", phase.categories, tuple(offered))
            if not any(phase.categories.get(category, 1.0) for category in offered):
                _refuse(f"{where}.categories", "one weight above 0", dict(phase.categories))
            if not any(phase.mix(operators) for operators in menu.operators):
                expected = "a weight above 0 for one of what blueprints.operators offers"
                _refuse(f"{where}.operators", expected, dict(phase.operators))

    @property
    def phase(self) -> Phase:
        """The phase that the next round is drawn in."""
        return self.phases[self._at]

    @property
    def why(self) -> str:
        """Why this phase."""
        return self._why

    @property
    def cells(self) -> Mapping[Cell, int]:
        """Accepted trajectories per cell."""
        return self._cells

    @property
    def categories(self) -> Mapping[str, float]:
        """Accepted mass per category."""
        return self._categories

    @property
    def coverage(self) -> float:
        """Chance that the next accepted trajectory lies in a filled cell, by Good and Turing."""
        return 1 - self._once / self._accepted if self._accepted else 0.0

    def observe(self, outcome: Outcome, cell: Cell) -> None:
        """Count one committed outcome; the first of a round ends the round before it."""
        if outcome.round != self._round:
            self.settle()
            self._round = outcome.round
        if not outcome.verdict.accepted:
            return
        self._accepted += 1
        before = self._cells[cell]
        self._cells[cell] = before + 1
        self._once += (before == 0) - (before == 1)
        self._modes[cell[1]] += 1
        for category, mass in (outcome.categories or {outcome.category: 1.0}).items():
            self._categories[category] += mass

    def settle(self) -> None:
        """End the round observed last, once; a phase ends with a round."""
        if self._round < 0:
            return
        self._round = -1
        self._bits.append(entropy(self._categories.values()) + entropy(self._modes.values()))
        reached = next(self._reached(), None)
        if reached is not None and self._at + 1 < len(self.phases):
            self._why = f"after {self.phase.name}: {reached}"
            self._at += 1
            self._bits = self._bits[-1:]

    def _reached(self) -> Iterator[str]:
        until, gain = self.phase.until, self.phase.gain
        figures = {
            "budget_share": self._accepted / self._budget,
            "accepted": float(self._accepted),
            "coverage": self.coverage,
        }
        for name, limit in until.items():
            if figures[name] >= limit:
                yield f"{name} {figures[name]:.4g} of {limit:.4g} reached"
        if gain and len(self._bits) > gain.rounds:
            grown = (self._bits[-1] - self._bits[-1 - gain.rounds]) / gain.rounds
            if grown < gain.bits:
                yield f"entropy grew by {grown:.4f} bits a round, less than {gain.bits:.4g}"


def _phases(spec: Mapping[str, Any]) -> Iterator[Phase]:
    where = "evolution.schedule"
    _keys(where, spec, ("phases",))
    phases = spec.get("phases")
    if not isinstance(phases, list) or not phases:
        _refuse(f"{where}.phases", "a list of at least one phase", phases)
    for number, phase in enumerate(phases):
        yield _phase(f"{where}.phases.{number}", phase, last=number == len(phases) - 1)


def _phase(where: str, spec: Any, *, last: bool) -> Phase:
    if not isinstance(spec, dict):
        _refuse(where, f"a mapping with keys out of {', '.join(_KEYS)}", spec)
    _keys(where, spec, _KEYS)
    name = spec.get("name")
    if not isinstance(name, str) or not name:
        _refuse(f"{where}.name", "a word", name)
    until = _mapping(f"{where}.until", spec, _ENDS)
    if last and until:
        _refuse(f"{where}.until", "nothing, since the last phase ends with the run", until)
    if not last and not until:
        _refuse(f"{where}.until", f"one or more of {', '.join(_ENDS)}", until)
    exploration = spec.get("exploration")
    if exploration is not None:
        _number(f"{where}.exploration", exploration, 0, 1)
    gain = until.pop("gain_below", None)
    return Phase(
        name,
        {key: _end(f"{where}.until.{key}", key, value) for key, value in until.items()},
        _gain(f"{where}.until.gain_below", gain),
        _numbers(f"{where}.weights", spec, _WEIGHTS),
        _numbers(f"{where}.categories", spec, None),
        _numbers(f"{where}.operators", spec, (PLAIN, *get_args(Operator))),
        _window(f"{where}.calls", spec.get("calls", [0, 1])),
        exploration,
    )


def _end(where: str, key: str, value: Any) -> float:
    return _number(where, value, 1, None) if key == "accepted" else _number(where, value, 0, 1)


def _gain(where: str, spec: Any) -> Gain | None:
    if spec is None:
        return None
    if not isinstance(spec, dict) or set(spec) != {"bits", "rounds"}:
        _refuse(where, "a mapping with bits and rounds", spec)
    rounds = spec["rounds"]
    if not isinstance(rounds, int) or isinstance(rounds, bool) or rounds < 1:
        _refuse(f"{where}.rounds", "a whole number of at least 1", rounds)
    return Gain(_number(f"{where}.bits", spec["bits"], 0, None), rounds)


def _window(where: str, spec: Any) -> tuple[float, float]:
    expected = "[low, high] with 0 <= low <= high <= 1"
    if not isinstance(spec, list | tuple) or len(spec) != 2:
        _refuse(where, expected, spec)
    low, high = (_number(where, value, 0, 1) for value in spec)
    if low > high:
        _refuse(where, expected, spec)
    return low, high


def _mapping(where: str, spec: Mapping[str, Any], known: tuple[str, ...] | None) -> dict[str, Any]:
    value = spec.get(where.rpartition(".")[2]) or {}
    if not isinstance(value, dict):
        keys = "categories as keys" if known is None else f"keys out of {', '.join(known)}"
        _refuse(where, f"a mapping with {keys}", value)
    if known is not None:
        _keys(where, value, known)
    return dict(value)


def _numbers(
    where: str, spec: Mapping[str, Any], known: tuple[str, ...] | None
) -> dict[str, float]:
    values = _mapping(where, spec, known)
    return {key: _number(f"{where}.{key}", value, 0, None) for key, value in values.items()}


def _number(where: str, value: Any, low: float, high: float | None) -> float:
    expected = f"a number of at least {low}" if high is None else f"a number from {low} to {high}"
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not low <= value <= (value if high is None else high):
        _refuse(where, expected, value)
    return float(value)


def _keys(where: str, spec: Any, known: tuple[str, ...]) -> None:
    if not isinstance(spec, Mapping):
        _refuse(where, f"a mapping with keys out of {', '.join(known)}", spec)
    for key in spec:
        if key not in known:
            _refuse(f"{where}.{key}", f"a key out of {', '.join(known)}", key)


def _refuse(where: str, expected: str, got: object) -> NoReturn:
    raise ConfigError(
        f"{where}: expected {expected}, got {got!r}."
        " docs/evolution.md shows how to write a schedule"
    )
