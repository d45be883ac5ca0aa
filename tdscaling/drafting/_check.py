"""Drafts checked by execution.

Enters: a cluster. Leaves: a domain that passes the same checks as a file does; tools that break
them are left out, each with its reason.
"""

from __future__ import annotations

from pydantic import ValidationError

from tdscaling.catalog import Skipped
from tdscaling.declared.definition import DomainFile
from tdscaling.declared.domain import Domain
from tdscaling.declared.load import RefusedError, checked
from tdscaling.drafting._assemble import Draft, assemble
from tdscaling.errors import DomainError
from tdscaling.phrasing.clean import plain
from tdscaling.schema import Cluster


def sketch(cluster: Cluster) -> tuple[Draft, Domain]:
    """The draft of a cluster and the domain that it makes.

    Raises:
        DomainError: if fewer than two of its tools can be simulated.
    """
    without: dict[str, str] = {}
    while True:
        try:
            made = assemble(cluster, without)
        except ValidationError as error:
            _leave_out(cluster, without, _tool_of(error), str(error.errors()[0]["msg"]), error)
            continue
        try:
            return made, checked(cluster.domain, made.file)
        except RefusedError as error:
            _leave_out(cluster, without, error.tool, error.problem, error)


def draft(cluster: Cluster) -> DomainFile:
    """The domain file that simulates a cluster.

    Raises:
        DomainError: if fewer than two of its tools can be simulated.
    """
    return sketch(cluster)[0].file


def drafted(cluster: Cluster) -> Domain:
    """The domain that simulates a cluster, checked.

    Raises:
        DomainError: if fewer than two of its tools can be simulated.
    """
    return sketch(cluster)[1]


def left_out(made: Draft) -> tuple[Skipped, ...]:
    """Tools that a draft lacks, and why."""
    return made.left_out


def _leave_out(
    cluster: Cluster, without: dict[str, str], tool: str | None, why: str, cause: Exception
) -> None:
    if tool is None or tool in without:
        raise DomainError(f"cluster {cluster.id}: cannot be simulated: {plain(why)}") from cause
    without[tool] = plain(why)


def _tool_of(error: ValidationError) -> str | None:
    where = error.errors()[0]["loc"]
    return str(where[1]) if len(where) > 1 and where[0] == "tools" else None
