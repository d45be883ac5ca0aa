"""Tools out of files that hold `tools/list` results of MCP servers.

Enters: JSON or JSON Lines. Leaves: a service per server; its tools are known by their schemas
alone. Accepted, alone, in a list or one a line: a result `{"tools": [...]}`, a JSON-RPC response
around it, a tool, and a server `{"server": ..., "label": ..., "licence": ..., "tools": [...]}`.
Tools that no server is named for make one service per file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tdscaling.catalog import Catalog
from tdscaling.errors import ToolsError
from tdscaling.schema import Service
from tdscaling.tools._entries import SCHEMAS, service, usable
from tdscaling.tools._files import Listed, content, each, given, json_of, listed
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
        self._files = listed(paths, SUFFIXES)
        self._chosen = services

    def load(self) -> Catalog:
        """The services of all files by name.

        Raises:
            ToolsError: if there is no file, one that was named is refused, or a name is not there.
        """
        given(self._files, "tools.paths=[my/tools.json]")
        shelf = Shelf()
        each(self._files, lambda file: _read(file, shelf), shelf.skip)
        return chosen(shelf, self._chosen)


def _read(file: Listed, shelf: Shelf) -> None:
    loose: list[Any] = []
    servers = 0
    for where, entry in entries(file, shelf.skip):
        kind = _kind(entry)
        if kind == "tool":
            loose.append(entry)
        elif kind == "tools":
            loose += entry["tools"]
        elif kind == "server":
            shelf.add(service(entry, where, file.where, shelf))
            servers += 1
        else:
            shelf.skip(where, f"expected a tool or a server with tools, got {entry!r:.60}")
    if loose:
        _add_loose(file, loose, shelf)
    elif not servers:
        raise ToolsError(f"{file.path}: {EXPECTED}, got none of them.")


def _add_loose(file: Listed, loose: list[Any], shelf: Shelf) -> None:
    title = file.path.stem
    tools = usable(loose, file.where, shelf)
    shelf.add(Service(slug(title), title, "", "", tools, file.where))


def entries(file: Listed, skip: Callable[[str, str], None]) -> Iterator[tuple[str, Any]]:
    """Each entry of a file with where it is; a line that is no JSON is skipped and named.

    Raises:
        ToolsError: if it is not a JSON object or list, and no line of it is JSON either.
    """
    data = content(file.path)
    try:
        whole = json_of(data)
    except ValueError as error:
        yield from _lines(file, data, str(error), skip)
        return
    whole = _unwrapped(whole)
    if isinstance(whole, list):
        for number, entry in enumerate(whole, 1):
            yield f"{file.where}: entry {number}", _unwrapped(entry)
    elif isinstance(whole, Mapping):
        yield file.where, whole
    else:
        raise ToolsError(f"{file.path}: {EXPECTED}, got {whole!r:.60}.")


def _lines(
    file: Listed, data: bytes, problem: str, skip: Callable[[str, str], None]
) -> Iterator[tuple[str, Any]]:
    broken, found = [], 0
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            entry = _unwrapped(json_of(line))
        except ValueError as error:
            broken.append((f"{file.where}: line {number}", f"no JSON: {error}"))
            continue
        if isinstance(entry, Mapping):
            found += 1
            yield f"{file.where}: line {number}", entry
        else:
            broken.append(
                (f"{file.where}: line {number}", f"expected an object, got {entry!r:.60}")
            )
    if not found:
        raise ToolsError(f"{file.path}: {EXPECTED}, got no JSON: {problem}.")
    for where, why in broken:
        skip(where, why)


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
