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
        writes: Collection[str] | None,
        provenance: Sequence[str],
    ) -> Trace:
        """The trace of one conversation.

        Args:
            messages: in OpenAI format.
            writes: names of the tools that can change state; None where that is not known.
            provenance: of each tool message, in order; may be short or empty where not known.
        """
        ...

    def observe(self, outcome: Outcome) -> None:
        """Count one committed outcome."""
        ...

    def figures(self) -> dict[str, Any]:
        """All figures over what was observed so far, keyed as in the table `rounds`."""
        ...
