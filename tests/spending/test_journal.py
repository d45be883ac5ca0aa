"""The journal: what was put is there after a kill, in any process, once."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tdscaling.errors import RunDirectoryError
from tdscaling.schema import LlmCall
from tdscaling.spending.journal import RUN, VERSION, Entry, Journal, Replies

CALL = LlmCall("user", "m", 100, 10, 12.5, 0.002)
ENTRY = Entry("000001-ab", CALL, {"role": "assistant", "content": 'Grüße, "you"\n\U0001f600'})
FAILED = Entry("000001-ab", replace(CALL, error="empty reply"), failure="user: m: empty reply")


def put(path: Path, *entries: tuple[str, Entry]) -> None:
    async def all_of_them() -> None:
        journal = Journal(path)
        await asyncio.gather(*(journal.put(key, entry) for key, entry in entries))
        journal.close()

    asyncio.run(all_of_them())


@pytest.mark.parametrize("entry", [ENTRY, FAILED])
def test_what_was_put_is_found_by_the_next_process(entry: Entry, tmp_path: Path) -> None:
    path = tmp_path / "run" / "replies.sqlite"
    put(path, ("a", entry))
    journal = Journal(path)
    assert journal.find("a") == entry
    assert journal.find("b") is None
    journal.close()


def test_a_further_reply_under_a_key_changes_nothing_and_is_not_counted(tmp_path: Path) -> None:
    path = tmp_path / "replies.sqlite"
    put(path, ("a", ENTRY))
    put(path, ("a", FAILED), ("b", ENTRY))
    journal = Journal(path)
    assert journal.find("a") == ENTRY
    (row,) = journal.spent()
    assert (row.calls, row.failed, row.prompt_tokens) == (2, 0, 200)
    assert row.cost_usd == pytest.approx(0.004)
    journal.close()


def test_sums_are_kept_by_role_and_model(tmp_path: Path) -> None:
    other = replace(ENTRY, call=replace(CALL, role="judge", model="big", cached=True))
    path = tmp_path / "replies.sqlite"
    put(path, ("a", ENTRY), ("b", FAILED), ("c", other))
    journal = Journal(path)
    found = {(row.role, row.model): row for row in journal.spent()}
    journal.close()
    assert found.keys() == {("user", "m"), ("judge", "big")}
    user, judge = found["user", "m"], found["judge", "big"]
    assert (user.calls, user.failed, user.cached) == (2, 1, 0)
    assert (judge.calls, judge.failed, judge.cached) == (1, 0, 1)


def test_gauges_are_those_told_last_summed_over_processes(tmp_path: Path) -> None:
    path = tmp_path / "replies.sqlite"

    async def tell() -> None:
        journal = Journal(path)
        await journal.put("a", ENTRY, [("m", 16, 3)])
        await journal.put("b", ENTRY, [("m", 32, 30)])
        assert journal.gauges() == {"m": (32, 30)}
        journal.forget_gauges()
        assert journal.gauges() == {}
        journal.close()

    asyncio.run(tell())


def _many(path: Path, name: str, told: Any) -> None:
    async def work() -> None:
        journal = Journal(path)
        for number in range(100_000):
            await journal.put(f"{name}-{number}", ENTRY)
            told.send(number)

    asyncio.run(work())


def test_what_two_processes_were_told_is_kept_outlives_their_kill(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    path = tmp_path / "replies.sqlite"
    pipes = {name: context.Pipe(duplex=False) for name in ("one", "two")}
    workers = [context.Process(target=_many, args=(path, n, p[1])) for n, p in pipes.items()]
    for worker in workers:
        worker.start()
    last = {}
    for name, (ours, theirs) in pipes.items():
        theirs.close()
        for _ in range(50):
            last[name] = ours.recv()
    for worker in workers:
        assert worker.pid
        os.kill(worker.pid, signal.SIGKILL)
        worker.join()
    for name, (ours, _) in pipes.items():
        while ours.poll():
            try:
                last[name] = ours.recv()
            except EOFError:
                break
    journal = Journal(path)
    for name, number in last.items():
        assert all(journal.find(f"{name}-{n}") == ENTRY for n in range(number + 1))
    (row,) = journal.spent()
    journal.close()
    # One more of each may be on the disk whose writer was killed before it could tell.
    assert sum(last.values()) + 2 <= row.calls <= sum(last.values()) + 4


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"this is no database at all, but long enough", "not a database"), (None, "newer")],
)
def test_a_file_that_is_no_journal_is_refused(
    content: bytes | None, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "replies.sqlite"
    if content is None:
        with sqlite3.connect(path) as made:
            made.execute(f"PRAGMA application_id = {RUN}")
            made.execute(f"PRAGMA user_version = {VERSION + 1}")
        made.close()
    else:
        path.write_bytes(content * 100)
    with pytest.raises(RunDirectoryError, match=said):
        Journal(path)


def test_a_reply_that_cannot_be_written_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "replies.sqlite"

    async def write() -> None:
        journal = Journal(path)
        await journal.put("a", ENTRY)
        with sqlite3.connect(path) as broken:
            broken.execute("DROP TABLE replies")
        broken.close()
        with pytest.raises(RunDirectoryError, match="cannot be kept"):
            await journal.put("b", ENTRY)
        journal.close()

    asyncio.run(write())


def test_reading_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "replies.sqlite"
    put(path, ("a", ENTRY))
    before = path.read_bytes()
    replies = Replies(path)
    assert replies.find("a") == ENTRY
    assert replies.models("user") == ["m"]
    assert list(tmp_path.iterdir()) == [path]
    replies.close()
    assert path.read_bytes() == before


def test_reading_sees_what_a_killed_process_left_in_the_log(tmp_path: Path) -> None:
    async def put_one() -> Journal:
        journal = Journal(tmp_path / "replies.sqlite")
        await journal.put("a", ENTRY)
        return journal

    journal = asyncio.run(put_one())
    left = tmp_path / "left"
    left.mkdir()
    for file in tmp_path.glob("replies.sqlite*"):
        (left / file.name).write_bytes(file.read_bytes())
    journal.close()
    assert (left / "replies.sqlite-wal").stat().st_size > 0
    replies = Replies(left / "replies.sqlite")
    assert replies.find("a") == ENTRY
    replies.close()


@pytest.mark.parametrize(("content", "said"), [(b"", "an empty file"), (b"x" * 4096, "not a data")])
def test_what_is_no_journal_is_not_read(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "replies.sqlite"
    path.write_bytes(content)
    with pytest.raises(RunDirectoryError, match=said):
        Replies(path)
    assert path.read_bytes() == content
