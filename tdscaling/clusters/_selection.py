"""Which clusters to keep, so that few of them cover many tools.

Enters: sets of things and how many may be kept. Leaves: their positions. Greedy maximum coverage,
which reaches at least 1 - 1/e of the best; lazily, since a set's gain never grows.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Sequence
from collections.abc import Set as AbstractSet


def cover(sets: Sequence[AbstractSet[Hashable]], count: int) -> list[int]:
    """Positions of the chosen sets, the one with the largest gain first, ties by position.

    Args:
        sets: what each candidate covers.
        count: candidates to choose; all are chosen where there are fewer.
    """
    covered: set[Hashable] = set()
    heap = [(-len(things), position) for position, things in enumerate(sets)]
    heapq.heapify(heap)
    chosen: list[int] = []
    while heap and len(chosen) < count:
        known, position = heapq.heappop(heap)
        gain = -len(sets[position] - covered)
        if gain > known:
            # Less than it was thought to be: asked again when it may be the best.
            heapq.heappush(heap, (gain, position))
            continue
        covered |= sets[position]
        chosen.append(position)
    return chosen
