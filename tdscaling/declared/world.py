"""State of a declared domain, and tool calls on it.

Enters: a checked `Domain` and a seed. Leaves: a `World` (the initial state, an image of an SQLite
database) and `SqlSession`s on fresh copies of it. Ids and the clock are functions of the seed and
of the call itself, never of the order of calls or of wall time, so that a plan executed in another
order, or with more reads in between, ends in the same state.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from tdscaling.declared.connection import Bounded, cause, connect
from tdscaling.declared.domain import Domain, ToolSpec
from tdscaling.declared.guard import guard
from tdscaling.declared.rows import fill
from tdscaling.declared.session import Result, Row, StateChanges
from tdscaling.errors import EnvironmentFailure
from tdscaling.schema import Provenance, canonical

FLOAT_DIGITS = 6
"""Decimals that floats keep in observations: binary noise, 0.30000000000000004, is no data."""


class World:
    """The initial state of one domain for one seed.

    Args:
        domain: a checked domain.
        seed: names the random streams of rows and ids.

    Raises:
        GeneratorError, sqlite3.Error: if the rows cannot be made.
    """

    def __init__(self, domain: Domain, seed: str) -> None:
        self.domain = domain
        self.seed = seed
        connection = connect(domain.file.clock)
        connection.set_authorizer(guard)
        connection.executescript(domain.file.tables)
        fill(connection, domain.file, seed)
        connection.set_authorizer(None)
        broken = connection.execute("PRAGMA foreign_key_check").fetchone()
        if broken:
            raise sqlite3.IntegrityError(f"a row of {broken[0]} refers to no row of {broken[2]}")
        self._image = connection.serialize()
        self.tables = {name: _raw(connection, name) for name in domain.tables}
        self.columns = {name: _columns(connection, name) for name in domain.tables}
        connection.close()

    def open(self) -> SqlSession:
        """A session on a fresh copy of the state."""
        connection = connect(self.domain.file.clock)
        connection.deserialize(self._image)
        return SqlSession(self, connection)


@lru_cache(maxsize=512)
def world(domain: Domain, seed: str) -> World:
    """The world of a domain and a seed; built once per process as long as it is in use."""
    return World(domain, seed)


class SqlSession:
    """One conversation's state: executes calls, each in one transaction."""

    def __init__(self, origin: World, connection: Bounded) -> None:
        self.domain = origin.domain
        self.provenance: Provenance = origin.domain.provenance
        self._origin = origin
        self._connection = connection
        self._call = ""
        self._issued: set[str] = set()
        self._ids: dict[str, str] = {}
        self._tables: dict[tuple[str, tuple[Any, ...], int], list[tuple[Any, ...]]] = {}
        connection.create_function("new_id", 1, self._new_id)
        connection.create_function("last_id", 1, self._ids.get)
        # No authorizer here: loading the domain compiled every statement under it already.

    def execute(self, name: str, arguments: Mapping[str, Any]) -> Result:
        """Call a tool.

        Args:
            name: of a tool of the domain.
            arguments: as the tool's JSON Schema describes; what does not fit is refused.

        Raises:
            KeyError: if the domain has no such tool.
            EnvironmentFailure: if the tool's SQL breaks, or takes too many steps.
        """
        tool = self.domain.tools[name]
        problem = tool.problem(arguments)
        if problem:
            return _failed(f"invalid arguments: {problem}")
        call = canonical([name, dict(arguments)])
        self._call = f"{self._origin.seed}:{call}"
        self._ids.clear()
        self._connection.count_from_here()
        issued = self._issued.copy()
        self._connection.execute("SAVEPOINT call")
        try:
            result = self._run(tool, tool.bind(arguments))
        except sqlite3.IntegrityError as error:
            result = _failed(str(error).replace("constraint failed:", "rejected:"))
        except (OverflowError, UnicodeEncodeError) as error:
            result = _failed(f"invalid arguments: {error}")
        except sqlite3.OperationalError as error:
            self._undo("call")
            raise EnvironmentFailure(f"{self.domain.name}.{name}: {cause(error)}") from error
        if not result.ok:
            self._connection.execute("ROLLBACK TO call")
            self._issued = issued
        self._connection.execute("RELEASE call")
        return result

    async def call(self, name: str, arguments: Mapping[str, Any]) -> Result:
        """As `execute`: SQL in memory keeps nobody waiting."""
        return self.execute(name, arguments)

    def attempt(
        self, name: str, arguments: Mapping[str, Any], wanted: Callable[[Result], bool]
    ) -> Result | None:
        """Call a tool, and undo the call where its result is not the wanted one."""
        issued = self._issued.copy()
        self._connection.execute("SAVEPOINT attempt")
        result = self.execute(name, arguments)
        if wanted(result):
            self._connection.execute("RELEASE attempt")
            return result
        self._connection.execute("ROLLBACK TO attempt")
        self._connection.execute("RELEASE attempt")
        self._issued = issued
        return None

    def _run(self, tool: ToolSpec, values: Row) -> Result:
        for rule in tool.file.requires:
            if self._connection.execute(rule.check, values).fetchone() is None:
                return _failed(tool.refusal(rule, values))
        for effect in tool.file.effects:
            self._connection.execute(effect, values)
        rows = self.select(tool.file.returns, values)
        if tool.file.result == "many":
            return Result(True, rows, json.dumps(rows, ensure_ascii=False))
        if not rows:
            return _failed(f"nothing found for {_listed(values)}")
        return Result(True, rows[:1], json.dumps(rows[0], ensure_ascii=False))

    def _undo(self, savepoint: str) -> None:
        self._connection.count_from_here()
        # An interrupted statement may have rolled back the whole transaction already.
        if self._connection.in_transaction:
            self._connection.execute(f"ROLLBACK TO {savepoint}")
            self._connection.execute(f"RELEASE {savepoint}")

    def select(self, query: str, values: Mapping[str, Any]) -> tuple[Row, ...]:
        """Rows of a query over the current state."""
        cursor = self._connection.execute(query, values)
        names = [column[0] for column in cursor.description]
        return tuple(
            {name: _plain(value) for name, value in zip(names, row, strict=True)} for row in cursor
        )

    def table(self, query: str, where: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Raw rows of a query over the current state, those whose columns equal `where`.

        Asking the same again before anything was written costs nothing.
        """
        conditions = " AND ".join(f'"{name}" = ?' for name in where or ())
        filtered = f"SELECT * FROM ({query}) WHERE {conditions}" if conditions else query
        values = tuple((where or {}).values())
        asked = (filtered, values, self._connection.total_changes)
        if asked not in self._tables:
            self._connection.count_from_here()
            self._tables[asked] = self._connection.execute(filtered, values).fetchall()
        return self._tables[asked]

    def changes(self) -> StateChanges:
        """Difference between the initial state and now, volatile columns left out."""
        if self._connection.total_changes == 0:
            return {}
        found: StateChanges = {}
        for name, before in self._origin.tables.items():
            after = _raw(self._connection, name)
            if after != before:
                columns, keys = self._origin.columns[name]
                same = set(before) & set(after)
                difference = _difference(
                    _keyed([row for row in before if row not in same], columns, keys),
                    _keyed([row for row in after if row not in same], columns, keys),
                    self.domain.volatile(name),
                )
                if difference:
                    found[f"{self.domain.name}.{name}"] = difference
        return found

    def close(self) -> None:
        """Free the state."""
        self._connection.close()

    def _new_id(self, prefix: str) -> str:
        # A digest of the call, not a counter: two writes in either order get the same ids.
        for attempt in range(1000):
            text = f"{self._call}:{prefix}:{attempt}"
            number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
            value = f"{prefix}-{10000 + number % 90000}"
            if value not in self._issued:
                self._issued.add(value)
                self._ids[prefix] = value
                return value
        raise AssertionError("1,000 digests of one call cannot all be taken")


def _raw(connection: sqlite3.Connection, name: str) -> list[tuple[Any, ...]]:
    return connection.execute(f'SELECT * FROM "{name}"').fetchall()


def _columns(connection: sqlite3.Connection, name: str) -> tuple[list[str], list[int]]:
    """Names of a table's columns, and positions of those that make its key."""
    columns = connection.execute("SELECT name, pk FROM pragma_table_info(?)", (name,)).fetchall()
    keys = [position for position, (_, pk) in enumerate(columns) if pk]
    return [name for name, _ in columns], keys or list(range(len(columns)))


def _keyed(rows: list[tuple[Any, ...]], columns: list[str], keys: list[int]) -> dict[str, Row]:
    return {
        "|".join(str(row[k]) for k in keys): dict(zip(columns, map(_plain, row), strict=True))
        for row in rows
    }


def _plain(value: Any) -> Any:
    return round(value, FLOAT_DIGITS) if isinstance(value, float) else value


def _difference(
    before: dict[str, Row], after: dict[str, Row], volatile: frozenset[str]
) -> dict[str, Any]:
    def kept(row: Row) -> Row:
        return {name: value for name, value in row.items() if name not in volatile}

    changed = {
        key: {name: [old[name], after[key][name]] for name in old if old[name] != after[key][name]}
        for key, old in ((key, kept(row)) for key, row in before.items() if key in after)
    }
    parts = {
        "added": [kept(after[key]) for key in sorted(after.keys() - before.keys())],
        "removed": [kept(before[key]) for key in sorted(before.keys() - after.keys())],
        "changed": {key: columns for key, columns in sorted(changed.items()) if columns},
    }
    return {name: part for name, part in parts.items() if part}


def _failed(error: str) -> Result:
    return Result(False, (), json.dumps({"error": error}, ensure_ascii=False))


def _listed(values: Row) -> str:
    return ", ".join(f"{k} {v}" for k, v in values.items() if v is not None) or "this request"
