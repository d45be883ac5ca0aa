"""The form of messages and calls.

Enters: messages in OpenAI format. Leaves: what is wrong with them, None where nothing is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tdscaling.declared.domain import Domain
from tdscaling.llm._text import value_in
from tdscaling.schema import Message, Tool

_FOLLOWS = {
    "system": {"user"},
    "user": {"assistant"},
    "assistant": {"user", "tool"},
    "tool": {"tool", "assistant"},
}

_KEYS = {
    "system": {"role", "content"},
    "user": {"role", "content"},
    "assistant": {"role", "content", "tool_calls"},
    "tool": {"role", "content", "tool_call_id"},
}
"""Keys of a message: what stands elsewhere would be in the data, but was never looked at."""


def malformed(messages: Sequence[Message], provenance: Sequence[str]) -> str | None:
    """Why the messages are no conversation in OpenAI format."""
    if not messages or messages[0].get("role") != "system":
        return "message 0: expected the system message"
    open_calls: list[str] = []
    for number, message in enumerate(messages):
        problem = _message_problem(message, messages[number - 1] if number else None, open_calls)
        if problem:
            return f"message {number}: {problem}"
    last = messages[-1]
    if last["role"] != "assistant" or last.get("tool_calls"):
        return f"message {len(messages) - 1}: expected an assistant's text at the end"
    tools = sum(message["role"] == "tool" for message in messages)
    if tools != len(provenance):
        return f"expected one provenance per tool message ({tools}), got {len(provenance)}"
    return None


def _message_problem(message: Message, before: Message | None, open_calls: list[str]) -> str | None:
    role = message.get("role")
    if role not in _FOLLOWS:
        return f"unknown role {role!r}"
    if before is not None and role not in _FOLLOWS[before["role"]]:
        return f"a {role} message cannot follow a {before['role']} message"
    if message.keys() - _KEYS[role]:
        return f"a {role} message has no key {min(message.keys() - _KEYS[role])!r}"
    if role == "tool":
        if message.get("tool_call_id") not in open_calls:
            return f"tool_call_id {message.get('tool_call_id')!r} answers no open call"
        open_calls.remove(message["tool_call_id"])
    elif open_calls:
        return f"the calls {', '.join(open_calls)} have no result"
    return _words_or_calls(message, open_calls)


def _words_or_calls(message: Message, open_calls: list[str]) -> str | None:
    calls, content = message.get("tool_calls") or [], message.get("content")
    if not calls:
        return None if isinstance(content, str) and content else "expected a text as content"
    if not isinstance(calls, list) or not all(map(_is_call, calls)):
        return "a tool call has an id, type function and a function of name and arguments"
    if not isinstance(content, str | None):
        return "expected a text or null as content"
    open_calls[:] = [call["id"] for call in calls]
    return "two calls have the same id" if len(set(open_calls)) != len(open_calls) else None


def _is_call(call: object) -> bool:
    function = call.get("function") if isinstance(call, dict) else None
    return (
        isinstance(call, dict)
        and set(call) == {"id", "type", "function"}
        and isinstance(call["id"], str)
        and call["type"] == "function"
        and isinstance(function, dict)
        and set(function) == {"name", "arguments"}
    )


def bad_call(
    messages: Sequence[Message], domains: Mapping[str, Domain], tools: Sequence[Tool]
) -> str | None:
    """The first call that is not valid and was not recovered from.

    A call is recovered from by a later valid call, of the same tool where that exists.
    """
    offered = {tool.name: tool for tool in tools}
    calls = [
        (number, call["function"]["name"], call["function"]["arguments"])
        for number, message in enumerate(messages)
        for call in message.get("tool_calls") or ()
    ]
    problems = [_call_problem(name, arguments, offered, domains) for _, name, arguments in calls]
    for position, (number, name, _) in enumerate(calls):
        problem = problems[position]
        later = zip(calls[position + 1 :], problems[position + 1 :], strict=True)
        recovered = any(
            other[1] == name or name not in offered for other, bad in later if bad is None
        )
        if problem and not recovered:
            return f"message {number}, call of {name}: {problem}"
    return None


def _call_problem(
    name: object, arguments: object, offered: Mapping[str, Tool], domains: Mapping[str, Domain]
) -> str | None:
    if not isinstance(name, str) or name not in offered:
        return f"expected one of the tools offered, got {name!r}"
    if not isinstance(arguments, str):
        return f"expected arguments as JSON text, got {type(arguments).__name__}"
    try:
        values = value_in(arguments)
    except ValueError as error:
        return f"arguments are no JSON: {error}"
    if not isinstance(values, dict):
        return "arguments are not a JSON object"
    return domains[offered[name].domain].tools[name].problem(values)
