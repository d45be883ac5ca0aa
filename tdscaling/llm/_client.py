"""`ChatOpenAI` that sends and returns messages exactly as they are.

Enters: messages in OpenAI format. Leaves: the endpoint's choice as it sent it. ChatOpenAI parses
the arguments of tool calls, after which what the model really sent is gone; and it converts every
message on every call, there and back. Both overridden methods are private to langchain-openai:
`tests/llm/test_client.py` compares the bodies with those of plain ChatOpenAI.

Importing this module takes more than a second: import it where a request is made.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from typing import Any

import openai
from langchain_core.outputs import ChatResult
from langchain_openai import ChatOpenAI

from tdscaling.schema import Message

CONNECT_SECONDS = 10.0
"""A host that does not answer the door within this time is not there."""


class VerbatimChat(ChatOpenAI):
    """Takes `wire`, the parts of the body that are sent as they are."""

    own_server: bool = False
    """Whether the endpoint is not OpenAI's."""

    def _get_request_payload(
        self, input_: Any, *, stop: list[str] | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        wire = kwargs.pop("wire")
        payload = super()._get_request_payload([], stop=stop, **kwargs)
        if self.own_server and "max_completion_tokens" in payload:
            # OpenAI renamed it; many servers know only the old name and would generate on and on.
            payload["max_tokens"] = payload.pop("max_completion_tokens")
        return {**payload, "extra_body": dict(wire)}

    def _create_chat_result(
        self, response: Any, generation_info: dict[str, Any] | None = None
    ) -> ChatResult:
        result = super()._create_chat_result(response, generation_info)
        data = response if isinstance(response, dict) else response.model_dump(warnings=False)
        if not data["choices"]:
            raise ValueError("no choices")
        sent = {"choice": data["choices"][0], "usage": data.get("usage")}
        result.generations[0].message.additional_kwargs["sent"] = sent
        return result


class Client:
    """Connections to one endpoint, for one event loop.

    Args:
        base_url: of the endpoint.
        own_server: whether it is not OpenAI's.
        model: name of the model.
        api_key: read at each request, so that no copy of it is kept here.
        temperature: of sampling; None for the endpoint's default.
        max_tokens: of a reply.
        timeout: seconds per request.
        retries: further tries after a failure that may pass.
    """

    def __init__(
        self,
        *,
        base_url: str,
        own_server: bool,
        model: str,
        api_key: Callable[[], Awaitable[str]],
        temperature: float | None,
        max_tokens: int,
        timeout: float,
        retries: int,
    ) -> None:
        limit = openai.Timeout(timeout, connect=min(timeout, CONNECT_SECONDS))
        # Its own pool: langchain-openai shares one between event loops, which breaks the second.
        self._http = openai.DefaultAsyncHttpxClient(base_url=base_url, timeout=limit)
        self._chat = VerbatimChat(
            base_url=base_url,
            model=model,
            api_key=api_key,
            temperature=temperature,
            max_completion_tokens=max_tokens,
            timeout=limit,
            max_retries=retries,
            http_async_client=self._http,
            use_responses_api=False,
            own_server=own_server,
        )
        self._life: AsyncGenerator[None, None] | None = None

    async def ask(
        self,
        messages: Sequence[Message],
        *,
        seed: int | None,
        tools: Sequence[Mapping[str, Any]],
        json_schema: Mapping[str, Any] | None,
    ) -> dict[str, Any]:
        """The endpoint's first `choice` and its `usage`, as they were sent."""
        if self._life is None:
            self._life = self._closing()
            await anext(self._life)
        wire: dict[str, Any] = {"messages": list(messages)}
        if tools:
            wire["tools"] = list(tools)
        if json_schema:
            # Not `strict`: OpenAI refuses `maxLength` there, without which small models ramble on
            # until they are cut off. Servers of one's own enforce the schema either way.
            wire["response_format"] = {"type": "json_schema", "json_schema": dict(json_schema)}
        if seed is not None:
            wire["seed"] = seed
        answer = await self._chat.ainvoke("", wire=wire)
        sent: dict[str, Any] = answer.additional_kwargs["sent"]
        return sent

    async def _closing(self) -> AsyncGenerator[None, None]:
        # An event loop finishes its generators before it ends: the one moment to close sockets.
        try:
            yield
        finally:
            await self._http.aclose()
