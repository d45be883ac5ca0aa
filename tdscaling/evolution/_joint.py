"""What operators and calls bring together, and which request promises most.

Enters: committed outcomes, requests that are considered. Leaves: the modes that a request is likely
to end in, its chance of acceptance, and the request of several that promises the rarest end for its
tokens. A mode depends on operators and calls at once (two calls in a row need two calls), and there
are too many pairs to learn each by itself: a pair is believed to do what its parts do, until it was
seen often enough. Within a round what was chosen counts as if it had happened.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

from tdscaling.evolution._cells import Cell, Tally, Yields
from tdscaling.schema import Operator, Outcome

Operators = tuple[Operator, ...]
Pair = tuple[Operators, int]
Kind = tuple[str, Operators, int]
"""Category, operators and calls of a request."""

_MODES = 8
"""Commonest modes of a combination that count."""
_BINS = 3
"""Commonest complexity bins of a number of calls that count."""
_PARTS = 1.0
"""Accepted trajectories that a guess from the parts is worth."""
_LIKELY = 0.98
"""Chance of acceptance that the parts give at most: their product may exceed 1."""

Ends = Sequence[tuple[str, float]]
"""Labels with their chances; what is missing from 1 was not seen yet."""


class Joint:
    """Learns what operators and calls bring, each alone and both together."""

    def __init__(self) -> None:
        self.by_operators: Yields[Operators] = Yields()
        self.by_calls: Yields[int] = Yields()
        self._by_pair: Yields[Pair] = Yields()
        self.bins: Yields[int] = Yields()
        self._kinds: dict[Kind, Tally] = {}
        self.whole = Tally()

    def observe(self, outcome: Outcome, cell: Cell, tokens: int) -> None:
        """Learn from one outcome."""
        operators, calls = outcome.request.operators, outcome.request.calls
        self.by_operators.add(operators, cell[1], outcome, tokens)
        self.by_calls.add(calls, cell[1], outcome, tokens)
        self._by_pair.add((operators, calls), cell[1], outcome, tokens)
        self.bins.add(calls, str(cell[2]), outcome, tokens)
        accepted = outcome.verdict.accepted
        self._kinds.setdefault((cell[0], operators, calls), Tally()).add(accepted, tokens)
        self.whole.add(accepted, tokens)

    @property
    def mean_cost(self) -> float:
        """Tokens of an accepted trajectory; 1 where none has any, which makes all equal."""
        return self.whole.tokens / max(self.whole.accepted, 1) or 1.0

    def modes(self, pair: Pair, trust: float) -> Ends:
        """Modes of a pair: those of its operators, as its calls favour them, then its own."""
        every = self.by_operators.totals
        seen, whole = self.by_operators.heard(pair[0], trust)
        if not seen:
            return []
        favoured, others = self.by_calls.heard(pair[1], trust)
        mean = max(every.total(), 1)
        guess: dict[str, float] = {}
        for mode, count in sorted(seen.items(), key=lambda item: (-item[1], item[0]))[:_MODES]:
            usual = (every[mode] + 0.5) / mean
            guess[mode] = count * (favoured.get(mode, 0.0) / usual + 2.0) / (others + 2.0)
        known = whole / (whole + _PARTS) / sum(guess.values())
        own, times = self._by_pair.heard(pair, trust)
        return [
            (mode, (own.get(mode, 0.0) + _PARTS * known * part) / (times + _PARTS))
            for mode, part in guess.items()
        ]

    def rate(self, pair: Pair) -> float:
        """Chance of acceptance of a pair: that of its parts, then its own."""
        usual = self.whole.rate(_PARTS)
        operators = self.by_operators.tallies[pair[0]].rate(_PARTS, usual)
        calls = self.by_calls.tallies[pair[1]].rate(_PARTS, usual)
        guess = min(_LIKELY, operators * calls / usual)
        return self._by_pair.tallies[pair].rate(_PARTS, guess)

    def rate_in(self, kind: Kind, usual: float) -> float:
        """The same within a category, where `usual` is that of the pair."""
        tally = self._kinds.get(kind)
        return tally.rate(_PARTS, usual) if tally else usual

    def ends(self, pair: Pair, modes: Ends) -> list[tuple[str, int, float]]:
        """Those modes and the bins that a pair is likely to end in, with the chance of both."""
        bins = self.bins.chances(pair[1], _PARTS, _BINS)
        return [(mode, int(bin_), chance * part) for mode, chance in modes for bin_, part in bins]


class Promise:
    """What requests promise within one round.

    Args:
        joint: what is known.
        cells: accepted trajectories per cell.
        weights: of `mode`, `cell` and `cost`: exponents on the inverse counts and on the tokens.
    """

    def __init__(
        self, joint: Joint, cells: Mapping[Cell, int], weights: Mapping[str, float]
    ) -> None:
        self._joint, self._cells, self._weights = joint, cells, weights
        self._modes: defaultdict[str, float] = defaultdict(float)
        self._common: dict[str, float] = {}
        self._planned: defaultdict[Cell, float] = defaultdict(float)
        self._known: dict[Pair, _Known] = {}
        self._trust = joint.by_operators.trust

    def best(self, category: str, pairs: Sequence[Pair]) -> Pair:
        """The pair that promises most here; the next place of the round reckons with it."""
        worth = [self._worth(category, pair) for pair in pairs]
        chosen = pairs[worth.index(max(worth))]
        known = self._of(chosen)
        rate = self._joint.rate_in((category, *chosen), known.rate)
        for mode, chance in known.modes:
            self._modes[mode] += rate * chance
            self._common.pop(mode, None)
        for mode, bin_, chance in known.ends:
            self._planned[category, mode, bin_] += rate * chance
        return chosen

    def _bits(self, mode: str) -> float:
        """How common a mode is: log of one more than its count, with what is planned."""
        held = self._common.get(mode)
        if held is None:
            count = self._joint.by_operators.totals[mode] + self._modes[mode]
            held = self._common[mode] = math.log2(1 + count)
        return held

    def _of(self, pair: Pair) -> _Known:
        known = self._known.get(pair)
        if known is None:
            known = self._known[pair] = _Known(self._joint, pair, self._trust)
        return known

    def _worth(self, category: str, pair: Pair) -> float:
        """Bits: log of the rarity of what it brings, over its tokens per accepted trajectory."""
        known = self._of(pair)
        common = sum(chance * self._bits(mode) for mode, chance in known.modes)
        rare, left, power = 0.0, 1.0, -self._weights["cell"]
        for mode, bin_, chance in known.ends:
            cell = (category, mode, bin_)
            held = self._cells.get(cell, 0) + self._planned.get(cell, 0)
            rare += chance * (1 + held) ** power if held else chance
            left -= chance
        price = known.cost / self._joint.rate_in((category, *pair), known.rate)
        return (
            math.log2(rare + max(left, 0.0) + 1e-9)
            - self._weights["mode"] * common
            - self._weights["cost"] * math.log2(price)
        )


class _Known:
    """What a pair does, whatever the category."""

    __slots__ = ("cost", "ends", "modes", "rate")

    def __init__(self, joint: Joint, pair: Pair, trust: float) -> None:
        mean = joint.mean_cost
        self.modes = joint.modes(pair, trust)
        self.ends = joint.ends(pair, self.modes)
        self.rate = joint.rate(pair)
        self.cost = joint.bins.tallies[pair[1]].cost(_PARTS, mean) / mean
