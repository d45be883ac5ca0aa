"""Command `synthesize`: the story of a run.

    tools -> clusters -> [ steer -> draw -> blueprint -> dry-run -> converse -> verify -> measure ]*
          -> export -> report

Enters: the parts that the config names. Leaves: a run directory. Rounds of draws are steered by
outcomes of rounds <= r - lag, outcomes are committed strictly in the order of their index: so the
data depends on config and seed alone, and a killed run goes on where its ledger ends.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import yaml
from rich.console import Console

from tdscaling.attempt import Attempt, Graph
from tdscaling.blueprints import Blueprints
from tdscaling.budget import Budget, BudgetOptions
from tdscaling.catalog import Catalog
from tdscaling.clusters import Clusters
from tdscaling.coding.mix import Mix
from tdscaling.coding.parts import Coding, CodingOptions, coding_parts
from tdscaling.environments import Environments
from tdscaling.errors import ConfigError, RunDirectoryError, TdscalingError
from tdscaling.evolution import Evolution
from tdscaling.execution import Execution
from tdscaling.export import Export
from tdscaling.metrics import Metrics
from tdscaling.progress import Display
from tdscaling.report import write_report
from tdscaling.roles import Roles
from tdscaling.rounds import Rounds
from tdscaling.run_config import RAN_IN, replayed
from tdscaling.sandbox import Sandbox
from tdscaling.schema import Cluster
from tdscaling.spending.account import Account, close_all
from tdscaling.store import FILE, Store
from tdscaling.summary import (
    print_continuation,
    print_idle_model,
    print_skipped,
    print_summary,
    print_unclustered,
)
from tdscaling.tools import Tools
from tdscaling.verification import Verification
from tdscaling.work import work

CONFIG = Path(".hydra", "config.yaml")
"""Of a run, in its directory, as Hydra writes it."""


def synthesize(
    *,
    seed: int,
    concurrency: int,
    round_size: int,
    lag: int,
    budget: BudgetOptions,
    reply_cache: str | None,
    tools: Tools,
    clusters: Clusters,
    blueprints: Blueprints,
    roles: Roles,
    environments: Environments,
    graphs: Graph,
    verification: Verification,
    metrics: Metrics,
    evolution: Evolution,
    execution: Execution,
    export: Export,
    llm: object,
    sandbox: Sandbox,
    coding: CodingOptions,
    report: dict[str, int],
    run_dir: str,
) -> int:
    """Make a dataset out of the parts that `conf/synthesize.yaml` explains; returns 0.

    Raises:
        TdscalingError: for what a user can mend.
        KeyboardInterrupt: the user ended the run; the dataset so far is written.
    """
    console, directory, limits = Console(), Path(run_dir), Budget.of(budget)
    _check(concurrency, round_size, lag, report, limits, directory)
    print_idle_model(console, directory / CONFIG)
    catalog, found = _loaded(console, tools, clusters, verification)
    code = _coding(console, sandbox, coding)
    attempt = Attempt(
        domains=code.joined(environments.prepare(catalog, found)),
        clusters=(*found, *code.clusters),
        blueprints=blueprints,
        **roles,
        environments=environments,
        graph=graphs,
        verification=verification,
        metrics=metrics,
        account=limits.account(directory, reply_cache),
    )
    ledger = _opened_ledger(directory, catalog, found, code, attempt.account)
    with contextlib.closing(sandbox), _ledger(console, directory, ledger) as store:
        menu, mix = blueprints.menu(found), Mix(code.share, code.clusters, seed)
        rounds = Rounds(store, metrics, evolution, menu, seed, round_size, limits, mix, lag)
        with Display(console, limits.trajectories, store.accepted, attempt.account) as display:
            interrupted = asyncio.run(work(rounds, attempt, execution, concurrency, display))
        if store.accepted:
            files = list(export.write(store, directory))
            files.append(write_report(directory, store=store, **report))
            print_summary(console, store, metrics.figures(), files, rounds.why)
        _tell_what_ended_it(console, directory, rounds, store.accepted, interrupted)
    return 0


def _loaded(
    console: Console, tools: Tools, clusters: Clusters, verification: Verification
) -> tuple[Catalog, tuple[Cluster, ...]]:
    """The tools and their clusters; a service without any counts as skipped, and is told."""
    catalog = tools.load()
    print_skipped(console, catalog.skipped)
    required = verification.require
    if required and all(d.provenance != required for d in catalog.domains.values()):
        raise ConfigError(
            f"verification.require={required}: no tool of this run is {required}: what is known by "
            "its schema alone is simulated. Add a live server (tools=mcp) or leave the word out"
        )
    found = clusters.build(catalog)
    without = clusters.left_out(catalog, found)
    print_unclustered(console, without, len(catalog.services))
    return replace(catalog, skipped=(*catalog.skipped, *without)), found


def _tell_what_ended_it(
    console: Console, directory: Path, rounds: Rounds, accepted: int, interrupted: bool
) -> None:
    if failure := rounds.failure():
        raise TdscalingError(failure)
    if rounds.done and not accepted:
        why = "; ".join(filter(None, (rounds.why, rounds.refusals())))
        raise TdscalingError(f"nothing was accepted before the run ended: {why}")
    if interrupted:
        raise KeyboardInterrupt
    if rounds.raisable:
        print_continuation(console, directory)


def _coding(console: Console, sandbox: Sandbox, knobs: CodingOptions) -> Coding:
    """The coding tasks of the run; one line says why there are none."""
    code = coding_parts(sandbox, **knobs)
    if code.off:
        console.print(
            f"coding tasks are left out: {code.off}", soft_wrap=True, markup=False, highlight=False
        )
    return code


def _check(
    concurrency: int,
    round_size: int,
    lag: int,
    report: dict[str, int],
    limits: Budget,
    directory: Path,
) -> None:
    for name, value, least in (
        ("concurrency", concurrency, 1),
        ("round_size", round_size, 1),
        ("lag", lag, 2),
        ("report.trajectories", report["trajectories"], 0),
    ):
        if value < least:
            raise ConfigError(f"{name}: expected at least {least}, got {value}")
    limits.check_prices(directory / CONFIG)


@contextlib.contextmanager
def _told_how_to_go_on(
    console: Console, directory: Path, kind: type[BaseException]
) -> Iterator[None]:
    """Whatever ends a run early, its user reads what to type next."""
    try:
        yield
    except kind:
        print_continuation(console, directory)
        raise


@contextlib.contextmanager
def _ledger(
    console: Console, directory: Path, ledger: contextlib.AbstractContextManager[Store]
) -> Iterator[Store]:
    with (
        _told_how_to_go_on(console, directory, KeyboardInterrupt),
        ledger as store,
        # What refuses to open a run has nothing to go on with.
        _told_how_to_go_on(console, directory, TdscalingError),
    ):
        yield store


@contextlib.contextmanager
def _opened_ledger(
    directory: Path,
    catalog: Catalog,
    clusters: tuple[Cluster, ...],
    code: Coding,
    account: Account,
) -> Iterator[Store]:
    text = (directory / CONFIG).read_text(encoding="utf-8")
    config = replayed(yaml.safe_load(text))
    # What a snippet ran in decides what it printed, so it is part of what decides the data.
    ran_in = {RAN_IN: code.sandbox} if code.sandbox else {}
    store = Store.open(directory / FILE, config | ran_in)
    try:
        account.check(store.requests())
        _settle_clusters(store, (*clusters, *code.clusters))
        used = {name for cluster in clusters for name in cluster.services}
        services = [service for name, service in catalog.services.items() if name in used]
        store.put_sources(services, [(entry.where, entry.why) for entry in catalog.skipped])
        told = [domain.definition() for domain in catalog.domains.values()]
        store.put_definitions([definition for definition in told if definition is not None])
        yield store
    finally:
        close_all()
        store.close()


def _settle_clusters(store: Store, clusters: tuple[Cluster, ...]) -> None:
    """A run is continued with the very tools that it began with."""
    before = {row["id"] for row in store.query("SELECT id FROM clusters")}
    now = {cluster.id for cluster in clusters}
    if before and before != now:
        gone = ", ".join(sorted(before - now)[:3]) or "none"
        new = ", ".join(sorted(now - before)[:3]) or "none"
        raise RunDirectoryError(
            f"{store.path}: the tools have changed since this run began (gone: {gone}; new: {new})."
            " Restore the domain files to go on, or start a new run: hydra.run.dir=outputs/ANOTHER"
        )
    if not before:
        store.put_clusters(clusters)
