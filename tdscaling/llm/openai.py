"""An OpenAI-compatible endpoint, over `langchain_openai.ChatOpenAI`.

Enters: messages, tools, a JSON Schema. Leaves: the reply as the model sent it, with tokens, time
and cost. The key is read from the environment for each request: it is in no config, no pickle, no
representation and no error of this class.
"""

from __future__ import annotations

import asyncio
import copy
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, Self, TypeGuard
from urllib.parse import urlsplit

from tdscaling.configuration import NO_VARIABLE, names_variable
from tdscaling.errors import ConfigError, EndpointError
from tdscaling.llm import NoReply, Reply, _constrained, part_of
from tdscaling.llm._limiter import Limiter, limiter_of
from tdscaling.schema import LlmCall, Message, canonical, digest
from tdscaling.spending.account import check_time

if TYPE_CHECKING:
    from tdscaling.llm._client import Client

OPENAI = "https://api.openai.com/v1"
CHARACTERS = 4
"""Characters of a token, where an endpoint does not count."""
CUT_KEY = 4
"""Characters of a key that are too many to show."""
SECRET_KEY = 12
"""Characters of a key from which on it is one."""
MOST_TOKENS = 100_000_000
"""No request has more: an endpoint that says so did not count."""
ESTIMATED = "tokens_estimated"
"""`LlmCall.error` of a good reply whose tokens the endpoint did not count."""


