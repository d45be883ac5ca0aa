"""Whether a place can be written, found out before the work whose results go there.

Enters: a path. Leaves: why it can't be written, or None; what is made to find out is taken back,
and what is there already stays as it is.
"""

from __future__ import annotations

import tempfile
from pathlib import Path


def unwritable_folder(directory: Path) -> str | None:
    """Why no file can be put into a folder, which is made where it is missing."""
    made: list[Path] = []
    try:
        for folder in [*reversed(directory.absolute().parents), directory.absolute()]:
            if not folder.exists():
                folder.mkdir()
                made.append(folder)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        return error.strerror or str(error)
    finally:
        for folder in reversed(made):
            folder.rmdir()
    return None


def unwritable_file(path: Path) -> str | None:
    """Why a file cannot be written; its folder is not made."""
    try:
        missing = not path.exists()
        with path.open("ab"):
            pass
        if missing:
            path.unlink()
    except OSError as error:
        return error.strerror or str(error)
    return None
