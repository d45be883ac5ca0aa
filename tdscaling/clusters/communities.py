"""Clusters of services of any size, with or without something that executes their calls.

Enters: a catalog. Leaves: for a service with a domain the connected parts of its data-flow graph;
for one known by its schemas the parts of the graph of inferred edges, large ones split, each tool
counted once however many services offer it; and, where asked for, compositions of several. The same
catalog gives the same clusters, whatever order its files were read in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from random import Random

from tdscaling.catalog import Catalog, Skipped
from tdscaling.clusters._compositions import apart, by_kind, compose
from tdscaling.clusters._domains import clusters_of, offered, partners_of, taken
from tdscaling.clusters._labels import Labels
from tdscaling.clusters._parts import parts
from tdscaling.clusters._selection import cover
from tdscaling.clusters._unclustered import (
    NOT_KEPT,
    Limits,
    Tied,
    advice,
    of_domain,
    unclustered,
)
from tdscaling.clusters._values import KINDS, Values, values_of
from tdscaling.dataflow import duplicates, entity, infer
from tdscaling.errors import ConfigError, DomainError
from tdscaling.schema import Cluster, Edge, Service, Tool, digest

_NOTHING = frozenset({"", "other", "others", "misc", "general", "unknown"})
"""Categories that tell nothing."""
_SLUG = 30
"""Characters of a service's name in the ids of its clusters."""
_REASONS = 3
"""Services that a refusal names."""


class CommunityClusters:
    """Parts of each service's data-flow graph, selected to cover many tools.

    Args:
        min_tools: tools of a cluster, at least.
        max_tools: tools of a cluster known by schemas, at most; compositions have up to twice as
            many.
        min_edges: data-flow edges of a cluster known by schemas, at least.
        needs_write: whether a cluster known by schemas needs a tool that changes something.
        threshold: score of an inferred edge from which it ties tools.
        similarity: share of words from which tools of two services are the same one.
        count: clusters to keep; None for all.
        compositions: further clusters out of two or three.
        partners: clusters that each can be crossed with, at most.
        alphabet: file with categories and their words; None for the shipped one.
        seed: of splits, compositions and partners.

    Raises:
        ConfigError: if a number is out of its range, or the alphabet is not usable.
    """

    def __init__(
        self,
        *,
        min_tools: int,
        max_tools: int,
        min_edges: int,
        needs_write: bool,
        threshold: float,
        similarity: float,
        count: int | None,
        compositions: int,
        partners: int,
        alphabet: str | None,
        seed: int,
    ) -> None:
        _check(min_tools >= 1, "min_tools", "at least 1", min_tools)
        _check(max_tools >= min_tools, "max_tools", f"min_tools={min_tools} or more", max_tools)
        _check(min_edges >= 0, "min_edges", "at least 0", min_edges)
        _check(0 <= threshold <= 1, "threshold", "0 to 1", threshold)
        _check(0 < similarity <= 1, "similarity", "above 0, at most 1", similarity)
        _check(count is None or count >= 1, "count", "at least 1, or null for all", count)
        _check(compositions >= 0, "compositions", "at least 0", compositions)
        _check(partners >= 0, "partners", "at least 0", partners)
        self._limits = Limits(min_tools, max_tools, min_edges, needs_write, threshold)
        self._similarity = similarity
        self._count = count
        self._compositions = compositions
        self._partners = partners
        self._labels = Labels(alphabet)
        self._seed = seed
        self._barren: dict[str, str] = {}
        """Services of which no cluster came when they were read, and why: reading them takes the
        longest, so it is done once."""

    def build(self, catalog: Catalog) -> tuple[Cluster, ...]:
        """The clusters: of domains, of schemas, compositions; each by id.

        Raises:
            DomainError: if there is none.
        """
        declared = [
            cluster
            for name in sorted(catalog.domains)
            for cluster in clusters_of(catalog.domains[name], self._limits.least, ())
        ]
        known = [catalog.services[name] for name in sorted(catalog.services)]
        schema_only = [service for service in known if service.name not in catalog.domains]
        found = sorted(
            (cluster for service in schema_only for cluster in self._of_service(service)),
            key=lambda cluster: cluster.id,
        )
        declared, found = self._selected(declared, found, schema_only)
        if not declared and not found:
            raise DomainError(_none(catalog, self._limits))
        values = {cluster.id: values_of(cluster.tools) for cluster in found}
        made = compose(found, values, self._compositions, 2 * self._limits.most, self._seed)
        crossed = _Partners(declared, found, values, catalog, self._partners, self._seed)
        return (*crossed.of_domains(), *crossed.of_schemas(), *sorted(made, key=lambda c: c.id))

    def left_out(self, catalog: Catalog, clusters: Sequence[Cluster]) -> tuple[Skipped, ...]:
        """Services without a cluster, with the reason."""
        limits = self._limits
        return tuple(
            Skipped(
                name,
                of_domain(catalog.domains[name]).reason(limits)
                if name in catalog.domains
                else self._barren.get(name, NOT_KEPT),
            )
            for name in unclustered(catalog, clusters)
        )

    def _of_service(self, service: Service) -> list[Cluster]:
        limits, made = self._limits, list[Cluster]()
        tools = {tool.name: tool for tool in service.tools}
        inferred = infer(service)
        edges = [edge for edge in inferred if edge.score >= limits.threshold]
        found = parts(edges, sorted(tools), limits.least, limits.most, self._seed)
        place = {name: number for number, names in enumerate(found) for name in names}
        inside: list[list[Edge]] = [[] for _ in found]
        for edge in edges:
            if edge.producer in place and place[edge.producer] == place.get(edge.consumer):
                inside[place[edge.producer]].append(edge)
        for names, kept in zip(found, map(tuple, inside), strict=True):
            members = tuple(tools[name] for name in sorted(names))
            writes = any(tool.writes for tool in members)
            if len(kept) >= limits.edges and (writes or not limits.needs_write):
                made.append(self._cluster(service, members, kept))
        if not made:
            tied = Tied(service.name, tools, inferred, executes=False)
            self._barren[service.name] = tied.reason(limits)
        return made

    def _cluster(
        self, service: Service, tools: tuple[Tool, ...], edges: tuple[Edge, ...]
    ) -> Cluster:
        category = service.category
        if category in _NOTHING:
            category = self._labels.label(service, tools)
        content = [
            service.name,
            sorted([t.name, t.description, digest(t.parameters)] for t in tools),
        ]
        name = f"{_slug(service, tools)}_{digest(content, 10)}"
        named = tuple(replace(tool, category=category) for tool in tools)
        return Cluster(name, name, category, named, edges, services=(service.name,))

    def _selected(
        self, declared: list[Cluster], found: list[Cluster], services: Sequence[Service]
    ) -> tuple[list[Cluster], list[Cluster]]:
        """Clusters without those whose every tool others have; as many as asked for."""
        same = duplicates(services, self._similarity)
        clusters = [*declared, *found]
        covered = [
            frozenset(same.get(key, key) for key in ((t.domain, t.name) for t in cluster.tools))
            for cluster in clusters
        ]
        first = {things: position for position, things in reversed(list(enumerate(covered)))}
        kept = sorted(first.values())
        if self._count is not None and self._count < len(kept):
            # Clusters that change something go first where two cover as much.
            kept.sort(key=lambda at: (not any(t.writes for t in clusters[at].tools), at))
            chosen = cover([covered[at] for at in kept], self._count)
            kept = sorted(kept[position] for position in chosen)
        split = len(declared)
        return (
            [clusters[at] for at in kept if at < split],
            [clusters[at] for at in kept if at >= split],
        )


