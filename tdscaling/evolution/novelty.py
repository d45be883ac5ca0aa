"""Quality diversity: an archive of accepted trajectories by cell, whose members are mutated.

Enters: committed outcomes, the menu. Leaves: requests. Some are fresh, the others mutate an elite
(an accepted trajectory) out of a cell that few lie in, because near what is rare the next empty
cell is likely. Of several drawn for a place, the one that aims at the emptiest cell is taken.
`docs/evolution.md` explains.
"""

from __future__ import annotations

import random
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Unpack

from tdscaling.evolution._aim import Aim, Plan
from tdscaling.evolution._apportion import deal, shares
from tdscaling.evolution._cells import Cell, Tally, cell_of, name_of
from tdscaling.evolution._refusal import check
from tdscaling.evolution._watch import Knobs, Watched
from tdscaling.schema import Cluster, Decision, Menu, Operator, Outcome, Request, Steering
from tdscaling.store_rows import tokens_of

_TOLD = 40
"""Cells per round that the table `steering` names, those drawn most."""

_CONSIDERED = 32
"""Requests that are considered for a place; more fill cells little better and cost time."""

_Operators = tuple[Operator, ...]


@dataclass(slots=True)
class _Elite:
    """An accepted trajectory that can be mutated."""

    blueprint: str
    request: Request
    children: int = 0


@dataclass(slots=True)
class _Niche:
    """What is known of one cell."""

    accepted: int = 0
    elites: list[_Elite] = field(default_factory=list)
    mutants: Tally = field(default_factory=Tally)
    """Attempts that mutated one of its elites."""
    tried: Counter[_Operators] = field(default_factory=Counter)
    """Operators of those."""


