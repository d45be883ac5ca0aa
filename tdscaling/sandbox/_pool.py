"""Sandboxes that are ready before somebody asks.

Enters: a function that starts one. Leaves: running ones that answer. A sandbox serves one session
and is never given to a second.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable

from tdscaling.sandbox._box import Box, LostError

PING_SECONDS = 5.0


class Pool:
    """Keeps `size` sandboxes ready, and starts another for each that is taken."""

    def __init__(self, start: Callable[[], Box], size: int) -> None:
        self._start, self._size = start, size
        self._ready: deque[Box] = deque()
        self._lock = threading.Lock()
        self._starting: set[threading.Thread] = set()
        self._closed = False

    def take(self) -> Box:
        """A sandbox that answered just now; starts one if none is ready.

        Raises:
            SandboxError: as starting raised it.
        """
        while True:
            with self._lock:
                box = self._ready.popleft() if self._ready else None
            if box is None:
                box = self._start()
                self._refill()
                return box
            self._refill()
            try:
                box.ask({"do": "ping"}, seconds=PING_SECONDS)
            except LostError:  # it died while it waited, perhaps with its engine
                box.kill()
                continue
            return box

    def _refill(self) -> None:
        with self._lock:
            lacking = 0 if self._closed else self._size - len(self._ready) - len(self._starting)
            for _ in range(lacking):
                thread = threading.Thread(target=self._add, name="sandbox-pool", daemon=True)
                self._starting.add(thread)
                thread.start()

    def _add(self) -> None:
        box = None
        # Nobody waits for this one: whoever needs one next is told what is amiss.
        with contextlib.suppress(Exception):
            box = self._start()
        with self._lock:
            self._starting.discard(threading.current_thread())
            if box and not self._closed:
                self._ready.append(box)
                box = None
        if box:
            box.kill()

    def close(self) -> None:
        """End all that wait, and those that are being started."""
        with self._lock:
            self._closed = True
            boxes, self._ready = list(self._ready), deque()
            starting = list(self._starting)
        for thread in starting:
            thread.join()
        for box in boxes:
            box.kill()
