"""Stage `verification`: may this trajectory be trusted.

Enters: a blueprint, the transcript that was played from it, and fresh environments. Leaves: a
verdict with the first failure as its reason. The reasons are a closed list, see
`docs/verification.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from tdscaling.declared.domain import Domain
from tdscaling.environments import Environments
from tdscaling.schema import Blueprint, Provenance, Tool, Transcript, Verdict


@dataclass(frozen=True, slots=True)
class Case:
    """What is to be verified."""

    blueprint: Blueprint
    transcript: Transcript
    tools: tuple[Tool, ...]
    """Offered to the assistant."""
    domains: Mapping[str, Domain]
    environments: Environments


class Verification(Protocol):
    """Decides whether a trajectory is accepted."""

    @property
    def require(self) -> Provenance | None:
        """Provenance that every observation must have; None takes all."""
        ...

    async def verify(self, case: Case) -> Verdict:
        """Accepted, or rejected with one reason."""
        ...
