"""What the evolutions count: cells, and what each choice was seen to bring.

Enters: outcomes. Leaves: counts, acceptance rates under a prior, costs, rarities. Every update
takes time independent of the run's length.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from tdscaling.schema import Outcome

Cell = tuple[str, str, int]
"""(category, coarse mode, complexity bin)."""

Choice = TypeVar("Choice", bound=Hashable)

_LISTED = 3
"""Labels that a reason names."""
_ALIKE = 4
"""Exponent on how alike rejected and accepted trajectories are: half alike tells little."""


def cell_of(outcome: Outcome, bins: Sequence[float]) -> Cell:
    """The cell that an outcome lies in; `bins` are the edges in complexity per call."""
    trace = outcome.trace
    per_call = trace.complexity / len(trace.actions) if trace.actions else 0.0
    return outcome.category, trace.mode, bisect_right(bins, per_call)


def entropy(masses: Iterable[float]) -> float:
    """Shannon entropy of masses that are above 0, in bits; 0 where there are none."""
    held = list(masses)
    whole = math.fsum(held)
    return -math.fsum(m / whole * math.log2(m / whole) for m in held) + 0.0 if held else 0.0


@dataclass(slots=True)
class Tally:
    """Fate of one choice."""

    attempted: int = 0
    accepted: int = 0
    tokens: int = 0
    """Of the accepted ones."""

    def rate(self, prior: float, mean: float = 0.5) -> float:
        """Mean of the acceptance rate, above 0, below 1: `2 * prior` pseudo-attempts at `mean`."""
        return (self.accepted + 2 * prior * mean) / (self.attempted + 2 * prior)

    def cost(self, prior: float, mean: float) -> float:
        """Tokens of an accepted trajectory; `prior` pseudo-trajectories cost `mean`."""
        return (self.tokens + prior * mean) / (self.accepted + prior)

    def add(self, accepted: bool, tokens: int) -> None:
        """Count one attempt."""
        self.attempted += 1
        self.accepted += accepted
        self.tokens += tokens * accepted


def total(tallies: Iterable[Tally]) -> Tally:
    """All of them as one."""
    held = list(tallies)
    return Tally(
        sum(t.attempted for t in held), sum(t.accepted for t in held), sum(t.tokens for t in held)
    )


@dataclass(slots=True)
class Yields(Generic[Choice]):
    """What each choice was seen to bring among accepted trajectories."""

    tallies: dict[Choice, Tally] = field(default_factory=lambda: defaultdict(Tally))
    labels: dict[Choice, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    totals: Counter[str] = field(default_factory=Counter)

    rejected: dict[Choice, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Labels of rejected conversations."""
    refused: Counter[str] = field(default_factory=Counter)
    """The same of all choices together."""

    def add(self, choice: Choice, label: str, outcome: Outcome, tokens: int) -> None:
        """Count one attempt."""
        accepted = outcome.verdict.accepted
        self.tallies[choice].add(accepted, tokens)
        if accepted:
            self.labels[choice][label] += 1
            self.totals[label] += 1
        elif outcome.trace.actions:
            self.rejected[choice][label] += 1
            self.refused[label] += 1

    @property
    def trust(self) -> float:
        """What a rejected trajectory tells, as a part of what an accepted one does.

        Where rejection does not depend on the label both have the same labels, and it is 1. Where
        it does, as with users who leave early, what was rejected misleads, and it is near 0.
        """
        kept, lost = self.totals.total(), self.refused.total()
        if not kept or not lost:
            return 0.0
        alike = sum(min(n / kept, self.refused[label] / lost) for label, n in self.totals.items())
        return float(alike**_ALIKE)

    def heard(self, choice: Choice, trust: float) -> tuple[Mapping[str, float], float]:
        """Labels of a choice with their weights, and the sum of these."""
        seen: dict[str, float] = dict(self.labels.get(choice, {}))
        if trust:
            for label, n in self.rejected.get(choice, {}).items():
                seen[label] = seen.get(label, 0.0) + trust * n
        return seen, sum(seen.values())

    def rarities(
        self, choices: Sequence[Choice], weight: float, prior: float, optimism: float
    ) -> list[float]:
        """Geometric mean of the inverse counts of what each choice brings, the rarest being 1.

        A choice is believed as rare as `optimism` standard errors allow, but no rarer than the best
        is known to be: what chance alone can explain makes no difference between choices.
        """
        bits = {label: math.log2(1 + n) for label, n in self.totals.items()}
        pooled = _moments(self.totals, bits, self.totals.total() + 1)  # one for what is unseen yet
        trust = self.trust
        beliefs = [self._belief(choice, bits, pooled, prior, trust) for choice in choices]
        rarest = min((mean for mean, _ in beliefs), default=0.0)
        return [
            float(2 ** (-weight * max(0.0, mean - optimism * error - rarest)))
            for mean, error in beliefs
        ]

    def _belief(
        self,
        choice: Choice,
        bits: Mapping[str, float],
        pooled: tuple[float, float],
        prior: float,
        trust: float,
    ) -> tuple[float, float]:
        """Bits of what the choice brings and their standard error, under a Dirichlet prior.

        The prior is centred on what all choices brought together.
        """
        seen, count = self.heard(choice, trust)
        whole = count + prior
        parts = zip(_moments(seen, bits, whole), pooled, strict=True)
        mean, square = (mine + prior / whole * all_ for mine, all_ in parts)
        return mean, math.sqrt(max(square - mean * mean, 0.0) / whole)

    def chances(self, choice: Choice, prior: float, most: int) -> list[tuple[str, float]]:
        """The commonest labels that the choice brings, with their chances; the rest is unseen."""
        seen = self.labels[choice]
        whole = seen.total() + prior
        common = sorted(seen.items(), key=lambda item: (-item[1], item[0]))[:most]
        return [(label, n / whole) for label, n in common]

    def told(self, choice: Choice) -> str:
        """The commonest labels with their counts, for people."""
        labels = self.labels[choice]
        common = sorted(labels.items(), key=lambda item: (-item[1], item[0]))[:_LISTED]
        more = f" and {len(labels) - _LISTED} more" if len(labels) > _LISTED else ""
        named = ", ".join(f"{label} {count}" for label, count in common) + more
        return f"yielded {named or 'nothing yet'}"


def _moments(
    counts: Mapping[str, float], bits: Mapping[str, float], whole: float
) -> tuple[float, float]:
    """Mean of the labels' bits and of their squares; a label that is not listed has none."""
    held = [(n, bits.get(label, 0.0)) for label, n in counts.items()]
    return sum(n * b for n, b in held) / whole, sum(n * b * b for n, b in held) / whole


def name_of(choice: Hashable) -> str:
    """A choice as the table `steering` names it."""
    return ("+".join(choice) or "plain") if isinstance(choice, tuple) else str(choice)
