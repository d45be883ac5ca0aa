"""A server as a domain.

Enters: what probing found out. Leaves: a `Domain` whose sessions are servers of their own; it
pickles, and each process has a pool for it. What is known of it without the server goes into a run
as its definition, so that the run can be verified where the server is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tdscaling.declared.definition import DomainFile
from tdscaling.declared.domain import Domain, ToolSpec
from tdscaling.declared.session import Session
from tdscaling.live._pool import Launch
from tdscaling.schema import Edge, Provenance


@dataclass(frozen=True, slots=True, eq=False)
class LiveDomain(Domain):
    """A server that speaks MCP."""

    launch: Launch = None  # type: ignore[assignment] # after fields that have defaults
    names: Mapping[str, str] = None  # type: ignore[assignment]
    """The server's own name of each tool."""

    @property
    def provenance(self) -> Provenance:
        """The server itself answers."""
        return "executed"

    @property
    def blocking(self) -> bool:
        """A server takes its time."""
        return True

    def real(self, tool: str) -> str:
        """What the server calls a tool."""
        return self.names[tool]

    def fixed(self, tool: str) -> dict[str, Any]:
        """Arguments that nobody is offered."""
        hidden = self.launch.entry.hide_arguments.get(self.names[tool], {})
        return {name: value for name, value in hidden.items() if value is not None}

    def open(self, seed: str) -> Session:
        """A session in the world that a seed names."""
        from tdscaling.live.session import LiveSession

        return LiveSession(self, seed)

    def definition(self) -> dict[str, Any]:
        """What is known of it without the server, as plain JSON data."""
        entry = self.launch.entry
        return {**definition(self), "title": entry.title, "licence": entry.licence}


def definition(domain: Domain) -> dict[str, Any]:
    """What is known of a domain, as plain JSON data; inverse of `known`."""
    return {
        "name": domain.name,
        "digest": domain.digest,
        "file": domain.file.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        "keys": sorted(domain.keys),
        "columns": {name: list(spec.columns) for name, spec in domain.tools.items()},
        "writes": {name: sorted(spec.writes) for name, spec in domain.tools.items()},
        "edges": [asdict(edge) for edge in domain.edges],
    }


def known(data: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a `Domain` out of its definition.

    Raises:
        KeyError, TypeError, ValueError: if the data is no definition.
    """
    file = DomainFile.model_validate(data["file"])
    return {
        "name": str(data["name"]),
        "file": file,
        "digest": str(data["digest"]),
        "tables": (),
        "keys": frozenset(data["keys"]),
        "homes": {},
        "statuses": frozenset(),
        "tools": {
            name: ToolSpec(
                name=name,
                file=tool,
                columns=tuple(data["columns"][name]),
                case_columns=(),
                reads=frozenset(),
                writes=frozenset(data["writes"][name]),
            )
            for name, tool in file.tools.items()
        },
        "edges": tuple(
            Edge(**{**edge, "reasons": tuple(edge["reasons"])}) for edge in data["edges"]
        ),
    }
