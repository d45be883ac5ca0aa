"""Stage `blueprints`: from a draw to the contract of one trajectory.

Enters: a draw, its cluster, the domains. Leaves: a blueprint that was dry-run in a fresh
environment: goal, facts, plan with gold arguments and observations, expected final state, answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from tdscaling.declared.domain import Domain
from tdscaling.schema import Blueprint, Cluster, Draw, LlmCall, Menu


class Blueprints(Protocol):
    """Makes blueprints."""

    author: str
    """The model that finds their words, for `meta.roles`; empty where templates do."""
    prompts: Mapping[str, str]
    """Digest of what it is told, by role; empty where no model is asked."""

    def menu(self, clusters: Sequence[Cluster]) -> Menu:
        """What an evolution can ask for."""
        ...

    def make(self, draw: Draw, cluster: Cluster, domains: Mapping[str, Domain]) -> Blueprint:
        """The blueprint of a draw: a pure function of its arguments and the options.

        Raises:
            BlueprintError: if none could be made; the message says why.
        """
        ...

    async def compose(
        self, blueprint: Blueprint, draw: Draw, domains: Mapping[str, Domain]
    ) -> tuple[Blueprint, tuple[LlmCall, ...]]:
        """The blueprint in its final words, and the requests that they took.

        Plan, facts, worlds and expected state stay as they are, and so does its id.

        Raises:
            NoReply: if a model was asked and its reply failed.
            EndpointError: if its endpoint cannot be used at all.
        """
        ...
