"""What servers answered in a run, in their place.

Enters: the ledger of a run. Leaves: domains whose sessions answer as the servers did, as long as
the same calls are made in the same order; anything else is a failure, never an invented answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tdscaling.bindings import rows
from tdscaling.declared.domain import Domain
from tdscaling.declared.session import Result, Session, StateChanges
from tdscaling.errors import EnvironmentFailure, ToolsError
from tdscaling.live.domain import known
from tdscaling.live.recording import begin, follow, keep_call, keep_changes
from tdscaling.schema import Provenance, Service
from tdscaling.store import FILE, Store

Answers = Mapping[str, tuple[bool, str, str | None]]
"""By key: whether the call succeeded, its content, the state changes as JSON text."""


@dataclass(frozen=True, slots=True, eq=False)
class ReplayDomain(Domain):
    """A domain known from a recording."""

    cassette: str = ""

    @property
    def provenance(self) -> Provenance:
        """What a server once answered."""
        return "replayed"

    def open(self, seed: str) -> Session:
        """A session in the world that a seed names."""
        return ReplaySession(self, seed)

    def definition(self) -> dict[str, Any]:
        """As it was recorded."""
        return dict(definitions(self.cassette)[self.name])


class ReplaySession:
    """Answers what a server answered to the same calls."""

    def __init__(self, domain: ReplayDomain, seed: str) -> None:
        self.domain: Domain = domain
        self.provenance: Provenance = "replayed"
        self._answers = answers(domain.cassette, domain.name)
        self._cassette = domain.cassette
        self._key = begin(domain.digest, seed)

    def execute(self, name: str, arguments: Mapping[str, Any]) -> Result:
        """The recorded answer.

        Raises:
            KeyError: if the domain has no such tool.
            EnvironmentFailure: if this call was not made after the same calls.
        """
        spec = self.domain.tools[name]
        self._key = follow(self._key, spec.name, dict(arguments))
        found = self._answers.get(self._key)
        if found is None:
            raise EnvironmentFailure(
                f"{self.domain.name}.{name}: {self._cassette} has no recording of this call after "
                "the calls before it"
            )
        ok, content, _ = found
        keep_call(self.domain.name, self._key, name, ok, content)
        return Result(ok, told(content) if ok else (), content)

    async def call(self, name: str, arguments: Mapping[str, Any]) -> Result:
        """As `execute`."""
        return self.execute(name, arguments)

    def attempt(
        self, name: str, arguments: Mapping[str, Any], wanted: Callable[[Result], bool]
    ) -> Result | None:
        """As `execute`; None where the result is not the wanted one."""
        result = self.execute(name, arguments)
        return result if wanted(result) else None

    def table(self, query: str, where: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """None."""
        return []

    def changes(self) -> StateChanges:
        """The recorded changes.

        Raises:
            EnvironmentFailure: if nobody asked for them at this point.
        """
        found = self._answers.get(self._key)
        if found is None or found[2] is None:
            raise EnvironmentFailure(
                f"{self.domain.name}: {self._cassette} has no recording of the state after these "
                "calls"
            )
        changes: StateChanges = json.loads(found[2])
        keep_changes(self.domain.name, self._key, changes)
        return changes

    def close(self) -> None:
        """Nothing to free."""


def told(content: str) -> tuple[dict[str, Any], ...]:
    """The rows of an answer; none where it tells of nothing."""
    found = rows(content)
    # `null`, or an object of nothing else: nothing was found
    empty = all(value is None for row in found for value in row.values())
    return () if empty else tuple(found)


def ledger(cassette: str) -> Path:
    """The file that a path of a run, or of its ledger, names.

    Raises:
        ToolsError: if there is none.
    """
    path = Path(cassette)
    file = path / FILE if path.is_dir() else path
    if not file.is_file():
        raise ToolsError(f"cassette: expected the directory of a run or its {FILE}, got {cassette}")
    return file


@lru_cache(maxsize=8)
def definitions(cassette: str) -> dict[str, dict[str, Any]]:
    """Definitions of the servers of a run by name.

    Raises:
        ToolsError: if the ledger holds none.
    """
    store = Store.read(ledger(cassette))
    try:
        found = store.query("SELECT name, definition FROM live_domains ORDER BY name")
    finally:
        store.close()
    if not found:
        raise ToolsError(f"{cassette}: expected a run over live servers, it has none")
    return {row["name"]: json.loads(row["definition"]) for row in found}


def domains(cassette: str) -> dict[str, Domain]:
    """The domains of a recording by name.

    Raises:
        ToolsError: if they cannot be read.
    """
    path = str(ledger(cassette))
    try:
        return {
            name: ReplayDomain(**known(one), cassette=path)
            for name, one in definitions(path).items()
        }
    except (ValidationError, KeyError, TypeError, ValueError) as error:
        raise ToolsError(f"{cassette}: its servers' definitions cannot be read: {error}") from error


def services(cassette: str) -> dict[str, Service]:
    """The services of a recording by name."""
    told_ = definitions(str(ledger(cassette)))
    return {
        name: Service(
            name=name,
            title=str(told_[name].get("title", name)),
            category=domain.file.category,
            about=domain.file.about,
            tools=domain.as_tools(),
            source=cassette,
            licence=str(told_[name].get("licence", "")),
        )
        for name, domain in domains(cassette).items()
    }


@lru_cache(maxsize=8)
def answers(cassette: str, domain: str) -> Answers:
    """All answers of one server in a run; read once per process."""
    store = Store.read(ledger(cassette))
    try:
        found = store.query(
            "SELECT key, ok, content, changes FROM recordings WHERE domain = ? "
            "ORDER BY changes IS NOT NULL, idx",
            [domain],
        )
    finally:
        store.close()
    return {row["key"]: (row["ok"], row["content"], row["changes"]) for row in found}
