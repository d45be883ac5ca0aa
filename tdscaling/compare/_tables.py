"""The comparison as tables on a terminal.

Enters: a `Comparison`. Leaves: tables; whether one is at equal N stands in its title.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from tdscaling.compare._figures import Comparison, Figures, Spread

_EQUAL_COLUMNS = (
    ("H domain", "domain"),
    ("2^H", "domain_effective"),
    ("H mode", "mode"),
    ("2^H", "mode_effective"),
    ("H signature", "signature"),
    ("2^H", "signature_effective"),
    ("H voice", "voice"),
    ("2^H", "voice_effective"),
    ("cells", "cells"),
    ("tools", "tools"),
)
_FREE_COLUMNS = (
    ("CAC mean", "complexity"),
    ("acceptance", "acceptance"),
    ("tokens each", "tokens_each"),
)


def show(comparison: Comparison, console: Console) -> None:
    """Print all tables."""
    columns = _equal_columns(comparison)
    console.print(_own(comparison))
    console.print(_equal(comparison))
    if len(comparison.runs) > 1:
        title = f"Groups at equal N = {comparison.equal_n}"
        console.print(_groups(comparison, title, columns))
        console.print(_groups(comparison, "Groups: what does not grow with N", _FREE_COLUMNS))


def _equal_columns(comparison: Comparison) -> list[tuple[str, str]]:
    voiced = "voice" in comparison.shown
    return [(title, key) for title, key in _EQUAL_COLUMNS if voiced or "voice" not in key]


def _own(comparison: Comparison) -> Table:
    table = _table(
        "Each run at its own N: entropies (bits) and coverage of unequal N do not compare",
        ("run", "seed", "N", "attempts", "acceptance", "CAC mean", "tokens"),
    )
    for column in (*(f"H {name}" for name in comparison.shown), "cells", "tools"):
        table.add_column(column, justify="right", style="dim")
    for run in comparison.runs:
        known = f"/{run.tools_known}" if run.tools_known else ""
        table.add_row(
            run.name,
            str(run.seed),
            str(run.accepted),
            str(run.attempted),
            f"{run.acceptance:.3f}",
            f"{run.complexity:.2f}",
            str(run.tokens),
            *(f"{run.own[name]:.3f}" for name in comparison.shown),
            f"{run.own['cells']:.0f}",
            f"{run.own['tools']:.0f}{known}",
        )
    return table


def _equal(comparison: Comparison) -> Table:
    n = comparison.equal_n
    table = _table(
        f"Each run at equal N = {n}: all columns compare (bits; 2^H effective number)",
        ("run", *(title for title, _ in _equal_columns(comparison))),
    )
    for run in comparison.runs:
        cells = [_with_interval(run, key) for _, key in _equal_columns(comparison)]
        table.add_row(run.name, *cells)
    return table


def _groups(comparison: Comparison, title: str, columns: Sequence[tuple[str, str]]) -> Table:
    table = _table(
        f"{title}: mean over the group's runs, range below",
        ("group", "runs", *(name for name, _ in columns)),
    )
    for group in comparison.groups:
        spreads = [_spread(group.values[key]) for _, key in columns]
        table.add_row(group.label, str(len(group.runs)), *spreads)
    return table


def _with_interval(run: Figures, key: str) -> str:
    value = run.values[key]
    if key not in run.interval:
        return f"{value:.1f}"
    low, high = run.interval[key]
    return f"{value:.3f}" if low == high else f"{value:.3f}\n[{low:.2f}, {high:.2f}]"


def _spread(spread: Spread) -> str:
    places = 0 if spread.high >= 1000 else 1 if spread.high >= 100 else 2
    if spread.low == spread.high:
        return f"{spread.mean:.{places}f}"
    return f"{spread.mean:.{places}f}\n{spread.low:.{places}f}-{spread.high:.{places}f}"


def _table(title: str, columns: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column(columns[0], overflow="fold")
    for column in columns[1:]:
        table.add_column(column, justify="right", overflow="fold")
    return table
