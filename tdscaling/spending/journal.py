"""Replies of models, kept in SQLite before anybody uses them.

Enters: replies as they come, from any number of processes. Leaves: the same replies again after a
crash, and what all of them cost. A reply is on the disk when `put` returns. Replies that come
while a commit is under way share the next one, so the cost of a commit does not grow with their
number. DuckDB, which holds the ledger, lets one process at a time write; SQLite lets all.
"""

from __future__ import annotations

import asyncio
import json
import os
import queue
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tdscaling.errors import RunDirectoryError
from tdscaling.schema import LlmCall, Message

FILE = "replies.sqlite"
"""Name of the journal inside a run directory."""
BUSY_SECONDS = 60.0
"""How long a commit waits for those of other processes."""
VERSION = 1
RUN, SHARED = 0x74647275, 0x74647368
"""What a file is, in SQLite's header: the journal of one run, or replies that runs share."""

_TABLES = """
CREATE TABLE IF NOT EXISTS replies (
    key TEXT PRIMARY KEY, trajectory TEXT NOT NULL, call TEXT NOT NULL, message TEXT, failure TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS spent (
    role TEXT, model TEXT, calls INTEGER, failed INTEGER, cached INTEGER, prompt_tokens INTEGER,
    completion_tokens INTEGER, cost_usd REAL, PRIMARY KEY (role, model)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS gauges (
    process INTEGER, name TEXT, capacity INTEGER, busy INTEGER, PRIMARY KEY (process, name)
) WITHOUT ROWID;
"""
_KEEP = "INSERT OR IGNORE INTO replies VALUES (?, ?, ?, ?, ?)"
_SPEND = """INSERT INTO spent VALUES (?, ?, 1, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
    calls = calls + 1, failed = failed + excluded.failed, cached = cached + excluded.cached,
    prompt_tokens = prompt_tokens + excluded.prompt_tokens,
    completion_tokens = completion_tokens + excluded.completion_tokens,
    cost_usd = cost_usd + excluded.cost_usd"""


@dataclass(frozen=True, slots=True)
class Entry:
    """What one request came to."""

    trajectory: str
    """Whose request it was; empty outside of trajectories."""
    call: LlmCall
    message: Message | None = None
    failure: str = ""
    """Why the reply was not usable, where there is no message."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What the requests of one role to one model have cost so far."""

    role: str
    model: str
    calls: int
    failed: int
    """Of the calls: those that left nothing usable."""
    cached: int
    """Of the calls: those that another run had paid."""
    prompt_tokens: int
    """Paid ones, like those below."""
    completion_tokens: int
    cost_usd: float


