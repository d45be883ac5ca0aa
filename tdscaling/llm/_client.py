"""`ChatOpenAI` that sends and returns messages exactly as they are.

Enters: messages in OpenAI format. Leaves: the endpoint's choice as it sent it. ChatOpenAI parses
the arguments of tool calls, after which what the model really sent is gone; and it and its SDK
look at every message on every call, which costs more than all else that a run does. So ChatOpenAI
makes the settings part of the body and owns the connection, messages and reply pass it untouched,
and its callbacks are called where there are some: `tests/llm/test_client.py` compares the bodies
with those of plain ChatOpenAI.

Importing this module takes more than a second: import it where a request is made.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

import httpx2
import openai
import orjson
from langchain_core.callbacks import AsyncCallbackManager, AsyncCallbackManagerForLLMRun
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables.config import ensure_config
from langchain_openai import ChatOpenAI

from tdscaling.schema import Message

CONNECT_SECONDS = 10.0
"""A host that does not answer the door within this time is not there."""
IDLE_SECONDS = 4.0
"""An unused connection is closed before the server does it: most close after 5 s, and a request
that meets the closing is lost."""
CONNECTIONS = 10_000
"""No limit in practice: how many requests are on their way is the limiter's business."""
SHOWN = 200
"""Characters of a reply that is none which its error repeats."""


class VerbatimChat(ChatOpenAI):
    """Takes `wire`, the parts of the body that are sent as they are."""

    own_server: bool = False
    """Whether the endpoint is not OpenAI's."""

    async def post(self, wire: Mapping[str, Any]) -> dict[str, Any]:
        """One request; the reply's JSON object, which has a choice.

        Raises:
            ValueError: if the reply is no such object.
        """
        body = self._get_request_payload([])
        if self.own_server and "max_completion_tokens" in body:
            # OpenAI renamed it; many servers know only the old name and would generate on and on.
            body["max_tokens"] = body.pop("max_completion_tokens")
        response = await self.root_async_client.post(
            "/chat/completions", cast_to=httpx2.Response, content=_written({**body, **wire})
        )
        return _completion(response.content)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        data = await self.post(kwargs["wire"])
        try:
            result = self._create_chat_result(data)
        except (ValueError, KeyError, TypeError, AttributeError):
            # A trace of an odd reply has no text; what the run makes of it is decided elsewhere.
            result = ChatResult(generations=[ChatGeneration(message=AIMessage(""))])
        result.generations[0].message.additional_kwargs["sent"] = data
        return result

    async def send(self, wire: Mapping[str, Any]) -> dict[str, Any]:
        """As `post`, and seen by LangSmith and other callbacks where any are configured."""
        seen_by = AsyncCallbackManager.configure(ensure_config().get("callbacks"))
        if not seen_by.handlers:
            return await self.post(wire)
        answer = await self.ainvoke(wire["messages"], wire=wire)
        sent: dict[str, Any] = answer.additional_kwargs["sent"]
        return sent