class NoveltyEvolution(Watched):
    """Mutates elites of rare cells, and draws fresh ones where nothing is known.

    Args:
        fresh: share of a round that has no parent, 0 to 1; all of it while there is no elite.
        rarity: exponent on the inverse count of a cell, at least 0.
        elites: members kept per cell, at least 1; those with fewest children stay.
        reach: how many steps of the menu's calls a mutant may exceed its parent, at least 0.
        prior: pseudo-count of the acceptance rates, above 0.
        watch: what all evolutions have.
    """

    def __init__(
        self,
        *,
        fresh: float,
        rarity: float,
        elites: int,
        reach: int,
        prior: float,
        **watch: Unpack[Knobs],
    ) -> None:
        super().__init__(**watch)
        check("fresh", fresh, 0 <= fresh <= 1, "0 to 1")
        check("rarity", rarity, rarity >= 0, "0 or more", 2)
        check("elites", elites, elites >= 1, "1 or more", 4)
        check("reach", reach, reach >= 0, "0 or more", 2)
        check("prior", prior, prior > 0, "above 0", 1)
        self._fresh, self._rarity, self._prior = fresh, rarity, prior
        self._kept, self._reach = elites, reach
        self._niches: dict[Cell, _Niche] = {}
        self._homes: dict[str, tuple[Cell, _Elite]] = {}
        self._categories: defaultdict[str, float] = defaultdict(float)
        self._aim = Aim(rarity, prior)

    def observe(self, outcome: Outcome) -> None:
        """Learn from one committed outcome, in time independent of the run's length."""
        accepted, request = outcome.verdict.accepted, outcome.request
        cell, home = cell_of(outcome, self._bins), self._homes.get(request.parent or "")
        self._aim.observe(outcome, cell, home and home[0], tokens_of(outcome))
        self._credit_parent(request, accepted)
        if not accepted:
            return
        for category, mass in (outcome.categories or {outcome.category: 1.0}).items():
            self._categories[category] += mass
        niche = self._niches.setdefault(cell, _Niche())
        niche.accepted += 1
        self._admit(niche, cell, _Elite(outcome.blueprint_id, request))

    def _credit_parent(self, request: Request, accepted: bool) -> None:
        home = self._homes.get(request.parent or "")
        if home is None:
            return
        cell, elite = home
        elite.children += 1
        self._niches[cell].mutants.add(accepted, 0)
        self._niches[cell].tried[request.operators] += 1

    def _admit(self, niche: _Niche, cell: Cell, elite: _Elite) -> None:
        if len(niche.elites) == self._kept:
            worn = max(range(self._kept), key=lambda i: niche.elites[i].children)
            self._homes.pop(niche.elites.pop(worn).blueprint, None)
        niche.elites.append(elite)
        self._homes[elite.blueprint] = (cell, elite)

    def steer(self, round_: int, size: int, menu: Menu, seed: int) -> Steering:
        """The `size` requests of a round: a pure function of arguments and outcomes observed."""
        rng = random.Random(f"evolution:{seed}:{round_}")
        known = {cluster.id for cluster in menu.clusters}
        cells = sorted(
            cell
            for cell, niche in self._niches.items()
            if any(elite.request.cluster in known for elite in niche.elites)
        )
        fresh = round(size * self._fresh) if cells else size
        plan = self._aim.round()
        requests, decisions = self._draw_fresh(round_, fresh, menu, rng, plan)
        if cells:
            mutants, why = self._mutate(round_, size - fresh, cells, menu, rng, plan)
            requests, decisions = requests + mutants, decisions + why
        rng.shuffle(requests)
        share = fresh / size if size else 0.0
        words = f"{fresh} of {size} draws have no parent; {len(cells)} cells hold elites"
        return Steering(
            tuple(requests), (Decision(round_, "parent", "(fresh)", share, words), *decisions)
        )

    def _draw_fresh(
        self, round_: int, count: int, menu: Menu, rng: random.Random, plan: Plan
    ) -> tuple[list[Request], list[Decision]]:
        """Rare categories; operators and calls that aim at the emptiest cells."""
        members: defaultdict[str, list[Cluster]] = defaultdict(list)
        for cluster in menu.clusters:
            members[cluster.category].append(cluster)
        names = sorted(members)
        needs = [(1 + self._categories.get(name, 0.0)) ** -self._rarity for name in names]
        chances = shares(needs, 0.1, 4.0)
        tallies = [self._aim.modes.tallies[operators] for operators in menu.operators]
        wants = [t.rate(self._prior) * (1 + t.accepted) ** -self._rarity for t in tallies]
        operators = shares(wants, 0.1, 4.0)
        requests = []
        for i in deal(chances, count, rng):
            drawn = rng.choices(menu.operators, operators, k=_CONSIDERED)
            fresh = [
                Request(rng.choice(members[names[i]]).id, combination, rng.choice(menu.calls))
                for combination in drawn
            ]
            requests.append(plan.best([(names[i], request) for request in fresh]))
        told = [
            Decision(
                round_, "category", name, chance, f"{self._categories.get(name, 0):.1f} accepted"
            )
            for name, chance in zip(names, chances, strict=True)
        ]
        told += [
            Decision(
                round_,
                "operators",
                name_of(combination),
                chance,
                f"{tally.accepted} of {tally.attempted} attempts accepted",
            )
            for combination, chance, tally in zip(menu.operators, operators, tallies, strict=True)
        ]
        return requests, told

    def _mutate(
        self,
        round_: int,
        count: int,
        cells: Sequence[Cell],
        menu: Menu,
        rng: random.Random,
        plan: Plan,
    ) -> tuple[list[Request], list[Decision]]:
        niches = [self._niches[cell] for cell in cells]
        needs = [
            niche.mutants.rate(self._prior)
            * (1 + niche.accepted + niche.mutants.attempted) ** -self._rarity
            for niche in niches
        ]
        chances = shares(needs, 0.0, float(len(cells)))
        told = sorted(
            zip(chances, cells, niches, strict=True), key=lambda item: (-item[0], item[1])
        )
        decisions = [
            Decision(round_, "parent", "|".join(map(str, cell)), chance, _why(niche))
            for chance, cell, niche in told[:_TOLD]
        ]
        drawn: Counter[str] = Counter()
        tried: dict[Cell, Counter[_Operators]] = {}
        clusters = {cluster.id for cluster in menu.clusters}
        requests = []
        for place in deal(chances, count, rng):
            cell, niche = cells[place], niches[place]
            seen = tried.setdefault(cell, niche.tried.copy())
            able = [elite for elite in niche.elites if elite.request.cluster in clusters]
            elite = min(able, key=lambda e: e.children + drawn[e.blueprint])
            mutants = self._mutants(elite, menu, seen, rng)
            request = plan.best([(cell[0], mutant) for mutant in mutants])
            drawn[elite.blueprint] += 1
            seen[request.operators] += 1
            requests.append(request)
        return requests, decisions

    def _mutants(
        self, elite: _Elite, menu: Menu, tried: Mapping[_Operators, int], rng: random.Random
    ) -> list[Request]:
        """Mutants with operators that were seldom tried, and up to `reach` steps longer."""
        parent = elite.request
        start = min(bisect_left(menu.calls, parent.calls), len(menu.calls) - 1)
        calls = menu.calls[start : start + 1 + self._reach]
        drawn = _seldom_tried(menu.operators, tried, self._aim.modes.tallies, self._prior, rng)
        return [
            Request(parent.cluster, operators, rng.choice(calls), elite.blueprint)
            for operators in drawn
        ]


def _seldom_tried(
    combinations: Sequence[_Operators],
    tried: Mapping[_Operators, int],
    tallies: Mapping[_Operators, Tally],
    prior: float,
    rng: random.Random,
) -> list[_Operators]:
    """Seldom tried here and often accepted anywhere; never none where the menu has any."""
    changing = [combination for combination in combinations if combination] or list(combinations)
    weights = [
        (tallies[c].rate(prior) if c in tallies else 0.5) / (1 + tried.get(c, 0)) ** 2
        for c in changing
    ]
    return rng.choices(changing, weights, k=_CONSIDERED)


def _why(niche: _Niche) -> str:
    mutants = niche.mutants
    return (
        f"{niche.accepted} accepted, {len(niche.elites)} elites; "
        f"{mutants.accepted} of {mutants.attempted} mutants accepted"
    )
