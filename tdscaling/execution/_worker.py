"""What runs in a worker process: one event loop, and on it many attempts side by side.

Enters: the runner, then draws. Leaves: outcomes and errors. The next attempt is started when all
those under way are waiting, for the network or a thread: so attempts that only compute run one
after the other, which is the fastest and keeps their stages' times apart, and attempts that wait
do so together.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import pickle
import selectors
import socket
import threading
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from tdscaling.execution import Runner
from tdscaling.execution._frames import GONE, connect, packed, receive, send
from tdscaling.schema import Draw

ENDED = packed(None)
"""The last word of a worker: nothing is under way any more."""


def work(end: socket.socket, share: int) -> None:
    """Run draws until the other end closes; the main function of the process.

    Args:
        end: where draws come from and outcomes go to.
        share: attempts side by side, at most.
    """
    threading.Thread(target=_end_with_parent, daemon=True).start()
    selector = _Idle()
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as loop:
        loop.run(_Worker(share, selector).serve(end))


def _end_with_parent() -> None:
    """An attempt may hold the loop, which then would not hear that the parent is gone."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


class _Idle(selectors.DefaultSelector):
    """Waits for the network, unless there is something to start instead."""

    def __init__(self) -> None:
        super().__init__()
        self.start: Callable[[], bool] = bool
        """Starts something if there is anything to start."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready; asked for with a time to wait when nothing on the loop can go on."""
        if timeout is not None and timeout <= 0:
            return super().select(timeout)
        return super().select(0) or ([] if self.start() else super().select(timeout))


class _Worker:
    def __init__(self, share: int, selector: _Idle) -> None:
        self._share = share
        self._queue: deque[tuple[int, Draw]] = deque()
        self._tasks: dict[int, asyncio.Task[None]] = {}
        selector.start = self._start

    async def serve(self, end: socket.socket) -> None:
        reader, self._writer = await connect(end)
        with suppress(*GONE):
            self._runner: Runner = await receive(reader)
            while True:
                number, draw = await receive(reader)
                if draw is not None:
                    self._queue.append((number, draw))
                else:
                    self._forget(number)
        self._queue.clear()
        under_way = list(self._tasks.values())
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        send(self._writer, ENDED)
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()

    def _start(self) -> bool:
        if not self._queue or len(self._tasks) >= self._share:
            return False
        number, draw = self._queue.popleft()
        task = asyncio.get_running_loop().create_task(self._run(number, draw))
        self._tasks[number] = task
        task.add_done_callback(lambda _: self._tasks.pop(number))
        return True

    def _forget(self, number: int) -> None:
        """Nobody waits for this one any more."""
        if number in self._tasks:
            self._tasks[number].cancel()
        self._queue = deque(item for item in self._queue if item[0] != number)

    async def _run(self, number: int, draw: Draw) -> None:
        answer: tuple[int, Any, Exception | None, str]
        try:
            message = packed((number, await self._runner.run(draw), None, ""))
        except Exception as error:  # noqa: BLE001 whatever it is, the parent decides
            answer = (number, None, _portable(error), traceback.format_exc())
            message = packed(answer)
        send(self._writer, message)


def _portable(error: Exception) -> Exception:
    """The error itself if it arrives whole, else one that says the same."""
    try:
        pickle.loads(packed(error))
    except Exception:  # noqa: BLE001 classes of others may fail in any way
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
