"""Replies of a run, played again; whole runs of it are in `tests/test_paid_runs.py`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tdscaling.errors import ConfigError, EndOfRun
from tdscaling.llm import NoReply, endpoint_of
from tdscaling.llm._journalled import request_key
from tdscaling.llm.replay import ReplayEndpoint
from tdscaling.schema import LlmCall, Message
from tdscaling.spending.account import close_all
from tdscaling.spending.journal import FILE, Entry, Journal

ASKED: list[Message] = [{"role": "user", "content": "Where is it?"}]
SAID: Message = {"role": "assistant", "content": "Here."}


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Path]:
    """A run in which `m` was asked twice, and failed once."""

    async def fill() -> None:
        journal = Journal(tmp_path / FILE)
        call = LlmCall("user", "m", 100, 10, 1.0, 0.5)
        for seed, entry in (
            ("1", Entry("000001-ab", call, SAID)),
            ("2", Entry("000001-ab", call, failure="user: m: empty reply")),
            ("3", Entry("000001-ab", LlmCall("judge", "one", 1, 1, 1.0, 0.0), SAID)),
            ("4", Entry("000001-ab", LlmCall("judge", "two", 1, 1, 1.0, 0.0), SAID)),
        ):
            key = request_key(entry.call.role, entry.call.model, [seed, ASKED, (), None])
            await journal.put(key, entry)
        journal.close()

    asyncio.run(fill())
    yield tmp_path
    close_all()


def test_same_request_gets_the_same_reply(run: Path) -> None:
    llm = endpoint_of(ReplayEndpoint(run=str(run)), "user")
    assert llm.model == "m"
    reply = asyncio.run(llm.chat("user", ASKED, seed="1"))
    assert (reply.message, reply.call.cost_usd) == (SAID, 0.5)


def test_a_failure_is_one_again(run: Path) -> None:
    llm = endpoint_of(ReplayEndpoint(run=str(run)), "user")
    with pytest.raises(NoReply, match="empty reply") as failed:
        asyncio.run(llm.chat("user", ASKED, seed="2"))
    assert failed.value.calls[0].prompt_tokens == 100


def test_what_was_not_asked_ends_the_run(run: Path) -> None:
    llm = endpoint_of(ReplayEndpoint(run=str(run)), "user")
    with pytest.raises(EndOfRun, match="holds no reply to the next request of the user"):
        asyncio.run(llm.chat("user", [*ASKED, SAID], seed="1"))


@pytest.mark.parametrize(
    ("folder", "role", "told"),
    [
        (None, "user", "type llm.run=DIRECTORY"),
        ("nowhere", "user", "expected a run with replies of models"),
        ("", "assistant", "no model played the role assistant"),
        ("", "judge", r"2 models played the role judge in that run \(one, two\)"),
    ],
)
def test_runs_that_cannot_be_played_are_refused(
    folder: str | None, role: str, told: str, run: Path
) -> None:
    where = None if folder is None else str(run / folder)
    with pytest.raises(ConfigError, match=told):
        endpoint_of(ReplayEndpoint(run=where), role)
