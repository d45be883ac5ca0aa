"""What the evolutions count: cells, and what each choice was seen to bring.

Enters: outcomes. Leaves: counts, acceptance rates under a prior, costs, rarities. Every update
takes time independent of the run's length.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from tdscaling.schema import Outcome

Cell = tuple[str, str, int]
"""(category, coarse mode, complexity bin)."""

Choice = TypeVar("Choice", bound=Hashable)

_LISTED = 3
"""Labels that a reason names."""


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

    def add(self, choice: Choice, label: str, accepted: bool, tokens: int) -> None:
        """Count one attempt."""
        self.tallies[choice].add(accepted, tokens)
        if accepted:
            self.labels[choice][label] += 1
            self.totals[label] += 1

    def rarity(self, choice: Choice, weight: float, prior: float) -> float:
        """Geometric mean of the inverse counts of what the choice brings next.

        Something unseen counts 1 and has the chance prior / (accepted + prior). The arithmetic mean
        would be ruled by that chance however small, and end in equal shares for all choices.
        """
        seen = self.labels[choice]
        bits = sum(n * math.log2(1 + self.totals[label]) for label, n in seen.items())
        return float(2 ** (-weight * bits / (seen.total() + prior)))

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


def name_of(choice: Hashable) -> str:
    """A choice as the table `steering` names it."""
    return ("+".join(choice) or "plain") if isinstance(choice, tuple) else str(choice)
