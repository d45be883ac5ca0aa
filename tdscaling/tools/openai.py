"""Tools out of files that hold OpenAI's `tools` lists.

Enters: JSON or JSON Lines: functions, bare or as `{"type": "function", "function": {...}}`, alone,
in a list, or under `tools`, as in a request or a line of a dataset. Leaves: a service per file; its
tools are known by their schemas alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from tdscaling.errors import ToolsError
from tdscaling.schema import Service
from tdscaling.tools._entries import usable
from tdscaling.tools._file_tools import FileTools
from tdscaling.tools._files import Listed, entries
from tdscaling.tools._messages import shown
from tdscaling.tools._service import Shelf, slug

EXPECTED = "expected functions with `name` and `parameters`, a list of them, or one a line"


class OpenaiTools(FileTools):
    """Files with OpenAI's `tools` lists."""

    suffixes = (".json", ".jsonl", ".ndjson")
    example = "tools.paths=[my/functions.json]"

    def read(self, file: Listed, shelf: Shelf) -> None:
        """One service.

        Raises:
            ToolsError: if the file is refused.
        """
        _read(file, shelf)


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
