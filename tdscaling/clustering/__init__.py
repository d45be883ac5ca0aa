"""The command `clusters`: which business clusters tools make, and why.

Enters: the stages that load tools and group them. Leaves: tables on the terminal, pictures in
files. The package has another name than the command because the stage has that one.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tdscaling.catalog import Catalog, Skipped
from tdscaling.clustering._draw import check_writable, plain, write
from tdscaling.clustering._edges import asked, edges_of, explained, near
from tdscaling.clusters import Clusters
from tdscaling.dataflow import confirm as confirmed
from tdscaling.dataflow import duplicates
from tdscaling.dataflow import judge as judged
from tdscaling.errors import AttemptError, ConfigError, EndpointError
from tdscaling.llm import Endpoint, endpoint_of
from tdscaling.schema import Cluster, Edge
from tdscaling.tools import Tools

_PLAIN_WIDTH = 160
"""Columns where the output is no terminal: wide enough that no figure is cut."""
_REASONS = 12
"""Reasons for skipped entries that are listed."""


def clusters(
    *,
    tools: Tools,
    clusters: Clusters,
    llm: object,
    show: str | None,
    why: str | None,
    out: str | None,
    judge: str | None,
    confirm: bool,
    worlds: int,
    rows: int,
    similarity: float,
    seed: int,
) -> int:
    """List clusters, show one, explain an edge, or ask a model; returns the exit code.

    Args:
        tools: where tools come from.
        clusters: groups them.
        llm: model that is asked.
        show: id of a cluster, or its beginning; the list is left out then.
        why: producer and consumer whose edges are explained; the list is left out then.
        out: file for a picture or data of what is listed or shown.
        judge: service whose uncertain edges the model is asked about; the list is left out then.
        confirm: whether edges are executed where a domain can.
        worlds: initial states in which each edge is tried.
        rows: clusters that are listed or drawn.
        similarity: from which a tool counts as another's duplicate.
        seed: of the worlds.

    Raises:
        ConfigError, DomainError, ToolsError: if a name is unknown, or there are no clusters.
    """
    _check(worlds >= 1, "worlds", "at least 1", worlds)
    _check(rows >= 1, "rows", "at least 1", rows)
    _check(0 < similarity <= 1, "similarity", "above 0, at most 1", similarity)
    if out is not None:
        check_writable(Path(out))
    console = _console()
    catalog = tools.load()
    if judge is not None:
        return _judge(console, catalog, judge, endpoint_of(llm, "dataflow"))
    trial = _Trial(worlds if confirm else 0, str(seed))
    if why is not None:
        _why(console, catalog, why, trial)
        return 0
    found = clusters.build(catalog)
    found = found if show is None else (_chosen(found, show),)
    listed = [trial.cluster(catalog, cluster) for cluster in found[:rows]]
    if show is not None:
        _show(console, listed[0])
    else:
        console.print(_list(listed, len(found)))
        totals = _totals(catalog, found, listed, similarity, confirm)
        _say(console, [*totals, *_without(clusters.left_out(catalog, found))])
    if out is not None:
        write(Path(out), listed if Path(out).suffix != ".jsonl" else [*listed, *found[rows:]])
        console.print(f"written to {out}", markup=False, soft_wrap=True)
    return 0


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=_PLAIN_WIDTH)


@dataclass(frozen=True, slots=True)
class _Trial:
    """Executes edges where a domain can."""

    worlds: int
    """Initial states in which each is tried; 0 to execute none."""
    seed: str

    def edges(self, catalog: Catalog, name: str, edges: Sequence[Edge]) -> tuple[Edge, ...]:
        """The edges of a service, confirmed ones marked."""
        domain = catalog.domains.get(name)
        if not self.worlds or domain is None:
            return tuple(edges)
        return confirmed(domain, edges, seed=self.seed, worlds=self.worlds)

    def cluster(self, catalog: Catalog, cluster: Cluster) -> Cluster:
        """The cluster, confirmed edges marked."""
        return replace(cluster, edges=self.edges(catalog, cluster.domain, cluster.edges))


def _why(console: Console, catalog: Catalog, why: str, trial: _Trial) -> None:
    service, producer, consumer = asked(catalog, why)
    edges = edges_of(catalog, service.name)
    pair = [e for e in edges if (e.producer, e.consumer) == (producer, consumer)]
    shown = trial.edges(catalog, service.name, pair)
    rest = [e for e in edges if e not in pair]
    _say(console, explained([*shown, *rest], service, producer, consumer))


def _chosen(found: Sequence[Cluster], show: str) -> Cluster:
    fitting = [cluster for cluster in found if cluster.id == show]
    fitting = fitting or [cluster for cluster in found if cluster.id.startswith(show)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        ids = ", ".join(cluster.id for cluster in fitting[:8])
        raise ConfigError(f"show={show}: {len(fitting)} clusters begin so: {ids}; type more of it")
    hint = near(show, {cluster.id for cluster in found}).removesuffix("?")
    raise ConfigError(f"show={show}: there is no such cluster{hint}. Leave show= out for a list")


def _list(listed: Sequence[Cluster], total: int) -> Table:
    more = f", the first {len(listed)}" if len(listed) < total else ""
    table = Table(title=f"{total} clusters{more}")
    for column in ("id", "category"):
        table.add_column(column, overflow="fold")
    for column in ("tools", "writes", "edges", "confirmed"):
        table.add_column(column, justify="right")
    table.add_column("services", overflow="fold")
    for cluster in listed:
        numbers = (
            len(cluster.tools),
            sum(tool.writes for tool in cluster.tools),
            len(cluster.edges),
            sum(edge.confirmed for edge in cluster.edges),
        )
        cells = (cluster.id, cluster.category, *map(str, numbers), ", ".join(cluster.services))
        table.add_row(*map(_text, cells))
    return table


def _totals(
    catalog: Catalog,
    found: Sequence[Cluster],
    listed: Sequence[Cluster],
    similarity: float,
    confirm: bool,
) -> Iterator[str]:
    services = catalog.services.values()
    count = sum(len(service.tools) for service in services)
    same = duplicates(services, similarity)
    covered = {(tool.domain, tool.name) for cluster in found for tool in cluster.tools}
    yield f"services: {len(services)}"
    yield f"tools: {count}, {len(same)} of them duplicates of another service's"
    yield f"clusters: {len(found)}, over {len(covered)} tools"
    composed = sum(len(cluster.services) > 1 for cluster in found)
    if composed:
        yield f"compositions: {composed} of the clusters"
    edges = {
        (c.domain if c.domain in catalog.domains else c.services, e.producer, e.consumer, e.slot)
        for c in found
        for e in c.edges
    }
    yield f"edges: {len(edges)}"
    if confirm:
        able = [c for c in listed if c.domain in catalog.domains]
        shown = sum(edge.confirmed for c in able for edge in c.edges)
        yield f"confirmed by execution: {shown} of {sum(len(c.edges) for c in able)} edges"
    yield f"skipped: {len(catalog.skipped)}"
    reasons = Counter(re.sub(r"'[^']*'|\d+", "...", skip.why)[:100] for skip in catalog.skipped)
    for reason, times in sorted(reasons.items(), key=lambda item: (-item[1], item[0]))[:_REASONS]:
        yield f"  {times} x {reason}"


def _without(services: Sequence[Skipped]) -> Iterator[str]:
    """Services without a cluster, the first of them by name."""
    yield f"services without a cluster: {len(services)}"
    for service in services[:_REASONS]:
        yield f"  {service.where}: {service.why}"
    if len(services) > _REASONS:
        yield f"  and {len(services) - _REASONS} more"


def _show(console: Console, cluster: Cluster) -> None:
    _say(
        console,
        [
            f"{cluster.id} ({cluster.category}), from {', '.join(cluster.services)}",
            f"can cross with: {', '.join(cluster.partners) or 'none'}",
        ],
    )
    table = Table(title=f"{len(cluster.tools)} tools")
    for column in ("tool", "writes", "description"):
        table.add_column(column, overflow="fold")
    for tool in cluster.tools:
        said = plain(tool.description)[:120]
        table.add_row(*map(_text, (tool.name, "yes" if tool.writes else "", said)))
    console.print(table)
    flows = Table(title=f"{len(cluster.edges)} data-flow edges")
    for column in ("producer", "field", "consumer", "parameter", "kind", "score", "confirmed"):
        flows.add_column(column, overflow="fold")
    for edge in sorted(cluster.edges, key=lambda e: (-e.score, e.consumer, e.slot, e.producer)):
        words = (edge.producer, edge.column, edge.consumer, edge.slot, edge.kind)
        flows.add_row(*map(_text, (*words, f"{edge.score:.2f}", "yes" if edge.confirmed else "")))
    console.print(flows)


def _judge(console: Console, catalog: Catalog, name: str, model: Endpoint) -> int:
    if name not in catalog.services:
        hint = near(name, set(catalog.services))
        raise ConfigError(f"judge={name}: there is no such service{hint}")
    before = edges_of(catalog, name)
    try:
        found = asyncio.run(judged(catalog.services[name], before, model))
    except AttemptError as error:
        raise EndpointError(f"judge={name}: {error}") from error
    changed = [edge for edge in found.edges if edge not in before]
    tokens = sum(call.prompt_tokens + call.completion_tokens for call in found.calls)
    yes = f"{len(before)} edges, {len(changed)} judged or proposed with {tokens} tokens"
    _say(console, [f"{name}: {yes}; none is confirmed before it is executed"])
    for edge in changed:
        head = f"{edge.producer} -> {edge.consumer}: {edge.column} -> {edge.slot}"
        _say(console, [f"{head}, score {edge.score:.2f}: {edge.reasons[-1]}"])
    return 0


def _say(console: Console, lines: Sequence[str] | Iterator[str]) -> None:
    for line in lines:
        console.print(_text(line), soft_wrap=True)


def _text(text: str) -> Text:
    """Text of strangers: no markup of theirs, no control characters."""
    return Text(plain(text))


def _check(fits: bool, name: str, expected: str, got: object) -> None:
    if not fits:
        raise ConfigError(f"{name}: expected {expected}, got {got}")
