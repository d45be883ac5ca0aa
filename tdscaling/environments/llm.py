"""Environments in which a model plays the tools of services that are known by schema alone.

Enters: a catalog and clusters. Leaves: per cluster without an executable domain one whose calls a
model answers, each answer checked against a state. Services that execute calls do so as ever.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields

from tdscaling.catalog import Catalog
from tdscaling.declared.domain import Domain
from tdscaling.declared.load import checked
from tdscaling.drafting import draft
from tdscaling.environments._imagined import ImaginedDomain
from tdscaling.environments._worlds import Worlds
from tdscaling.environments.declared import DeclaredEnvironment, DeclaredEnvironments
from tdscaling.errors import ConfigError
from tdscaling.llm import Endpoint, endpoint_of
from tdscaling.schema import Cluster, Injection


class LlmEnvironments:
    """Opens environments, some of them played by a model.

    Args:
        llm: the endpoint.
        tries: requests per call until the answer holds, at least 1.
        rows: rows of each table that the model's world begins with, at least 1.
    """

    def __init__(self, *, llm: Endpoint, tries: int, rows: int) -> None:
        for name, value in (("tries", tries), ("rows", rows)):
            if value < 1:
                raise ConfigError(f"environments.{name}: expected at least 1, got {value}")
        self._llm = endpoint_of(llm, "environment")
        self._tries = tries
        self._rows = rows

    def prepare(self, catalog: Catalog, clusters: Sequence[Cluster]) -> Mapping[str, Domain]:
        """The catalog's own domains, and one per other cluster that the model plays."""
        return Worlds(catalog.domains, clusters, self._imagined)

    def open(
        self,
        domains: Mapping[str, Domain],
        worlds: Mapping[str, str],
        injections: Sequence[Injection],
    ) -> DeclaredEnvironment:
        """A fresh environment in the initial state that `worlds` names."""
        return DeclaredEnvironments().open(domains, worlds, injections)

    def _imagined(self, cluster: Cluster) -> Domain:
        file = draft(cluster)
        rows = {
            # Tables of canned answers, whose key is a number, are not part of the model's world.
            table: entry
            if "no" in entry.columns
            else entry.model_copy(update={"count": min(entry.count, self._rows)})
            for table, entry in file.rows.items()
        }
        known = checked(cluster.domain, file.model_copy(update={"rows": rows}))
        shared = {field.name: getattr(known, field.name) for field in fields(Domain)}
        return ImaginedDomain(**shared, llm=self._llm, tries=self._tries)
