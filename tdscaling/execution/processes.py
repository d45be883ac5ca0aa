"""Attempts in worker processes.

Fits scripted roles, whose cost is CPU time, and models that answer faster than one process can ask
them. Each worker has an event loop of its own; it gets the runner once, then draws, and gives
outcomes back. The worker with the fewest draws gets the next one.
"""

from __future__ import annotations

import asyncio
import itertools
import multiprocessing
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from multiprocessing import resource_tracker
from multiprocessing.process import BaseProcess

from tdscaling.errors import ConfigError, TdscalingError
from tdscaling.execution import Runner, Submit
from tdscaling.execution._frames import GONE, connect, packed, receive, send
from tdscaling.execution._worker import work
from tdscaling.schema import Draw, Outcome

QUEUED = 4
"""Draws per worker kept submitted at least, so that none waits for this process."""

GRACE_SECONDS = 2.0
"""How long attempts that nobody waits for may take to end when they are cancelled."""

EXIT_SECONDS = 10.0
"""How long a worker may take to put away what it has opened."""

DIED = (
    "execution: a worker process died, perhaps for lack of memory. What was finished is kept; run "
    "the same command again to go on, or type execution.workers=1."
)


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
        """As many as asked for, and enough to keep every worker busy."""
        return max(concurrency, self._workers * QUEUED)

    @asynccontextmanager
    async def start(self, runner: Runner, concurrency: int) -> AsyncIterator[Submit]:
        """Make ready to start workers, each when those before it have something to do.

        Raises:
            TdscalingError: from the submit function, if a worker died.
        """
        crew = _Crew(packed(runner), _shares(concurrency, self._workers))
        try:
            yield crew.submit
        finally:
            await crew.end()


def _shares(concurrency: int, workers: int) -> list[int]:
    """How many attempts may wait side by side in each worker; together they are `concurrency`."""
    each, rest = divmod(concurrency, workers)
    return [max(1, each + (number < rest)) for number in range(workers)]


class _Crew:
    """The workers of a run."""

    def __init__(self, runner: bytes, shares: list[int]) -> None:
        self._runner, self._shares = runner, shares
        self._workers: list[_Worker] = []

    async def submit(self, draw: Draw) -> Outcome:
        """Run one draw where the fewest are."""
        least = min(self._workers, key=_Worker.load, default=None)
        if least is None or (least.load() and len(self._workers) < len(self._shares)):
            least = _Worker(self._shares[len(self._workers)], self._runner)
            self._workers.append(least)
        return await least.run(draw)

    async def end(self) -> None:
        """End all workers: those with nothing to do by themselves, others soon."""
        try:
            leaving = [asyncio.ensure_future(worker.leave()) for worker in self._workers]
            late = (await asyncio.wait(leaving, timeout=GRACE_SECONDS))[1] if leaving else set()
            for worker, task in zip(self._workers, leaving, strict=True):
                if task in late:
                    worker.process.kill()
            await asyncio.to_thread(_join, [worker.process for worker in self._workers])
        finally:
            for worker in self._workers:
                worker.end()


def _join(processes: Sequence[BaseProcess]) -> None:
    deadline = time.monotonic() + EXIT_SECONDS
    for process in processes:
        process.join(max(0.0, deadline - time.monotonic()))


class _Worker:
    """A worker process as this one sees it."""

    def __init__(self, share: int, runner: bytes) -> None:
        ours, theirs = socket.socketpair()
        # Not fork: the ledger's engine has threads that a forked child would lack.
        self.process = multiprocessing.get_context("spawn").Process(
            target=work, args=(theirs, share)
        )
        with _uninterrupted():
            self.process.start()
        theirs.close()  # else this process would not hear of the worker's end
        self._numbers = itertools.count()
        self._waiting: dict[int, asyncio.Future[Outcome]] = {}
        self._gone = False
        self._opening = asyncio.ensure_future(self._open(ours, runner))

    async def _open(
        self, ours: socket.socket, runner: bytes
    ) -> tuple[asyncio.StreamWriter, asyncio.Task[None]]:
        reader, stream = await connect(ours)
        send(stream, runner)
        return stream, asyncio.create_task(self._listen(reader))

    def load(self) -> int:
        """How many draws it has."""
        return len(self._waiting)

    async def run(self, draw: Draw) -> Outcome:
        """Run one draw; who stops waiting for it cancels it there."""
        if self._gone:
            raise TdscalingError(DIED)
        number = next(self._numbers)
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting[number] = outcome
        # Shielded: the others wait for this as well.
        opened = asyncio.shield(self._opening)
        try:
            send((await opened)[0], packed((number, draw)))
            return await outcome
        except asyncio.CancelledError:
            if opened.done() and not self._gone:
                send(self._opening.result()[0], packed((number, None)))
            raise
        finally:
            self._waiting.pop(number, None)

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        try:
            while (answer := await receive(reader)) is not None:
                number, outcome, error, told = answer
                waiting = self._waiting.pop(number, None)
                if waiting is None or waiting.done():
                    continue
                if error is None:
                    waiting.set_result(outcome)
                else:
                    error.add_note(f"in a worker process:\n{told}")
                    waiting.set_exception(error)
        except GONE:
            pass
        finally:
            self._gone = True
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(TdscalingError(DIED))

    async def leave(self) -> None:
        """Tell the worker that nothing more comes, and wait until it has nothing under way."""
        stream, listener = await asyncio.shield(self._opening)
        if not self._gone:
            stream.write_eof()
        await asyncio.shield(listener)

    def end(self) -> None:
        """End the process, however far it is."""
        self.process.kill()
        self.process.join()
        self._opening.cancel()
        if self._opening.done() and not self._opening.cancelled():
            stream, listener = self._opening.result()
            stream.close()
            listener.cancel()


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Hold back Ctrl-C, and let a worker that is started meanwhile inherit that.

    The terminal sends Ctrl-C to all processes, but only the loop decides how to end.
    """
    resource_tracker.ensure_running()  # the first process starts it, and lets Ctrl-C in again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
