"""Stage `roles`: who speaks in a conversation.

Enters: a blueprint and the messages so far. Leaves: the next message, or a verdict. Each role is
swapped alone. What a role may see is part of its contract: an LLM user sees goal and facts, never
the plan or the tools; an LLM assistant sees tools and messages, never the blueprint.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypedDict

from tdscaling.declared.domain import Domain
from tdscaling.schema import Blueprint, LlmCall, Message, Tool, Verdict


@dataclass(frozen=True, slots=True)
class Scene:
    """What a conversation is about; a role reads only what its contract allows."""

    blueprint: Blueprint
    domains: Mapping[str, Domain]
    tools: tuple[Tool, ...]
    """Offered to the assistant."""
    system: str
    """The assistant's system message."""
    seed: str


@dataclass(frozen=True, slots=True)
class Said:
    """What a role says."""

    message: Message | None
    """None where a user has nothing more to say."""
    calls: tuple[LlmCall, ...] = ()
    """Requests to a model that it took."""


class Role(Protocol):
    """A user or an assistant. Stateless: all it knows is the scene and the messages."""

    name: str
    """Who plays it, for `meta.roles`."""
    prompts: Mapping[str, str]
    """Digest of what a model that plays it is told, by role; empty where none plays it."""

    async def speak(self, scene: Scene, messages: Sequence[Message]) -> Said:
        """The next message.

        Args:
            scene: what the conversation is about.
            messages: so far, the system message first.

        Raises:
            RoleError: if the role cannot play its turn.
            EndpointError: if its model's endpoint cannot be used at all.
        """
        ...


class Judge(Protocol):
    """Looks at a finished conversation that verification accepted."""

    name: str
    prompts: Mapping[str, str]
    """As a role's."""

    async def judge(
        self, scene: Scene, messages: Sequence[Message]
    ) -> tuple[Verdict, tuple[LlmCall, ...]]:
        """Accept, or reject with `judge_rejected`; and the requests that it took.

        Raises:
            RoleError: if no verdict could be had.
            EndpointError: if its model's endpoint cannot be used at all.
        """
        ...


class Roles(TypedDict):
    """Who plays a conversation."""

    user: Role
    assistant: Role
    judge: Judge
