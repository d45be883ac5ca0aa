"""A bandit: draws what is likely to bring rare trajectories for few tokens.

Enters: committed outcomes, the menu. Leaves: requests. Each choice of each factor is an arm; an
accepted trajectory earns the more the rarer its category, mode and cell are by then, a rejected one
nothing. Thompson sampling: a chance of earning is drawn for every arm from what is known of it, and
the arm with the most, weighed against its tokens, is played. `docs/evolution.md` explains.
"""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar, Unpack

from tdscaling.evolution._cells import Cell, cell_of, name_of
from tdscaling.evolution._refusal import check
from tdscaling.evolution._watch import Knobs, Watched
from tdscaling.schema import Cluster, Decision, Menu, Outcome, Request, Steering
from tdscaling.store_rows import tokens_of

Choice = TypeVar("Choice", bound=Hashable)


@dataclass(slots=True)
class _Arm:
    """What one choice earned; older rounds count less."""

    earned: float = 0.0
    missed: float = 0.0
    attempts: float = 0.0
    tokens: float = 0.0

    def fade(self, discount: float) -> None:
        self.earned *= discount
        self.missed *= discount
        self.attempts *= discount
        self.tokens *= discount

    def price(self, prior: float, mean: float) -> float:
        """Tokens of an attempt, as multiples of the mean over all; above 0."""
        return (self.tokens + prior * mean) / ((self.attempts + prior) * mean)


class BanditEvolution(Watched):
    """Thompson sampling over categories, operators and calls.

    Args:
        prior: pseudo-attempts that every arm starts with, half of them successful, above 0.
        discount: what a round's experience is worth a round later, above 0, up to 1; cells fill
            up, so what an arm earned once says less and less.
        cost_weight: exponent on the tokens of an attempt, at least 0.
        exploration: share of every factor's draws that stays uniform, 0 to 1.
        watch: what all evolutions have.
    """

    def __init__(
        self,
        *,
        prior: float,
        discount: float,
        cost_weight: float,
        exploration: float,
        **watch: Unpack[Knobs],
    ) -> None:
        super().__init__(**watch)
        check("prior", prior, prior > 0, "above 0", 1)
        check("discount", discount, 0 < discount <= 1, "above 0, up to 1", 0.95)
        check("cost_weight", cost_weight, cost_weight >= 0, "0 or more")
        check("exploration", exploration, 0 <= exploration <= 1, "0 to 1")
        self._prior, self._discount = prior, discount
        self._cost, self._exploration = cost_weight, exploration
        self._round = -1
        self._accepted = 0
        self._categories: Counter[str] = Counter()
        self._modes: Counter[str] = Counter()
        self._cells: Counter[Cell] = Counter()
        self._arms: dict[tuple[str, Hashable], _Arm] = defaultdict(_Arm)
        self._whole = _Arm()

    def observe(self, outcome: Outcome) -> None:
        """Learn from one committed outcome."""
        if outcome.round != self._round:
            self._round = outcome.round
            for arm in (*self._arms.values(), self._whole):
                arm.fade(self._discount)
        reward = self._reward(outcome)
        request, tokens = outcome.request, tokens_of(outcome)
        chosen: tuple[tuple[str, Hashable], ...] = (
            ("category", outcome.category),
            ("operators", request.operators),
            ("calls", request.calls),
        )
        for arm in (*(self._arms[choice] for choice in chosen), self._whole):
            arm.earned += reward
            arm.missed += 1 - reward
            arm.attempts += 1
            arm.tokens += tokens

    def _reward(self, outcome: Outcome) -> float:
        if not outcome.verdict.accepted:
            return 0.0
        cell = cell_of(outcome, self._bins)
        self._accepted += 1
        self._categories[cell[0]] += 1
        self._modes[cell[1]] += 1
        self._cells[cell] += 1
        if self._accepted == 1:
            return 1.0
        # Bits by which each grouping is surprised, as parts of the most that it could be. The mode
        # counts twice: a category can be asked for, a mode can only be provoked.
        mode = self._modes[cell[1]]
        counts = (self._categories[cell[0]], mode, mode, self._cells[cell])
        bits = sum(math.log(self._accepted / count) for count in counts)
        return bits / (len(counts) * math.log(self._accepted))

    def steer(self, round_: int, size: int, menu: Menu, seed: int) -> Steering:
        """The `size` requests of a round: a pure function of arguments and outcomes observed."""
        members: defaultdict[str, list[Cluster]] = defaultdict(list)
        for cluster in menu.clusters:
            members[cluster.category].append(cluster)
        stream = f"evolution:{seed}:{round_}"
        categories, decisions = self._play(round_, "category", sorted(members), size, stream)
        operators, why_operators = self._play(round_, "operators", menu.operators, size, stream)
        calls, why_calls = self._play(round_, "calls", menu.calls, size, stream)
        rng = random.Random(f"{stream}:cluster")
        requests = tuple(
            Request(rng.choice(members[category]).id, combination, number)
            for category, combination, number in zip(categories, operators, calls, strict=True)
        )
        return Steering(requests, (*decisions, *why_operators, *why_calls))

    def _play(
        self, round_: int, factor: str, choices: Sequence[Choice], size: int, stream: str
    ) -> tuple[list[Choice], list[Decision]]:
        # A stream per factor: one more operator on the menu does not change the categories drawn.
        rng = random.Random(f"{stream}:{factor}")
        mean = self._whole.tokens / (self._whole.attempts or 1.0) or 1.0
        arms = [self._arms.get((factor, choice)) or _Arm() for choice in choices]
        prices = [arm.price(self._prior, mean) for arm in arms]
        half = self._prior / 2
        counts: Counter[int] = Counter()
        for place in range(size):
            if place < round(self._exploration * size):
                counts[rng.randrange(len(arms))] += 1
                continue
            # A play whose outcome is not known yet counts as missed: cells fill up while two rounds
            # are under way, and the best arm would otherwise get all of both.
            drawn = [
                rng.betavariate(half + arm.earned, half + arm.missed + counts[i])
                * price**-self._cost
                for i, (arm, price) in enumerate(zip(arms, prices, strict=True))
            ]
            counts[drawn.index(max(drawn))] += 1
        played = list(counts.elements())
        rng.shuffle(played)
        decisions = [
            Decision(
                round_,
                factor,
                name_of(choice),
                counts[i] / size,
                f"{arm.earned:.2f} earned in {arm.attempts:.1f} attempts that still count, "
                f"at {price:.2f} of the mean tokens",
            )
            for i, (choice, arm, price) in enumerate(zip(choices, arms, prices, strict=True))
        ]
        return [choices[i] for i in played], decisions
