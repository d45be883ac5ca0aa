"""Where a request is likely to end, and how new that would be.

Enters: committed outcomes, requests that are considered. Leaves: the one that promises most. Within
a round what was chosen counts as if it had happened, so that a round does not aim at one gap alone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from tdscaling.evolution._cells import Cell, Yields
from tdscaling.schema import Operator, Outcome, Request

_MODES = 8
"""Commonest modes of a combination that count."""
_BINS = 3
"""Commonest complexity bins of a number of calls that count."""

Candidate = tuple[str, Request]
"""Category and request."""


class Aim:
    """Learns what operators and calls end in.

    Args:
        rarity: exponent on the inverse count of a cell; that of a mode has half of it, at least 0.
        prior: pseudo-count, above 0.
    """

    def __init__(self, rarity: float, prior: float) -> None:
        self._rarity, self._prior = rarity, prior
        self.modes: Yields[tuple[Operator, ...]] = Yields()
        self._calls: Yields[int] = Yields()
        self._stays: Yields[tuple[Operator, ...]] = Yields()
        self._cells: Counter[Cell] = Counter()

    def observe(self, outcome: Outcome, cell: Cell, home: Cell | None, tokens: int) -> None:
        """Learn from one outcome; `home` is the cell of its parent."""
        request = outcome.request
        self.modes.add(request.operators, cell[1], outcome, tokens)
        self._calls.add(request.calls, str(cell[2]), outcome, tokens)
        if outcome.verdict.accepted:
            self._cells[cell] += 1
            if home is not None:
                self._stays.add(request.operators, str(cell == home), outcome, tokens)

    def round(self) -> Plan:
        """What a round has chosen so far: nothing."""
        return Plan(self)

    def ends(self, candidate: Candidate) -> list[tuple[Cell, float]]:
        """The cells that are likely, with their chances; the rest was not seen yet."""
        category, request = candidate
        bins = self._calls.chances(request.calls, self._prior, _BINS)
        return [
            ((category, mode, int(bin_)), chance * part)
            for mode, chance in self.modes.chances(request.operators, self._prior, _MODES)
            for bin_, part in bins
        ]

    def leaves(self, request: Request) -> float:
        """Chance that a mutant does not end in its parent's cell; 1 for a fresh one."""
        if request.parent is None:
            return 1.0
        every, here, weight = self._stays.totals, self._stays.labels[request.operators], self._prior
        usual = (every["False"] + weight) / (every.total() + 2 * weight)
        return (here["False"] + 2 * weight * usual) / (here.total() + 2 * weight)

    def rarity(
        self, cell: Cell, planned: Mapping[Cell, float], modes: Mapping[str, float]
    ) -> float:
        """1 for a new cell of a new mode, less the more lie in the cell and in the mode."""
        in_cell = self._cells[cell] + planned.get(cell, 0.0)
        in_mode = self.modes.totals[cell[1]] + modes.get(cell[1], 0.0)
        return float((1 + in_cell) ** -self._rarity * (1 + in_mode) ** (-self._rarity / 2))

    def unseen(self) -> float:
        """Rarity of what was not seen yet: a new cell, its mode as frequent as the mean one."""
        modes = self.modes.totals
        return float((1 + modes.total() / max(len(modes), 1)) ** (-self._rarity / 2))


class Plan:
    """What a round chose so far."""

    def __init__(self, aim: Aim) -> None:
        self._aim = aim
        self._unseen = aim.unseen()
        self._cells: defaultdict[Cell, float] = defaultdict(float)
        self._modes: defaultdict[str, float] = defaultdict(float)

    def best(self, candidates: Sequence[Candidate]) -> Request:
        """Choose the candidate that promises the newest end."""
        worth = [self._worth(candidate) for candidate in candidates]
        chosen = candidates[worth.index(max(worth))]
        for cell, chance in self._aim.ends(chosen):
            self._cells[cell] += chance
            self._modes[cell[1]] += chance
        return chosen[1]

    def _worth(self, candidate: Candidate) -> float:
        worth, left = 0.0, 1.0
        for cell, chance in self._aim.ends(candidate):
            worth += chance * self._aim.rarity(cell, self._cells, self._modes)
            left -= chance
        return self._aim.leaves(candidate[1]) * (worth + left * self._unseen)
