"""The command `compare`: which of several runs is more diverse, and by how much.

Enters: globs of run directories. Leaves: tables on the terminal, `compare.json` and plots. Entropy
and coverage grow with N, so whatever depends on N is compared at the N of the smallest run only.
"""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console

from tdscaling.compare._figures import Comparison, contrast
from tdscaling.compare._plot import draw
from tdscaling.compare._runs import find, read
from tdscaling.compare._tables import show
from tdscaling.errors import ConfigError, RunDirectoryError
from tdscaling.writable import unwritable_folder

UNWRITABLE = "out={out}: cannot be written: {why}. Type out=ANOTHER_FOLDER, or out=null"
_PLAIN_WIDTH = 160
"""Columns where the output is no terminal: wide enough that no figure is cut."""


def compare(runs: str | list[str], out: str | None, draws: int, seed: int) -> int:
    """Compare all runs that match.

    Args:
        runs: glob of run directories, folders of them, or `run.duckdb` files; or several globs.
        out: folder for `compare.json`, `entropy.svg` and `entropy.png`; None writes none.
        draws: subsamples per figure, at least 1.
        seed: of the subsampling.

    Returns:
        0; broken runs are named and left out.

    Raises:
        RunDirectoryError: if nothing matches, or no run that matches can be compared.
    """
    if draws < 1:
        raise ConfigError(f"draws: expected 1 or more, got {draws}. Type for example draws=100")
    if out is not None and (why := unwritable_folder(Path(out))):
        raise RunDirectoryError(UNWRITABLE.format(out=out, why=why))
    console = Console()
    if not console.is_terminal:
        console = Console(width=_PLAIN_WIDTH)
    found, skipped = read(find(runs))
    for reason in skipped:
        console.print(f"left out: {reason}", style="yellow", markup=False)
    if not found:
        raise RunDirectoryError(f"runs={_typed(runs)}: none of the runs that match can be compared")
    comparison = contrast(found, draws, seed)
    show(comparison, console)
    if out is not None:
        _write(comparison, Path(out), skipped)
        console.print(f"written: {out}/compare.json, entropy.svg, entropy.png", markup=False)
    return 0


def _typed(runs: str | list[str]) -> str:
    return runs if isinstance(runs, str) else f"[{','.join(runs)}]"


def _write(comparison: Comparison, out: Path, skipped: list[str]) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        text = json.dumps(comparison.to_json() | {"left_out": skipped}, indent=2)
        (out / "compare.json").write_text(text + "\n", encoding="utf-8")
        draw(comparison, out)
    except OSError as error:
        raise RunDirectoryError(UNWRITABLE.format(out=out, why=error)) from error
