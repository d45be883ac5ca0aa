"""Servers that are known by name.

Enters: nothing, or paths of the user's own. Leaves: files by name; they are read when one is asked
for.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tdscaling.errors import ToolsError

SHIPPED = Path(__file__).parent.parent / "conf" / "servers"


def registry() -> dict[str, Path]:
    """The shipped entries by name."""
    return {path.stem: path for path in sorted(SHIPPED.glob("*.yaml"))}


def files(paths: Sequence[str]) -> dict[str, Path]:
    """Entries of one's own by name.

    Raises:
        ToolsError: if a path is no file, and no folder with files.
    """
    found: dict[str, Path] = {}
    for path in map(Path, paths):
        here = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
        if not here or not all(file.is_file() for file in here):
            raise ToolsError(
                f"tools.paths: expected a file with an entry or a folder with *.yaml files, got "
                f"{path}. Type for example tools.paths=[my/server.yaml]"
            )
        found |= {file.stem: file for file in here}
    return found
