"""What compiling a domain's SQL tells.

Enters: the tables and the statements of one tool. Leaves: the columns that it returns, the tables
that it reads and writes, the parameters that it uses; or the reason why a statement is refused.
SQLite's own compiler and authorizer are asked, nothing is parsed here.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tdscaling.declared.connection import Bounded, cause, connect
from tdscaling.declared.definition import DomainFile, ToolFile
from tdscaling.declared.guard import guard, wall_clock

_WRITES = frozenset({sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE})


@dataclass(frozen=True, slots=True)
class Compiled:
    """What is known of a tool after compiling it."""

    columns: tuple[str, ...]
    case_columns: tuple[str, ...]
    reads: frozenset[str]
    writes: frozenset[str]


class _Used(dict[str, None]):
    """Named SQL parameters that a statement asked for."""

    def __missing__(self, key: str) -> None:
        self[key] = None


def open_schema(tables: str) -> Bounded:
    """An empty database with a domain's tables and functions.

    Raises:
        sqlite3.Error: if the SQL of the tables is refused.
    """
    connection = connect(None)
    connection.set_authorizer(guard)
    clock = wall_clock(tables)
    if clock:
        raise sqlite3.OperationalError(f"`{clock}` reads the wall clock; use now() or today()")
    connection.executescript(tables)
    for name, count in (("new_id", 1), ("last_id", 1)):
        connection.create_function(name, count, lambda *_: None)
    return connection


def compile_tool(connection: Bounded, tool: ToolFile) -> Compiled:
    """Compile all statements of a tool.

    Raises:
        sqlite3.Error, ValueError: if a statement is refused; the message names it.
    """
    connection.count_from_here()
    used, reads, writes = _Used(), set[str](), set[str]()
    written: set[str] = set()

    def watch(action: int, first: str | None, *rest: str | None) -> int:
        if action == sqlite3.SQLITE_READ and first and not first.startswith("sqlite_"):
            reads.add(first)
        if action in _WRITES and first and not first.startswith("sqlite_"):
            written.add(first)
        return guard(action, first, *rest)

    connection.set_authorizer(watch)
    for label, sql in _statements(tool):
        written.clear()
        _compile(connection, label, sql, used)
        if written and not label.startswith("effects"):
            raise ValueError(f"{label}: may only read; write in `effects`")
        writes |= written
    unknown = used.keys() - tool.parameters.keys()
    if unknown:
        raise ValueError(f"SQL uses :{min(unknown)}, which is no parameter")
    idle = tool.parameters.keys() - used.keys()
    if idle:
        raise ValueError(f"parameter {min(idle)} is never used in its SQL")
    case_columns = _columns(connection, "cases", tool.cases) if tool.cases else ()
    columns = _columns(connection, "returns", tool.returns)
    return Compiled(columns, case_columns, frozenset(reads), frozenset(writes))


def _statements(tool: ToolFile) -> Iterator[tuple[str, str]]:
    for number, rule in enumerate(tool.requires):
        yield f"requires[{number}]", rule.check
    for number, effect in enumerate(tool.effects):
        yield f"effects[{number}]", effect
    yield "returns", tool.returns
    if tool.cases:
        yield "cases", tool.cases


def _compile(connection: sqlite3.Connection, label: str, sql: str, used: _Used) -> None:
    clock = wall_clock(sql)
    if clock:
        raise ValueError(f"{label}: `{clock}` reads the wall clock; use now() or today()")
    first = sql.lstrip("( \n").partition(" ")[0].split("\n")[0].upper()
    allowed = {"INSERT", "UPDATE", "DELETE", "REPLACE", "WITH"}
    reading = {"SELECT", "WITH"}
    expected = allowed if label.startswith("effects") else reading
    if first not in expected:
        raise ValueError(f"{label}: expected {' or '.join(sorted(expected))}, got {first}")
    asked = _Used()
    try:
        connection.execute(f"EXPLAIN {sql}", asked)
    except sqlite3.Error as error:
        raise sqlite3.OperationalError(f"{label}: {cause(error)}") from error
    if label == "cases" and asked:
        raise ValueError(f"cases: takes no parameters, got :{min(asked)}")
    used.update(asked)


def _columns(connection: sqlite3.Connection, label: str, sql: str) -> tuple[str, ...]:
    try:
        names = tuple(column[0] for column in connection.execute(sql, _Used()).description)
    except sqlite3.Error as error:
        raise sqlite3.OperationalError(f"{label}: {cause(error)}") from error
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ValueError(f"{label}: two columns are named {twice[0]}; rename one with AS")
    return names


def table_names(connection: sqlite3.Connection) -> tuple[str, ...]:
    """All tables of a domain, by name."""
    rows = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' "
        "ORDER BY name"
    )
    return tuple(name for (name,) in rows)


def table_problems(
    connection: sqlite3.Connection, file: DomainFile, tables: tuple[str, ...]
) -> Iterator[str]:
    """What is wrong with tables and with where their rows come from."""
    for listed in file.rows.keys() - set(tables):
        yield f"rows.{listed}: no such table, there are {', '.join(tables)}"
    for table in tables:
        keyed = "SELECT 1 FROM pragma_table_info(?) WHERE pk > 0"
        if connection.execute(keyed, (table,)).fetchone() is None:
            yield f"tables: {table} needs a PRIMARY KEY, by which states are compared"
    for table, rows in file.rows.items():
        for column, spec in rows.columns.items():
            for clock in filter(None, map(wall_clock, _queries(spec))):
                yield (
                    f"rows.{table}.{column}: `{clock}` reads the wall clock; use now() or today()"
                )


def _queries(spec: Any) -> Iterator[str]:
    """SQL texts within a generator."""
    if isinstance(spec, list):
        for item in spec:
            yield from _queries(item)
    elif isinstance(spec, dict):
        for key, value in spec.items():
            if key in {"sql", "where"}:
                yield str(value)
            else:
                yield from _queries(value)


def key_columns(
    connection: sqlite3.Connection, tables: tuple[str, ...]
) -> tuple[frozenset[str], dict[str, str]]:
    """Columns that identify rows, and per column the table whose single primary key it is."""
    keys, homes = set[str](), dict[str, str]()
    for table in tables:
        columns = connection.execute(
            "SELECT name FROM pragma_table_info(?) WHERE pk > 0", (table,)
        ).fetchall()
        keys.update(name for (name,) in columns)
        if len(columns) == 1:
            homes.setdefault(columns[0][0], table)
        foreign = connection.execute('SELECT "from" FROM pragma_foreign_key_list(?)', (table,))
        keys.update(name for (name,) in foreign)
    return frozenset(keys), homes
