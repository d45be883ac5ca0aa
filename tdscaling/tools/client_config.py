"""Tools of the servers that a desktop client is configured with.

Enters: a JSON file `{"mcpServers": {name: {command, args, env} or {url, headers}}}`, as clients
write it. Leaves: a service per server, with a domain that executes its calls. Where such a server
keeps its state is not written there, so the calls that write stand for it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tdscaling.catalog import Catalog, Skipped
from tdscaling.errors import ToolsError
from tdscaling.live import entry as entries
from tdscaling.live.entry import FILE_BYTES, Entry
from tdscaling.tools._service import slug
from tdscaling.tools.mcp import at_least_0, catalog

KEYS = ("command", "args", "env", "url", "headers")


class ClientConfigTools:
    """Servers of a client's config.

    Args:
        path: the file.
        servers: names to use; empty for all.
        home: where servers are installed.
        ahead: servers of each kind kept ready in each process, at least 0.
    """

    def __init__(self, *, path: str, servers: list[str], home: str, ahead: int) -> None:
        self._path, self._ahead = Path(path), at_least_0(ahead)
        self._home = Path(home).expanduser()
        self._servers = _read(self._path)
        for name in servers:
            if name not in self._servers:
                raise ToolsError(
                    f"tools.servers: {path} has no server {name!r}; it has "
                    f"{', '.join(self._servers) or 'none'}"
                )
        self._chosen = servers or list(self._servers)

    def load(self) -> Catalog:
        """The services of all servers that can be used.

        Raises:
            ToolsError: if none can.
        """
        skipped: list[Skipped] = []
        found: dict[str, Entry] = {}
        for name in self._chosen:
            where = f"{self._path}: mcpServers.{name}"
            try:
                entry = _entry(name, self._servers[name], where)
            except ToolsError as error:
                skipped.append(Skipped(name, str(error)))
                continue
            if entry.name in found:
                skipped.append(Skipped(name, f"another server is called {entry.name}, too"))
            else:
                found[entry.name] = entry
        return catalog(found.values(), skipped, self._home, self._ahead)


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > FILE_BYTES:
            raise ToolsError(f"tools.path: {path}: expected at most {FILE_BYTES} bytes")
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise ToolsError(
            f'tools.path: expected a JSON file {{"mcpServers": {{...}}}}, got {path}: {error}'
        ) from error
    servers = data.get("mcpServers") if isinstance(data, dict) else None
    if not isinstance(servers, dict):
        raise ToolsError(f'tools.path: {path}: expected {{"mcpServers": {{...}}}}')
    return servers


def _entry(name: str, data: Any, where: str) -> Entry:
    if not isinstance(data, Mapping):
        raise ToolsError(f"{where}: expected an object with `command` or `url`, got {data!r:.60}")
    if data.get("disabled") is True:
        raise ToolsError(f"{where}: it is disabled")
    # Clients write keys of their own (type, autoApprove, ...); they say nothing about the launch.
    known = {key: data[key] for key in KEYS if key in data}
    return entries.entry(name, {**known, "name": slug(name) or "server", "title": name}, where)
