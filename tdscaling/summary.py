"""The last words of a run.

Enters: the ledger and the figures. Leaves: a table on the terminal: what was made, how diverse it
is, why the rest was rejected, where it all lies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tdscaling.store import Store


def print_summary(
    console: Console,
    store: Store,
    figures: Mapping[str, Any],
    files: Sequence[Path],
    why: str,
) -> None:
    """Print what a run has come to."""
    reasons = store.query(
        "SELECT reason, count(*) AS n FROM trajectories WHERE NOT accepted "
        "GROUP BY reason ORDER BY n DESC, reason"
    )
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold")
    table.add_column()
    table.add_row("accepted", f"{store.accepted} of {store.next_index} attempted")
    if why:
        table.add_row("ended", why)
    if reasons:
        table.add_row("rejected", ", ".join(f"{row['n']} {row['reason']}" for row in reasons))
    for name in ("domain", "mode", "signature"):
        table.add_row(f"{name} entropy", _entropy(figures, name))
    table.add_row(
        "complexity",
        f"{figures['complexity_mean']:.1f} per trajectory, {figures['complexity_per_call']:.2f} per "
        f"call, {figures['calls_mean']:.1f} calls",
    )
    table.add_row(
        "coverage", f"{figures['cells_covered']} cells, {figures['tools_covered']} tools"
    )
    console.print(table)
    for path in files:
        console.print(f"  {path}", soft_wrap=True, highlight=False)


def _entropy(figures: Mapping[str, Any], name: str) -> str:
    entropy = float(figures[f"{name}_entropy"])
    return f"{entropy:.2f} bits, {2**entropy:.1f} effective of {figures[f'{name}_support']} seen"
