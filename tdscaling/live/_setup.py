"""The initial state of a server's world.

Enters: a server and a seed. Leaves: files, tables, commands and calls as the entry has them, filled
by the generators of declared domains; the same seed makes the same.
"""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from tdscaling.declared.connection import connect
from tdscaling.declared.definition import DomainFile
from tdscaling.declared.guard import guard
from tdscaling.declared.rows import GeneratorError, fill
from tdscaling.errors import EnvironmentFailure
from tdscaling.live._server import Server
from tdscaling.live.entry import Setup

Call = Callable[[str, Mapping[str, Any]], Coroutine[Any, Any, bool]]


def put(server: Server, setup: Setup, seed: str) -> dict[str, list[dict[str, Any]]]:
    """Make tables, files and commands; the rows by table, for the calls.

    Raises:
        EnvironmentFailure: if something cannot be made.
    """
    name = server.entry.name
    try:
        tables = _tables(server, setup, seed)
        for file in setup.files:
            for row in _each(tables, file.each):
                path = _inside(server.workspace, _filled(file.path, row))
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(_filled(file.text, row), encoding="utf-8")
        for run in setup.run:
            for row in _each(tables, run.each):
                command(server, tuple(_filled(word, row) for word in run.argv))
    except (GeneratorError, sqlite3.Error, OSError, KeyError, IndexError, ValueError) as error:
        raise EnvironmentFailure(f"{name}: setup: {type(error).__name__}: {error}") from error
    return tables


async def make_calls(
    setup: Setup, tables: Mapping[str, list[dict[str, Any]]], call: Call, name: str
) -> None:
    """Make the calls of a setup.

    Raises:
        EnvironmentFailure: if one fails.
    """
    for made in setup.calls:
        for row in _each(tables, made.each):
            arguments = _deep(made.arguments, row)
            if not await call(made.tool, arguments):
                raise EnvironmentFailure(f"{name}: setup: {made.tool}({arguments}) was refused")


def run_sql(server: Server, setup: Setup, path: str | None) -> None:
    """Run the statements of a setup.

    Raises:
        EnvironmentFailure: if one fails.
    """
    if not setup.sql:
        return
    try:
        with closing(sqlite3.connect(server.workspace / (path or ""))) as connection:
            for statement in setup.sql:
                connection.execute(statement)
            connection.commit()
    except sqlite3.Error as error:
        raise EnvironmentFailure(f"{server.entry.name}: setup: sql: {error}") from error


def command(server: Server, argv: tuple[str, ...]) -> str:
    """Run a command in the server's folder and with its environment; what it prints.

    Raises:
        EnvironmentFailure: if it fails or takes too long.
    """
    entry = server.entry
    words = [server.placed(word) for word in argv]
    try:
        done = subprocess.run(
            words,
            cwd=server.workspace,
            env=server.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=entry.call_seconds,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EnvironmentFailure(f"{entry.name}: {' '.join(argv)}: {error}") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace")[-300:].strip()
        raise EnvironmentFailure(
            f"{entry.name}: {' '.join(argv)}: exit code {done.returncode}: {said}"
        )
    return done.stdout[: entry.output_bytes].decode(errors="replace")


def _tables(server: Server, setup: Setup, seed: str) -> dict[str, list[dict[str, Any]]]:
    if not setup.tables:
        return {}
    # The parts of a declared domain that make rows; the rest of one is not needed for that.
    file = DomainFile.model_construct(
        clock=server.entry.clock, tables=setup.tables, rows=setup.rows, tools={}
    )
    with closing(connect(server.entry.clock)) as connection:
        connection.set_authorizer(guard)
        connection.executescript(setup.tables)
        fill(connection, file, seed)
        connection.set_authorizer(None)
        connection.commit()
        if setup.sqlite:
            _copy(connection, server.workspace / setup.sqlite)
        found = {}
        for (table,) in connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid"
        ).fetchall():
            cursor = connection.execute(f'SELECT * FROM "{table}"')
            columns = [column[0] for column in cursor.description]
            found[table] = [dict(zip(columns, row, strict=True)) for row in cursor]
        return found


def _copy(source: sqlite3.Connection, path: Path) -> None:
    """Write the tables into a file that a server may have open."""
    path.parent.mkdir(parents=True, exist_ok=True)
    script = "\n".join(source.iterdump())
    with closing(sqlite3.connect(path)) as target:
        target.executescript(script)


def _each(
    tables: Mapping[str, list[dict[str, Any]]], table: str | None
) -> Iterator[Mapping[str, Any]]:
    yield from [{}] if table is None else tables[table]


def _filled(text: str, row: Mapping[str, Any]) -> str:
    return text.format(**row) if row else text


def _deep(value: Any, row: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        return {key: _deep(item, row) for key, item in value.items()}
    if isinstance(value, list):
        return [_deep(item, row) for item in value]
    if not isinstance(value, str):
        return value
    whole = value[1:-1] if value.startswith("{") and value.endswith("}") else ""
    return row[whole] if whole in row else _filled(value, row)  # a whole slot keeps its type


def _inside(folder: Path, name: str) -> Path:
    path = (folder / name).resolve()
    if not path.is_relative_to(folder):
        raise ValueError(f"{name} is outside of the conversation's folder")
    return path
