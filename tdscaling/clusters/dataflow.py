"""Clusters as connected parts of the data-flow graph.

Enters: domains with their derived edges. Leaves: one cluster per connected part that is large
enough. Two domains are partners where a value that one returns is of a kind that a parameter of
the other takes: a person, an amount, a date.
"""

from __future__ import annotations

from collections.abc import Mapping

import networkx as nx

from tdscaling.catalog import Catalog
from tdscaling.declared.domain import Domain
from tdscaling.errors import DomainError
from tdscaling.schema import Cluster, digest


class DataFlowClusters:
    """Connected parts of each domain's data-flow graph.

    Args:
        min_tools: parts with fewer tools are left out, at least 1.
    """

    def __init__(self, *, min_tools: int) -> None:
        self._min_tools = min_tools

    def build(self, catalog: Catalog) -> tuple[Cluster, ...]:
        """The clusters, by domain name and size.

        Raises:
            DomainError: if no part is large enough.
        """
        domains = catalog.domains
        found = [
            cluster
            for name in sorted(domains)
            for cluster in self._of_domain(domains[name], _partners(domains[name], domains))
        ]
        if not found:
            raise DomainError(
                f"clusters: no domain has {self._min_tools} tools tied by data-flow. Lower "
                "clusters.min_tools or choose other domains."
            )
        return tuple(found)

    def _of_domain(self, domain: Domain, partners: tuple[str, ...]) -> list[Cluster]:
        graph: nx.Graph[str] = nx.Graph()
        graph.add_nodes_from(domain.tools)
        graph.add_edges_from((edge.producer, edge.consumer) for edge in domain.edges)
        parts = sorted(nx.connected_components(graph), key=lambda part: (-len(part), min(part)))
        return [
            _cluster(domain, frozenset(part), partners)
            for part in parts
            if len(part) >= self._min_tools
        ]


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


def _partners(domain: Domain, domains: Mapping[str, Domain]) -> tuple[str, ...]:
    offered = {
        domain.file.kinds[column]
        for spec in domain.tools.values()
        for column in spec.columns
        if column in domain.file.kinds
    }
    return tuple(
        name
        for name, other in sorted(domains.items())
        if name != domain.name
        and not domain.tools.keys() & other.tools.keys()
        and any(
            parameter.kind in offered
            for spec in other.tools.values()
            for parameter in spec.file.parameters.values()
        )
    )
