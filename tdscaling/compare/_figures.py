"""Figures of several runs brought to one N, per run and per group.

Enters: runs. Leaves: a `Comparison`: every figure of every run at its own N and at the N of the
smallest run, groups over seeds, and curves over accepted trajectories.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from typing import Any

from tdscaling.compare._groups import labels
from tdscaling.compare._runs import Masses, Run
from tdscaling.metrics._entropy import EntropyCounter, Rarefied, rarefy

CURVED = ("domain", "mode", "signature")
ENTROPIES = (*CURVED, "voice")
COVERAGES = ("cells", "tools")
_POINTS = 60
"""Points of a curve."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of one run."""

    name: str
    group: str
    seed: Any
    attempted: int
    accepted: int
    """N."""
    acceptance: float
    """Share of attempts, 0 to 1."""
    tokens: int
    complexity: float
    tools_known: int
    voiced: bool
    """Whether voices of the user are known."""
    own: dict[str, float]
    """At the run's own N: entropies in bits, coverages as counts."""
    equal: dict[str, float]
    """The same at equal N."""
    interval: dict[str, tuple[float, float]]
    """95% interval of the entropies at equal N; see `tdscaling.metrics._entropy.Rarefied`."""
    curves: dict[str, list[float]]
    """Entropies, cells filled and mean complexity after each of `accepted_at` trajectories."""
    accepted_at: list[int]
    tokens_at: list[int]
    """Tokens of all attempts up to there."""

    @property
    def values(self) -> dict[str, float]:
        """Everything that is comparable between runs, keyed as in the tables."""
        effective = {f"{name}_effective": 2 ** self.equal[name] for name in ENTROPIES}
        plain = {
            "acceptance": self.acceptance,
            "complexity": self.complexity,
            "tokens_each": self.tokens / self.accepted,
        }
        return {**self.equal, **effective, **plain}


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and range over the seeds of a group."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Group:
    """Runs that differ in nothing but their seed."""

    label: str
    runs: list[Figures]
    values: dict[str, Spread]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What `compare` shows and writes."""

    equal_n: int
    runs: list[Figures]
    groups: list[Group]

    @property
    def shown(self) -> tuple[str, ...]:
        """The entropies that say something: those over voices where any are known."""
        return tuple(n for n in ENTROPIES if n != "voice" or any(r.voiced for r in self.runs))

    def to_json(self) -> dict[str, Any]:
        """Plain data for `compare.json`."""
        return {
            "equal_n": self.equal_n,
            "runs": [asdict(run) | {"values": run.values} for run in self.runs],
            "groups": [
                {
                    "label": group.label,
                    "runs": [run.name for run in group.runs],
                    "values": {name: asdict(spread) for name, spread in group.values.items()},
                }
                for group in self.groups
            ],
        }


def contrast(runs: Sequence[Run], draws: int, seed: int) -> Comparison:
    """Bring runs to the N of the smallest and group them; at least one run."""
    equal_n = min(run.accepted for run in runs)
    named = zip(runs, labels([run.config for run in runs]), strict=True)
    figures = [_figures(run, label, equal_n, draws, seed) for run, label in named]
    members: dict[str, list[Figures]] = {}
    for one in figures:
        members.setdefault(one.group, []).append(one)
    groups = [Group(label, held, _spreads(held)) for label, held in sorted(members.items())]
    return Comparison(equal_n, figures, groups)


def _figures(run: Run, label: str, equal_n: int, draws: int, seed: int) -> Figures:
    columns = _columns(run)
    own = {name: rarefy(rows, run.accepted, str(seed), 1) for name, rows in columns.items()}
    equal = {name: rarefy(rows, equal_n, str(seed), draws) for name, rows in columns.items()}
    points = _points(run.accepted)
    return Figures(
        name=run.name,
        group=label,
        seed=run.config.get("seed"),
        attempted=run.attempted,
        accepted=run.accepted,
        acceptance=run.accepted / run.attempted,
        tokens=run.tokens,
        complexity=run.complexity,
        tools_known=run.tools_known,
        voiced=any(run.voices),
        own=_values(own),
        equal=_values(equal),
        interval={name: (equal[name].entropy_low, equal[name].entropy_high) for name in ENTROPIES},
        curves={
            **{name: _curve(columns[name], points) for name in CURVED},
            "cells": _filled(run.cells, points),
            "complexity": _means(run.complexities, points),
        },
        accepted_at=points,
        tokens_at=[run.spent[point - 1] for point in points],
    )


def _columns(run: Run) -> dict[str, list[Masses]]:
    return {
        "domain": run.domains,
        "mode": run.modes,
        "signature": run.signatures,
        "voice": run.voices,
        "cells": run.cells,
        "tools": run.tools,
    }


def _values(rarefied: dict[str, Rarefied]) -> dict[str, float]:
    entropies = {name: rarefied[name].entropy for name in ENTROPIES}
    return entropies | {name: rarefied[name].support for name in COVERAGES}


def _points(accepted: int) -> list[int]:
    step = max(1, math.ceil(accepted / _POINTS))
    return [*range(step, accepted, step), accepted]


def _curve(rows: Sequence[Masses], points: Sequence[int]) -> list[float]:
    counter, curve, wanted = EntropyCounter(), [], set(points)
    for number, row in enumerate(rows, start=1):
        counter.add(row)
        if number in wanted:
            curve.append(counter.entropy)
    return curve


def _filled(rows: Sequence[Masses], points: Sequence[int]) -> list[float]:
    seen: set[str] = set()
    counts = []
    for row in rows:
        seen |= row.keys()
        counts.append(float(len(seen)))
    return [counts[point - 1] for point in points]


def _means(values: Sequence[float], points: Sequence[int]) -> list[float]:
    sums = list(accumulate(values))
    return [sums[point - 1] / point for point in points]


def _spreads(runs: Sequence[Figures]) -> dict[str, Spread]:
    columns = {name: [run.values[name] for run in runs] for name in runs[0].values}
    return {
        name: Spread(math.fsum(values) / len(values), min(values), max(values))
        for name, values in columns.items()
    }
