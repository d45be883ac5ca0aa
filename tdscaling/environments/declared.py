"""Environments of declared and drafted domains: SQL executes the calls.

Enters: domains and the seeds of their worlds. Clusters known by their schemas alone get a simulated
domain, drafted when it is first asked for. Leaves: executed observations; those that a
blueprint's injections put in their place are marked `injected`.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tdscaling.catalog import Catalog
from tdscaling.declared.domain import Domain
from tdscaling.declared.session import Session
from tdscaling.drafting import drafted
from tdscaling.environments._worlds import Worlds
from tdscaling.errors import EnvironmentFailure
from tdscaling.llm._text import value_in
from tdscaling.schema import Cluster, Injection, Observation


class DeclaredEnvironment:
    """State of one conversation over declared domains."""

    def __init__(self, sessions: Mapping[str, Session], injections: Sequence[Injection]) -> None:
        self._sessions = sessions
        self._owner = {
            tool: session for session in sessions.values() for tool in session.domain.tools
        }
        self._injections = {(i.tool, i.nth): i.error for i in injections}
        self._calls: Counter[str] = Counter()

    async def call(self, tool: str, arguments: object) -> Observation:
        """Execute one call."""
        session = self._owner.get(tool)
        if session is None:
            return _error(f"there is no tool {tool!r}")
        values = _parsed(arguments)
        if values is None:
            return _error("arguments are not a JSON object")
        nth = self._calls[tool]
        self._calls[tool] += 1
        if (tool, nth) in self._injections:
            error = json.dumps({"error": self._injections[tool, nth]})
            return Observation(error, ok=False, provenance="injected")
        try:
            result = await session.call(tool, values)
        except sqlite3.Error as error:
            raise EnvironmentFailure(f"{session.domain.name}.{tool}: {error}") from error
        return Observation(result.content, result.ok, session.provenance)

    def changes(self) -> dict[str, Any]:
        """State changes so far."""
        found: dict[str, Any] = {}
        for session in self._sessions.values():
            found |= session.changes()
        return found

    def close(self) -> None:
        """Free the state."""
        for session in self._sessions.values():
            session.close()


class DeclaredEnvironments:
    """Opens environments of declared domains."""

    def prepare(self, catalog: Catalog, clusters: Sequence[Cluster]) -> Mapping[str, Domain]:
        """The catalog's own domains, and a drafted one per cluster known by schemas alone."""
        return Worlds(catalog.domains, clusters, drafted)

    def open(
        self,
        domains: Mapping[str, Domain],
        worlds: Mapping[str, str],
        injections: Sequence[Injection],
    ) -> DeclaredEnvironment:
        """A fresh environment in the initial state that `worlds` names."""
        sessions = {name: domains[name].open(seed) for name, seed in worlds.items()}
        return DeclaredEnvironment(sessions, injections)


def _parsed(arguments: object) -> dict[str, Any] | None:
    if isinstance(arguments, str):
        try:
            arguments = value_in(arguments or "{}")
        except ValueError:
            return None
    return arguments if isinstance(arguments, dict) else None


def _error(text: str) -> Observation:
    return Observation(json.dumps({"error": text}), ok=False, provenance="executed")
