"""Clusters as connected parts of the data-flow graph.

Enters: domains with their derived edges. Leaves: one cluster per connected part that is large
enough. Services known by their schemas alone are left out: `communities` makes clusters of them.
"""

from __future__ import annotations

from tdscaling.catalog import Catalog
from tdscaling.clusters._domains import clusters_of, partners_of
from tdscaling.errors import DomainError
from tdscaling.schema import Cluster


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
            for cluster in clusters_of(
                domains[name], self._min_tools, partners_of(domains[name], domains)
            )
        ]
        if not found:
            raise DomainError(
                f"clusters: no domain has {self._min_tools} tools tied by data-flow. Lower "
                "clusters.min_tools or choose other domains."
            )
        return tuple(found)
