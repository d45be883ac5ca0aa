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

_NORMAL_95 = 1.959964


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
    """`-sum p_k log2 p_k` of masses in bits, 0 to log2(K), computed directly (Shannon 1948)."""
    values = masses.values() if isinstance(masses, Counter) else masses
    held = [mass for mass in values if mass > 0]
    total = math.fsum(held)
    if len(held) < 2:
        return 0.0
    return max(0.0, math.log2(total) - math.fsum(map(_term, held)) / total)


def miller_madow(entropy: float, support: int, rows: int) -> float:
    """`H + (K - 1) / (2 N ln 2)` in bits, from H: corrected for a small sample (Miller 1955).

    Args:
        entropy: H, bits.
        support: K, categories seen.
        rows: N, trajectories.
    """
    return entropy + (support - 1) / (2 * rows * math.log(2)) if rows and support else entropy


@dataclass(frozen=True, slots=True)
class Rarefied:
    """A figure as it would be had only `n` trajectories been drawn."""

    n: int
    entropy: float
    """Mean entropy of subsamples of that size, bits, 0 to log2(n) (Hurlbert 1971)."""
    entropy_low: float
    """Lower end of the 95% interval, bits."""
    entropy_high: float
    """Upper end: 95% of such intervals hold what n new trajectories of the source are expected to
    give. Two of them that do not overlap are a difference."""
    support: float
    """Mean number of categories in a subsample, 1 to n."""


def rarefy(rows: Sequence[Mapping[str, float]], n: int, seed: str, draws: int) -> Rarefied:
    """Entropy and support of `rows` cut down to `n` of them.

    A subsample takes whole trajectories without replacement. Where every row is one category the
    means are exact; where masses are spread they are means of the seeded subsamples. The interval
    is the mean -/+ 1.96 standard errors, cut to the possible range: the error comes from having
    drawn these `len(rows)` trajectories and no others, so it does not vanish at full size.

    Args:
        rows: masses over categories, one mapping per trajectory.
        n: size of a subsample, 1 to `len(rows)`.
        seed: of the subsampling.
        draws: number of subsamples, at least 1.
    """
    tally = _tally(rows)
    if not tally:
        return Rarefied(n, 0.0, 0.0, 0.0, 0.0)
    if n == len(rows):
        entropy, support = entropy_of(list(tally.values())), float(len(tally))
    elif all(len(row) == 1 for row in rows):
        counts = [round(count) for count in tally.values()]
        entropy, support = expected_entropy(counts, n), expected_support(counts, n)
    else:
        rng = random.Random(f"rarefy:{seed}")
        tallies = [_tally(rng.sample(rows, n)) for _ in range(draws)]
        entropy = math.fsum(entropy_of(list(t.values())) for t in tallies) / draws
        support = sum(map(len, tallies)) / draws
    reach = _NORMAL_95 * standard_error(rows)
    ceiling = max(entropy, math.log2(len(tally)) if tally else 0.0)
    return Rarefied(n, entropy, max(0.0, entropy - reach), min(ceiling, entropy + reach), support)


def standard_error(rows: Sequence[Mapping[str, float]]) -> float:
    """Standard error of the entropy of N trajectories, bits, from 0.

    `sqrt(mean_i (sum_k m_ik (log2 p_k + H))^2 / N + (K - 1) / (2 N^2 ln^2 2))`, where m_ik is the
    mass that trajectory i gives category k over the mean mass. With one category a trajectory the
    first term is Basharin's (1959) `(sum p log2^2 p - H^2) / N`; the second, from Harris (1975),
    is what is left where all p are equal.
    """
    tally = _tally(rows)
    total = math.fsum(tally.values())
    if len(tally) < 2:
        return 0.0
    entropy, mean = entropy_of(list(tally.values())), total / len(rows)
    surprise = {key: (math.log2(mass / total) + entropy) / mean for key, mass in tally.items()}
    first = math.fsum(
        math.fsum(mass * surprise[key] for key, mass in row.items()) ** 2 for row in rows
    )
    second = (len(tally) - 1) / (2 * math.log(2) ** 2)
    return math.sqrt(first + second) / len(rows)


def expected_support(counts: Sequence[int], n: int) -> float:
    """Expected number of categories among `n` draws without replacement, exact, 1 to K.

    `sum_k 1 - C(N - c_k, n) / C(N, n)` (Hurlbert 1971, S_n).
    """
    total = sum(counts)
    return math.fsum(
        1 - math.exp(_log_comb(total - count, n) - _log_comb(total, n)) for count in counts
    )


def expected_entropy(counts: Sequence[int], n: int) -> float:
    """Expected entropy of `n` draws without replacement, exact, bits, 0 to log2(n).

    `sum_k sum_j P(j of category k are drawn) * -(j / n) log2(j / n)` with the hypergeometric P, the
    entropy's counterpart of Hurlbert (1971); O(sum of counts).
    """
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


def _term(mass: float) -> float:
    return mass * math.log2(mass) if mass > 0 else 0.0


def _log_comb(n: int, k: int) -> float:
    if k < 0 or k > n:
        return -math.inf
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