class Replies:
    """What a file holds, read: nothing in it is changed.

    Args:
        path: of a journal that is there, perhaps where nothing can be written.

    Raises:
        RunDirectoryError: if it cannot be read, or is no journal of a run.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        # Beside what is not at rest lies its log, which is part of it.
        how = "mode=ro" if path.with_name(path.name + "-wal").exists() else "immutable=1"
        with self._translated():
            self._reading = sqlite3.connect(
                f"{path.absolute().as_uri()}?{how}", uri=True, check_same_thread=False
            )
            if not _check(self._reading, path, RUN):
                raise RunDirectoryError(f"{path}: expected replies of models, got an empty file")

    def find(self, key: str) -> Entry | None:
        """What was kept under a key."""
        with self._translated():
            row = self._reading.execute(
                "SELECT trajectory, call, message, failure FROM replies WHERE key = ?", (key,)
            ).fetchone()
        if row is None:
            return None
        trajectory, call, message, failure = row
        return Entry(
            trajectory, LlmCall(**json.loads(call)), json.loads(message) if message else None,
            failure or "",
        )  # fmt: skip

    def models(self, role: str) -> list[str]:
        """Names of the models that played a role, the busiest first."""
        with self._translated():
            found = self._reading.execute(
                "SELECT model FROM spent WHERE role = ? ORDER BY calls DESC, model", (role,)
            ).fetchall()
        return [model for (model,) in found]

    def spent(self) -> tuple[Spent, ...]:
        """What was paid so far, by all processes, finished trajectories or not."""
        with self._translated():
            rows = self._reading.execute("SELECT * FROM spent ORDER BY role, model").fetchall()
        return tuple(Spent(*row) for row in rows)

    def gauges(self) -> dict[str, tuple[int, int]]:
        """Capacity and use by name, summed over the processes that told."""
        with self._translated():
            rows = self._reading.execute(
                "SELECT name, sum(capacity), sum(busy) FROM gauges GROUP BY name ORDER BY name"
            ).fetchall()
        return {name: (capacity, busy) for name, capacity, busy in rows}

    def close(self) -> None:
        """Let go of the file."""
        self._reading.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise self._refusal(error) from error

    def _refusal(self, error: Exception) -> RunDirectoryError:
        return RunDirectoryError(
            f"{self.path}: expected replies of models that can be read ({error}). Bring the file"
            " back, with the -wal and -shm beside it if there are any"
        )


class Journal(Replies):
    """Replies in one file; any number of processes may have it open.

    Args:
        path: of the file; made where it is missing.
        shared: whether runs share it; what its replies cost is in the books of those runs.

    Raises:
        RunDirectoryError: if it cannot be opened, or is no such journal.
    """

    def __init__(self, path: Path, *, shared: bool = False) -> None:
        self.path = path
        self._shared = shared
        with self._translated():
            if path.is_dir():
                raise RunDirectoryError(f"{path}: expected a file of replies, got a folder")
            path.parent.mkdir(parents=True, exist_ok=True)
            self._reading = self._connected()
            _prepare(self._reading, path, SHARED if shared else RUN)
        self._queue: queue.SimpleQueue[_Kept | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="journal", daemon=True)
        self._writer.start()

    async def put(
        self, key: str, entry: Entry, gauges: Sequence[tuple[str, int, int]] = ()
    ) -> None:
        """Keep what a request came to; it is on the disk when this returns.

        Args:
            key: of the request.
            entry: what it came to; a further one under the same key changes nothing.
            gauges: name, capacity and how much of it is busy, for whoever watches.

        Raises:
            RunDirectoryError: if it cannot be written.
        """
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        self._queue.put(_Kept(key, entry, tuple(gauges), loop, done))
        await done

    def forget_gauges(self) -> None:
        """Processes of an earlier start tell nothing any more."""
        with self._translated(), self._reading:
            self._reading.execute("DELETE FROM gauges")

    def close(self) -> None:
        """Wait for what is being written, then let go of the file."""
        self._queue.put(None)
        self._writer.join()
        super().close()

    def _connected(self) -> sqlite3.Connection:
        made = sqlite3.connect(self.path, timeout=BUSY_SECONDS, check_same_thread=False)
        made.execute("PRAGMA journal_mode = WAL")
        made.execute("PRAGMA synchronous = FULL")  # a reply that was paid outlives the power, too
        return made

    def _write(self) -> None:
        """Commit what waits, again and again, until told to end."""
        connection: sqlite3.Connection | None = None
        going = True
        while going:
            waiting, going = self._waiting()
            failure: Exception | None = None
            try:
                with self._translated():
                    connection = connection or self._connected()
                    _commit(connection, waiting, books=not self._shared)
            except RunDirectoryError as error:
                failure = error
            _tell(waiting, failure)
        if connection:
            connection.close()

    def _waiting(self) -> tuple[list[_Kept], bool]:
        """What waits to be written, at least one; False where nothing more will come."""
        found: list[_Kept] = []
        item = self._queue.get()
        while item is not None:
            found.append(item)
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                return found, True
        return found, False

    def _refusal(self, error: Exception) -> RunDirectoryError:
        return RunDirectoryError(
            f"{self.path}: replies of models cannot be kept there ({error}). Make room or bring the"
            " file back, then run the same command again; what the ledger holds is kept"
        )


@dataclass(frozen=True, slots=True)
class _Kept:
    key: str
    entry: Entry
    gauges: tuple[tuple[str, int, int], ...]
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[None]


def cached_call(call: LlmCall) -> LlmCall:
    """A call that another run paid."""
    return replace(call, cached=True, cost_usd=0.0, latency_ms=0.0)


def _prepare(connection: sqlite3.Connection, path: Path, kind: int) -> None:
    """Make the tables of a new file."""
    if not _check(connection, path, kind):
        connection.executescript(_TABLES)
        connection.execute(f"PRAGMA application_id = {kind}")
        connection.execute(f"PRAGMA user_version = {VERSION}")


def _check(connection: sqlite3.Connection, path: Path, kind: int) -> bool:
    """Refuse what is no such journal; False for a file that is new."""
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    (what,) = connection.execute("PRAGMA application_id").fetchone()
    if found and what != kind:
        expected, got = ("that runs share", "of one run")
        if kind == RUN:
            expected, got = got, expected
        raise RunDirectoryError(
            f"{path}: expected a file of replies {expected}, got one of replies {got};"
            " type reply_cache=ANOTHER_FILE, or llm=replay llm.run=DIRECTORY to play a run again"
        )
    if found > VERSION:
        raise RunDirectoryError(
            f"{path} has version {found}, this release of tdscaling knows {VERSION}: a newer"
            " release wrote it. Type: pip install -U tdscaling"
        )
    return bool(found)


def _commit(connection: sqlite3.Connection, waiting: Iterable[_Kept], *, books: bool) -> None:
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        for kept in waiting:
            entry, call = kept.entry, kept.entry.call
            new = connection.execute(
                _KEEP,
                (kept.key, entry.trajectory, _text(asdict(call)),
                 _text(entry.message) if entry.message else None, entry.failure or None),
            ).rowcount  # fmt: skip
            if new and books:
                paid = not call.cached
                connection.execute(
                    _SPEND,
                    (call.role, call.model, bool(entry.failure), call.cached,
                     paid * call.prompt_tokens, paid * call.completion_tokens, call.cost_usd),
                )  # fmt: skip
            for name, capacity, busy in kept.gauges:
                connection.execute(
                    "INSERT OR REPLACE INTO gauges VALUES (?, ?, ?, ?)",
                    (os.getpid(), name, capacity, busy),
                )


def _text(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)


def _tell(waiting: Sequence[_Kept], failure: Exception | None) -> None:
    """Wake those who wait, once for each of their loops."""
    loops = {id(kept.loop): kept.loop for kept in waiting}
    for loop in loops.values():
        mine = [kept.done for kept in waiting if kept.loop is loop]
        try:
            loop.call_soon_threadsafe(_settle, mine, failure)
        except RuntimeError:  # the loop has ended: nobody waits
            continue


def _settle(waiting: Sequence[asyncio.Future[None]], failure: Exception | None) -> None:
    for done in waiting:
        if done.done():
            continue
        if failure:
            done.set_exception(failure)
        else:
            done.set_result(None)
