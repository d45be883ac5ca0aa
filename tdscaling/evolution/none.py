"""No evolution: the control that every steering is compared with.

Enters: the menu. Leaves: requests drawn uniformly over clusters, operator combinations and calls.
"""

from __future__ import annotations

import random

from tdscaling.evolution._watch import Watched
from tdscaling.schema import Menu, Outcome, Request, Steering


class UniformEvolution(Watched):
    """Draws uniformly and learns nothing."""

    learns = False

    def observe(self, outcome: Outcome) -> None:
        """Ignore the outcome: what was accepted does not change what is drawn."""

    def steer(self, round_: int, size: int, menu: Menu, seed: int) -> Steering:
        """The `size` requests of a round: a pure function of the arguments."""
        rng = random.Random(f"evolution:{seed}:{round_}")
        return Steering(
            tuple(
                Request(
                    cluster=rng.choice(menu.clusters).id,
                    operators=rng.choice(menu.operators),
                    calls=rng.choice(menu.calls),
                )
                for _ in range(size)
            )
        )
