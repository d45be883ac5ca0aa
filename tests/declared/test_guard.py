"""SQL of a domain file reaches nothing outside, and no two runs differ by it."""

from __future__ import annotations

import sqlite3

import pytest

from tdscaling.declared.guard import guard, wall_clock


@pytest.fixture
def connection() -> sqlite3.Connection:
    made = sqlite3.connect(":memory:", isolation_level=None)
    made.execute("CREATE TABLE t (a)")
    made.set_authorizer(guard)
    return made


@pytest.mark.parametrize(
    "sql",
    [
        "ATTACH DATABASE ':memory:' AS other",
        "DETACH DATABASE main",
        "PRAGMA foreign_keys = OFF",
        "PRAGMA journal_mode",
        "ALTER TABLE t ADD COLUMN b",
        "DROP TABLE t",
        "CREATE VIRTUAL TABLE v USING fts5(a)",
        "SELECT random()",
        "SELECT RANDOM() FROM t",
        "SELECT * FROM t ORDER BY randomblob(4)",
        "SELECT load_extension('x')",
    ],
)
def test_denied(connection: sqlite3.Connection, sql: str) -> None:
    with pytest.raises(sqlite3.DatabaseError, match="not authorized"):
        connection.execute(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t VALUES (1)",
        "UPDATE t SET a = 2",
        "DELETE FROM t",
        "CREATE VIEW v AS SELECT a FROM t",
        "SELECT date('2025-01-01', '+3 days'), max(a), json_group_array(a) FROM t",
        "SELECT name FROM pragma_table_info('t')",
    ],
)
def test_allowed(connection: sqlite3.Connection, sql: str) -> None:
    connection.execute(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT date('now')",
        "SELECT datetime('NOW', '+1 day')",
        'SELECT date("now")',
        "SELECT current_timestamp",
        "at TEXT DEFAULT CURRENT_DATE",
        "SELECT julianday()",
        "SELECT time ( )",
        "SELECT strftime('%Y-%m')",
    ],
)
def test_wall_clock(sql: str) -> None:
    assert wall_clock(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT now(), today()",
        "SELECT date(departs), strftime('%Y', departs) FROM flight",
        "SELECT 'not now', 'known' FROM t",
        "SELECT current_time_left FROM t",
    ],
)
def test_no_wall_clock(sql: str) -> None:
    assert wall_clock(sql) is None
