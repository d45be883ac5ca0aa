"""Servers that are started before somebody asks for them.

Enters: entries. Leaves: servers in their initial state, each for one conversation; one that keeps
no state serves many. Starting takes seconds and a conversation takes less, so the next servers
start while the present ones work. One that has failed is closed, and another takes its place.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from tdscaling.live import _loop, _setup
from tdscaling.live._server import Server
from tdscaling.live.entry import Entry
from tdscaling.schema import digest


@dataclass(frozen=True, slots=True)
class Launch:
    """What a process needs to start servers of one kind; pickles."""

    entry: Entry
    command: tuple[str, ...]
    """Program and arguments as found on this machine; empty for an address."""
    ahead: int
    """Servers that are kept ready."""

    @property
    def key(self) -> str:
        """Names the kind."""
        return digest([self.entry.model_dump(mode="json", by_alias=True), self.command, self.ahead])


async def started(launch: Launch) -> Server:
    """A server of one's own.

    Raises:
        EnvironmentFailure: if it cannot be started.
    """
    server = Server(launch.entry, launch.command)
    try:
        await asyncio.to_thread(_setup.put, server, launch.entry.prepare, "")
        await server.start()
    except BaseException:
        await server.close()
        raise
    return server


class Pool:
    """Ready servers of one kind; lives on the servers' loop."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._ready: deque[asyncio.Task[Server]] = deque()
        self._closing: set[asyncio.Task[None]] = set()

    async def take(self) -> Server:
        """A server that nobody else uses.

        Raises:
            EnvironmentFailure: if it cannot be started.
        """
        while self._ready:
            task = self._ready.popleft()
            self._fill()
            try:
                server = await task
            except asyncio.CancelledError:
                task.cancel()
                raise
            if server.is_usable:
                return server
            self._close(server)
        self._fill(1)
        return await self._ready.popleft()

    def give_back(self, server: Server) -> None:
        """Take a server back: to be used again where that is harmless, else to be closed."""
        if self._launch.entry.reusable and server.is_usable:
            self._ready.appendleft(asyncio.ensure_future(_itself(server)))
        else:
            self._close(server)

    async def close(self) -> None:
        """Close all that is ready, being started or being closed."""
        for task in self._ready:
            task.cancel()
        for server in await asyncio.gather(*self._ready, return_exceptions=True):
            if isinstance(server, Server):
                self._close(server)
        self._ready.clear()
        while self._closing:
            await asyncio.gather(*self._closing, return_exceptions=True)

    def _fill(self, least: int = 0) -> None:
        wanted = 0 if self._launch.entry.reusable else self._launch.ahead
        while len(self._ready) < wanted + least:
            task = asyncio.ensure_future(started(self._launch))
            task.add_done_callback(_heard)
            self._ready.append(task)

    def _close(self, server: Server) -> None:
        task = asyncio.ensure_future(server.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


_pools: dict[str, Pool] = {}


async def pool(launch: Launch) -> Pool:
    """The pool of this process for one kind of server; call it on the servers' loop."""
    key = launch.key
    if key not in _pools:
        made = _pools[key] = Pool(launch)

        async def close() -> None:
            del _pools[key]
            await made.close()

        _loop.at_close(close)
    return _pools[key]


async def _itself(server: Server) -> Server:
    return server


def _heard(task: asyncio.Task[Server]) -> None:
    """A start that fails before anybody waits for it is told to whoever takes it."""
    if not task.cancelled():
        task.exception()