class OpenAIEndpoint:
    """Answers chat requests over HTTP.

    Args:
        base_url: of the endpoint; None for OpenAI's.
        model: name of the model there.
        api_key_env: environment variable that holds the key; None to send none.
        temperature: of sampling, 0 to 2; None for the endpoint's default.
        max_tokens: of a reply, at least 1.
        timeout: seconds that a request may take as a whole.
        max_reply_bytes: longest body of a reply that is read.
        retries: further tries after a failure that may pass, at least 0.
        backoff: seconds before the second try at most; doubles with each further one.
        backoff_max: seconds before any try at most.
        retry_after_max: seconds for which an endpoint may ask to be left alone.
        max_concurrency: requests at a time per process; None for no upper limit.
        adaptive_concurrency: whether to find out how many requests at a time it likes.
        send_seed: whether to send a seed.
        tool_calls: the server's own, or JSON that a schema forces.
        price_prompt: USD per 1,000,000 prompt tokens.
        price_completion: USD per 1,000,000 completion tokens.
    """

    direct = False
    """Whether proxies of the environment are left out."""

    def __init__(
        self,
        *,
        base_url: str | None,
        model: str | None,
        api_key_env: str | None,
        temperature: float | None,
        max_tokens: int,
        timeout: float,
        max_reply_bytes: int,
        retries: int,
        backoff: float,
        backoff_max: float,
        retry_after_max: float,
        max_concurrency: int | None,
        adaptive_concurrency: bool,
        send_seed: bool,
        tool_calls: Literal["native", "json"],
        price_prompt: float,
        price_completion: float,
    ) -> None:
        _check_url(base_url)
        _check_key_env(api_key_env)
        _check(temperature is None or 0 <= temperature <= 2, "temperature", "0 to 2", temperature)
        _check(max_tokens >= 1, "max_tokens", "at least 1", max_tokens)
        _check(timeout > 0, "timeout", "seconds above 0", timeout)
        _check(max_reply_bytes >= 1, "max_reply_bytes", "at least 1", max_reply_bytes)
        _check(retries >= 0, "retries", "at least 0", retries)
        _check(backoff >= 0, "backoff", "seconds, at least 0", backoff)
        _check(backoff_max >= backoff, "backoff_max", "at least llm.backoff", backoff_max)
        _check(retry_after_max >= 0, "retry_after_max", "seconds, at least 0", retry_after_max)
        most = max_concurrency
        _check(most is None or most >= 1, "max_concurrency", "at least 1, or null", most)
        _check(price_prompt >= 0, "price_prompt", "at least 0", price_prompt)
        _check(price_completion >= 0, "price_completion", "at least 0", price_completion)
        self.model = model
        self._own_server = base_url is not None
        self._base_url = base_url or OPENAI
        self._api_key_env = api_key_env
        self._temperature = temperature
        self._max_tokens = max_tokens
        self._timeout = timeout
        self._max_reply_bytes = max_reply_bytes
        self._retries = retries
        self._backoff = (backoff, backoff_max)
        self._retry_after_max = retry_after_max
        self._max_concurrency = max_concurrency
        self._adaptive = adaptive_concurrency
        self._send_seed = send_seed
        self._tool_calls: Literal["native", "json"] = tool_calls
        self._prices = (price_prompt / 1e6, price_completion / 1e6)
        self._here: tuple[asyncio.AbstractEventLoop, Client, Limiter] | None = None

    def __repr__(self) -> str:
        return f"OpenAIEndpoint({self._base_url!r}, {self.model!r})"

    def __getstate__(self) -> dict[str, Any]:
        """Without the connections: each process makes its own."""
        return {**self.__dict__, "_here": None}

    @property
    def identity(self) -> str:
        """Server, model, sampling, and the style of tool calls."""
        return canonical([self._base_url, self.model, *self.sampling])

    @property
    def sampling(self) -> list[object]:
        """What decides a reply beside the request, the server and the model."""
        told = [self.tools_prompt] if self.tools_prompt else []
        return [self._temperature, self._max_tokens, self._send_seed, *told]

    @property
    def tools_prompt(self) -> str | None:
        """Digest of the prompt that tells of tools; None where the server's own calls are used."""
        return _constrained.prompt_digest() if self._tool_calls == "json" else None

    def require(self, role: str) -> None:
        """Refuse a missing model, or a missing key where one is certainly needed.

        Raises:
            ConfigError: naming what to type.
        """
        if not self.model:
            raise ConfigError(f"{part_of(role)}: which model is to play it? type llm.model=NAME")
        if not self._own_server and not self._key():
            raise ConfigError(
                f"{part_of(role)}: {OPENAI} needs a key, but the environment variable"
                f" {self._api_key_env or 'that llm.api_key_env names'} is not set; set it, or type"
                " llm.base_url=http://HOST:PORT/v1 for a server of your own"
            )

    async def chat(
        self,
        role: str,
        messages: Sequence[Message],
        *,
        seed: str,
        tools: Sequence[Mapping[str, Any]] = (),
        json_schema: Mapping[str, Any] | None = None,
    ) -> Reply:
        """One reply, as the model sent it.

        Raises:
            NoReply: if this request failed or its reply is not usable.
            EndpointError: if the endpoint cannot be used at all.
        """
        started = time.perf_counter()
        number = int(digest(seed, 8), 16) % 2**31 if self._send_seed else None
        forced = tools if self._tool_calls == "json" else ()
        if forced:
            (messages, json_schema), tools = _constrained.asked(messages, tools), ()
        try:
            sent, elapsed = await self._ask(messages, number, tools, json_schema)
        except NoReply as error:
            call = LlmCall(role, str(self.model), 0, 0, _since(started), 0.0, error=str(error))
            raise NoReply(f"{role}: {self.model}: {error}", (call,)) from error
        call = self._counted(role, messages, tools, sent, elapsed)
        try:
            message = self._keyless(_message(sent["choice"]))
            return Reply(_constrained.understood(message, forced) if forced else message, call)
        except NoReply as error:
            reason = self.clean(str(error))  # it may repeat what the model said
            call = replace(call, error=reason)
            raise NoReply(f"{role}: {self.model}: {reason}", (call,)) from None

    async def models(self) -> tuple[str, ...] | None:
        """Names of the endpoint's models; None where it does not tell.

        Raises:
            EndpointError: if the endpoint cannot be used at all.
        """
        from tdscaling.llm import _failures

        try:
            return tuple(await self._connected()[0].models())
        except _failures.PASSING as error:
            reason = None if _failures.not_found(error) else _failures.unusable(error)
            if reason:
                raise EndpointError(self.clean(f"{self._base_url}: {reason}")) from None
            return None

    @property
    def sends_seed(self) -> bool:
        """Whether a seed is sent."""
        return self._send_seed

    @property
    def tool_calls(self) -> Literal["native", "json"]:
        """The style of tool calls."""
        return self._tool_calls

    async def aclose(self) -> None:
        """Close the connections; else the end of the event loop does."""
        if self._here is not None:
            await self._here[1].aclose()
            self._here = None

    def varied(self, **changed: object) -> Self:
        """The same endpoint with other settings, and connections of its own; for trying them."""
        other = copy.copy(self)
        for name, value in changed.items():
            assert hasattr(other, f"_{name}"), name
            setattr(other, f"_{name}", value)
        return other

    async def _ask(self, *request: Any) -> tuple[dict[str, Any], float]:
        """What the endpoint sent, and the milliseconds that the successful try took."""
        from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt
        from tenacity.wait import wait_random_exponential

        from tdscaling.llm import _failures

        first, most = self._backoff
        tries = AsyncRetrying(
            stop=stop_after_attempt(self._retries + 1),
            # Random from 0 on, so that requests that failed together don't return together.
            wait=wait_random_exponential(multiplier=first, max=most),
            retry=retry_if_exception(_failures.may_pass),
            reraise=True,
        )
        try:
            return await tries(self._try, *request)
        except _failures.PASSING as error:
            reason = _failures.unusable(error)
            if reason:
                # Not chained: the client's errors hold the request, and that holds the key.
                raise EndpointError(
                    self.clean(f"the model {self.model} at {self._base_url}: {reason}")
                ) from None
            raise NoReply(self.clean(_failures.failed(error))) from None

    async def _try(
        self,
        messages: Sequence[Message],
        seed: int | None,
        tools: Sequence[Mapping[str, Any]],
        json_schema: Mapping[str, Any] | None,
    ) -> tuple[dict[str, Any], float]:
        from tdscaling.llm import _failures

        client, limiter = self._connected()
        leave = await limiter.acquire()
        replied = overloaded = False
        started = time.perf_counter()
        try:
            check_time()  # a further try is a further request
            sent = await client.ask(messages, seed=seed, tools=tools, json_schema=json_schema)
            replied = True
            return sent, _since(started)
        except _failures.PASSING as error:
            overloaded = _failures.overloaded(error)
            if (seconds := _failures.retry_after(error)) is not None:
                limiter.pause(min(seconds, self._retry_after_max))
            raise
        finally:
            limiter.release(leave, replied=replied, overloaded=overloaded)

    def _connected(self) -> tuple[Client, Limiter]:
        from tdscaling.llm._client import Client

        loop = asyncio.get_running_loop()
        if self._here is None or self._here[0] is not loop:
            client = Client(
                base_url=self._base_url,
                own_server=self._own_server,
                model=str(self.model),
                api_key=self._sent_key,
                temperature=self._temperature,
                max_tokens=self._max_tokens,
                timeout=self._timeout,
                max_reply_bytes=self._max_reply_bytes,
                direct=self.direct,
            )
            name = f"{self.model} at {self._base_url}"
            limiter = limiter_of(name, self._max_concurrency, adaptive=self._adaptive)
            self._here = (loop, client, limiter)
        return self._here[1:]

    def _key(self) -> str:
        return os.environ.get(self._api_key_env, "") if self._api_key_env else ""

    async def _sent_key(self) -> str:
        return self._key() or "none"  # the client insists on one, servers of one's own do not

    def clean(self, text: str) -> str:
        """The text without the key, which endpoints like to repeat when they refuse it."""
        key = self._key()
        if key:
            text = text.replace(key, "***")
            for length in range(len(key) - 1, CUT_KEY - 1, -1):  # where its words were shortened
                text = text.replace(f"{key[:length]}...", "***...")
        return text

    def _keyless(self, message: Message) -> Message:
        """The message, if it does not repeat the key that it was sent for."""
        key = self._key()
        # What servers of one's own are sent for form's sake is short, and may be any word.
        if len(key) >= SECRET_KEY and key in canonical(message):
            raise NoReply("the reply repeats the key")
        return message

    def _counted(
        self,
        role: str,
        messages: Sequence[Message],
        tools: Sequence[Mapping[str, Any]],
        sent: Mapping[str, Any],
        elapsed: float,
    ) -> LlmCall:
        usage = sent["usage"] if isinstance(sent["usage"], dict) else {}
        prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
        error = None
        if not _is_count(prompt) or not _is_count(completion):
            error = ESTIMATED
            prompt = len(canonical([list(messages), list(tools)])) // CHARACTERS
            completion = len(canonical(sent["choice"].get("message"))) // CHARACTERS
        cost = prompt * self._prices[0] + completion * self._prices[1]
        return LlmCall(role, str(self.model), prompt, completion, elapsed, cost, error=error)


