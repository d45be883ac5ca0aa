"""Speed of scripted synthesis, and where its CPU time goes.

Claims checked: verification and storage cost no more than the conversation; LangGraph's share of a
conversation; two worker processes beat one process. Ratios are of one run on one machine; CPU time
is used where it can be, because machines are shared.

    python benchmarks/bench_synthesis.py [trajectories]
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tdscaling.attempt import Attempt
from tdscaling.coding.mix import NO_MIX
from tdscaling.graphs import conversation
from tdscaling.rounds import Budget, Rounds
from tdscaling.schema import Draw, Outcome
from tdscaling.store import FILE, Store
from tests.parts import attempt_of, parts


class BareLoop:
    """Plays with the nodes and routes of the graph, in a plain loop instead of LangGraph."""

    def __init__(self, graph: Any) -> None:
        self._limits = graph._limits

    async def play(  # noqa: D102 the contract is `tdscaling.attempt.Graph`
        self, scene: Any, *, user: Any, assistant: Any, judge: Any, **more: Any
    ) -> Any:
        cast = conversation.Cast(scene, user, assistant, judge, **more, limits=self._limits)
        conversation._cast = lambda: cast
        state: Any = {
            "messages": [{"role": "system", "content": scene.system}],
            "provenance": [],
            "llm_calls": [],
        }
        node = "user"
        while True:
            for key, value in (await getattr(conversation, node)(state)).items():
                state[key] = state[key] + value if isinstance(value, list) else value
            if node == "judge":
                return conversation._transcript(state), state["verdict"]
            node = await getattr(conversation, f"route_{node}")(state)


def cpu() -> float:
    """CPU seconds of this process and of those that it has waited for."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    waited = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + waited.ru_utime + waited.ru_stime


def rounds_of(built: dict[str, Any], store: Store, trajectories: int) -> Rounds:
    found = built["clusters"].build(built["tools"].load())
    limits = Budget.of({**built["budget"], "trajectories": trajectories})
    menu = built["blueprints"].menu(found)
    return Rounds(
        store,
        built["metrics"],
        built["evolution"],
        menu,
        built["seed"],
        built["round_size"],
        limits,
        NO_MIX,
        built["lag"],
    )


async def steady(
    built: dict[str, Any], attempt: Attempt, trajectories: int, folder: Path
) -> tuple[list[Draw], dict[str, float]]:
    """A run whose first half warms up; seconds are those of the second half."""
    store = Store.open(folder / FILE, {})
    rounds = rounds_of(built, store, 2 * trajectories)
    execution = built["execution"]
    draws: list[Draw] = []
    storing = 0.0
    spent: dict[str, float] = {}
    async with execution.start(attempt, 1) as submit:
        begun = time.perf_counter()
        running: set[asyncio.Future[Outcome]] = set()
        while not rounds.done:
            for draw in rounds.draws(execution.slots(1) - len(running), False):
                draws.append(draw)
                running.add(asyncio.ensure_future(submit(draw)))
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            before = time.thread_time()
            rounds.take(task.result() for task in done)
            storing += time.thread_time() - before
            if "warm" not in spent and rounds.state()[0] >= trajectories:
                spent["warm"] = time.perf_counter() - begun
                first, storing, begun = rounds.state(), 0.0, time.perf_counter()
        accepted, attempted, _ = rounds.state()
        spent["wall"] = time.perf_counter() - begun
        spent["accepted"], spent["attempted"] = accepted - first[0], attempted - first[1]
        spent["storage"] = storing
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    rows = store.query(
        "SELECT unnest(map_entries(seconds::JSON::MAP(VARCHAR, DOUBLE)), recursive := true) "
        f"FROM trajectories WHERE idx >= {first[1]}"
    )
    for row in rows:
        spent[row["key"]] = spent.get(row["key"], 0.0) + row["value"]
    store.close()
    return draws, spent


async def play_again(attempt: Attempt, draws: Sequence[Draw]) -> float:
    """CPU seconds per conversation."""
    spent = 0.0
    for draw in draws:
        spent += (await attempt.run(draw)).seconds.get("converse", 0.0)
    return spent / len(draws)


def print_stages(name: str, spent: dict[str, float]) -> None:
    stages = ("blueprint", "converse", "verify", "measure", "storage")
    total = sum(spent[stage] for stage in stages)
    rate = spent["accepted"] / spent["wall"]
    print(f"\n{name}: {rate:.1f} accepted/s after a warm-up of {spent['warm']:.1f} s")
    print(f"  {spent['accepted'] / total:.1f} accepted per CPU second")
    for stage in stages:
        each = 1000 * spent[stage] / spent["attempted"]
        print(f"  {stage:10} {each:7.2f} ms CPU per attempt {spent[stage] / total:6.0%}")
    ratio = (spent["verify"] + spent["storage"]) / spent["converse"]
    print(f"  (verify + storage) / converse = {ratio:.2f}")


def main() -> None:
    trajectories = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    cores = len(os.sched_getaffinity(0))
    print(f"{cores} cores, load {os.getloadavg()[0]:.1f}, {trajectories} trajectories each")
    rates = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in ("inline", "processes"):
            directory = Path(folder) / name
            built = parts(directory, f"execution={name}")
            attempt = attempt_of(built)
            draws, spent = asyncio.run(steady(built, attempt, trajectories, directory))
            print_stages(name, spent)
            rates[name] = spent["accepted"] / spent["wall"]
            if name == "inline":
                some = draws[-200:]
                graph = asyncio.run(play_again(attempt, some))
                attempt._graph = BareLoop(attempt._graph)
                bare = asyncio.run(play_again(attempt, some))
                print(f"\nLangGraph  {1000 * graph:.2f} ms CPU per conversation")
                print(f"bare loop  {1000 * bare:.2f} ms, so LangGraph takes {1 - bare / graph:.0%}")
    print(f"\nprocesses / inline = {rates['processes'] / rates['inline']:.2f}")


if __name__ == "__main__":
    main()
