"""The command `servers`: which live servers there are, and what they are good for.

Enters: names of the registry or of entries of the user's own. Leaves: tables on the terminal,
installed servers, an exit code. Each server goes into a folder of its own, never into the
environment that this program runs in, so that what it needs fights with nothing.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tdscaling.errors import ConfigError, ToolsError
from tdscaling.live.discover import Discovered, discover, launch, place
from tdscaling.live.entry import Entry, read
from tdscaling.live.registry import files, registry
from tdscaling.tools._entries import tool

_PLAIN_WIDTH = 160
"""Columns where the output is no terminal: wide enough that nothing is cut."""


def servers(*, install: list[str], check: str | None, paths: list[str], home: str) -> int:
    """List the registry, install servers or try one.

    Args:
        install: names to install; the list is left out then.
        check: name of a server to try; the list is left out then.
        paths: files or folders of further entries.
        home: where servers are installed.

    Returns:
        0, or 1 if a server could not be installed or used.

    Raises:
        ConfigError: if there is no server of a name.
        ToolsError: if an entry is refused.
    """
    console = Console()
    if not console.is_terminal:
        console = Console(width=_PLAIN_WIDTH)
    known, folder = registry() | files(paths), Path(home).expanduser()
    for name in [*install, *([check] if check else [])]:
        if name not in known:
            raise ConfigError(f"there is no server {name!r}, there are {', '.join(sorted(known))}")
    if not install and not check:
        console.print(_list([read(known[name]) for name in sorted(known)], folder))
        return 0
    failed = [name for name in install if not _installed(console, read(known[name]), folder)]
    if check:
        failed += [] if _checked(console, read(known[check]), folder) else [check]
    return int(bool(failed))


def _list(entries: Sequence[Entry], home: Path) -> Table:
    table = Table(title=f"{len(entries)} servers")
    for column in ("server", "title", "category", "licence", "from", "installed"):
        table.add_column(column)
    for entry in entries:
        install = entry.install
        source = (install.pypi or install.npm or "") if install else entry.url or ""
        there = "yes" if _is_there(entry, home) else f"tdscaling servers install=[{entry.name}]"
        row = (entry.name, entry.title, entry.category, entry.licence, source, there)
        table.add_row(*map(escape, row))
    return table


def _is_there(entry: Entry, home: Path) -> bool:
    try:
        launch(entry, home, 0)
    except ToolsError:
        return False
    return True


def _installed(console: Console, entry: Entry, home: Path) -> bool:
    if entry.install is None:
        console.print(f"{entry.name}: its entry does not say where to get it", markup=False)
        return False
    folder = place(entry, home)
    if _is_there(entry, home) and folder.is_dir():
        console.print(f"{entry.name}: installed in {folder}", markup=False)
        return True
    folder.mkdir(parents=True, exist_ok=True)
    for argv in _commands(entry, folder):
        try:
            done = subprocess.run(argv, capture_output=True, text=True, check=False)
        except OSError as error:
            console.print(f"{entry.name}: {argv[0]} is needed: {error}", style="red", markup=False)
            return False
        if done.returncode:
            said = (done.stderr or done.stdout).strip()[-1000:]
            console.print(
                f"{entry.name}: {' '.join(argv)} failed:\n{said}", style="red", markup=False
            )
            return False
    console.print(f"{entry.name}: installed in {folder}", markup=False)
    return True


def _commands(entry: Entry, folder: Path) -> list[list[str]]:
    """What installs a server; scripts of packages are not run where that can be had."""
    install = entry.install
    if install is not None and install.pypi is not None:
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        return [
            [sys.executable, "-m", "venv", str(folder)],
            [*pip, install.pypi, *install.constraints],
        ]
    package = (install.npm or "") if install is not None else ""
    flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    return [["npm", "install", *flags, "--prefix", str(folder), package]]


def _checked(console: Console, entry: Entry, home: Path) -> bool:
    try:
        found = discover(launch(entry, home, 0), tool)
    except ToolsError as error:
        console.print(f"{error}", style="red", markup=False, soft_wrap=True)
        return False
    console.print(_tools(found))
    for name, why in found.skipped:
        console.print(f"left out: {name}: {why}", style="yellow", markup=False, soft_wrap=True)
    return True


def _tools(found: Discovered) -> Table:
    domain = found.domain
    table = Table(title=f"{len(domain.tools)} tools of {domain.name} that work", show_lines=True)
    for column in ("tool", "writes", "result", "fed by"):
        table.add_column(column)
    for spec in domain.tools.values():
        feeds = [
            f"{edge.slot} <- {edge.producer}.{edge.column}"
            for edge in domain.edges
            if edge.consumer == spec.name
        ]
        writes = "yes" if spec.writes else ""
        row = (spec.name, writes, ", ".join(spec.columns), "\n".join(feeds))
        table.add_row(*map(escape, row))
    return table
