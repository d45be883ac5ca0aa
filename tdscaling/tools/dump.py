"""Tools out of files that hold `tools/list` results of MCP servers.

Enters: JSON or JSON Lines. Leaves: a service per server; its tools are known by their schemas
alone. Accepted, alone, in a list or one a line: a result `{"tools": [...]}`, a JSON-RPC response
around it, a tool, and a server `{"server": ..., "label": ..., "licence": ..., "tools": [...]}`.
Tools that no server is named for make one service per file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tdscaling.errors import ToolsError
from tdscaling.schema import Service
from tdscaling.tools._entries import SCHEMAS, service, usable
from tdscaling.tools._file_tools import FileTools
from tdscaling.tools._files import Listed, entries
from tdscaling.tools._messages import shown
from tdscaling.tools._service import Shelf, slug

EXPECTED = (
    'expected the result of tools/list, {"tools": [...]}, a list of tools or servers, or one a line'
)


class DumpTools(FileTools):
    """Files with `tools/list` results."""

    suffixes = (".json", ".jsonl", ".ndjson")
    example = "tools.paths=[my/tools.json]"

    def read(self, file: Listed, shelf: Shelf) -> None:
        """A service per server.

        Raises:
            ToolsError: if the file is refused.
        """
        _read(file, shelf)


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
