"""Steers toward what is rare: domains, reasoning modes, complexity, cells.

Enters: committed outcomes, the menu, a schedule. Leaves: requests whose shares are inverse to what
was accepted, corrected for what each choice loses to rejection and costs. Each factor says what is
worth considering; of several requests drawn so, the one that promises most as a whole is made.
`docs/evolution.md` explains.
"""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, Unpack

from tdscaling.evolution._apportion import deal, shares
from tdscaling.evolution._cells import Tally, Yields, cell_of, name_of, total
from tdscaling.evolution._joint import Joint, Operators, Promise
from tdscaling.evolution._refusal import check
from tdscaling.evolution._schedule import Phase, Schedule
from tdscaling.evolution._watch import Knobs, Watched
from tdscaling.schema import Cluster, Decision, Menu, Outcome, Request, Steering
from tdscaling.store_rows import tokens_of

Choice = TypeVar("Choice", bound=Hashable)

_CONSIDERED = 32
"""Requests that are considered for a place; more fill cells little better and cost time."""


class EntropyEvolution(Watched):
    """Draws what is rare among accepted trajectories more often.

    Args:
        schedule: phases, as in `conf/evolution/schedule/`.
        budget: accepted trajectories of the whole run, at least 1.
        domain_weight: exponent on the inverse count of a category, at least 0.
        mode_weight: exponent on the inverse count of a mode, at least 0.
        signature_weight: exponent on the inverse count of a signature, at least 0.
        complexity_weight: exponent on the inverse count of a complexity bin, at least 0.
        cell_weight: exponent on the inverse count of a cell, at least 0.
        cost_weight: exponent on the tokens of an accepted trajectory, at least 0.
        exploration: share of draws that stays uniform, 0 to 1.
        ceiling: most that one choice gets, in multiples of its equal share, at least 1.
        prior: pseudo-count, above 0.
        optimism: standard errors by which a choice may yield rarer things than it did, at least 0.
        hopeless: share of the best choice's acceptance rate below which one is given up, 0 to 1.
        watch: what all evolutions have.
    """

    def __init__(
        self,
        *,
        schedule: dict[str, Any],
        budget: int,
        domain_weight: float,
        mode_weight: float,
        signature_weight: float,
        complexity_weight: float,
        cell_weight: float,
        cost_weight: float,
        exploration: float,
        ceiling: float,
        prior: float,
        optimism: float,
        hopeless: float,
        **watch: Unpack[Knobs],
    ) -> None:
        super().__init__(**watch)
        self._weights = {
            "domain": domain_weight,
            "mode": mode_weight,
            "signature": signature_weight,
            "complexity": complexity_weight,
            "cell": cell_weight,
            "cost": cost_weight,
        }
        for name, value in self._weights.items():
            check(f"{name}_weight", value, value >= 0, "0 or more")
        check("exploration", exploration, 0 <= exploration <= 1, "0 to 1")
        check("hopeless", hopeless, 0 <= hopeless <= 1, "0 to 1")
        check("ceiling", ceiling, ceiling >= 1, "1 or more", 4)
        check("prior", prior, prior > 0, "above 0")
        check("optimism", optimism, optimism >= 0, "0 or more", 1.5)
        self._schedule = Schedule(schedule, budget)
        self._exploration = exploration
        self._ceiling = ceiling
        self._prior = prior
        self._optimism = optimism
        self._hopeless = hopeless
        self._joint = Joint()
        self._cluster_modes: Yields[str] = Yields()
        self._call_signatures: Yields[int] = Yields()

    def observe(self, outcome: Outcome) -> None:
        """Learn from one committed outcome, in time independent of the run's length."""
        trace, request = outcome.trace, outcome.request
        tokens, cell = tokens_of(outcome), cell_of(outcome, self._bins)
        self._joint.observe(outcome, cell, tokens)
        self._cluster_modes.add(request.cluster, trace.mode, outcome, tokens)
        self._call_signatures.add(request.calls, trace.signature, outcome, tokens)
        self._schedule.observe(outcome, cell)

    def steer(self, round_: int, size: int, menu: Menu, seed: int) -> Steering:
        """The `size` requests of a round: a pure function of arguments and outcomes observed."""
        self._schedule.check(menu)
        self._schedule.settle()
        rng = random.Random(f"evolution:{seed}:{round_}")
        phase = self._schedule.phase
        setting = self._setting(phase)
        clusters, decisions = self._draw_clusters(round_, size, menu, rng, setting)
        modes = [(self._joint.by_operators, setting.weights["mode"])]
        mix = [phase.mix(operators) for operators in menu.operators]
        operators, why_operators = self._weigh(
            round_, "operators", menu.operators, modes, mix, setting
        )
        yields = [
            (self._joint.bins, setting.weights["complexity"]),
            (self._call_signatures, setting.weights["signature"]),
        ]
        reach = [float(inside) for inside in phase.in_reach(menu)]
        calls, why_calls = self._weigh(round_, "calls", menu.calls, yields, reach, setting)
        why = f"{self._schedule.why}; {len(self._schedule.cells)} cells filled"
        return Steering(
            tuple(self._aim(clusters, menu, operators, calls, rng, setting)),
            (
                Decision(round_, "phase", phase.name, 1.0, why),
                *decisions,
                *why_operators,
                *why_calls,
            ),
        )

    def _setting(self, phase: Phase) -> _Setting:
        weights = {n: w * phase.weights.get(n, 1.0) for n, w in self._weights.items()}
        return _Setting(
            weights,
            self._exploration if phase.exploration is None else phase.exploration,
            phase.categories,
        )

    def _aim(
        self,
        clusters: Sequence[Cluster],
        menu: Menu,
        operators: Sequence[float],
        calls: Sequence[float],
        rng: random.Random,
        setting: _Setting,
    ) -> list[Request]:
        """Give each cluster, of several pairs that are drawn for it, the one that promises most."""
        promise = Promise(self._joint, self._schedule.cells, setting.weights)
        requests = []
        for cluster in clusters:
            count = 1 if rng.random() < setting.exploration else _CONSIDERED
            drawn: list[Operators] = rng.choices(menu.operators, operators, k=count)
            pairs = list(zip(drawn, rng.choices(menu.calls, calls, k=count), strict=True))
            requests.append(Request(cluster.id, *promise.best(cluster.category, pairs)))
        return requests

    def _draw_clusters(
        self, round_: int, size: int, menu: Menu, rng: random.Random, setting: _Setting
    ) -> tuple[list[Cluster], list[Decision]]:
        """Categories by need, then clusters within each by need."""
        members: defaultdict[str, list[Cluster]] = defaultdict(list)
        for cluster in menu.clusters:
            members[cluster.category].append(cluster)
        names = sorted(members)
        held = self._cluster_modes.tallies
        tallies = [total(held[cluster.id] for cluster in members[name]) for name in names]
        masses, weight = self._schedule.categories, setting.weights["domain"]
        mix = [setting.categories.get(name, 1.0) for name in names]
        rarities = [
            factor * _inverse(masses.get(name, 0.0), weight)
            for factor, name in zip(mix, names, strict=True)
        ]
        probabilities = self._shares(rarities, tallies, setting, _room(mix))
        drawn: list[Cluster] = []
        for place, count in sorted(Counter(deal(probabilities, size, rng)).items()):
            drawn += self._draw_within(members[names[place]], count, rng, setting)
        rng.shuffle(drawn)
        told = [f"{masses.get(name, 0.0):.1f} accepted" for name in names]
        return drawn, self._reasons(round_, "category", names, told, tallies, probabilities)

    def _draw_within(
        self, members: Sequence[Cluster], count: int, rng: random.Random, setting: _Setting
    ) -> list[Cluster]:
        tallies = [self._cluster_modes.tallies[cluster.id] for cluster in members]
        weights = setting.weights
        ids = [cluster.id for cluster in members]
        rarities = [
            _inverse(tally.accepted, weights["domain"]) * rarity
            for rarity, tally in zip(
                self._rarities(self._cluster_modes, ids, weights["mode"]), tallies, strict=True
            )
        ]
        return [members[i] for i in deal(self._shares(rarities, tallies, setting), count, rng)]

    def _weigh(
        self,
        round_: int,
        factor: str,
        choices: Sequence[Choice],
        yields: Sequence[tuple[Yields[Choice], float]],
        mix: Sequence[float],
        setting: _Setting,
    ) -> tuple[list[float], list[Decision]]:
        """Shares of choices by what they were seen to yield, each kind with its weight."""
        main = yields[0][0]
        tallies = [main.tallies[choice] for choice in choices]
        kinds = (self._rarities(kind, choices, weight) for kind, weight in yields)
        rarities = [math.prod(factors) for factors in zip(mix, *kinds, strict=True)]
        probabilities = self._shares(rarities, tallies, setting, _room(mix))
        names = [name_of(choice) for choice in choices]
        told = [main.told(choice) for choice in choices]
        return probabilities, self._reasons(round_, factor, names, told, tallies, probabilities)

    def _shares(
        self,
        rarities: Sequence[float],
        tallies: Sequence[Tally],
        setting: _Setting,
        room: float = 1.0,
    ) -> list[float]:
        """Shares by rarity times draws per accepted trajectory; hopeless choices need nothing."""
        mean, power = self._joint.mean_cost, -setting.weights["cost"]
        needs = [
            0.0
            if given_up
            else rarity * (tally.cost(self._prior, mean) / mean) ** power / tally.rate(self._prior)
            for rarity, tally, given_up in zip(
                rarities, tallies, self._given_up(tallies), strict=True
            )
        ]
        return shares(needs, setting.exploration, self._ceiling * room)

    def _rarities(
        self, kind: Yields[Choice], choices: Sequence[Choice], weight: float
    ) -> list[float]:
        return kind.rarities(choices, weight, self._prior, self._optimism)

    def _given_up(self, tallies: Sequence[Tally]) -> list[bool]:
        """Which choices fall far behind the best: where all is hard, nothing is given up."""
        rates = [tally.rate(self._prior) for tally in tallies]
        return [rate < self._hopeless * max(rates) for rate in rates]

    def _reasons(
        self,
        round_: int,
        factor: str,
        names: Sequence[str],
        told: Sequence[str],
        tallies: Sequence[Tally],
        probabilities: Sequence[float],
    ) -> list[Decision]:
        return [
            Decision(
                round_,
                factor,
                name,
                probability,
                f"{words}; {tally.accepted} of {tally.attempted} attempts accepted"
                + (f", {tally.tokens // tally.accepted} tokens each" if tally.tokens else "")
                + (", given up but for exploration" if given_up else ""),
            )
            for name, words, tally, probability, given_up in zip(
                names, told, tallies, probabilities, self._given_up(tallies), strict=True
            )
        ]


@dataclass(frozen=True, slots=True)
class _Setting:
    """Weights, exploration and factors on categories of the phase."""

    weights: Mapping[str, float]
    exploration: float
    categories: Mapping[str, float]


def _room(mix: Sequence[float]) -> float:
    """What the phase leaves out takes no part in what an equal share is."""
    return len(mix) / (sum(multiplier > 0 for multiplier in mix) or len(mix))


def _inverse(count: float, weight: float) -> float:
    return float((1 + count) ** -weight)
