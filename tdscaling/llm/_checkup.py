"""What an endpoint can do, found out by asking it.

Enters: an endpoint as it is set. Leaves: findings, each with what was seen and what to type. Only
what is asked here is paid for: about a dozen short requests.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from tdscaling.errors import EndpointError
from tdscaling.llm import NoReply, Reply
from tdscaling.llm._text import text_in, value_in
from tdscaling.llm.openai import ESTIMATED, OpenAIEndpoint
from tdscaling.schema import Message

ROLE = "doctor"
TIMED = 3
"""Requests whose times are compared; the first of all may have loaded the model."""
RETRIES = 1
"""Further tries here: who looks wants to know soon."""
SHOWN = 160
"""Characters of what an endpoint said."""
REFUSED = ("status 400", "status 422")
"""What servers say to a setting that they do not know."""
LISTED = 8
"""Models that are named."""

HELLO: list[Message] = [{"role": "user", "content": "Say hello in one short sentence."}]
FORECAST = {
    "type": "function",
    "function": {
        "name": "get_forecast",
        "description": "The weather forecast for a city.",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "day": {"type": "string", "enum": ["today", "tomorrow"]},
            },
            "required": ["city", "day"],
        },
    },
}
WEATHER: list[Message] = [
    {"role": "system", "content": "You are an assistant with tools. Use them to answer."},
    {
        "role": "user",
        "content": "What will the weather be in Oslo tomorrow? Call get_forecast for it.",
    },
]
RESULT = '{"city": "Oslo", "day": "tomorrow", "forecast": "rain, 7 degrees"}'
QUESTION: list[Message] = [
    {"role": "user", "content": "Is Oslo the capital of Norway? Say why you think so."}
]
OPINION = {
    "name": "opinion",
    "schema": {
        "type": "object",
        "properties": {"why": {"type": "string", "maxLength": 300}, "yes": {"type": "boolean"}},
        "required": ["why", "yes"],
        "additionalProperties": False,
    },
}
Settings = dict[str, object]
OTHER = {"native": "json", "json": "native"}
ACTS = ("roles/assistant=llm",)
WRITES = ("blueprints=composed", "roles/assistant=narrated")
"""Who asks for a JSON Schema, and takes the words alone as well."""
JUDGES = ("roles/judge=llm", "environments=llm")
"""Who needs a JSON Schema."""
ROLES = ("roles/user=llm", *ACTS, *WRITES, *JUDGES)
"""All that a model can play."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    check: str
    fine: bool
    seen: str
    stops: tuple[str, ...] = ROLES
    """What cannot be played while it is not fine, as the endpoint is set."""
    set: tuple[str, ...] = ()
    """Overrides that mend it."""


def played(findings: Sequence[Finding]) -> tuple[str, ...]:
    """What can be played over an endpoint as it is set."""
    stopped = {role for finding in findings if not finding.fine for role in finding.stops}
    return tuple(role for role in ROLES if role not in stopped)


async def examine(endpoint: OpenAIEndpoint) -> list[Finding]:
    """Look at all; what cannot be looked at any more is left out."""
    async with aclosing(endpoint.varied(retries=RETRIES)) as asked:
        found = [await _reachable(asked)]
        if not found[0].fine:
            return found
        changed, words = await _words(asked)
    found.append(words)
    if changed is not None:
        async with aclosing(endpoint.varied(retries=RETRIES, **changed)) as usable:
            found += [*await _measured(usable), *await _tools(usable), await _shape(usable)]
    return found


async def _reachable(endpoint: OpenAIEndpoint) -> Finding:
    try:
        models = await endpoint.models()
    except EndpointError as error:
        return Finding("reachable", False, str(error))
    named = ", ".join(_shown(name) for name in (models or ())[:LISTED])
    more = f" and {len(models) - LISTED} more" if models and len(models) > LISTED else ""
    told = f"it has {named}{more}" if named else "it lists no models"
    if endpoint.model is None:
        choice = (f"llm.model={_shown(models[0])}",) if models else ("llm.model=NAME",)
        told = endpoint.clean(f"no model is chosen; {told}")
        return Finding("reachable", False, told, set=choice)
    listed = models is None or endpoint.model in models
    seen = f"{_shown(endpoint.model)} is listed" if models and listed else told
    # Some servers answer to any name: whether this one does shows with the next request.
    return Finding("reachable", True, endpoint.clean(seen))


async def _words(endpoint: OpenAIEndpoint) -> tuple[Settings | None, Finding]:
    """Settings to change so that it replies, if any do, and whether it did without."""
    unseeded: Settings = {"send_seed": False}
    default: Settings = {"temperature": None}
    first = ""
    for changed in ({}, unseeded, default, unseeded | default):
        try:
            async with aclosing(endpoint.varied(**changed)) as tried:
                reply = await _chat(tried, HELLO, "0")
        except EndpointError as error:
            return None, Finding("plain reply", False, str(error))
        except NoReply as error:
            first = first or _reason(error)
            if not first.startswith(REFUSED):
                return None, Finding("plain reply", False, first, set=_longer(first))
            continue
        seen = f"refused as set: {first}" if first else _said(endpoint, reply)
        return changed, Finding("plain reply", not first, seen, set=_typed(changed))
    return None, Finding("plain reply", False, first)


def _typed(changed: Settings) -> tuple[str, ...]:
    return tuple(f"llm.{name}={json.dumps(value)}" for name, value in changed.items())


