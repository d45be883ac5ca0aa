"""Steers toward what is rare: domains, reasoning modes, complexity.

Enters: committed outcomes, the menu. Leaves: requests whose shares are inverse to what was
accepted, corrected for what each choice loses to rejection. The three factors are drawn
independently, so a round costs time linear in choices and cells. `docs/evolution.md` explains.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from tdscaling.errors import ConfigError
from tdscaling.evolution._apportion import deal, shares
from tdscaling.schema import Cluster, Decision, Menu, Operator, Outcome, Request, Steering

Choice = TypeVar("Choice", bound=Hashable)


@dataclass(slots=True)
class _Tally:
    """Fate of one choice."""

    attempted: int = 0
    accepted: int = 0

    def rate(self, prior: float) -> float:
        """Mean of the acceptance rate under a Beta(prior, prior) prior, above 0, below 1."""
        return (self.accepted + prior) / (self.attempted + 2 * prior)

    def add(self, accepted: bool) -> None:
        self.attempted += 1
        self.accepted += accepted


@dataclass(slots=True)
class _Yields(Generic[Choice]):
    """What each choice was seen to bring among accepted trajectories."""

    tallies: dict[Choice, _Tally] = field(default_factory=lambda: defaultdict(_Tally))
    labels: dict[Choice, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    totals: Counter[str] = field(default_factory=Counter)

    def add(self, choice: Choice, label: str, accepted: bool) -> None:
        self.tallies[choice].add(accepted)
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


class EntropyEvolution:
    """Draws what is rare among accepted trajectories more often.

    Args:
        domain_weight: exponent on the inverse count of a category, at least 0.
        mode_weight: exponent on the inverse count of a mode (calls: signature), at least 0.
        complexity_weight: exponent on the inverse count of a complexity bin, at least 0.
        exploration: share of draws that stays uniform, 0 to 1.
        ceiling: most that one choice gets, in multiples of its equal share, at least 1.
        prior: pseudo-count, above 0.
        hopeless: share of the best choice's acceptance rate below which one is given up, 0 to 1.
        bins: ascending edges of the complexity bins, in complexity per call.
    """

    def __init__(
        self,
        *,
        domain_weight: float,
        mode_weight: float,
        complexity_weight: float,
        exploration: float,
        ceiling: float,
        prior: float,
        hopeless: float,
        bins: Sequence[float],
    ) -> None:
        for name, value in {
            "domain_weight": domain_weight,
            "mode_weight": mode_weight,
            "complexity_weight": complexity_weight,
        }.items():
            _check(name, value, value >= 0, "0 or more")
        _check("exploration", exploration, 0 <= exploration <= 1, "0 to 1")
        _check("hopeless", hopeless, 0 <= hopeless <= 1, "0 to 1")
        _check("ceiling", ceiling, ceiling >= 1, "1 or more")
        _check("prior", prior, prior > 0, "above 0")
        self._domain_weight = domain_weight
        self._mode_weight = mode_weight
        self._complexity_weight = complexity_weight
        self._exploration = exploration
        self._ceiling = ceiling
        self._prior = prior
        self._hopeless = hopeless
        self._bins = tuple(bins)
        self._categories: defaultdict[str, float] = defaultdict(float)
        self._operator_modes: _Yields[tuple[Operator, ...]] = _Yields()
        self._cluster_modes: _Yields[str] = _Yields()
        self._call_signatures: _Yields[int] = _Yields()
        self._call_bins: _Yields[int] = _Yields()

    def observe(self, outcome: Outcome) -> None:
        """Learn from one committed outcome, in time independent of the run's length."""
        accepted, trace = outcome.verdict.accepted, outcome.trace
        per_call = trace.complexity / len(trace.actions) if trace.actions else 0.0
        request = outcome.request
        self._operator_modes.add(request.operators, trace.mode, accepted)
        self._cluster_modes.add(request.cluster, trace.mode, accepted)
        self._call_signatures.add(request.calls, trace.signature, accepted)
        self._call_bins.add(request.calls, str(bisect_right(self._bins, per_call)), accepted)
        if accepted:
            for category, mass in (outcome.categories or {outcome.category: 1.0}).items():
                self._categories[category] += mass

    def steer(self, round_: int, size: int, menu: Menu, seed: int) -> Steering:
        """The `size` requests of a round: a pure function of arguments and outcomes observed."""
        rng = random.Random(f"evolution:{seed}:{round_}")
        clusters, decisions = self._draw_clusters(round_, size, menu, rng)
        operators, why_operators = self._weigh_yielding(
            round_, "operators", menu.operators, [(self._operator_modes, self._mode_weight)]
        )
        yields = [
            (self._call_bins, self._complexity_weight),
            (self._call_signatures, self._mode_weight),
        ]
        calls, why_calls = self._weigh_yielding(round_, "calls", menu.calls, yields)
        requests = zip(clusters, deal(operators, size, rng), deal(calls, size, rng), strict=True)
        return Steering(
            tuple(
                Request(cluster.id, menu.operators[operator], menu.calls[call])
                for cluster, operator, call in requests
            ),
            (*decisions, *why_operators, *why_calls),
        )

    def _draw_clusters(
        self, round_: int, size: int, menu: Menu, rng: random.Random
    ) -> tuple[list[Cluster], list[Decision]]:
        """Categories by need, then clusters within each by need."""
        members: defaultdict[str, list[Cluster]] = defaultdict(list)
        for cluster in menu.clusters:
            members[cluster.category].append(cluster)
        names = sorted(members)
        tallies = [self._sum(members[name]) for name in names]
        rarities = [_inverse(self._categories[name], self._domain_weight) for name in names]
        probabilities = self._shares(rarities, tallies)
        drawn: list[Cluster] = []
        for place, count in sorted(Counter(deal(probabilities, size, rng)).items()):
            drawn += self._draw_within(members[names[place]], count, rng)
        rng.shuffle(drawn)
        told = [f"{self._categories[name]:.1f} accepted" for name in names]
        return drawn, self._reasons(round_, "category", names, told, tallies, probabilities)

    def _draw_within(
        self, members: Sequence[Cluster], count: int, rng: random.Random
    ) -> list[Cluster]:
        tallies = [self._cluster_modes.tallies[cluster.id] for cluster in members]
        rarities = [
            _inverse(tally.accepted, self._domain_weight)
            * self._cluster_modes.rarity(cluster.id, self._mode_weight, self._prior)
            for cluster, tally in zip(members, tallies, strict=True)
        ]
        return [members[i] for i in deal(self._shares(rarities, tallies), count, rng)]

    def _weigh_yielding(
        self,
        round_: int,
        factor: str,
        choices: Sequence[Choice],
        yields: Sequence[tuple[_Yields[Choice], float]],
    ) -> tuple[list[float], list[Decision]]:
        """Shares of choices by what they were seen to yield, each kind with its weight."""
        main = yields[0][0]
        tallies = [main.tallies[choice] for choice in choices]
        rarities = [
            math.prod(kind.rarity(choice, weight, self._prior) for kind, weight in yields)
            for choice in choices
        ]
        probabilities = self._shares(rarities, tallies)
        names = [_name(choice) for choice in choices]
        told = [f"yielded {_listed(main.labels[choice])}" for choice in choices]
        return probabilities, self._reasons(round_, factor, names, told, tallies, probabilities)

    def _shares(self, rarities: Sequence[float], tallies: Sequence[_Tally]) -> list[float]:
        """Shares by rarity times draws per accepted trajectory; hopeless choices need nothing."""
        needs = [
            0.0 if given_up else rarity / tally.rate(self._prior)
            for rarity, tally, given_up in zip(
                rarities, tallies, self._given_up(tallies), strict=True
            )
        ]
        return shares(needs, self._exploration, self._ceiling)

    def _given_up(self, tallies: Sequence[_Tally]) -> list[bool]:
        """Which choices fall far behind the best: where all is hard, nothing is given up."""
        rates = [tally.rate(self._prior) for tally in tallies]
        return [rate < self._hopeless * max(rates) for rate in rates]

    def _sum(self, members: Sequence[Cluster]) -> _Tally:
        tallies = [self._cluster_modes.tallies[cluster.id] for cluster in members]
        return _Tally(sum(t.attempted for t in tallies), sum(t.accepted for t in tallies))

    def _reasons(
        self,
        round_: int,
        factor: str,
        names: Sequence[str],
        told: Sequence[str],
        tallies: Sequence[_Tally],
        probabilities: Sequence[float],
    ) -> list[Decision]:
        return [
            Decision(
                round_,
                factor,
                name,
                probability,
                f"{words}; {tally.accepted} of {tally.attempted} attempts accepted"
                + (", given up but for exploration" if given_up else ""),
            )
            for name, words, tally, probability, given_up in zip(
                names, told, tallies, probabilities, self._given_up(tallies), strict=True
            )
        ]


def _inverse(count: float, weight: float) -> float:
    return float((1 + count) ** -weight)


def _name(choice: Hashable) -> str:
    return ("+".join(choice) or "plain") if isinstance(choice, tuple) else str(choice)


def _listed(labels: Counter[str]) -> str:
    """The three commonest labels with their counts."""
    common = sorted(labels.items(), key=lambda item: (-item[1], item[0]))[:3]
    more = f" and {len(labels) - 3} more" if len(labels) > 3 else ""
    return ", ".join(f"{label} {count}" for label, count in common) + more or "nothing yet"


def _check(name: str, value: float, fits: bool, expected: str) -> None:
    if not fits:
        raise ConfigError(
            f"evolution.{name}: expected {expected}, got {value}."
            f" Type for example evolution.{name}=0.5"
        )
