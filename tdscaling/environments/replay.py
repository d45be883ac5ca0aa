"""Environments of a recording: what servers answered in a run, without the servers.

Enters: the ledger of a run. Leaves: replayed observations. A call that was not recorded fails the
attempt; nothing is made up in its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tdscaling.catalog import Catalog
from tdscaling.declared.domain import Domain
from tdscaling.environments.declared import DeclaredEnvironment
from tdscaling.errors import ToolsError
from tdscaling.live.cassette import domains, ledger
from tdscaling.schema import Cluster, Injection


class ReplayEnvironments:
    """Opens environments of a recording.

    Args:
        cassette: directory of a run over live servers, or its ledger.
    """

    def __init__(self, *, cassette: str) -> None:
        ledger(cassette)
        self._cassette = cassette

    def prepare(self, catalog: Catalog, clusters: Sequence[Cluster]) -> Mapping[str, Domain]:
        """The recorded domains in place of the servers of the same name; others as they are.

        Raises:
            ToolsError: if the recording cannot be read.
        """
        recorded = domains(self._cassette)
        if not recorded.keys() & catalog.domains.keys():
            raise ToolsError(
                f"environments.cassette: {self._cassette} has recordings of "
                f"{', '.join(sorted(recorded)) or 'no server'}, and none of them is among the "
                f"tools. Type tools=recorded tools.cassette={self._cassette}"
            )
        return {**catalog.domains, **recorded}

    def open(
        self,
        domains: Mapping[str, Domain],
        worlds: Mapping[str, str],
        injections: Sequence[Injection],
    ) -> DeclaredEnvironment:
        """A fresh environment in the initial state that `worlds` names."""
        sessions = {name: domains[name].open(seed) for name, seed in worlds.items()}
        return DeclaredEnvironment(sessions, injections)
