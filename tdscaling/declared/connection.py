"""The databases in which a domain's SQL runs.

Enters: a clock. Leaves: an SQLite connection in memory that no domain file can make hang, fill the
memory, or read the wall clock with: work is counted in SQLite's own steps, never in seconds, so
that what is refused on one machine is refused on all.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from functools import lru_cache
from typing import Any

STEPS = 20_000_000
"""Steps of SQLite's virtual machine that one piece of work (a call, a query, the making of a
world) may take; the largest of the shipped domains takes 300,000."""
_GRAIN = 10_000
"""Steps between two looks at the count."""
LONGEST = 4_000_000
"""Bytes of the longest value or row that SQL may make."""
DATE_FUNCTIONS = ("date", "time", "datetime", "julianday", "strftime", "unixepoch")
_PRESENT = frozenset({"now", "subsec", "subsecond"})
_ZONES = frozenset({"localtime", "utc"})
_PLAIN = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
"""Computes dates as SQLite does, for the functions that stand before its own."""


class Bounded(sqlite3.Connection):
    """A connection whose work is counted; too much of it is an `sqlite3.OperationalError`."""

    _left = STEPS // _GRAIN

    def count_from_here(self) -> None:
        """Begin a new piece of work."""
        self._left = STEPS // _GRAIN

    def spend(self) -> bool:
        """Count; true, which interrupts the statement, where nothing is left."""
        self._left -= 1
        return self._left < 0


def connect(clock: str | None) -> Bounded:
    """An empty database with the functions of domains; without a clock their values are NULL."""
    connection = sqlite3.connect(
        ":memory:", isolation_level=None, check_same_thread=False, factory=Bounded
    )
    connection.execute("PRAGMA foreign_keys = ON")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST)
    connection.set_progress_handler(connection.spend, _GRAIN)
    day = clock and clock[:10]
    connection.create_function("now", 0, lambda: clock, deterministic=True)
    connection.create_function("today", 0, lambda: day, deterministic=True)
    connection.create_function("bucket", -1, _bucket, deterministic=True)
    for name in DATE_FUNCTIONS:
        connection.create_function(name, -1, _dated(name), deterministic=True)
    return connection


def _bucket(count: int, *values: Any) -> int:
    """A number from 1 to `count` that the values alone decide: equal questions, equal answers."""
    text = "\x1f".join(f"{float(v):g}" if isinstance(v, int | float) else f"{v}" for v in values)
    return 1 + int.from_bytes(hashlib.sha256(text.lower().encode()).digest()[:6], "big") % count


def cause(error: BaseException) -> str:
    """What an error of SQLite means for the author of a domain."""
    text = str(error)
    if text == "interrupted":
        return f"takes more than {STEPS:,} steps of SQLite; does a recursive query ever end?"
    if text == "user-defined function raised exception":
        return "a date function reads the wall clock or the machine's zone; use now() or today()"
    return text


def _dated(name: str) -> Callable[..., Any]:
    return lambda *values: _date(name, values)


@lru_cache(maxsize=4096, typed=True)
def _date(name: str, values: tuple[Any, ...]) -> Any:
    """What SQLite's function of that name gives, the present time and zones refused.

    The text of a statement does not tell: `date('no' || 'w')` is the present time as well.
    """
    words = [v.decode("utf-8", "replace") if isinstance(v, bytes) else v for v in values]
    texts = [word.strip().lower() if isinstance(word, str) else "" for word in words]
    when = texts[1:] if name == "strftime" else texts
    if not when or when[0] in _PRESENT or _ZONES & set(when[1:]):
        raise ValueError(f"{name} reads the wall clock")
    marks = ", ".join("?" * len(values))
    return _PLAIN.execute(f"SELECT {name}({marks})", values).fetchone()[0]
