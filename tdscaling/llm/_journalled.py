"""An endpoint whose replies are kept before they are used.

Enters: a request of a role. Leaves: the reply that this very request got before, or a new one, once
it is on the disk. Failures are kept as well: a run that is continued meets the same ones.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from tdscaling import tracing
from tdscaling.llm import Endpoint, NoReply, Reply
from tdscaling.llm._limiter import limits
from tdscaling.schema import LlmCall, Message, canonical
from tdscaling.spending.account import charged
from tdscaling.spending.journal import Entry


class Journalled:
    """Answers as another endpoint does, and pays for each request once.

    Args:
        endpoint: that other one.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def __copy__(self) -> Journalled:
        """A copy has connections of its own."""
        return Journalled(copy.copy(self._endpoint))

    @property
    def model(self) -> str | None:
        """Name of the model."""
        return self._endpoint.model

    @property
    def identity(self) -> str | None:
        """What decides a reply beside the request."""
        return self._endpoint.identity

    @property
    def tools_prompt(self) -> str | None:
        """Digest of the prompt that tells of tools."""
        return self._endpoint.tools_prompt

    def require(self, role: str) -> None:
        """Refuse early what could not work.

        Raises:
            ConfigError: naming what to type.
        """
        self._endpoint.require(role)

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

        Raises:
            NoReply: if this request failed or its reply is not usable.
            EndpointError: if the endpoint cannot be used at all.
            EndOfRun: if a cap of the run is reached.
        """
        at = charged()
        wanted = {"seed": seed, "tools": tools, "json_schema": json_schema}
        if at is None:
            return await self._endpoint.chat(role, messages, **wanted)  # type: ignore[arg-type]
        account, trajectory = at
        asked = [seed, messages, tools, json_schema]
        key = request_key(role, self.model, asked)
        found = account.find(key)
        if found is not None:
            return used(found)
        shared = _key([self.identity, *asked]) if account.cache else ""
        entry = account.find_shared(shared) if shared else None
        paid = entry is None
        if entry is None:
            account.admit(role)
            entry = await self._asked(trajectory, role, messages, wanted)
        await account.keep(key, entry, limits)
        if shared and paid:
            await account.share(shared, entry)
        return used(entry)

    async def _asked(
        self, trajectory: str, role: str, messages: Sequence[Message], wanted: Mapping[str, Any]
    ) -> Entry:
        with tracing.request(str(self.model), trajectory, role) as span:
            try:
                reply = await self._endpoint.chat(role, messages, **wanted)
            except NoReply as error:
                call = error.calls[-1] if error.calls else _unknown(role, self.model, str(error))
                entry = Entry(trajectory, call, failure=str(error))
                span.failed(call.error or "")
            else:
                entry = Entry(trajectory, reply.call, reply.message)
            span.told(
                gen_ai_usage_input_tokens=entry.call.prompt_tokens,
                gen_ai_usage_output_tokens=entry.call.completion_tokens,
                tdscaling_cost_usd=entry.call.cost_usd,
            )
            span.said(messages, entry.message)
            return entry


def request_key(role: str, model: str | None, asked: Sequence[object]) -> str:
    """The name of a request in the journal: who asks which model for what, by which seed."""
    return _key([role, model, *asked])


def used(entry: Entry) -> Reply:
    """What was kept, as if it came now.

    Raises:
        NoReply: if that was a failure.
    """
    if entry.message is None:
        raise NoReply(entry.failure, (entry.call,))
    return Reply(entry.message, entry.call)


def _unknown(role: str, model: str | None, error: str) -> LlmCall:
    return LlmCall(role, str(model), 0, 0, 0.0, 0.0, error=error)


def _key(value: object) -> str:
    try:
        # Ten times faster than the standard library; requests grow with the conversation.
        text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # a whole number of more than 64 bits, or half a character
        text = canonical(value).encode(errors="surrogatepass")
    return hashlib.sha256(text).hexdigest()[:32]
