"""From needs to draws: shares with a floor and a ceiling, and a round's places dealt out by share.

Enters: a need per choice, 0 or more. Leaves: probabilities, and indices of choices.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import accumulate


def shares(needs: Sequence[float], exploration: float, ceiling: float) -> list[float]:
    """Probabilities in proportion to the needs, within a floor and a ceiling.

    Args:
        needs: 0 or more each; all 0 gives equal shares.
        exploration: part that is spread evenly, 0 to 1.
        ceiling: most that a choice gets of the other part, in multiples of an equal share, at
            least 1. What is cut off goes to the others.
    """
    count, left, rest = len(needs), 1.0, sum(needs)
    held = [0.0] * count
    for i in sorted(range(count), key=lambda i: -needs[i]):
        if needs[i] <= 0 or rest <= 0:
            break
        held[i] = min(left * min(needs[i] / rest, 1.0), ceiling / count)
        left -= held[i]
        rest -= needs[i]
    return [(1 - exploration) * (part + left / count) + exploration / count for part in held]


def deal(probabilities: Sequence[float], size: int, rng: random.Random) -> list[int]:
    """`size` choices, each as often as its probability says, to within one, in shuffled order.

    Systematic sampling: a round of 64 keeps its shares, where independent draws would scatter.
    """
    edges = list(accumulate(probabilities))
    start, step = rng.random(), edges[-1] / max(size, 1)
    chosen, place = [], 0
    for i in range(size):
        while place < len(edges) - 1 and (start + i) * step >= edges[place]:
            place += 1
        chosen.append(place)
    rng.shuffle(chosen)
    return chosen
