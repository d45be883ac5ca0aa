"""Attempts in this process, side by side."""

from __future__ import annotations

import asyncio
import os

import pytest

from tdscaling.errors import EndpointError
from tdscaling.execution.inline import InlineExecution
from tdscaling.schema import Draw, Outcome
from tests.execution.runners import Echo, Refusing, draw


def test_slots_are_what_was_asked_for() -> None:
    assert InlineExecution().slots(7) == 7


def test_runs_in_this_process() -> None:
    async def run() -> Outcome:
        async with InlineExecution().start(Echo("here"), 1) as submit:
            return await submit(draw(3))

    outcome = asyncio.run(run())
    assert (outcome.index, outcome.category) == (3, "here")
    assert outcome.id == str(os.getpid())


def test_attempts_wait_side_by_side() -> None:
    class Meeting(Echo):
        """Each attempt waits until the other has begun."""

        def __init__(self) -> None:
            super().__init__("")
            self.begun = asyncio.Barrier(2)

        async def run(self, draw: Draw) -> Outcome:
            await self.begun.wait()
            return await super().run(draw)

    async def run() -> list[Outcome]:
        async with InlineExecution().start(Meeting(), 2) as submit:
            return await asyncio.wait_for(asyncio.gather(submit(draw(0)), submit(draw(1))), 20)

    assert [outcome.index for outcome in asyncio.run(run())] == [0, 1]


def test_error_reaches_the_loop() -> None:
    async def run() -> None:
        async with InlineExecution().start(Refusing(""), 1) as submit:
            await submit(draw(0))

    with pytest.raises(EndpointError, match="no such model"):
        asyncio.run(run())
