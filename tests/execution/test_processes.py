"""Attempts in worker processes: the same outcomes, and a clear word when a worker dies."""

from __future__ import annotations

import asyncio
import os
import time

import pytest

from tdscaling.errors import ConfigError, EndpointError, TdscalingError
from tdscaling.execution import Runner
from tdscaling.execution.inline import InlineExecution
from tdscaling.execution.processes import ProcessExecution
from tdscaling.schema import Outcome
from tests.execution.runners import Bulky, Dying, Echo, Refusing, Slow, Unloadable, draw, same


def outcomes(
    runner: Runner, execution: ProcessExecution | InlineExecution, count: int
) -> list[Outcome]:
    async def run() -> list[Outcome]:
        async with execution.start(runner, 1) as submit:
            return await asyncio.gather(*(submit(draw(index)) for index in range(count)))

    return asyncio.run(run())


def test_slots_keep_every_worker_busy() -> None:
    assert ProcessExecution(workers=3).slots(1) >= 6
    cores = len(os.sched_getaffinity(0))
    everywhere = ProcessExecution(workers=None).slots(1)
    assert everywhere == ProcessExecution(workers=cores).slots(1)


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


@pytest.mark.parametrize("workers", [0, -1])
def test_workers_are_at_least_one(workers: int) -> None:
    with pytest.raises(ConfigError, match=r"execution\.workers: expected null or at least 1"):
        ProcessExecution(workers=workers)
