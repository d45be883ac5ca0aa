"""Stage `clusters`: from tools to business clusters.

Enters: domains. Leaves: clusters of tools that data-flow ties together, and which domains can be
crossed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from tdscaling.declared.domain import Domain
from tdscaling.schema import Cluster


class Clusters(Protocol):
    """Groups tools."""

    def build(self, domains: Mapping[str, Domain]) -> tuple[Cluster, ...]:
        """The clusters, in a fixed order."""
        ...
