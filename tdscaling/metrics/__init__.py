"""Stage `metrics`: from outcomes to figures of diversity.

Enters: outcomes in the order of their index. Leaves: figures that steer the next rounds and that
the tables, the card and the report show. Definitions: `docs/metrics.md`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Protocol

from tdscaling.schema import Message, Outcome, Trace


class Metrics(Protocol):
    """Reads traces and keeps the run's figures, each update O(1) amortised."""

    def read(
        self,
        messages: Sequence[Message],
        writes: Collection[str],
        provenance: Sequence[str],
    ) -> Trace:
        """The trace of one conversation; `writes` names the tools that can change state."""
        ...

    def observe(self, outcome: Outcome) -> None:
        """Count one committed outcome."""
        ...

    def figures(self) -> dict[str, Any]:
        """All figures over what was observed so far, keyed as in the table `rounds`."""
        ...
