"""DuckDB files as the ledger uses them.

Enters: a path. Leaves: connections, rows as dictionaries, and errors of DuckDB and the file system
as one paragraph that says what to do.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from tdscaling.errors import RunDirectoryError
from tdscaling.migrations import migrate

Row = dict[str, Any]

_MEGABYTES = 256
"""What the engine may keep in memory; a query that needs more gets it, and gives it back."""
_ENGINE: dict[str, str | bool | int | float | list[str]] = {
    "memory_limit": f"{_MEGABYTES}MB",
    "threads": 1,
}
"""One thread is the fastest for commits of some dozens of rows and leaves cores to the run."""

_WAL_LIMIT = "32MB"
_ROW_GROUP = 2048
"""The smallest: a checkpoint rewrites the last row group, documents and all."""


def connect(file: Path, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    """A connection whose one database is the file."""
    # The file is attached to an instance in memory because only ATTACH takes a row group size.
    connection = duckdb.connect(":memory:", config=_ENGINE)
    options = "READ_ONLY" if read_only else f"ROW_GROUP_SIZE {_ROW_GROUP}"
    try:
        quoted = str(file).replace("'", "''")
        connection.execute(f"ATTACH '{quoted}' AS run ({options})")
        connection.execute("USE run")
        connection.execute(f"SET checkpoint_threshold = '{_WAL_LIMIT}'")
        if read_only:
            # A ledger may come from anywhere: a view in it could read other files.
            connection.execute("SET enable_external_access = false")
    except BaseException:
        connection.close()
        raise
    return connection


def brought_up_to_date(file: Path) -> duckdb.DuckDBPyConnection:
    """Add what newer releases keep to a ledger of an older one, then open it for reading."""
    writable = connect(file, read_only=False)
    try:
        migrate(writable, str(file))
    finally:
        writable.close()
    return connect(file, read_only=True)


def rows(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any] = ()
) -> list[Row]:
    """Rows of a query, as dictionaries."""
    limit = _MEGABYTES
    try:
        while True:
            try:
                result = connection.execute(sql, list(parameters))
                names = [column[0] for column in result.description or ()]
                return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
            except duckdb.OutOfMemoryException:
                # Lines of conversations are read by the two thousand, whoever asks for one.
                limit *= 4
                if limit > _half_of_memory():
                    raise
                connection.execute(f"SET memory_limit = '{limit}MB'")
    finally:
        if limit > _MEGABYTES:
            connection.execute(f"SET memory_limit = '{_MEGABYTES}MB'")


def _half_of_memory() -> int:
    """Megabytes of this machine."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // (2 << 20)


def rollback(connection: duckdb.DuckDBPyConnection) -> None:
    """Give up the open transaction, if there still is one."""
    try:
        connection.execute("ROLLBACK")
    except duckdb.Error:
        # After a failed write DuckDB may have rolled back or closed the database by itself; the
        # error that led here is the one to report.
        return


@contextmanager
def translated(file: Path) -> Iterator[None]:
    """Turn errors of DuckDB and the file system into one paragraph that says what to do."""
    try:
        yield
    except (duckdb.InterruptException, RuntimeError) as error:
        if "interrupt" not in str(error).lower():
            raise
        raise KeyboardInterrupt from error  # what Ctrl-C becomes during a query
    except (duckdb.Error, OSError) as error:
        raise RunDirectoryError(_explained(file, error)) from error


def _explained(file: Path, error: Exception) -> str:
    text = " ".join(str(error).split())
    if "set lock" in text or "file handle conflict" in text.lower():
        return (
            f"{file} is in use by another process: {text}. Wait until it ends, or type another"
            " directory: hydra.run.dir=outputs/ANOTHER_NAME"
        )
    if "not a valid DuckDB" in text:
        return f"{file} is not a DuckDB file: {text}. Expected the ledger that a run writes."
    return (
        f"{file}: the ledger could not be read or written: {text}. What was committed before"
        " stays. Make room or mend the file's rights, then type the same command again to continue."
    )
