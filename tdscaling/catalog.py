"""What a source of tools has loaded.

Enters: services, and the domains of those that can execute calls themselves. Leaves: a `Catalog`,
which the clusters are built from. What a source could not use is kept by name and reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tdscaling.declared.domain import Domain
from tdscaling.schema import Service


@dataclass(frozen=True, slots=True)
class Skipped:
    """An entry of a source that could not be used."""

    where: str
    """File, server or tool."""
    why: str


@dataclass(frozen=True, slots=True)
class Catalog:
    """Services by name."""

    services: Mapping[str, Service]
    """In alphabetical order."""
    domains: Mapping[str, Domain] = field(default_factory=dict)
    """Those of the services that execute calls: by SQL or by a server. A service without one is
    known by the schemas of its tools alone."""
    skipped: tuple[Skipped, ...] = ()

    def licence(self, tool_domain: str) -> str:
        """Licence of a service as its source states it, empty where it does not."""
        service = self.services.get(tool_domain)
        return service.licence if service else ""
