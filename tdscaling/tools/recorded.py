"""Tools of a run over live servers, without the servers.

Enters: the ledger of a run. Leaves: its services and domains as they were known then; with
`environments=replay` they answer as the servers did.
"""

from __future__ import annotations

from tdscaling.catalog import Catalog
from tdscaling.live.cassette import domains, ledger, services


class RecordedTools:
    """The servers of a run, from its recording.

    Args:
        cassette: directory of a run over live servers, or its ledger.
    """

    def __init__(self, *, cassette: str) -> None:
        ledger(cassette)
        self.cassette = cassette

    def load(self) -> Catalog:
        """The services of the recording.

        Raises:
            ToolsError: if it holds none.
        """
        return Catalog(services(self.cassette), domains(self.cassette))
