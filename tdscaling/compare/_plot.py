"""Entropies, coverage and complexity as a run goes on, one line per group, bands over seeds.

Enters: a `Comparison`. Leaves: `entropy.svg` and `entropy.png`. The upper row goes over accepted
trajectories: at one place all runs have the same N, so the lines compare vertically. The lower row
goes over tokens spent, rejected attempts included: what the same money buys.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tdscaling.compare._figures import Comparison, Figures, Group

_MARKS = ("-", "--", "-.", ":")
_PANELS = {
    "domain": ("domain entropy", "bits"),
    "mode": ("mode entropy", "bits"),
    "signature": ("signature entropy", "bits"),
    "cells": ("coverage", "cells filled"),
    "complexity": ("action complexity", "mean per trajectory"),
}


def draw(comparison: Comparison, out: Path) -> None:
    """Write the plot in both formats into `out`."""
    # Imported here, because tables alone need none of it and it takes half a second.
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({"svg.hashsalt": "tdscaling", "svg.fonttype": "none"}):
        figure = Figure(figsize=(18, 8), layout="constrained")
        rows = figure.subplots(2, len(_PANELS))
        for axis, panels in zip(("accepted", "tokens"), rows, strict=True):
            for panel, (name, (title, unit)) in zip(panels, _PANELS.items(), strict=True):
                for number, group in enumerate(comparison.groups):
                    _line(panel, group, name, axis, number)
                label = "accepted trajectories" if axis == "accepted" else "tokens, all attempts"
                panel.set(title=title, xlabel=label, ylabel=unit)
                panel.set_ylim(bottom=0)
                if axis == "accepted":
                    panel.axvline(comparison.equal_n, color="0.6", linewidth=0.8, linestyle=":")
        handles, names = rows[0][0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", frameon=False)
        figure.savefig(out / "entropy.svg", metadata={"Date": None})
        figure.savefig(out / "entropy.png", dpi=150)


def _line(panel: Any, group: Group, name: str, axis: str, number: int) -> None:
    places = _shared_places(group.runs, axis)
    columns = [_at(_places(run, axis), run.curves[name], places) for run in group.runs]
    means = [sum(values) / len(values) for values in zip(*columns, strict=True)]
    runs = len(group.runs)
    panel.plot(
        places,
        means,
        color=f"C{number % 10}",
        linestyle=_MARKS[number // 10 % len(_MARKS)],
        label=f"{group.label} ({runs} run{'s' if runs > 1 else ''})",
    )
    if runs > 1:
        lows, highs = (
            [pick(values) for values in zip(*columns, strict=True)] for pick in (min, max)
        )
        panel.fill_between(places, lows, highs, color=f"C{number % 10}", alpha=0.2, linewidth=0)


def _places(run: Figures, axis: str) -> list[int]:
    return run.accepted_at if axis == "accepted" else run.tokens_at


def _shared_places(runs: Sequence[Figures], axis: str) -> list[int]:
    """Places up to where every run of the group goes."""
    return min((_places(run, axis) for run in runs), key=lambda places: places[-1])


def _at(xs: Sequence[int], ys: Sequence[float], places: Sequence[int]) -> list[float]:
    """The curve of `xs` and `ys` at `places`, by linear interpolation between its points."""
    values, i = [], 0
    for place in places:
        while i < len(xs) - 1 and xs[i] < place:
            i += 1
        if i == 0 or xs[i] <= place or xs[i] == xs[i - 1]:
            values.append(ys[i])
        else:
            part = (place - xs[i - 1]) / (xs[i] - xs[i - 1])
            values.append(ys[i - 1] + part * (ys[i] - ys[i - 1]))
    return values
