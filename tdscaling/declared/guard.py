"""What the SQL of a domain file may not do.

Enters: statements of a domain file, untrusted. Leaves: a refusal of everything that reaches beyond
the domain's own state, or that would make two runs differ.
"""

from __future__ import annotations

import re
import sqlite3

_FORBIDDEN = frozenset(
    {
        sqlite3.SQLITE_ATTACH,
        sqlite3.SQLITE_DETACH,
        sqlite3.SQLITE_PRAGMA,
        sqlite3.SQLITE_CREATE_VTABLE,
        sqlite3.SQLITE_DROP_VTABLE,
        sqlite3.SQLITE_ALTER_TABLE,
        sqlite3.SQLITE_DROP_TABLE,
    }
)
_READABLE_PRAGMAS = frozenset({"table_info", "foreign_key_list", "foreign_key_check"})
_FORBIDDEN_FUNCTIONS = frozenset(
    {"load_extension", "random", "randomblob", "readfile", "writefile", "fts3_tokenizer"}
)
_WALL_CLOCK = re.compile(
    r"""\bcurrent_(time|date|timestamp)\b | ['"]now['"]
    | \b(datetime|date|time|julianday|unixepoch)\s*\(\s*\)
    | \bstrftime\s*\(\s*'[^']*'\s*\)  # without a time it takes the present one""",
    re.IGNORECASE | re.VERBOSE,
)


def guard(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    """An authorizer for `sqlite3.Connection.set_authorizer`."""
    if action == sqlite3.SQLITE_PRAGMA and first in _READABLE_PRAGMAS:
        return sqlite3.SQLITE_OK
    if action in _FORBIDDEN:
        return sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in _FORBIDDEN_FUNCTIONS:
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


def wall_clock(sql: str) -> str | None:
    """The first expression that reads the wall clock, if any: `now()` and `today()` are ours."""
    found = _WALL_CLOCK.search(sql)
    return found.group(0) if found else None
