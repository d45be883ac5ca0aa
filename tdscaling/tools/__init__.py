"""Stage `tools`: where tools come from.

Enters: the user's choice of sources. Leaves: domains by name, each with its tools.
"""

from __future__ import annotations

from typing import Protocol

from tdscaling.declared.domain import Domain


class Tools(Protocol):
    """A source of tools."""

    def load(self) -> dict[str, Domain]:
        """All domains by name, in alphabetical order.

        Raises:
            DomainError: if a source is refused.
        """
        ...
