"""Stage `environments`: what executes tool calls.

Enters: the worlds that a blueprint names. Leaves: observations with their provenance, and the
difference between the initial and the present state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from tdscaling.catalog import Catalog
from tdscaling.declared.domain import Domain
from tdscaling.schema import Cluster, Injection, Observation


class Environment(Protocol):
    """The state of one conversation."""

    async def call(self, tool: str, arguments: object) -> Observation:
        """Execute one call; what does not fit the tool is an observation with an error.

        Args:
            tool: as the assistant named it.
            arguments: JSON text or data as the assistant gave it.

        Raises:
            EnvironmentFailure: if the environment itself is broken.
        """
        ...

    def changes(self) -> dict[str, Any]:
        """State changes so far, in the form of `Blueprint.final_state`."""
        ...

    def close(self) -> None:
        """Free the state."""
        ...


class Environments(Protocol):
    """Opens fresh environments."""

    def prepare(self, catalog: Catalog, clusters: Sequence[Cluster]) -> Mapping[str, Domain]:
        """The domain of each cluster by name, made when it is first asked for; pickles.

        Asking for one raises `DomainError` where none can be made of the cluster's tools.
        """
        ...

    def open(
        self,
        domains: Mapping[str, Domain],
        worlds: Mapping[str, str],
        injections: Sequence[Injection],
    ) -> Environment:
        """A fresh environment in the initial state that `worlds` names."""
        ...
