"""Cost per trajectory and memory as a run grows.

Claim checked: the last thousand trajectories of a run cost what the first thousand cost (after a
warm-up of 500), and memory stays flat but for what identifies each trajectory. CPU time of the
loop and of the attempts is told apart: only the loop (steering, ledger, metrics) could grow.

    python benchmarks/bench_scale.py [--trajectories 50000]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from pathlib import Path

from tdscaling.budget import Budget
from tdscaling.coding.mix import NO_MIX
from tdscaling.rounds import Rounds
from tdscaling.schema import Outcome
from tdscaling.store import FILE, Store
from tests.parts import attempt_of, parts

WARM = 500
WINDOW = 1000


def megabytes() -> float:
    """Resident memory of this process now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def grow(trajectories: int, folder: Path) -> list[tuple[int, float, float, float]]:
    """Per window: accepted, ms CPU per attempt in the attempts and in the loop, memory."""
    built = parts(folder, "execution=processes")
    attempt = attempt_of(built)
    store = Store.open(folder / FILE, {})
    limits = Budget.of({**built["budget"], "trajectories": trajectories})
    menu = built["blueprints"].menu(built["clusters"].build(built["tools"].load()))
    rounds = Rounds(store, built["metrics"], built["evolution"], menu, 1, 32, limits, NO_MIX, 2)
    slots, rows, goal = built["execution"].slots(1), [], WARM
    played, counted, loop = 0.0, 0, time.process_time()
    async with built["execution"].start(attempt, 1) as submit:
        running: set[asyncio.Future[Outcome]] = set()
        while not rounds.done:
            for draw in rounds.draws(slots - len(running), False):
                running.add(asyncio.ensure_future(submit(draw)))
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            outcomes = [task.result() for task in done]
            played += sum(sum(outcome.seconds.values()) for outcome in outcomes)
            counted += len(outcomes)
            rounds.take(outcomes)
            if store.accepted >= goal:
                now = time.process_time()
                each = 1000 / counted
                rows.append((store.accepted, played * each, (now - loop) * each, megabytes()))
                played, counted, loop, goal = 0.0, 0, now, store.accepted + WINDOW
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    begun = time.process_time()
    again = Rounds(store, built["metrics"], built["evolution"], menu, 1, 32, limits, NO_MIX, 2)
    taken_up = time.process_time() - begun
    print(f"taking up the finished run: {taken_up:.1f} s CPU, done: {again.done}")
    store.close()
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trajectories", type=int, default=3000)
    count = parser.parse_args().trajectories
    print(f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        rows = asyncio.run(grow(count, Path(folder)))
    print(f"{'accepted':>9} {'attempt ms':>11} {'loop ms':>8} {'MB':>6}   CPU per attempt")
    step = max(1, len(rows) // 10)
    for accepted, played, loop, memory in [*rows[:-1:step], rows[-1]]:
        print(f"{accepted:9} {played:11.2f} {loop:8.2f} {memory:6.0f}")
    first, last = rows[1], rows[-1]  # the first is the warm-up
    print(
        f"last / first thousand: attempts {last[1] / first[1]:.2f}, loop {last[2] / first[2]:.2f}"
    )
    bytes_each = 1e6 * (last[3] - first[3]) / max(1, last[0] - first[0])
    print(f"memory: {last[3] / first[3]:.2f}, {bytes_each:.0f} bytes per further trajectory")


if __name__ == "__main__":
    main()
