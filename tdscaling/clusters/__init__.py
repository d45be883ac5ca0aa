"""Stage `clusters`: from tools to business clusters.

Enters: a catalog. Leaves: clusters of tools that data-flow ties together, and which domains can be
crossed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tdscaling.catalog import Catalog, Skipped
from tdscaling.schema import Cluster


class Clusters(Protocol):
    """Groups tools."""

    def build(self, catalog: Catalog) -> tuple[Cluster, ...]:
        """The clusters, in a fixed order.

        A cluster of a service that executes calls itself names that service's domain. Others name
        a domain of their own, which `Environments.prepare` makes.

        Raises:
            DomainError: if there is none.
        """
        ...

    def left_out(self, catalog: Catalog, clusters: Sequence[Cluster]) -> tuple[Skipped, ...]:
        """Services of the catalog that are in none of the clusters built of it, and why."""
        ...
