"""SQL neither hangs, nor fills the memory, nor reads the wall clock, however it is written."""

from __future__ import annotations

import sqlite3

import pytest

from tdscaling.declared.connection import DATE_FUNCTIONS, cause, connect

ENDLESS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
CLOCK = "2025-01-20 09:15"


def test_a_query_without_end_is_interrupted() -> None:
    connection = connect(CLOCK)
    with pytest.raises(sqlite3.OperationalError) as caught:
        connection.execute(ENDLESS)
    assert "steps of SQLite" in cause(caught.value)
    connection.count_from_here()
    assert connection.execute("SELECT today()").fetchone() == ("2025-01-20",)


@pytest.mark.parametrize(
    "sql",
    ["SELECT zeroblob(900000000)", "SELECT replace(hex(zeroblob(1000000)), '0', '0123456789')"],
)
def test_a_huge_value_is_refused(sql: str) -> None:
    with pytest.raises(sqlite3.Error, match=r"too big|too large"):
        connect(CLOCK).execute(sql).fetchone()


@pytest.mark.parametrize(
    "call",
    [
        "datetime('no' || 'w')",
        "date(lower('NOW'))",
        "time(char(110, 111, 119))",
        "julianday(CAST(x'6e6f77' AS BLOB))",
        "strftime('%Y', substr('know', 2))",
        "strftime('%' || 'Y')",
        "unixepoch('sub' || 'sec')",
        "datetime('2025-01-01', 'local' || 'time')",
    ],
)
def test_the_wall_clock_is_refused_however_it_is_written(call: str) -> None:
    with pytest.raises(sqlite3.OperationalError) as caught:
        connect(CLOCK).execute(f"SELECT {call}").fetchone()
    assert "use now() or today()" in cause(caught.value)


@pytest.mark.parametrize(
    "values",
    ["'2025-01-31'", "'2025-01-31', '+1 month'", "2460000.5", "1700000000, 'unixepoch'", "NULL",
     "'nonsense'", "'2025-01-31', NULL", "'12:30'", "'2025-01-31 10:00', 'start of month'"],
)  # fmt: skip
@pytest.mark.parametrize("name", DATE_FUNCTIONS)
def test_dates_are_those_of_sqlite(name: str, values: str) -> None:
    form = "'%Y-%j %H', " if name == "strftime" else ""
    sql = f"SELECT {name}({form}{values})"
    assert (
        connect(CLOCK).execute(sql).fetchone()
        == sqlite3.connect(":memory:").execute(sql).fetchone()
    )


def test_buckets_depend_on_the_values_alone() -> None:
    def bucket(*values: object) -> int:
        marks = ", ".join("?" * len(values))
        asked = f"SELECT bucket(40{', ' if values else ''}{marks})"
        found: int = connect(None).execute(asked, values).fetchone()[0]
        return found

    assert bucket("Oslo", 3) == bucket("oslo", 3.0)
    assert {bucket(f"city {n}") for n in range(500)} == set(range(1, 41))
    assert bucket("a", "b") != bucket("ab", "")
    assert bucket() == bucket()
    assert bucket(None) in range(1, 41)
