"""Stage `tools`: where tools come from.

Enters: the user's choice of sources. Leaves: a catalog of services; domains of those that can
execute calls themselves.
"""

from __future__ import annotations

from typing import Protocol

from tdscaling.catalog import Catalog


class Tools(Protocol):
    """A source of tools."""

    def load(self) -> Catalog:
        """All services by name, in alphabetical order.

        Entries that cannot be used are skipped, and named in the catalog.

        Raises:
            ToolsError: if a source as a whole is refused.
            DomainError: if a declared domain is.
        """
        ...
