"""Attempts in worker processes.

Fits scripted roles, whose cost is CPU time. The runner is pickled once per worker; draws and
outcomes travel between the processes.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import asynccontextmanager, contextmanager

from tdscaling.errors import ConfigError, TdscalingError
from tdscaling.execution import Runner, Submit
from tdscaling.schema import Draw, Outcome

QUEUED = 4
"""Draws per worker kept submitted, so that none waits for the loop."""

GRACE_SECONDS = 2.0
"""How long attempts that nobody waits for may take to end by themselves."""

_runner: Runner | None = None
_loop: asyncio.Runner | None = None


class ProcessExecution:
    """Runs attempts in worker processes.

    Args:
        workers: number of processes; null for one per core that this process may use.
    """

    def __init__(self, *, workers: int | None) -> None:
        if workers is not None and workers < 1:
            raise ConfigError(f"execution.workers: expected null or at least 1, got {workers}")
        self._workers = workers or len(os.sched_getaffinity(0))

    def slots(self, concurrency: int) -> int:
        """Enough to keep every worker busy; `concurrency` does not matter here."""
        return self._workers * QUEUED

    @asynccontextmanager
    async def start(self, runner: Runner, concurrency: int) -> AsyncIterator[Submit]:
        """Start the workers.

        Raises:
            TdscalingError: from the submit function, if a worker died.
        """
        # Not fork: the ledger's engine has threads that a forked child would lack.
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(self._workers, context, _prepare, (runner,))
        under_way: set[Future[Outcome]] = set()

        async def submit(draw: Draw) -> Outcome:
            try:
                future = _submit(pool, draw)
                under_way.add(future)
                future.add_done_callback(under_way.discard)
                outcome = asyncio.wrap_future(future)
                outcome.add_done_callback(_heard)
                # Shielded: the pool's manager fails on cancelled futures when a worker is killed.
                return await asyncio.shield(outcome)
            except BrokenProcessPool as error:
                raise TdscalingError(
                    "execution: a worker process died, perhaps for lack of memory. What was "
                    "finished is kept; run the same command again to go on, or type "
                    "execution.workers=1."
                ) from error

        try:
            yield submit
        finally:
            await _abandon(pool, under_way)
            pool.shutdown(wait=True, cancel_futures=True)


async def _abandon(pool: ProcessPoolExecutor, under_way: set[Future[Outcome]]) -> None:
    """End what nobody waits for any more; a model may take its time, so not for ever."""
    running = list(under_way)
    if not running:
        return
    # In a thread, on the pool's own futures: their failures are nobody's business any more.
    _, late = await asyncio.to_thread(wait, running, GRACE_SECONDS)
    if late:
        for worker in list((pool._processes or {}).values()):
            worker.kill()
        # A worker killed in the middle of a result leaves half of it in the pipe. This process
        # holds the pipe's other write end, so without this its reader would wait for the rest.
        pool._result_queue._writer.close()  # type: ignore[attr-defined]


def _heard(outcome: asyncio.Future[Outcome]) -> None:
    """A failure that comes after everybody left is no news."""
    if not outcome.cancelled():
        outcome.exception()


def _submit(pool: ProcessPoolExecutor, draw: Draw) -> Future[Outcome]:
    with _uninterrupted():
        return pool.submit(_run, draw)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Hold back Ctrl-C, and let workers that are started meanwhile inherit that.

    The terminal sends Ctrl-C to all processes, but only the loop decides how to end.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _prepare(runner: Runner) -> None:
    global _runner, _loop
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _runner, _loop = runner, asyncio.Runner()


def _end_with_parent() -> None:
    """A worker holds both ends of its queue, so it would wait forever for a parent that is gone."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run(draw: Draw) -> Outcome:
    if _runner is None or _loop is None:
        raise RuntimeError("the worker was not prepared")
    return _loop.run(_runner.run(draw))
