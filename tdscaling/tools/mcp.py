"""Tools of live MCP servers.

Enters: names of the registry, entries and files of the user's own. Leaves: a service per server,
with a domain that executes its calls. One server that cannot be used never stops the others.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tdscaling.catalog import Catalog, Skipped
from tdscaling.errors import ConfigError, ToolsError
from tdscaling.live import entry as entries
from tdscaling.live.discover import Discovered, discover, launch
from tdscaling.live.entry import Entry
from tdscaling.live.registry import files, registry
from tdscaling.schema import Service
from tdscaling.tools._entries import tool


class McpTools:
    """Servers that speak MCP, each conversation with one of its own.

    Args:
        servers: names of the registry or mappings, or mappings by name.
        paths: files or folders of further entries; a name given here replaces a shipped one.
        home: where servers are installed.
        ahead: servers of each kind kept ready in each process, at least 0.
    """

    def __init__(
        self, *, servers: list[Any] | dict[str, Any], paths: list[str], home: str, ahead: int
    ) -> None:
        self._home, self._ahead = Path(home).expanduser(), at_least_0(ahead)
        self._known = registry() | files(paths)
        named = servers.items() if isinstance(servers, Mapping) else map(_named, servers)
        self._wanted = [(name, data) for name, data in named]
        if not servers:
            self._wanted = [(path.stem, None) for path in files(paths).values()]
        if not self._wanted:
            raise ConfigError(
                "tools.servers: expected names of the registry or entries, got none. Type for "
                "example tools.servers=[time]; tdscaling servers lists the registry"
            )

    def load(self) -> Catalog:
        """The services of all servers that can be used.

        Raises:
            ToolsError: if none can.
        """
        skipped: list[Skipped] = []
        found: list[Entry] = []
        for name, data in self._wanted:
            try:
                found.append(self._entry(name, data))
            except ToolsError as error:
                skipped.append(Skipped(name, str(error)))
        return catalog(found, skipped, self._home, self._ahead)

    def _entry(self, name: str, data: Any) -> Entry:
        if data is not None:
            return entries.entry(name, data, f"tools.servers.{name}")
        if name not in self._known:
            near = difflib.get_close_matches(name, self._known, 3)
            hint = f" Did you mean {' or '.join(near)}?" if near else ""
            raise ToolsError(
                f"tools.servers: there is no server {name!r} in the registry.{hint} There are "
                f"{', '.join(sorted(self._known))}"
            )
        return entries.read(self._known[name])


def catalog(wanted: Iterable[Entry], skipped: list[Skipped], home: Path, ahead: int) -> Catalog:
    """Start servers, one after the other, and keep those that can be used.

    Raises:
        ToolsError: if none can.
    """
    found: dict[str, Discovered] = {}
    services: dict[str, Service] = {}
    for entry in sorted(wanted, key=lambda entry: entry.name):
        try:
            one = discover(launch(entry, home, ahead), tool)
        except ToolsError as error:
            skipped.append(Skipped(entry.name, str(error)))
            continue
        found[entry.name] = one
        services[entry.name] = _service(one, entry)
        skipped += [Skipped(f"{entry.name}: {name}", why) for name, why in one.skipped]
    if not found:
        why = "; ".join(f"{one.where}: {one.why}" for one in skipped[:5])
        raise ToolsError(f"tools: expected a server that can be used, got none. {why}")
    return Catalog(services, {name: one.domain for name, one in found.items()}, tuple(skipped))


def at_least_0(ahead: int) -> int:
    """Check the option.

    Raises:
        ConfigError: if it is out of range.
    """
    if ahead < 0:
        raise ConfigError(f"tools.ahead: expected at least 0, got {ahead}")
    return ahead


def _named(item: Any) -> tuple[str, Any]:
    if isinstance(item, str):
        return item, None
    if isinstance(item, Mapping) and isinstance(item.get("name"), str):
        return str(item["name"]), item
    raise ConfigError(
        f"tools.servers: expected a name or a mapping with `name` and `command`, got {item!r}"
    )


def _service(found: Discovered, entry: Entry) -> Service:
    domain = found.domain
    return Service(
        name=domain.name,
        title=entry.title,
        category=entry.category,
        about=domain.file.about,
        tools=domain.as_tools(),
        source=entry.url or entry.command or "",
        licence=entry.licence,
    )
