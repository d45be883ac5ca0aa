"""Clusters as connected parts of the data-flow graph.

Enters: domains with their derived edges. Leaves: one cluster per connected part that is large
enough. Services known by their schemas alone are left out: `communities` makes clusters of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from tdscaling.catalog import Catalog, Skipped
from tdscaling.clusters._domains import clusters_of, partners_of
from tdscaling.clusters._unclustered import Limits, of_domain, unclustered
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
                f"clusters: no domain has {self._min_tools} tools tied by data-flow. "
                f"{self._advice(catalog)}"
            )
        return tuple(found)

    def left_out(self, catalog: Catalog, clusters: Sequence[Cluster]) -> tuple[Skipped, ...]:
        """Services without a cluster, with the reason."""
        limits = Limits(self._min_tools, 0, 0, needs_write=False, threshold=0.0)
        return tuple(
            Skipped(
                name,
                of_domain(catalog.domains[name]).reason(limits)
                if name in catalog.domains
                else "it is known by schemas alone; clusters=communities takes it",
            )
            for name in unclustered(catalog, clusters)
        )

    def _advice(self, catalog: Catalog) -> str:
        parts = (of_domain(domain).parts(0.0) for domain in catalog.domains.values())
        largest = max((len(part) for found in parts for part in found), default=0)
        if largest:
            return f"clusters.min_tools={largest} finds one; or choose other domains."
        if len(catalog.services) > len(catalog.domains):
            return "Services known by their schemas take clusters=communities."
        return "Choose other domains."
