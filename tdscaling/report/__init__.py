"""Command `report`: one self-contained page about a run.

Enters: a run directory. Leaves: `report.html` in it, readable without a network: figures, plots,
business clusters, steering and a viewer of trajectories. The same ledger gives the same page.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tdscaling.errors import RunDirectoryError
from tdscaling.export.openai import write_lines
from tdscaling.report.figures import clusters, steering, values
from tdscaling.report.page import render
from tdscaling.report.sample import ToolTable, embedded, note
from tdscaling.store import FILE, Store

__all__ = ["report", "write_report"]


def write_report(run_dir: Path, *, trajectories: int, store: Store | None = None) -> Path:
    """Write `report.html` and return its path.

    Args:
        run_dir: directory of the run.
        trajectories: how many to embed in the viewer, at least 0; about 15 kB each.
        store: the run's ledger where it is open already; otherwise it is opened and closed here.

    Raises:
        RunDirectoryError: if there is no ledger, or the page cannot be written.
    """
    if store is None:
        opened = Store.read(run_dir / FILE)
        try:
            return write_report(run_dir, trajectories=trajectories, store=opened)
        finally:
            opened.close()
    tools = ToolTable()
    shown = embedded(store, trajectories, tools)
    drawn, clusters_note = clusters(store)
    decisions, steering_note = steering(store)
    page = render(
        {
            **values(store, run_dir.resolve().name),
            "sample_note": note(len(shown), store.next_index, store.accepted),
            "clusters_note": clusters_note,
            "steering_note": steering_note,
        },
        {
            "trajectories": shown,
            "tools": tools.definitions,
            "clusters": drawn,
            "steering": decisions,
        },
    )
    path = run_dir / "report.html"
    write_lines(path, [page])
    return path


def report(*, run_dir: str, trajectories: int) -> int:
    """Write the report of a finished run again; returns the exit code."""
    directory = Path(run_dir)
    if not directory.is_dir():
        raise RunDirectoryError(
            f"run_dir: expected the directory of a run, got {run_dir!r}. Type "
            "run_dir=outputs/<date>/<time>."
        )
    path = write_report(directory, trajectories=trajectories)
    sys.stdout.write(f"{path}\n")
    return 0
