"""Command `synthesize`: the story of a run.

    tools -> clusters -> [ steer -> draw -> blueprint -> dry-run -> converse -> verify -> measure ]*
          -> export -> report

Enters: the parts that the config names. Leaves: a run directory. Rounds of draws are steered by
outcomes of rounds <= r-2, outcomes are committed strictly in the order of their index: so the data
depends on config and seed alone, and a killed run goes on where its ledger ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from tdscaling.attempt import Attempt, Graph
from tdscaling.blueprints import Blueprints
from tdscaling.clusters import Clusters
from tdscaling.environments import Environments
from tdscaling.errors import RunDirectoryError
from tdscaling.evolution import Evolution
from tdscaling.execution import Execution
from tdscaling.export import Export
from tdscaling.metrics import Metrics
from tdscaling.progress import Display
from tdscaling.report import write_report
from tdscaling.roles import Judge, Role
from tdscaling.rounds import Budget, Rounds
from tdscaling.schema import Cluster
from tdscaling.store import FILE, Store
from tdscaling.summary import print_summary
from tdscaling.tools import Tools
from tdscaling.verification import Verification

INTERRUPTED = 130


def synthesize(
    *,
    seed: int,
    concurrency: int,
    round_size: int,
    budget: dict[str, int | None],
    tools: Tools,
    clusters: Clusters,
    blueprints: Blueprints,
    roles: dict[str, Any],
    environments: Environments,
    graphs: Graph,
    verification: Verification,
    metrics: Metrics,
    evolution: Evolution,
    execution: Execution,
    export: Export,
    llm: object,
    report: dict[str, int],
    run_dir: str,
) -> int:
    """Make a dataset.

    Args:
        seed: of all random streams.
        concurrency: conversations side by side, at least 1; does not change the data.
        round_size: draws per round, at least 1.
        budget: ends of the run, see `Budget`.
        tools: where tools come from.
        clusters: groups them.
        blueprints: makes contracts.
        roles: `user`, `assistant` and `judge`.
        environments: execute calls.
        graphs: plays conversations.
        verification: decides.
        metrics: measures.
        evolution: steers.
        execution: where attempts run.
        export: writes the dataset.
        llm: the endpoint that roles refer to; they hold their own.
        report: `trajectories`: how many the report embeds.
        run_dir: the run directory.

    Returns:
        0, or 130 where the run was interrupted.

    Raises:
        TdscalingError: for what a user can mend.
    """
    console, directory = Console(), Path(run_dir)
    limits = Budget.of(budget)
    domains = tools.load()
    found = clusters.build(domains)
    user, assistant, judge = _cast(roles)
    attempt = Attempt(
        domains=domains,
        clusters=found,
        blueprints=blueprints,
        user=user,
        assistant=assistant,
        judge=judge,
        environments=environments,
        graph=graphs,
        verification=verification,
        metrics=metrics,
    )
    with _ledger(directory) as store:
        _settle_clusters(store, found)
        rounds = Rounds(
            store, metrics, evolution, blueprints.menu(found), seed, round_size, limits
        )
        with Display(console, limits.trajectories, store.accepted) as display:
            interrupted = asyncio.run(
                _work(rounds, attempt, execution, execution.slots(concurrency), display)
            )
        files = export.write(store, directory)
        page = write_report(directory, trajectories=report["trajectories"], store=store)
        print_summary(console, store, metrics.figures(), [*files, page], rounds.why)
    if interrupted:
        console.print("Interrupted; finished work is kept. To go on, run the same command with")
        console.print(f"  hydra.run.dir={directory}", soft_wrap=True, highlight=False)
        return INTERRUPTED
    return 0


async def _work(
    rounds: Rounds, attempt: Attempt, execution: Execution, slots: int, display: Display
) -> bool:
    """Run attempts until the budget is spent; True where the user interrupted."""
    stopping = asyncio.Event()
    with _draining(stopping):
        async with execution.start(attempt) as submit:
            running: set[asyncio.Future[Any]] = set()
            try:
                while not rounds.done:
                    for draw in rounds.draws(slots - len(running), stopping.is_set()):
                        running.add(asyncio.ensure_future(submit(draw)))
                    if not running:
                        break
                    done, running = await asyncio.wait(
                        running, return_when=asyncio.FIRST_COMPLETED
                    )
                    rounds.take(task.result() for task in done)
                    display.update(*rounds.state())
            finally:
                rounds.flush()
                for task in running:
                    task.cancel()
                await asyncio.gather(*running, return_exceptions=True)
    return stopping.is_set() and not rounds.done


@contextlib.contextmanager
def _draining(stopping: asyncio.Event) -> Iterator[None]:
    """The first Ctrl-C lets the conversations in flight finish, the second cancels them."""
    loop = asyncio.get_running_loop()
    main = asyncio.current_task()

    def interrupt() -> None:
        if stopping.is_set() and main is not None:
            main.cancel()
        stopping.set()

    loop.add_signal_handler(signal.SIGINT, interrupt)
    try:
        yield
    except asyncio.CancelledError:
        if not stopping.is_set():
            raise
    finally:
        loop.remove_signal_handler(signal.SIGINT)


@contextlib.contextmanager
def _ledger(directory: Path) -> Iterator[Store]:
    config = yaml.safe_load((directory / ".hydra" / "config.yaml").read_text(encoding="utf-8"))
    store = Store.open(directory / FILE, config)
    try:
        yield store
    finally:
        store.close()


def _settle_clusters(store: Store, clusters: tuple[Cluster, ...]) -> None:
    """A run is continued with the very tools that it began with."""
    before = {row["id"] for row in store.query("SELECT id FROM clusters")}
    now = {cluster.id for cluster in clusters}
    if before and before != now:
        gone = ", ".join(sorted(before - now)[:3]) or "none"
        new = ", ".join(sorted(now - before)[:3]) or "none"
        raise RunDirectoryError(
            f"{store.path}: the tools have changed since this run began (gone: {gone}; new: {new}). "
            "Restore the domain files to go on, or start a new run: hydra.run.dir=outputs/ANOTHER"
        )
    if not before:
        store.put_clusters(clusters)


def _cast(roles: dict[str, Any]) -> tuple[Role, Role, Judge]:
    return roles["user"], roles["assistant"], roles["judge"]
