"""Attempts in worker processes: the same outcomes, and a clear word when a worker dies."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from tdscaling.errors import ConfigError, EndpointError, TdscalingError
from tdscaling.execution import Runner
from tdscaling.execution.inline import InlineExecution
from tdscaling.execution.processes import ProcessExecution
from tdscaling.llm import NoReply
from tdscaling.schema import Outcome
from tests.execution.runners import (
    Bulky,
    Counting,
    Dying,
    Echo,
    Failing,
    Meeting,
    Mortal,
    Refusing,
    Slow,
    Told,
    Unloadable,
    draw,
    same,
)


def outcomes(
    runner: Runner,
    execution: ProcessExecution | InlineExecution,
    count: int,
    concurrency: int = 1,
) -> list[Outcome]:
    async def run() -> list[Outcome]:
        async with execution.start(runner, concurrency) as submit:
            return await asyncio.gather(*(submit(draw(index)) for index in range(count)))

    return asyncio.run(run())


def test_slots_keep_every_worker_busy() -> None:
    assert ProcessExecution(workers=3).slots(1) >= 6
    cores = len(os.sched_getaffinity(0))
    everywhere = ProcessExecution(workers=None).slots(1)
    assert everywhere == ProcessExecution(workers=cores).slots(1)
    assert ProcessExecution(workers=3).slots(256) == 256


def test_same_outcomes_as_inline_in_other_processes() -> None:
    runner = Echo("there")
    found = outcomes(runner, ProcessExecution(workers=2), 12)
    expected = outcomes(runner, InlineExecution(), 12)
    assert all(same(one, other) for one, other in zip(found, expected, strict=True))
    assert str(os.getpid()) not in {outcome.id for outcome in found}


def test_number_of_workers() -> None:
    found = outcomes(Echo(""), ProcessExecution(workers=1), 6)
    assert len({outcome.id for outcome in found}) == 1


@pytest.mark.parametrize("runner", [Dying(""), Unloadable("")])
def test_dead_worker_is_told_with_what_to_do(
    runner: Runner, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(TdscalingError, match=r"a worker process died.*execution\.workers=1"):
        outcomes(runner, ProcessExecution(workers=1), 1)
    capfd.readouterr()


def test_error_keeps_its_class_on_the_way() -> None:
    with pytest.raises(EndpointError, match="no such model"):
        outcomes(Refusing(""), ProcessExecution(workers=1), 1)


def test_no_worker_outlives_the_run() -> None:
    (worker,) = {int(o.id) for o in outcomes(Echo(""), ProcessExecution(workers=1), 2)}
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.kill(worker, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise AssertionError(f"worker {worker} still runs")


@pytest.mark.parametrize("runner", [Slow(""), Bulky("")])
def test_attempts_that_nobody_waits_for_hold_up_no_end(runner: Runner) -> None:
    async def first_of_many() -> None:
        async with ProcessExecution(workers=2).start(runner, 1) as submit:
            tasks = [asyncio.ensure_future(submit(draw(index))) for index in range(8)]
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    began = time.monotonic()
    asyncio.run(asyncio.wait_for(first_of_many(), 40))
    assert time.monotonic() - began < 40


@pytest.mark.parametrize("workers", [1, 2])
def test_attempts_wait_side_by_side_in_each_worker(workers: int) -> None:
    found = outcomes(Meeting(40 // workers), ProcessExecution(workers=workers), 40, 40)
    assert [outcome.index for outcome in found] == list(range(40))
    assert len({outcome.id for outcome in found}) == workers


def test_attempts_that_only_compute_run_one_after_the_other() -> None:
    found = outcomes(Counting(0), ProcessExecution(workers=1), 12, 12)
    assert {outcome.turns for outcome in found} == {1}


@pytest.mark.parametrize(("concurrency", "most"), [(1, 1), (5, 3)])
def test_no_more_wait_than_was_asked_for(concurrency: int, most: int) -> None:
    """But one in each worker."""
    found = outcomes(Counting(0.005), ProcessExecution(workers=2), 24, concurrency)
    assert max(outcome.turns for outcome in found) == most


@pytest.mark.parametrize(
    ("kind", "error", "said"),
    [
        ("odd", RuntimeError, "Odd: this and that"),
        ("lambda", RuntimeError, "ValueError: <function"),
        ("outcome", Exception, "lambda"),
    ],
)
def test_what_cannot_travel_is_told(kind: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said) as raised:
        outcomes(Failing(kind), ProcessExecution(workers=1), 1)
    assert "in a worker process" in raised.value.__notes__[0]
    assert "_worker.py" in raised.value.__notes__[0]


def test_error_keeps_what_it_carries() -> None:
    with pytest.raises(NoReply, match="timed out") as raised:
        outcomes(Failing("calls"), ProcessExecution(workers=1), 1)
    assert [call.completion_tokens for call in raised.value.calls] == [2]


def test_killed_worker_keeps_what_was_finished() -> None:
    async def run() -> list[Outcome | BaseException]:
        async with ProcessExecution(workers=1).start(Mortal(""), 4) as submit:
            tasks = [asyncio.ensure_future(submit(draw(index))) for index in range(3)]
            found = await asyncio.gather(*tasks, return_exceptions=True)
            with pytest.raises(TdscalingError, match="a worker process died"):
                await submit(draw(3))
            return found

    *kept, lost = asyncio.run(asyncio.wait_for(run(), 40))
    assert [o.index for o in kept if isinstance(o, Outcome)] == [0, 1]
    assert isinstance(lost, TdscalingError)


def test_who_stops_waiting_cancels_the_attempt_itself(tmp_path: Path) -> None:
    async def seen(name: str) -> None:
        while not (tmp_path / name).exists():
            await asyncio.sleep(0.01)

    async def run() -> None:
        async with ProcessExecution(workers=1).start(Told(str(tmp_path)), 1) as submit:
            task = asyncio.ensure_future(submit(draw(0)))
            await asyncio.wait_for(seen("begun"), 20)
            task.cancel()
            await asyncio.wait_for(seen("cancelled"), 20)
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(run())


@pytest.mark.parametrize("workers", [0, -1])
def test_workers_are_at_least_one(workers: int) -> None:
    with pytest.raises(ConfigError, match=r"execution\.workers: expected null or at least 1"):
        ProcessExecution(workers=workers)
