"""Entropies against accepted trajectories, one line per group, bands over seeds.

Enters: a `Comparison`. Leaves: `entropy.svg` and `entropy.png`. At one place of the horizontal axis
all runs have the same N, so the lines compare vertically.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tdscaling.compare._figures import ENTROPIES, Comparison, Figures, Group

_MARKS = ("-", "--", "-.", ":")


def draw(comparison: Comparison, out: Path) -> None:
    """Write the plot in both formats into `out`."""
    # Imported here, because tables alone need none of it and it takes half a second.
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({"svg.hashsalt": "tdscaling", "svg.fonttype": "none"}):
        figure = Figure(figsize=(12, 4.2), layout="constrained")
        panels = figure.subplots(1, len(ENTROPIES))
        for panel, name in zip(panels, ENTROPIES, strict=True):
            for number, group in enumerate(comparison.groups):
                _line(panel, group, name, number)
            panel.axvline(comparison.equal_n, color="0.6", linewidth=0.8, linestyle=":")
            panel.set(title=f"{name} entropy", xlabel="accepted trajectories", ylabel="bits")
            panel.set_ylim(bottom=0)
        handles, names = panels[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", frameon=False)
        figure.savefig(out / "entropy.svg", metadata={"Date": None})
        figure.savefig(out / "entropy.png", dpi=150)


def _line(panel: Any, group: Group, name: str, number: int) -> None:
    places = _shared_places(group.runs)
    columns = [_at(run, name, places) for run in group.runs]
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


def _shared_places(runs: Sequence[Figures]) -> list[int]:
    """Places up to where every run of the group goes."""
    return min((run.accepted_at for run in runs), key=lambda places: places[-1])


def _at(run: Figures, name: str, places: Sequence[int]) -> list[float]:
    """The run's curve at `places`, by linear interpolation between its own."""
    xs, ys = run.accepted_at, run.curves[name]
    values, i = [], 0
    for place in places:
        while i < len(xs) - 1 and xs[i] < place:
            i += 1
        if i == 0 or xs[i] <= place:
            values.append(ys[i])
        else:
            part = (place - xs[i - 1]) / (xs[i] - xs[i - 1])
            values.append(ys[i - 1] + part * (ys[i] - ys[i - 1]))
    return values
