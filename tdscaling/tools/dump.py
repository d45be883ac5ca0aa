"""Tools out of files that hold `tools/list` results of MCP servers.

Enters: JSON or JSON Lines. Leaves: a service per server; its tools are known by their schemas
alone. Accepted, alone, in a list or one a line: a result `{"tools": [...]}`, a JSON-RPC response
around it, a tool, and a server `{"server": ..., "label": ..., "licence": ..., "tools": [...]}`.
Tools that no server is named for make one service per file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tdscaling.catalog import Catalog
from tdscaling.errors import ToolsError
from tdscaling.schema import Service
from tdscaling.tools._entries import SCHEMAS, service, usable
from tdscaling.tools._files import Listed, each, entries, listed
from tdscaling.tools._messages import shown
from tdscaling.tools._service import Shelf, chosen, slug

SUFFIXES = (".json", ".jsonl", ".ndjson")
EXPECTED = (
    'expected the result of tools/list, {"tools": [...]}, a list of tools or servers, or one a line'
)


class DumpTools:
    """Files with `tools/list` results.

    Args:
        paths: files, or folders with all that is below them.
        services: names of those to use; empty for all.
    """

    def __init__(self, *, paths: list[str], services: list[str]) -> None:
        self._paths = paths
        self._chosen = services

    def load(self) -> Catalog:
        """The services of all files by name.

        Raises:
            ToolsError: if a path is not there, a file that was named is refused, or a service that
                was named is not there.
        """
        shelf = Shelf()
        files = listed(self._paths, SUFFIXES, "tools.paths=[my/tools.json]")
        each(files, lambda file: _read(file, shelf), shelf.skip)
        return chosen(shelf, self._chosen)


def _read(file: Listed, shelf: Shelf) -> None:
    loose: list[Any] = []
    servers = 0
    for where, stated in entries(file, EXPECTED, shelf.skip):
        entry = _unwrapped(stated)
        kind = _kind(entry)
        if kind == "tool":
            loose.append(entry)
        elif kind == "tools":
            loose += entry["tools"]
        elif kind == "server":
            shelf.add(service(entry, where, file.where, shelf))
            servers += 1
        else:
            shelf.skip(where, f"expected a tool or a server with tools, got {shown(entry)}")
    if loose:
        _add_loose(file, loose, shelf)
    elif not servers:
        raise ToolsError(f"{file.path}: {EXPECTED}, got none of them.")


def _add_loose(file: Listed, loose: list[Any], shelf: Shelf) -> None:
    title = file.path.stem
    tools = usable(loose, file.where, shelf)
    shelf.add(Service(slug(title), title, "", "", tools, file.where))


def _unwrapped(entry: Any) -> Any:
    """What a JSON-RPC response holds."""
    if isinstance(entry, Mapping) and "tools" not in entry:
        result = entry.get("result")
        if isinstance(result, Mapping) and "tools" in result:
            return result
    return entry


def _kind(entry: Any) -> str:
    if not isinstance(entry, Mapping):
        return ""
    if isinstance(entry.get("tools"), list):
        named = {"server", "name", "title", "serverInfo"} & entry.keys()
        return "server" if named else "tools"
    known = any(key in entry for key in (*SCHEMAS, "function", "description"))
    return "tool" if "name" in entry or known else ""
