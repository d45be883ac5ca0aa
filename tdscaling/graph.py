"""The command `graph`: the picture of a conversation graph.

Enters: a graph. Leaves: Mermaid text, printed or written between two markers of a Markdown file,
so that a picture in the docs is generated and never drawn by hand.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Protocol

from tdscaling.errors import ConfigError

BEGIN, END = "<!-- graph -->", "<!-- /graph -->"


class Drawable(Protocol):
    """A graph that can be drawn."""

    def mermaid(self) -> str:
        """The picture as Mermaid text."""
        ...


def graph(*, graphs: Drawable, out: str | None) -> int:
    """Print the picture, or write it into a file; returns the exit code.

    Args:
        graphs: the graph to draw.
        out: Markdown file with the markers `<!-- graph -->` and `<!-- /graph -->`.

    Raises:
        ConfigError: if the file cannot be read or written, or lacks the markers.
    """
    picture = graphs.mermaid().strip()
    if out is None:
        sys.stdout.write(f"{picture}\n")
        return 0
    path = Path(out)
    try:
        text = path.read_text(encoding="utf-8")
        path.write_text(_replaced(path, text, picture), encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"out={out}: expected a Markdown file that can be written: {error}"
        ) from error
    return 0


def _replaced(path: Path, text: str, picture: str) -> str:
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ConfigError(f"out={path}: expected a line `{BEGIN}` and, below it, a line `{END}`")
    return f"{before}{BEGIN}\n```mermaid\n{picture}\n```\n{END}{after}"