def _longer(reason: str) -> tuple[str, ...]:
    """What to type where a reply did not come to its end."""
    if "cut off: length" in reason:
        return ("llm.max_tokens=4096",)
    return ("llm.timeout=600",) if "timeout" in reason else ()


async def _measured(endpoint: OpenAIEndpoint) -> list[Finding]:
    """Seed, tokens and time."""
    replies = []
    try:
        for number in range(TIMED):
            replies.append(await _chat(endpoint, HELLO, str(max(number, 1))))
    except (NoReply, EndpointError) as error:
        return [Finding("more replies", False, _reason(error), set=_longer(str(error)))]
    seeded = endpoint.sends_seed
    same = replies[0].message == replies[1].message
    seen = "accepted; " + ("the same reply again" if same else "the same seed, another reply")
    median = statistics.median(reply.call.latency_ms for reply in replies)
    counted = all(reply.call.error != ESTIMATED for reply in replies)
    call = replies[-1].call
    tokens = f"{call.prompt_tokens} and {call.completion_tokens}"
    usage = f"{tokens} tokens" if counted else f"not counted; estimated as {tokens}"
    return [
        Finding("seed", seeded, seen if seeded else "not sent", stops=()),
        Finding("tokens", counted, usage, stops=()),
        Finding("latency", True, f"median of {TIMED} short replies: {median:,.0f} ms"),
    ]


async def _tools(endpoint: OpenAIEndpoint) -> list[Finding]:
    """Both styles of tool calls, the one that is set first."""
    style = endpoint.tool_calls
    own, other = await _called(endpoint), await _called_as(endpoint, OTHER[style])
    mended = (f"llm.tool_calls={OTHER[style]}",) if other[0] and not own[0] else ()
    return [
        Finding(f"tool calls, {style}", *own, stops=ACTS, set=mended),
        Finding(f"tool calls, {OTHER[style]}", *other, stops=()),
    ]


async def _called_as(endpoint: OpenAIEndpoint, style: str) -> tuple[bool, str]:
    async with aclosing(endpoint.varied(tool_calls=style)) as tried:
        return await _called(tried)


async def _called(endpoint: OpenAIEndpoint) -> tuple[bool, str]:
    """Whether one easy call is made and its result told."""
    try:
        message = (await _chat(endpoint, WEATHER, "tools", tools=[FORECAST])).message
        amiss = _amiss(message.get("tool_calls"))
        if amiss:
            said = f"; it said {_quoted(message['content'])}" if message["content"] else ""
            return False, endpoint.clean(f"{amiss}{said}")
        function = message["tool_calls"][0]["function"]
        call = {"id": "call_0", "type": "function", "function": function}
        turn = {"role": "assistant", "content": message["content"], "tool_calls": [call]}
        result = {"role": "tool", "tool_call_id": "call_0", "content": RESULT}
        last = await _chat(endpoint, [*WEATHER, turn, result], "told", tools=[FORECAST])
    except (NoReply, EndpointError) as error:
        return False, _reason(error)
    if last.message.get("tool_calls"):
        return False, "it was given the result and called again instead of telling it"
    return True, _said(endpoint, last)


def _amiss(calls: object) -> str:
    """Why these are not the call that was asked for."""
    if not isinstance(calls, list) or not calls:
        return "no call"
    try:
        function = calls[0]["function"]
        name, arguments = function["name"], value_in(function["arguments"])
        right = name == "get_forecast" and "oslo" in str(arguments["city"]).casefold()
    except (ValueError, KeyError, TypeError):
        return f"a call without usable name or arguments: {_quoted(calls[0])}"
    return "" if right else f"another call than was asked for: {_quoted(function)}"


async def _shape(endpoint: OpenAIEndpoint) -> Finding:
    try:
        reply = await _chat(endpoint, QUESTION, "schema", json_schema=OPINION)
    except (NoReply, EndpointError) as error:
        return Finding("JSON schema", False, _reason(error), (*WRITES, *JUDGES))
    try:
        opinion = value_in(str(reply.message["content"]))
        fits = opinion.keys() == {"why", "yes"} and isinstance(opinion["yes"], bool)
        fits = fits and isinstance(opinion["why"], str)
    except (ValueError, AttributeError):
        fits = False
    seen = _said(endpoint, reply)
    words = text_in(str(reply.message["content"] or ""))
    stops = JUDGES if words else (*WRITES, *JUDGES)
    return Finding("JSON schema", fits, seen if fits else f"the reply does not fit: {seen}", stops)


async def _chat(
    endpoint: OpenAIEndpoint,
    messages: Sequence[Message],
    seed: str,
    *,
    tools: Sequence[Mapping[str, Any]] = (),
    json_schema: Mapping[str, Any] | None = None,
) -> Reply:
    return await endpoint.chat(ROLE, messages, seed=seed, tools=tools, json_schema=json_schema)


def _reason(error: Exception) -> str:
    """Without who asked which model: both are known."""
    calls = getattr(error, "calls", ())
    return str(calls[-1].error) if calls else str(error)


def _said(endpoint: OpenAIEndpoint, reply: Reply) -> str:
    return endpoint.clean(_quoted(reply.message["content"]))


def _quoted(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f'"{_shown(text)}"'


def _shown(text: str) -> str:
    """On one line, without what a terminal would act on."""
    line = " ".join(text.split())
    line = line if len(line) <= SHOWN else f"{line[:SHOWN]}..."
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)
