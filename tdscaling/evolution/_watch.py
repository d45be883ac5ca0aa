"""Watches over every evolution: does diversity collapse, and is there anything new left?

Enters: committed outcomes in index order, and the metrics' figures at the end of each round.
Leaves: alarms, and the reason to end a run. A function of the outcomes alone, so a resumed run
raises the same alarms and ends at the same attempt.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Literal, TypedDict, Unpack

from tdscaling.evolution._cells import Cell, cell_of, entropy
from tdscaling.evolution._refusal import check
from tdscaling.schema import Menu, Outcome


@dataclass(frozen=True, slots=True)
class Alarm:
    """A sign that a run's diversity collapses: a row of the table `alarms`."""

    round: int
    kind: str
    """`domains`, `modes`, `domains_falling`, `modes_falling` or `cell`."""
    value: float
    threshold: float
    message: str

    def row(self) -> dict[str, Any]:
        """As the ledger keeps it."""
        return asdict(self)


class Knobs(TypedDict):
    """Keys of `conf/evolution/_watch.yaml`."""

    on_collapse: Literal["warn", "stop"]
    window: int
    domain_floor: float
    mode_floor: float
    cell_ceiling: float
    fall: float
    over: int
    min_novelty: float | None
    bins: Sequence[float]


class Watch:
    """Raises an alarm when a sign of collapse begins; `docs/evolution.md` lists the signs.

    Args:
        knobs: the keys of `conf/evolution/_watch.yaml`.
    """

    def __init__(self, knobs: Knobs) -> None:
        self._check(knobs)
        self._knobs = knobs
        self._categories = 0
        self._operators = 0
        self._recent: deque[tuple[Mapping[str, float], Cell]] = deque(maxlen=knobs["window"])
        self._history: list[tuple[float, float]] = []
        self._raised: set[str] = set()
        self._dull = 0
        self.collapsed: Alarm | None = None
        """The alarm that ends the run, where `on_collapse` is `stop`."""
        self.exhausted = ""
        """Why nothing new is left, where `min_novelty` ends the run."""

    @staticmethod
    def _check(knobs: Knobs) -> None:
        warn, novelty = knobs["on_collapse"], knobs["min_novelty"]
        check("on_collapse", warn, warn in ("warn", "stop"), "warn or stop", "warn")
        check("window", knobs["window"], knobs["window"] >= 1, "1 or more", 100)
        floor, ceiling = knobs["domain_floor"], knobs["cell_ceiling"]
        check("domain_floor", floor, 0 <= floor <= 1, "0 to 1")
        check("mode_floor", knobs["mode_floor"], knobs["mode_floor"] >= 0, "0 or more", 2)
        check("cell_ceiling", ceiling, 0 < ceiling <= 1, "above 0, up to 1")
        check("fall", knobs["fall"], knobs["fall"] >= 0, "0 or more")
        check("over", knobs["over"], knobs["over"] >= 1, "1 or more", 5)
        check("min_novelty", novelty, novelty is None or novelty >= 0, "null, or 0 or more")

    def begin(self, menu: Menu) -> None:
        """Learn what there is to draw: with one category, one category is no collapse."""
        self._categories = len({cluster.category for cluster in menu.clusters})
        self._operators = len(menu.operators)

    def observe(self, outcome: Outcome) -> None:
        """Count one committed outcome."""
        if outcome.verdict.accepted:
            masses = outcome.categories or {outcome.category: 1.0}
            self._recent.append((masses, cell_of(outcome, self._knobs["bins"])))

    def close(self, round_: int, figures: Callable[[], Mapping[str, Any]]) -> list[Alarm]:
        """End a round; the alarms that begin with it."""
        if self._knobs["min_novelty"] is not None:
            self._close_novelty(self._knobs["min_novelty"], figures()["novelty_per_ktok"])
        if len(self._recent) < self._knobs["window"]:
            return []
        found = list(self._signs(round_))
        begun = [alarm for alarm in found if alarm.kind not in self._raised]
        self._raised = {alarm.kind for alarm in found}
        if begun and self._knobs["on_collapse"] == "stop":
            self.collapsed = begun[0]
        return begun

    def _close_novelty(self, least: float, novelty: float) -> None:
        over = self._knobs["over"]
        self._dull = self._dull + 1 if novelty < least else 0
        if self._dull >= over:
            self.exhausted = (
                f"fewer than {least:g} new cells and signatures per 1,000 tokens in each of the"
                f" last {over} rounds (evolution.min_novelty)"
            )

    def _signs(self, round_: int) -> Iterator[Alarm]:
        masses: defaultdict[str, float] = defaultdict(float)
        for categories, _ in self._recent:
            for category, mass in categories.items():
                masses[category] += mass
        domain = entropy(masses.values())
        mode = entropy(Counter(cell[1] for _, cell in self._recent).values())
        self._history = [*self._history[-self._knobs["over"] :], (domain, mode)]
        yield from self._low(round_, "domains", domain, self._floor())
        yield from self._low(round_, "modes", mode, self._mode_floor())
        for place, kind in enumerate(("domains", "modes")):
            yield from self._falling(round_, kind, [bits[place] for bits in self._history])
        yield from self._crowded(round_)

    def _floor(self) -> float:
        return self._knobs["domain_floor"] * self._categories if self._categories > 1 else 0.0

    def _mode_floor(self) -> float:
        return self._knobs["mode_floor"] if self._operators > 1 else 0.0

    def _low(self, round_: int, kind: str, bits: float, floor: float) -> Iterator[Alarm]:
        if 2**bits < floor:
            words = f"{2**bits:.1f} effective {kind} among the last {len(self._recent)} accepted"
            yield Alarm(round_, kind, 2**bits, floor, f"{words}, below {floor:.1f}")

    def _falling(self, round_: int, kind: str, bits: Sequence[float]) -> Iterator[Alarm]:
        over, fall = self._knobs["over"], self._knobs["fall"]
        down = all(later < earlier for earlier, later in pairwise(bits))
        lost = bits[0] - bits[-1]
        if len(bits) > over and down and lost >= fall:
            words = f"entropy of {kind} fell in each of {over} rounds, by {lost:.2f} bits"
            yield Alarm(round_, f"{kind}_falling", lost, fall, words)

    def _crowded(self, round_: int) -> Iterator[Alarm]:
        cells = Counter(cell for _, cell in self._recent)
        cell, count = min(cells.items(), key=lambda item: (-item[1], item[0]))
        share, ceiling = count / len(self._recent), self._knobs["cell_ceiling"]
        if share > ceiling and self._categories > 1:
            name = "|".join(map(str, cell))
            words = f"cell {name} holds {share:.0%} of the last {len(self._recent)} accepted"
            yield Alarm(round_, "cell", share, ceiling, f"{words}, above {ceiling:.0%}")


class Watched:
    """What every evolution has: a watch, made of the keys that all options share."""

    learns = True

    def __init__(self, **knobs: Unpack[Knobs]) -> None:
        self.watch = Watch(knobs)
        self._bins = tuple(knobs["bins"])
