"""Services of which no cluster came, and what would change that.

Enters: services with their data-flow edges, and the limits of a cluster. Leaves: per service the
reason, and settings that were tried and do find a cluster: no advice that cannot help.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import networkx as nx

from tdscaling.catalog import Catalog
from tdscaling.declared.domain import Domain
from tdscaling.schema import Cluster, Edge, Tool

TRIED = 100
"""Services in which other limits are tried."""
_PAIR = 2
"""Tools of the smallest cluster in which a value flows from one tool to another."""
_SCORES = (0.5, 0.4, 0.3)
"""Lower thresholds that are tried; no edge has a lower score."""
NOT_KEPT = "other services have the same tools, or clusters.count kept other clusters"
"""Why a service that has clusters is without one."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a cluster must have."""

    least: int
    most: int
    edges: int
    needs_write: bool
    threshold: float


@dataclass(frozen=True, slots=True)
class Tied:
    """A service as a graph of data-flow."""

    name: str
    tools: Mapping[str, Tool]
    edges: Sequence[Edge]
    executes: bool
    """Whether it executes its calls: `min_tools` alone counts then."""

    def parts(self, threshold: float) -> list[frozenset[str]]:
        """Tools that edges of a score tie, the largest group first."""
        graph: nx.Graph[str] = nx.Graph()
        graph.add_nodes_from(self.tools if self.executes else ())
        kept = (edge for edge in self.edges if edge.score >= threshold)
        graph.add_edges_from((edge.producer, edge.consumer) for edge in kept)
        return sorted(map(frozenset, nx.connected_components(graph)), key=lambda p: (-len(p), *p))

    def inside(self, part: Collection[str], threshold: float) -> int:
        """Edges within a group of tools."""
        ends = ((e.producer, e.consumer) for e in self.edges if e.score >= threshold)
        return sum(one in part and other in part for one, other in ends)

    def fits(self, limits: Limits) -> bool:
        """Whether a group of its tools makes a cluster."""
        return any(
            len(part) >= limits.least
            and (
                self.executes
                or (
                    self.inside(part, limits.threshold) >= limits.edges
                    and (self._writes(part) or not limits.needs_write)
                )
            )
            for part in self.parts(limits.threshold)
        )

    def reason(self, limits: Limits) -> str:
        """Why no cluster came of it."""
        count, parts = len(self.tools), self.parts(limits.threshold)
        if not parts:
            return f"no value is known to flow between its {_tools(count)}"
        if count < limits.least:
            return f"it has {_tools(count)}, a cluster needs clusters.min_tools={limits.least}"
        largest = len(parts[0])
        if largest < limits.least:
            return (
                f"data-flow ties {largest} of its {_tools(count)}, a cluster needs "
                f"clusters.min_tools={limits.least}"
            )
        most = max(self.inside(p, limits.threshold) for p in parts if len(p) >= limits.least)
        if most < limits.edges and not self.executes:
            edges = "edge ties" if most == 1 else "edges tie"
            return (
                f"{most} data-flow {edges} its tools, a cluster needs "
                f"clusters.min_edges={limits.edges}"
            )
        if not self.fits(limits):
            return "none of its tied tools changes anything (clusters.needs_write=true)"
        return NOT_KEPT

    def _writes(self, part: Iterable[str]) -> bool:
        return any(self.tools[name].writes for name in part)


def of_domain(domain: Domain) -> Tied:
    """A service that executes its calls."""
    tools = {tool.name: tool for tool in domain.as_tools()}
    return Tied(domain.name, tools, domain.edges, executes=True)


def unclustered(catalog: Catalog, clusters: Sequence[Cluster]) -> list[str]:
    """Services that are in no cluster and that none can be crossed with."""
    used = {name for cluster in clusters for name in (*cluster.services, *cluster.partners)}
    return sorted((catalog.services.keys() | catalog.domains.keys()) - used)


def advice(services: Sequence[Tied], limits: Limits) -> str:
    """Settings that find a cluster, those that change the least; or what else would help."""
    for tried in sorted(_lower(limits), key=lambda one: len(_changes(limits, one))):
        if any(service.fits(tried) for service in services[:TRIED]):
            return f"{' '.join(_changes(limits, tried))} finds one."
    return (
        "No lower value of clusters.min_tools, clusters.min_edges or clusters.threshold finds one: "
        "add tools of the same service that return what its others take (that list, search or "
        "create them), or choose other tools."
    )


def _lower(limits: Limits) -> Iterator[Limits]:
    tools = dict.fromkeys((limits.least, min(limits.least, _PAIR)))
    edges = dict.fromkeys((limits.edges, min(limits.edges, 1)))
    scores = [limits.threshold, *(score for score in _SCORES if score < limits.threshold)]
    writes = dict.fromkeys((limits.needs_write, False))
    for score, least, count, write in product(scores, tools, edges, writes):
        yield replace(limits, threshold=score, least=least, edges=count, needs_write=write)


def _changes(before: Limits, after: Limits) -> list[str]:
    found = []
    for key, name in (("least", "min_tools"), ("edges", "min_edges"), ("threshold", "threshold")):
        if getattr(before, key) != getattr(after, key):
            found.append(f"clusters.{name}={getattr(after, key)}")
    if before.needs_write != after.needs_write:
        found.append("clusters.needs_write=false")
    return found


def _tools(count: int) -> str:
    return f"{count} tool" if count == 1 else f"{count} tools"