def _message(choice: Mapping[str, Any]) -> Message:
    """The model's message, if it is whole and says something."""
    message = choice.get("message")
    if not isinstance(message, dict):
        raise NoReply("malformed reply: no message")
    if choice.get("finish_reason") in ("length", "content_filter"):
        raise NoReply(f"the reply was cut off: {choice['finish_reason']}")
    if message.get("refusal"):
        raise NoReply("the model refused to reply")
    content, calls = message.get("content"), message.get("tool_calls")
    if content is not None and not isinstance(content, str):
        raise NoReply("malformed reply: content is not text")
    if not (content and content.strip()) and not calls:
        raise NoReply("empty reply")
    found: Message = {"role": "assistant", "content": content or None}
    return {**found, "tool_calls": calls} if calls else found


def _is_count(tokens: object) -> TypeGuard[int]:
    return isinstance(tokens, int) and not isinstance(tokens, bool) and 0 <= tokens <= MOST_TOKENS


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000


def _check(fits: bool, name: str, expected: str, got: object) -> None:
    if not fits:
        raise ConfigError(f"llm.{name}: expected {expected}, got {got}")


def _check_key_env(name: str | None) -> None:
    if name is not None and not names_variable(name):
        raise ConfigError(f"llm.api_key_env: {NO_VARIABLE}")


def _check_url(base_url: str | None) -> None:
    if base_url is None:
        return
    parts = urlsplit(base_url)
    if parts.username or parts.password:
        # Not repeated here: it holds a password, and configs are stored with the data.
        raise ConfigError(
            "llm.base_url: it must not hold a name or password; put the key into the environment"
            " variable that llm.api_key_env names"
        )
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"llm.base_url: expected http://HOST:PORT/v1, got {base_url}")
