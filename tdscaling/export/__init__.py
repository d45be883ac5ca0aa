"""Stage `export`: from the ledger to files that trainers read.

Enters: a ledger. Leaves: `dataset/` in the run directory. Formats: `docs/dataset.md`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from tdscaling.store import Store


class Export(Protocol):
    """Writes the accepted trajectories."""

    def write(self, store: Store, run_dir: Path) -> tuple[Path, ...]:
        """Write the dataset and return its files; the same ledger gives the same bytes.

        Raises:
            RunDirectoryError: if a file cannot be written; an earlier export stays whole.
        """
        ...