class _Partners:
    """Which clusters can be crossed with which, over kinds of value."""

    def __init__(
        self,
        declared: Sequence[Cluster],
        found: Sequence[Cluster],
        values: Mapping[str, Values],
        catalog: Catalog,
        most: int,
        seed: int,
    ) -> None:
        self._declared, self._found, self._values = declared, found, values
        self._domains, self._most, self._seed = catalog.domains, most, seed
        self._takers = by_kind(found, values)
        for cluster in declared:
            for kind in sorted(taken(self._domains[cluster.domain]) & KINDS):
                self._takers.setdefault(kind, []).append(cluster)

    def of_domains(self) -> Iterator[Cluster]:
        """The clusters of domains, with their partners: also domains too small for a cluster."""
        for cluster in self._declared:
            domain = self._domains[cluster.domain]
            others = partners_of(domain, self._domains)
            more = self._drawn(cluster, offered(domain) & KINDS) if self._found else []
            partners = dict.fromkeys((*others, *more))
            yield replace(cluster, partners=tuple(partners))

    def of_schemas(self) -> Iterator[Cluster]:
        """The clusters known by their schemas, with their partners."""
        for cluster in self._found:
            kinds = self._values[cluster.id].offered_kinds
            yield replace(cluster, partners=tuple(self._drawn(cluster, kinds)))

    def _drawn(self, cluster: Cluster, kinds: Iterable[str]) -> list[str]:
        lists = [self._takers[kind] for kind in sorted(kinds) if kind in self._takers]
        if not lists:
            return []
        random = Random(f"{self._seed}:partners:{cluster.id}")
        drawn = (random.choice(random.choice(lists)) for _ in range(2 * self._most))
        names = {other.domain for other in drawn if apart(cluster, other)}
        return sorted(names)[: self._most]


def _slug(service: Service, tools: Sequence[Tool]) -> str:
    """Small letters, digits and `_`: the service, and the thing that most tools are about."""
    things = [entity(tool)[-1:] for tool in tools]
    common = max(sorted(things), key=things.count, default=())
    text = re.sub(r"[^a-z0-9]+", "_", service.name.lower())[:_SLUG].strip("_")
    thing = re.sub(r"[^a-z0-9]+", "", common[0])[:15] if common else ""
    joined = "_".join(part for part in (text, thing) if part)
    return joined if re.match(r"[a-z]", joined) else f"s_{joined}".rstrip("_")


def _tied(catalog: Catalog, name: str) -> Tied:
    domain = catalog.domains.get(name)
    if domain is not None:
        return of_domain(domain)
    service = catalog.services[name]
    tools = {tool.name: tool for tool in service.tools}
    return Tied(name, tools, infer(service), executes=False)


def _none(catalog: Catalog, limits: Limits) -> str:
    services = [_tied(catalog, name) for name in unclustered(catalog, ())]
    count = sum(len(service.tools) for service in services)
    reasons = "; ".join(f"{one.name}: {one.reason(limits)}" for one in services[:_REASONS])
    more = f"; and {len(services) - _REASONS} more" if len(services) > _REASONS else ""
    return (
        f"clusters: no {limits.least} tools are tied by {limits.edges} data-flow edges among "
        f"{count} tools of {len(services)} services ({reasons}{more}). {advice(services, limits)}"
    )


def _check(fits: bool, name: str, expected: str, got: object) -> None:
    if not fits:
        raise ConfigError(f"clusters.{name}: expected {expected}, got {got}")
