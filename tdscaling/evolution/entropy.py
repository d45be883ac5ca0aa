"""Steers toward what is rare: domains, reasoning modes, complexity, cells.

Enters: committed outcomes, the menu, a schedule. Leaves: requests whose shares are inverse to what
was accepted, corrected for what each choice loses to rejection and costs. The three factors are
drawn independently and then matched so as to fill rare cells: a round costs time linear in choices.
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
from tdscaling.evolution._cells import Cell, Tally, Yields, cell_of, name_of, total
from tdscaling.evolution._refusal import check
from tdscaling.evolution._schedule import Phase, Schedule
from tdscaling.evolution._watch import Knobs, Watched
from tdscaling.schema import Cluster, Decision, Menu, Operator, Outcome, Request, Steering
from tdscaling.store_rows import tokens_of

Choice = TypeVar("Choice", bound=Hashable)

_PARTNERS = 16
"""Partners that are considered for a place; more fill cells little better and cost time."""
_MODES = 8
"""Commonest modes of a combination that count when places are matched."""

Kind = tuple[str, tuple[Operator, ...], int]
"""Category, operators and calls of a request."""


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
        self._operator_modes: Yields[tuple[Operator, ...]] = Yields()
        self._cluster_modes: Yields[str] = Yields()
        self._call_signatures: Yields[int] = Yields()
        self._call_bins: Yields[int] = Yields()
        self._kinds: dict[Kind, Tally] = defaultdict(Tally)
        self._whole = Tally()

    def observe(self, outcome: Outcome) -> None:
        """Learn from one committed outcome, in time independent of the run's length."""
        accepted, trace, request = outcome.verdict.accepted, outcome.trace, outcome.request
        tokens, cell = tokens_of(outcome), cell_of(outcome, self._bins)
        self._operator_modes.add(request.operators, trace.mode, outcome, tokens)
        self._cluster_modes.add(request.cluster, trace.mode, outcome, tokens)
        self._call_signatures.add(request.calls, trace.signature, outcome, tokens)
        self._call_bins.add(request.calls, str(cell[2]), outcome, tokens)
        self._kinds[outcome.category, request.operators, request.calls].add(accepted, tokens)
        self._whole.add(accepted, tokens)
        self._schedule.observe(outcome, cell)

    def steer(self, round_: int, size: int, menu: Menu, seed: int) -> Steering:
        """The `size` requests of a round: a pure function of arguments and outcomes observed."""
        self._schedule.check(menu)
        self._schedule.settle()
        rng = random.Random(f"evolution:{seed}:{round_}")
        phase = self._schedule.phase
        setting = self._setting(phase)
        clusters, decisions = self._draw_clusters(round_, size, menu, rng, setting)
        modes = [(self._operator_modes, setting.weights["mode"])]
        mix = [phase.mix(operators) for operators in menu.operators]
        operators, why_operators = self._weigh(
            round_, "operators", menu.operators, modes, mix, setting
        )
        yields = [
            (self._call_bins, setting.weights["complexity"]),
            (self._call_signatures, setting.weights["signature"]),
        ]
        reach = [float(inside) for inside in phase.in_reach(menu)]
        calls, why_calls = self._weigh(round_, "calls", menu.calls, yields, reach, setting)
        pools = (
            [menu.operators[i] for i in deal(operators, size, rng)],
            [menu.calls[i] for i in deal(calls, size, rng)],
        )
        why = f"{self._schedule.why}; {len(self._schedule.cells)} cells filled"
        return Steering(
            tuple(self._match(clusters, *pools, rng, setting)),
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

    def _match(
        self,
        clusters: Sequence[Cluster],
        operators: list[tuple[Operator, ...]],
        calls: list[int],
        rng: random.Random,
        setting: _Setting,
    ) -> list[Request]:
        """Give each cluster operators and calls out of what was dealt, for the rarest cells.

        What was dealt stays dealt, so the shares of the factors are kept.
        """
        promise = _Promise(self, setting)
        requests = []
        for cluster in clusters:
            last = len(operators) - 1
            tried = [(rng.randint(0, last), rng.randint(0, last)) for _ in range(_PARTNERS)]
            worth = [promise.of((cluster.category, operators[i], calls[j])) for i, j in tried]
            i, j = tried[worth.index(max(worth))]
            requests.append(Request(cluster.id, operators[i], calls[j]))
            promise.forget((cluster.category, operators[i], calls[j]))
            operators[i], calls[j] = operators[last], calls[last]
            operators.pop()
            calls.pop()
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
        mean, power = self._mean_cost, -setting.weights["cost"]
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

    @property
    def _mean_cost(self) -> float:
        """Tokens of an accepted trajectory; 1 where none has any, which makes all equal."""
        return self._whole.tokens / max(self._whole.accepted, 1) or 1.0

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


class _Promise:
    """What an attempt of a kind is worth within one round: rarity of its cells per token."""

    def __init__(self, evolution: EntropyEvolution, setting: _Setting) -> None:
        self._evolution = evolution
        self._weight = setting.weights["cell"]
        self._power = setting.weights["cost"]
        self._worth: dict[Kind, float] = {}

    def of(self, kind: Kind) -> float:
        """Chance of acceptance, times rarity of the cells, over cost; halved by every draw."""
        worth = self._worth.get(kind)
        if worth is None:
            worth = self._worth[kind] = self._rarity(kind) * self._yield(kind)
        return worth

    def forget(self, kind: Kind) -> None:
        """A place was given to this kind: the next is worth less."""
        self._worth[kind] = self.of(kind) / 2

    def _rarity(self, kind: Kind) -> float:
        category, operators, calls = kind
        known, prior = self._evolution, self._evolution._prior
        bins = known._call_bins.chances(calls, prior, _MODES)
        rare, left = 0.0, 1.0
        for mode, chance in known._operator_modes.chances(operators, prior, _MODES):
            for bin_, part in bins:
                cell: Cell = (category, mode, int(bin_))
                count = known._schedule.cells.get(cell, 0)
                rare += chance * part * _inverse(count, self._weight)
                left -= chance * part
        return rare + left  # what was not seen yet is in a cell without any

    def _yield(self, kind: Kind) -> float:
        known, prior, mean = self._evolution, self._evolution._prior, self._evolution._mean_cost
        usual = known._operator_modes.tallies[kind[1]].rate(prior)
        tally = known._kinds.get(kind) or Tally()
        cost = known._call_bins.tallies[kind[2]].cost(prior, mean) / mean
        return float(tally.rate(prior, usual) * cost**-self._power)


def _room(mix: Sequence[float]) -> float:
    """What the phase leaves out takes no part in what an equal share is."""
    return len(mix) / (sum(multiplier > 0 for multiplier in mix) or len(mix))


def _inverse(count: float, weight: float) -> float:
    return float((1 + count) ** -weight)
