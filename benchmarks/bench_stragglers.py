"""One slow conversation among many quick ones.

Claim checked: a straggler delays nobody as long as its time fits into the two rounds that are under
way at once, `2 * round_size * seconds_per_conversation / concurrency`. The ratio is the throughput
with stragglers over that of the same work without, in one run; conversations are waits, so the
machine's speed does not matter.

    python benchmarks/bench_stragglers.py
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from tdscaling.coding.mix import NO_MIX
from tdscaling.evolution.none import UniformEvolution
from tdscaling.metrics.default import DiversityMetrics
from tdscaling.budget import Budget
from tdscaling.rounds import Rounds
from tdscaling.schema import Draw, Outcome
from tdscaling.store import FILE, Store
from tests.evolution.synthetic import menu, outcome

CONVERSATIONS = 600
CONCURRENCY = 16
SECONDS = 0.3
STRAGGLER_SECONDS = 10.0
STRAGGLERS = (40,)


async def converse(draw: Draw, stragglers: tuple[int, ...]) -> Outcome:
    """A conversation that waits as if for a model."""
    await asyncio.sleep(STRAGGLER_SECONDS if draw.index in stragglers else SECONDS)
    played = outcome(draw.index, draw.round, draw.request, 1)
    return replace(played, blueprint_id=f"b{draw.index}")


async def work(rounds: Rounds, stragglers: tuple[int, ...]) -> float:
    """Seconds for the whole run."""
    began = time.perf_counter()
    running: set[asyncio.Task[Outcome]] = set()
    while not rounds.done:
        for draw in rounds.draws(CONCURRENCY - len(running), False):
            running.add(asyncio.create_task(converse(draw, stragglers)))
        done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        rounds.take(task.result() for task in done)
    for task in running:
        task.cancel()
    return time.perf_counter() - began


def measure(round_size: int, stragglers: tuple[int, ...]) -> float:
    """Conversations per second."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(Path(folder) / FILE, {"seed": 1})
        metrics = DiversityMetrics(alpha=0.5, beta=0.5, gamma=1.0, bins=[1.5, 2.5])
        limits = Budget.of(
            {"trajectories": 10**6, "tokens": None, "attempts": CONVERSATIONS, "patience": 100}
        )
        rounds = Rounds(
            store, metrics, UniformEvolution(), menu(), 1, round_size, limits, NO_MIX, 2
        )
        seconds = asyncio.run(work(rounds, stragglers))
        store.close()
    return CONVERSATIONS / seconds


def main() -> None:
    """Print the table."""
    print(f"load {os.getloadavg()[0]:.1f}; {CONVERSATIONS} conversations of {SECONDS} s,")
    print(f"{CONCURRENCY} at a time, {len(STRAGGLERS)} straggler of {STRAGGLER_SECONDS} s")
    print(f"{'round_size':>10} {'window s':>9} {'without/s':>10} {'with/s':>8} {'ratio':>6}")
    for round_size in (32, 128, 320):
        without, with_ = measure(round_size, ()), measure(round_size, STRAGGLERS)
        window = 2 * round_size * SECONDS / CONCURRENCY
        rates = f"{without:>10.1f} {with_:>8.1f} {with_ / without:>6.2f}"
        print(f"{round_size:>10} {window:>9.1f} {rates}")


if __name__ == "__main__":
    main()