class Client:
    """Connections to one endpoint, for one event loop.

    Args:
        base_url: of the endpoint.
        own_server: whether it is not OpenAI's.
        model: name of the model.
        api_key: read at each request, so that no copy of it is kept here.
        temperature: of sampling; None for the endpoint's default.
        max_tokens: of a reply.
        timeout: seconds that a request may take as a whole.
        max_reply_bytes: of a reply's body; what is longer is not read.
        direct: whether no proxy of the environment may be used.
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
        max_reply_bytes: int,
        direct: bool = False,
    ) -> None:
        self._timeout = timeout
        self._most = max_reply_bytes
        limit = openai.Timeout(timeout, connect=min(timeout, CONNECT_SECONDS))
        # Its own pool: langchain-openai shares one between event loops, which breaks the second.
        self._http = openai.DefaultAioHttpClient(
            base_url=base_url,
            timeout=limit,
            limits=httpx2.Limits(max_connections=CONNECTIONS, keepalive_expiry=IDLE_SECONDS),
            event_hooks={"response": [self._bound]},
            trust_env=not direct,
        )
        self._chat = VerbatimChat(
            base_url=base_url,
            model=model,
            api_key=api_key,
            temperature=temperature,
            max_completion_tokens=max_tokens,
            timeout=limit,
            max_retries=0,  # the endpoint retries, and it alone
            http_async_client=self._http,
            use_responses_api=False,
            own_server=own_server,
            # A compressed body says nothing of how much memory it takes.
            default_headers={"Accept-Encoding": "identity"},
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
        """The endpoint's first `choice` and its `usage`, as they were sent.

        Raises:
            TimeoutError: if the request as a whole, or the transport's own limits, took too long.
            ValueError: if what was sent is no completion, or longer than it may be.
            OpenAIError: of the client, and of the transport below it.
        """
        await self._live()
        wire: dict[str, Any] = {"messages": list(messages)}
        if tools:
            wire["tools"] = list(tools)
        if json_schema:
            # Not `strict`: OpenAI refuses `maxLength` there, without which small models ramble on
            # until they are cut off. Servers of one's own enforce the schema either way.
            wire["response_format"] = {"type": "json_schema", "json_schema": dict(json_schema)}
        if seed is not None:
            wire["seed"] = seed
        # The transport's limits are per read: a server that trickles would never exceed them.
        async with asyncio.timeout(self._timeout):
            data = await self._chat.send(wire)
        return {"choice": data["choices"][0], "usage": data.get("usage")}

    async def aclose(self) -> None:
        """Close the connections before the event loop ends."""
        if self._life is not None:
            await self._life.aclose()
            self._life = None

    async def models(self) -> list[str]:
        """Names of the endpoint's models.

        Raises:
            TimeoutError: if it took too long.
            ValueError: if what was sent is no list of models.
            OpenAIError: of the client, and of the transport below it.
        """
        await self._live()
        async with asyncio.timeout(self._timeout):
            response = await self._chat.root_async_client.get("/models", cast_to=httpx2.Response)
        data = orjson.loads(response.content)
        return [str(model["id"]) for model in data["data"]]

    async def _bound(self, response: httpx2.Response) -> None:
        """Called with each response before its body is read."""
        coding = response.headers.get("content-encoding", "identity")
        if coding != "identity":
            raise ValueError(f"compressed as {coding[:SHOWN]!r}, although asked not to be")
        announced = response.headers.get("content-length", "")
        if announced.isdecimal() and len(announced) < 19:
            if int(announced) > self._most:
                raise ValueError(too_long(self._most))
            return  # the transport reads no more than was announced
        if not isinstance(response.stream, httpx2.AsyncByteStream):
            raise TypeError(f"a body of unknown kind: {type(response.stream).__name__}")
        response.stream = _Bounded(response.stream, self._most)

    async def _live(self) -> None:
        """From the first request on the event loop closes the sockets when it ends."""
        if self._life is None:
            self._life = self._closing()
            await anext(self._life)

    async def _closing(self) -> AsyncGenerator[None, None]:
        # An event loop finishes its generators before it ends: the one moment to close sockets.
        try:
            yield
        finally:
            await self._http.aclose()


class _Bounded(httpx2.AsyncByteStream):
    """A body that ends with an error where it gets too long."""

    def __init__(self, body: httpx2.AsyncByteStream, most: int) -> None:
        self._body = body
        self._most = most

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = 0
        async for part in self._body:
            read += len(part)
            if read > self._most:
                raise ValueError(too_long(self._most))
            yield part

    async def aclose(self) -> None:
        await self._body.aclose()


def too_long(most: int) -> str:
    """Why a body was not read to its end."""
    return f"longer than llm.max_reply_bytes={most}"


def _written(body: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(body)  # ten times as fast as the standard library, which the SDK asks
    except TypeError:  # half a character, or a whole number of more than 64 bits
        return json.dumps(body).encode()


def _completion(body: bytes) -> dict[str, Any]:
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"no JSON ({error}): {_start(body)}") from None
    if not isinstance(data, dict):
        raise ValueError(f"no JSON object: {_start(body)}")
    choices = data.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        refusal = data.get("error")
        raise ValueError(f"no choices: {refusal}" if refusal else "no choices")
    return data


def _start(body: bytes) -> str:
    return body[:SHOWN].decode(errors="replace") + ("..." if len(body) > SHOWN else "")
