"""Tools out of files that hold OpenAI's `tools` lists.

Enters: JSON or JSON Lines: functions, bare or as `{"type": "function", "function": {...}}`, alone,
in a list, or under `tools`, as in a request or a line of a dataset. Leaves: a service per file; its
tools are known by their schemas alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from tdscaling.catalog import Catalog
from tdscaling.errors import ToolsError
from tdscaling.schema import Service
from tdscaling.tools._entries import usable
from tdscaling.tools._files import Listed, each, entries, listed
from tdscaling.tools._messages import shown
from tdscaling.tools._service import Shelf, chosen, slug

SUFFIXES = (".json", ".jsonl", ".ndjson")
EXPECTED = "expected functions with `name` and `parameters`, a list of them, or one a line"


class OpenaiTools:
    """Files with OpenAI's `tools` lists.

    Args:
        paths: files, or folders with all that is below them.
        services: names of those to use; empty for all.
    """

    def __init__(self, *, paths: list[str], services: list[str]) -> None:
        self._paths = paths
        self._chosen = services

    def load(self) -> Catalog:
        """A service per file by name.

        Raises:
            ToolsError: if a path is not there, a file that was named is refused, or a service that
                was named is not there.
        """
        shelf = Shelf()
        files = listed(self._paths, SUFFIXES, "tools.paths=[my/functions.json]")
        each(files, lambda file: _read(file, shelf), shelf.skip)
        return chosen(shelf, self._chosen)


def _read(file: Listed, shelf: Shelf) -> None:
    found: dict[bytes, Any] = {}  # a dataset repeats the same functions from line to line
    for where, entry in entries(file, EXPECTED, shelf.skip):
        functions = list(_functions(entry))
        if not functions:
            shelf.skip(where, f"expected a function, got {shown(entry)}")
        for function in functions:
            try:
                found.setdefault(orjson.dumps(function, option=orjson.OPT_SORT_KEYS), function)
            except TypeError as error:  # its way to say that the nesting is too deep
                shelf.skip(where, f"a function that cannot be compared: {error}")
    if not found:
        raise ToolsError(f"{file.path}: {EXPECTED}, got none of them.")
    title = file.path.stem
    tools = usable(found.values(), file.where, shelf)
    shelf.add(Service(slug(title), title[:200], "", "", tools, file.where))


def _functions(entry: Any) -> Iterator[Any]:
    if not isinstance(entry, dict):
        return
    if isinstance(entry.get("tools"), list):
        yield from entry["tools"]
    elif isinstance(entry.get("functions"), list):
        yield from entry["functions"]
    elif "function" in entry or "name" in entry:
        yield entry
