"""Calls per second over live servers against a bare loop on the same servers.

Eight conversations at once, each with a server process of its own that the SDK serves. The bare
loop awaits the SDK session's `send_request` on sessions that are open already; ours goes through
`LiveSession.call`: the pool, the servers' thread, what is made stable, what is recorded. Prints
both rates and their ratio, measured in one run: PYTHONPATH=. python benchmarks/bench_live.py
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Sequence

from tdscaling.live import _loop
from tdscaling.live._pool import started
from tdscaling.live._server import Server
from tdscaling.live.session import LiveSession
from tests.live_parts import SERVERS, notes, notes_domain

CONVERSATIONS = 8
CALLS = 100
ROUNDS = 5
TARGET = 0.7


async def bare(servers: Sequence[Server]) -> float:
    async def converse(server: Server) -> None:
        for _ in range(CALLS):
            await server.call("list_notes", {})

    begin = time.perf_counter()
    await asyncio.gather(*map(converse, servers))
    return CONVERSATIONS * CALLS / (time.perf_counter() - begin)


async def ours(sessions: Sequence[LiveSession]) -> float:
    async def converse(session: LiveSession) -> None:
        for _ in range(CALLS):
            await session.call("list_notes", {})

    begin = time.perf_counter()
    await asyncio.gather(*map(converse, sessions))
    return CONVERSATIONS * CALLS / (time.perf_counter() - begin)


def main() -> int:
    args = [str(SERVERS / "notes.py"), "--sdk"]
    launch, domain = notes(0, args=args), notes_domain(CONVERSATIONS, args=args)

    async def open_all() -> list[Server]:
        return [await started(launch) for _ in range(CONVERSATIONS)]

    servers = _loop.wait(open_all())
    sessions = [domain.open("1") for _ in range(CONVERSATIONS)]
    for server in servers:
        for title in ("Buy milk", "Write home", "Feed the cat", "Pay rent"):
            _loop.wait(server.call("create_note", {"title": title}))
    for session in sessions:
        session.execute("list_notes", {})
    ratios = []
    for _ in range(ROUNDS):
        plain, made = _loop.wait(bare(servers)), asyncio.run(ours(sessions))
        ratios.append(made / plain)
        print(f"bare {plain:.0f} calls/s, ours {made:.0f} calls/s, ratio {made / plain:.2f}")
    _loop.shut_down()
    middle = statistics.median(ratios)
    print(f"median ratio {middle:.2f}, wanted {TARGET}")
    return int(middle < TARGET)


if __name__ == "__main__":
    sys.exit(main())
