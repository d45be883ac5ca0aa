"""Sessions on real servers: side by side, in another process, after a failure."""

from __future__ import annotations

import asyncio
import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from tdscaling.declared.domain import Domain
from tdscaling.errors import EnvironmentFailure
from tdscaling.live.domain import LiveDomain
from tdscaling.live.session import LiveSession
from tests.live_parts import notes_domain


@pytest.fixture(scope="module")
def domain() -> LiveDomain:
    return notes_domain(1)


def first_note(domain: Domain, seed: str) -> str:
    session = domain.open(seed)
    try:
        return session.execute("list_notes", {}).content
    finally:
        session.close()


def test_worlds_are_their_seeds_here_and_elsewhere(domain: LiveDomain) -> None:
    here = first_note(domain, "1")
    assert here == first_note(domain, "1")
    assert here != first_note(domain, "2")
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        assert pool.submit(first_note, pickle.loads(pickle.dumps(domain)), "1").result() == here


def test_conversations_side_by_side_share_nothing(domain: LiveDomain) -> None:
    async def converse(title: str) -> tuple[str, object]:
        session = domain.open("1")
        try:
            made = await session.call("create_note", {"title": title})
            await session.call("archive_note", {"note_id": made.rows[0]["note_id"]})
            return title, session.changes()
        finally:
            session.close()

    async def all_of_them() -> list[tuple[str, object]]:
        return await asyncio.gather(*(converse(f"note {n}") for n in range(4)))

    for title, changes in asyncio.run(all_of_them()):
        assert isinstance(changes, dict)
        (added,) = changes["notes.note"]["added"]
        assert (added["title"], added["status"]) == (title, "archived")


def test_errors_are_observations(domain: LiveDomain) -> None:
    session = domain.open("1")
    try:
        missing = session.execute("get_note", {"note_id": "none"})
        assert not missing.ok
        assert missing.content.startswith('{"error": "Error executing tool get_note')
        soft = session.execute("rename_note", {"note_id": "none", "title": "x"})
        assert (soft.ok, soft.rows) == (False, ())
        assert soft.content == '{"ok": false, "error": "there is no note none"}'
        invalid = session.execute("get_note", {})
        assert "invalid arguments" in invalid.content
        assert session.attempt("get_note", {"note_id": "none"}, lambda r: r.ok) is None
        assert session.changes() == {}
        assert session.table("SELECT 1") == []
    finally:
        session.close()


def test_a_server_that_was_killed_fails_its_conversation_and_no_other(domain: LiveDomain) -> None:
    session = domain.open("1")
    assert isinstance(session, LiveSession)
    session.execute("list_notes", {})
    server = session._server
    assert server is not None
    assert server._process is not None
    server._process.kill()
    with pytest.raises(EnvironmentFailure, match=r"notes\.list_notes: the server"):
        session.execute("list_notes", {})
    session.close()
    assert first_note(domain, "1")
