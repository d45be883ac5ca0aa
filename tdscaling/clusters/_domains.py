"""Clusters of services that execute calls themselves.

Enters: domains with their derived edges. Leaves: connected parts that are large enough, and which
domains can be crossed: those where a value that one returns is of a kind that a parameter of the
other takes.
"""

from __future__ import annotations

from collections.abc import Mapping

import networkx as nx

from tdscaling.declared.domain import Domain
from tdscaling.schema import Cluster, digest


def clusters_of(domain: Domain, min_tools: int, partners: tuple[str, ...]) -> list[Cluster]:
    """Connected parts of a domain's data-flow graph, the largest first.

    A live server whose tools are not tied is one cluster: whoever names a server wants it used.
    """
    graph: nx.Graph[str] = nx.Graph()
    graph.add_nodes_from(domain.tools)
    graph.add_edges_from((edge.producer, edge.consumer) for edge in domain.edges)
    parts = sorted(nx.connected_components(graph), key=lambda part: (-len(part), min(part)))
    large = [part for part in parts if len(part) >= min_tools]
    if not large and domain.blocking:
        large = [set(domain.tools)]
    return [_cluster(domain, frozenset(part), partners) for part in large]


def _cluster(domain: Domain, names: frozenset[str], partners: tuple[str, ...]) -> Cluster:
    tools = tuple(tool for tool in domain.as_tools() if tool.name in names)
    edges = tuple(edge for edge in domain.edges if edge.consumer in names)
    content = [domain.digest, sorted(names)]
    return Cluster(
        f"{domain.name}-{digest(content, 8)}",
        domain.name,
        domain.file.category,
        tools,
        edges,
        partners,
        (domain.name,),
    )


def partners_of(domain: Domain, domains: Mapping[str, Domain]) -> tuple[str, ...]:
    """Domains that a domain can be crossed with, by name.

    Live servers seldom share a kind of value: one may join another by a wish of its own.
    """
    given = offered(domain)
    return tuple(
        name
        for name, other in sorted(domains.items())
        if name != domain.name
        and not domain.tools.keys() & other.tools.keys()
        and (taken(other) & given or (domain.blocking and other.blocking))
    )


def offered(domain: Domain) -> frozenset[str]:
    """Kinds of value that a domain's tools return."""
    return frozenset(
        domain.file.kinds[column]
        for spec in domain.tools.values()
        for column in spec.columns
        if column in domain.file.kinds
    )


def taken(domain: Domain) -> frozenset[str]:
    """Kinds of value that a domain's parameters take."""
    return frozenset(
        parameter.kind
        for spec in domain.tools.values()
        for parameter in spec.file.parameters.values()
        if parameter.kind
    )
