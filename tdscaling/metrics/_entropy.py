"""Entropy of a growing tally, and of two tallies brought to the same size.

Enters: keys with masses, one trajectory at a time. Leaves: entropies in bits and what one needs to
read them. Sources: Shannon (1948); Miller (1955) for the bias; Good (1953) for singletons; Hurlbert
(1971) for rarefaction.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


class Compensated:
    """A running sum whose error does not grow with the number of terms (Neumaier)."""

    __slots__ = ("_carry", "_sum")

    def __init__(self) -> None:
        self._sum = 0.0
        self._carry = 0.0

    def add(self, term: float) -> None:
        """Add one term."""
        total = self._sum + term
        if abs(self._sum) >= abs(term):
            self._carry += (self._sum - total) + term
        else:
            self._carry += (term - total) + self._sum
        self._sum = total

    @property
    def value(self) -> float:
        """The sum so far."""
        return self._sum + self._carry


class EntropyCounter:
    """Entropy of categories, each update O(1): `H = log2 N - (sum c log2 c) / N`."""

    def __init__(self) -> None:
        self._mass: dict[str, float] = {}
        self._touched: dict[str, int] = {}
        self._total = Compensated()
        self._terms = Compensated()
        self._singletons = 0
        self._rows = 0

    def add(self, masses: Mapping[str, float]) -> int:
        """Count one trajectory that spreads `masses`; returns how many categories were new."""
        new = 0
        for key, mass in masses.items():
            if mass <= 0:
                continue
            old = self._mass.get(key, 0.0)
            now = self._mass[key] = old + mass
            self._total.add(mass)
            self._terms.add(_term(now))
            self._terms.add(-_term(old))
            times = self._touched[key] = self._touched.get(key, 0) + 1
            self._singletons += (times == 1) - (times == 2)
            new += times == 1
        self._rows += 1
        return new

    @property
    def counts(self) -> Mapping[str, float]:
        """Mass of each category."""
        return self._mass

    @property
    def support(self) -> int:
        """K: number of categories seen."""
        return len(self._mass)

    @property
    def entropy(self) -> float:
        """H in bits; 0 for one category, log2(K) when uniform."""
        total = self._total.value
        if self.support < 2:
            return 0.0
        # Rounding may leave a trace outside of the possible range.
        return min(max(math.log2(total) - self._terms.value / total, 0.0), math.log2(self.support))

    def figures(self, prefix: str) -> dict[str, float]:
        """The entropy and its companions, keyed `<prefix>_<figure>`; see `docs/metrics.md`."""
        entropy, support, rows = self.entropy, self.support, self._rows
        return {
            f"{prefix}_entropy": entropy,
            f"{prefix}_support": support,
            f"{prefix}_effective": 2.0**entropy if support else 0.0,
            f"{prefix}_evenness": entropy / math.log2(support) if support > 1 else 0.0,
            f"{prefix}_miller_madow": miller_madow(entropy, support, rows),
            f"{prefix}_singleton_share": self._singletons / rows if rows else 0.0,
        }


def entropy_of(masses: Sequence[float] | Counter[str]) -> float:
    """Shannon entropy of masses in bits, computed directly."""
    values = masses.values() if isinstance(masses, Counter) else masses
    held = [mass for mass in values if mass > 0]
    total = math.fsum(held)
    if len(held) < 2:
        return 0.0
    return max(0.0, math.log2(total) - math.fsum(map(_term, held)) / total)


def miller_madow(entropy: float, support: int, rows: int) -> float:
    """`H + (K - 1) / (2 N ln 2)` in bits: H corrected for the bias of a small sample."""
    return entropy + (support - 1) / (2 * rows * math.log(2)) if rows and support else entropy


@dataclass(frozen=True, slots=True)
class Rarefied:
    """A figure as it would be had only `n` trajectories been drawn."""

    n: int
    entropy: float
    """Mean entropy of subsamples, bits, 0 to log2(n)."""
    entropy_low: float
    """2.5% quantile over subsamples."""
    entropy_high: float
    """97.5% quantile over subsamples."""
    support: float
    """Mean number of categories in a subsample, 1 to n."""


def rarefy(rows: Sequence[Mapping[str, float]], n: int, seed: str, draws: int) -> Rarefied:
    """Entropy and support of `rows` cut down to `n` of them.

    A subsample takes whole trajectories without replacement. Where every row is one category the
    means are exact; where masses are spread they are means of the seeded subsamples, as the
    interval always is. With `n` equal to the number of rows there is one subsample and no spread.

    Args:
        rows: masses over categories, one mapping per trajectory.
        n: size of a subsample, 1 to `len(rows)`.
        seed: of the subsampling.
        draws: number of subsamples, at least 1.
    """
    rng = random.Random(f"rarefy:{seed}")
    whole = n == len(rows)
    tallies = [
        _tally(s) for s in ([rows] if whole else (rng.sample(rows, n) for _ in range(draws)))
    ]
    entropies = sorted(entropy_of(list(tally.values())) for tally in tallies)
    if not whole and all(len(row) == 1 for row in rows):
        counts = [round(count) for count in _tally(rows).values()]
        entropy, support = expected_entropy(counts, n), expected_support(counts, n)
    else:
        entropy = math.fsum(entropies) / len(entropies)
        support = sum(map(len, tallies)) / len(tallies)
    return Rarefied(
        n=n,
        entropy=entropy,
        entropy_low=_quantile(entropies, 0.025),
        entropy_high=_quantile(entropies, 0.975),
        support=support,
    )


def expected_support(counts: Sequence[int], n: int) -> float:
    """Expected number of categories among `n` draws without replacement (Hurlbert's S_n), exact.

    `sum_k 1 - C(N - c_k, n) / C(N, n)`.
    """
    total = sum(counts)
    return math.fsum(
        1 - math.exp(_log_comb(total - count, n) - _log_comb(total, n)) for count in counts
    )


def expected_entropy(counts: Sequence[int], n: int) -> float:
    """Expected entropy in bits of `n` draws without replacement, exact; O(sum of counts)."""
    total = sum(counts)
    base = _log_comb(total, n)
    result = 0.0
    for count, times in Counter(counts).items():
        result += times * math.fsum(
            math.exp(_log_comb(count, j) + _log_comb(total - count, n - j) - base)
            * -(j / n)
            * math.log2(j / n)
            for j in range(max(1, n - total + count), min(count, n) + 1)
        )
    return result


def _tally(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    tally: dict[str, float] = {}
    for row in rows:
        for key, mass in row.items():
            tally[key] = tally.get(key, 0.0) + mass
    return tally


def _quantile(ordered: Sequence[float], q: float) -> float:
    """The quantile by linear interpolation between neighbours."""
    place = q * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def _term(mass: float) -> float:
    return mass * math.log2(mass) if mass > 0 else 0.0


def _log_comb(n: int, k: int) -> float:
    if k < 0 or k > n:
        return -math.inf
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
