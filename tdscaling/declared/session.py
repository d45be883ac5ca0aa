"""The state of one conversation in one domain, whatever executes its calls.

Leaves: the Protocol that planning, environments and verification work with. SQL is behind the one
of a declared domain, a server's process behind the one of a live domain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from tdscaling.declared.domain import Domain
    from tdscaling.schema import Provenance

Row = dict[str, Any]
StateChanges = dict[str, dict[str, Any]]
"""Per `domain.table`: `added` rows, `removed` rows, `changed` as `{key: {column: [old, new]}}`."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a call on a session yields."""

    ok: bool
    rows: tuple[Row, ...]
    """As `tdscaling.bindings.rows` reads them off the content; empty where the call failed."""
    content: str
    """What the assistant sees: JSON text of an object or of an array of objects, or
    `{"error": ...}`; a live server's own text, whatever it is."""


class Session(Protocol):
    """Executes calls, one after the other."""

    @property
    def domain(self) -> Domain:
        """Whose state it is."""
        ...

    @property
    def provenance(self) -> Provenance:
        """Of its observations."""
        ...

    def execute(self, name: str, arguments: Mapping[str, Any]) -> Result:
        """Call a tool.

        Raises:
            KeyError: if the domain has no such tool.
            EnvironmentFailure: if what executes the call is broken.
        """
        ...

    async def call(self, name: str, arguments: Mapping[str, Any]) -> Result:
        """As `execute`, without holding up other conversations while a server works."""
        ...

    def attempt(
        self, name: str, arguments: Mapping[str, Any], wanted: Callable[[Result], bool]
    ) -> Result | None:
        """Call a tool; None where the result is not the wanted one.

        The call is undone then, where that can be done: a plan is dry-run in a fresh session.
        """
        ...

    def table(self, query: str, where: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Raw rows of a query over the state; none where the state is no database of ours."""
        ...

    def changes(self) -> StateChanges:
        """Difference between the initial state and now, volatile columns left out."""
        ...

    def close(self) -> None:
        """Free the state."""
        ...
