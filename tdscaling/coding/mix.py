"""How many of a run's draws are about code.

Enters: what the evolution asks for. Leaves: the same, a share of it turned into coding tasks and
figures. Whether a draw is turned depends on the run's seed and its index alone, which area it gets
on the outcomes of rounds that are over: so the data depends on neither timing nor concurrency. The
evolution steers all else and never hears of these draws.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from random import Random

from tdscaling.schema import Cluster, Outcome, Request

TASK_SHARE = 0.5
"""Share of the turned draws that become tasks of an area; the others get the operator `compute`."""


class Mix:
    """Turns draws.

    Args:
        share: of draws that are turned, 0 to 1.
        clusters: of the areas with tasks of their own; none leaves only `compute`.
        seed: of the run.
    """

    def __init__(self, share: float, clusters: Sequence[Cluster], seed: int) -> None:
        self._share, self._seed = share, seed
        self._accepted = Counter({cluster.id: 0 for cluster in clusters})

    @property
    def learns(self) -> bool:
        """Whether outcomes change what is drawn: the area with the fewest accepted is next."""
        return self._share > 0 and len(self._accepted) > 1

    def concerns(self, request: Request) -> bool:
        """Whether a request is about code."""
        return request.cluster in self._accepted or "compute" in request.operators

    def observe(self, outcome: Outcome) -> None:
        """Count one outcome that is about code."""
        if outcome.verdict.accepted and outcome.request.cluster in self._accepted:
            self._accepted[outcome.request.cluster] += 1

    def applied(self, requests: Iterable[Request], first: int) -> list[Request]:
        """The requests of a round, those that are drawn for it turned.

        Args:
            requests: of the evolution.
            first: index of the first of them.
        """
        counts = self._accepted.copy()
        return [self._turned(request, n, counts) for n, request in enumerate(requests, first)]

    def _turned(self, request: Request, index: int, counts: Counter[str]) -> Request:
        random = Random(f"{self._seed}:mix:{index}")
        if random.random() >= self._share:
            return request
        if counts and random.random() < TASK_SHARE:
            cluster = min(counts, key=lambda id_: (counts[id_], id_))
            counts[cluster] += 1
            return Request(cluster, (), request.calls)
        return replace(request, operators=(*request.operators, "compute"))


NO_MIX = Mix(0.0, (), 0)
"""Turns nothing."""
