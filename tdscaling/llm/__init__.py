"""Models that play roles.

Enters: messages in OpenAI format. Leaves: the model's reply, exactly as it was sent, and what it
cost. A request that fails leaves an error and never any content.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from tdscaling.errors import ConfigError, RoleError
from tdscaling.schema import LlmCall, Message

HOW_TO_CHOOSE = "llm=openai llm.base_url=http://HOST:PORT/v1 llm.model=NAME"
"""What to type to have a model at all."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model answered."""

    message: Message
    """`role`, `content` and, where the model called tools, `tool_calls` as it sent them."""
    call: LlmCall


class NoReply(RoleError):
    """A request left nothing usable; the attempt is rejected with this as its reason."""

    def __init__(self, reason: str, calls: Sequence[LlmCall] = ()) -> None:
        super().__init__(reason)
        self.calls = tuple(calls)
        """Requests made, the failed one last."""

    def __reduce__(self) -> tuple[type[NoReply], tuple[str, tuple[LlmCall, ...]]]:
        """Errors cross process boundaries, and by default only their text would."""
        return type(self), (str(self), self.calls)


@runtime_checkable
class Endpoint(Protocol):
    """Something that answers chat requests."""

    @property
    def model(self) -> str | None:
        """Name of the model."""
        ...

    @property
    def identity(self) -> str | None:
        """What decides a reply beside the request: server, model, sampling.

        None where replies are not paid for: they are neither counted nor kept.
        """
        ...

    @property
    def tools_prompt(self) -> str | None:
        """Digest of the prompt that tells of tools; None where the server's own calls are used."""
        ...

    def require(self, role: str) -> None:
        """Refuse early what could not work.

        Raises:
            ConfigError: naming what to type, if a role cannot be played over this endpoint.
        """
        ...

    async def chat(
        self,
        role: str,
        messages: Sequence[Message],
        *,
        seed: str,
        tools: Sequence[Mapping[str, Any]] = (),
        json_schema: Mapping[str, Any] | None = None,
    ) -> Reply:
        """One reply.

        Args:
            role: who asks, for the ledger.
            messages: in OpenAI format; sent as they are.
            seed: of this request; the same request with the same seed asks for the same reply.
            tools: in OpenAI format.
            json_schema: `name` and `schema` that the reply's text must fit.

        Raises:
            NoReply: if this request failed or its reply is not usable.
            EndpointError: if the endpoint cannot be used at all.
        """
        ...


def part_of(role: str) -> str:
    """Key of the config's part that asks in the name of a role."""
    return _PARTS.get(role, f"roles.{role}")


_PARTS = {"composer": "blueprints", "environment": "environments"}


def endpoint_of(llm: object, role: str) -> Endpoint:
    """The endpoint of a role, ready to be used; within a run it keeps each reply.

    Raises:
        ConfigError: naming what to type, if it is none or not complete.
    """
    if not isinstance(llm, Endpoint):
        place = part_of(role)
        raise ConfigError(
            f"{place}.llm: expected an endpoint, got {llm!r}; for one of its own type"
            f" +llm@{place}.llm=openai {place}.llm.model=NAME"
        )
    llm.require(role)
    if llm.identity is None:
        return llm
    from tdscaling.llm._journalled import Journalled

    return Journalled(llm)
