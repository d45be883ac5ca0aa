"""Tool calls without the server's own: told in words, replied to in JSON that a schema forces.

Enters: messages and tools in OpenAI format. Leaves: messages and a JSON Schema that any server with
constrained output understands; and, from the reply, an OpenAI message as if the server had made the
calls. A reply that does not fit is none: nothing is mended.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tdscaling import prompts
from tdscaling.llm import NoReply
from tdscaling.llm._text import value_in
from tdscaling.schema import Message

FOLDER = Path(__file__).parent / "prompts"
SAY, CALLS = "say", "calls"

LONGEST_SAY = 2000
"""Characters that the user is told at a time; llama.cpp knows no longer repetitions."""
LONGEST_TEXT = 1000
"""Characters of a text in an argument, where the tool's own schema does not say less."""
MOST_CALLS = 8
"""Calls at a time."""
MOST_ITEMS = 32
"""Items of a list in an argument; models that may go on do."""
MOST_NODES = 1000
"""Parts of all tools' schemas together. Servers compile them, and slowly: beyond this arguments are
any object."""
DEEPEST = 6
"""Levels of a schema that are followed; what is below may be anything."""
SHOWN = 200
"""Characters of a misfit that its error repeats."""

_KEPT = ("enum", "const", "minimum", "maximum")
"""What every server enforces, or ignores, as it stands. A server that knows a keyword less would
refuse the request; what is left out is judged later, as with native calls."""
_TYPES = frozenset(("string", "number", "integer", "boolean", "null", "array", "object"))
_ANY_ARGUMENTS = {"type": "object"}


def prompt_digest() -> str:
    """Of what models are told."""
    return prompts.digest_of(FOLDER, "tools", "results")


def asked(
    messages: Sequence[Message], tools: Sequence[Mapping[str, Any]]
) -> tuple[list[Message], dict[str, Any]]:
    """Messages without calls, and the schema of the reply."""
    functions = [tool["function"] for tool in tools]
    told = prompts.filled(FOLDER, "tools", tools=[_line(function) for function in functions])
    return list(_plain(messages, told)), {"name": "turn", "schema": _shape(functions)}


def understood(message: Message, tools: Sequence[Mapping[str, Any]]) -> Message:
    """The message that a reply stands for.

    Raises:
        NoReply: if it has neither of the two forms.
    """
    text = message["content"] or ""
    try:
        turn = value_in(text)
    except ValueError:
        raise _misfit(text) from None
    if not isinstance(turn, dict) or len(turn) != 1:
        raise _misfit(text)
    said, calls = turn.get(SAY), turn.get(CALLS)
    if isinstance(said, str):
        if not said.strip():
            raise NoReply("empty reply")
        return {"role": "assistant", "content": said}
    if not isinstance(calls, list) or not calls:
        raise _misfit(text)
    names = frozenset(tool["function"]["name"] for tool in tools)
    made = [_call(number, call, names, text) for number, call in enumerate(calls)]
    return {"role": "assistant", "content": None, "tool_calls": made}


def _call(number: int, call: object, names: frozenset[str], text: str) -> dict[str, Any]:
    if not isinstance(call, dict) or call.keys() != {"name", "arguments"}:
        raise _misfit(text)
    name, arguments = call["name"], call["arguments"]
    if not isinstance(name, str) or not isinstance(arguments, dict):
        raise _misfit(text)
    if name not in names:
        raise NoReply(f"malformed reply: a tool that was not offered: {name[:SHOWN]!r}")
    written = json.dumps(arguments, ensure_ascii=False, allow_nan=False)
    return {
        "id": f"call_{number}",
        "type": "function",
        "function": {"name": name, "arguments": written},
    }


def _misfit(text: str) -> NoReply:
    shown = f"{text[:SHOWN]!r}{'...' if len(text) > SHOWN else ''}"
    return NoReply(
        f'malformed reply: expected {{"{SAY}": ...}} or {{"{CALLS}": [...]}}, got {shown}'
    )


def _line(function: Mapping[str, Any]) -> str:
    keys = ("name", "description", "parameters")
    return json.dumps({key: function[key] for key in keys if key in function}, ensure_ascii=False)


def _plain(messages: Sequence[Message], told: str) -> Iterator[Message]:
    """The conversation as messages of system, user and assistant alone."""
    rest = list(messages)
    system = f"{rest.pop(0)['content']}\n\n" if rest and rest[0]["role"] == "system" else ""
    yield {"role": "system", "content": f"{system}{told}"}
    called: dict[str, str] = {}
    results: list[str] = []
    for message in rest:
        if message["role"] == "tool":
            name = called.get(message["tool_call_id"], "")
            results.append(_written({"name": name, "result": message["content"]}))
            continue
        if results:  # together: chat templates want the speakers to take turns
            yield _returned(results)
            results = []
        if message["role"] == "assistant":
            calls = message.get("tool_calls") or ()
            called |= {call["id"]: call["function"]["name"] for call in calls}
            yield {"role": "assistant", "content": _turn(message)}
        else:
            yield {"role": message["role"], "content": message["content"]}
    if results:
        yield _returned(results)


def _returned(results: Sequence[str]) -> Message:
    return {"role": "user", "content": prompts.filled(FOLDER, "results", results=results)}


def _turn(message: Message) -> str:
    """A message of the assistant as it would have been replied."""
    turn: dict[str, Any] = {}
    if message.get("content"):
        turn[SAY] = message["content"]
    if calls := message.get("tool_calls"):
        functions = [call["function"] for call in calls]
        turn[CALLS] = [
            {"name": one["name"], "arguments": _read(one["arguments"])} for one in functions
        ]
    return _written(turn)


def _read(arguments: str) -> object:
    try:
        return json.loads(arguments)
    except (ValueError, RecursionError):
        return arguments


def _written(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _shape(functions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    say = {"type": "string", "minLength": 1, "maxLength": LONGEST_SAY}
    calls = {
        "type": "array",
        "minItems": 1,
        "maxItems": MOST_CALLS,
        "items": _any_call(functions),
    }
    return {"anyOf": [_object({SAY: say}), _object({CALLS: calls})]}


def _any_call(functions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    room = _Room(MOST_NODES)
    each = [
        _object({"name": _named([one]), "arguments": room.arguments(one.get("parameters"))})
        for one in functions
    ]
    if room.left < 0:
        return _object({"name": _named(functions), "arguments": _ANY_ARGUMENTS})
    return each[0] if len(each) == 1 else {"anyOf": each}


def _named(functions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"type": "string", "enum": [function["name"] for function in functions]}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


class _Room:
    """What is left of the parts that schemas may have."""

    def __init__(self, left: int) -> None:
        self.left = left

    def arguments(self, schema: object) -> dict[str, Any]:
        """The schema of a tool's arguments, which are an object in any case."""
        loose = self.loosened(schema, 0)
        return loose if loose.get("type") == "object" else dict(_ANY_ARGUMENTS)

    def loosened(self, schema: object, depth: int) -> dict[str, Any]:
        """A schema of the keywords that every server knows, with bounds."""
        self.left -= 1
        if not isinstance(schema, Mapping) or depth > DEEPEST or self.left < 0:
            return {}
        kind = schema.get("type")
        if isinstance(kind, list):
            return {"anyOf": [self.loosened({**schema, "type": one}, depth + 1) for one in kind]}
        for either in ("anyOf", "oneOf"):
            if isinstance(branches := schema.get(either), list) and branches and not kind:
                return {"anyOf": [self.loosened(branch, depth + 1) for branch in branches]}
        loose = {key: schema[key] for key in _KEPT if key in schema}
        self.left -= len(schema["enum"]) if isinstance(schema.get("enum"), list) else 0
        if not isinstance(kind, str) or kind not in _TYPES:
            return loose
        return {"type": kind, **loose, **self._bounded(schema, kind, depth)}

    def _bounded(self, schema: Mapping[str, Any], kind: str, depth: int) -> dict[str, Any]:
        if kind == "string" and not {"enum", "const"} & schema.keys():
            return _between(schema, "Length", LONGEST_TEXT)
        if kind == "array":
            items = self.loosened(schema.get("items"), depth + 1)
            return {"items": items, **_between(schema, "Items", MOST_ITEMS)}
        properties = schema.get("properties")
        if kind != "object" or not isinstance(properties, Mapping):
            return {}
        inner = {key: self.loosened(part, depth + 1) for key, part in properties.items()}
        listed = schema.get("required")
        needed = [name for name in listed if name in inner] if isinstance(listed, list) else []
        return {"properties": inner, "required": needed, "additionalProperties": False}


def _between(schema: Mapping[str, Any], what: str, most: int) -> dict[str, int]:
    """The least that a schema asks for, and the most; never more than `most` unless it must."""
    told = {key: schema[key] for key in (f"min{what}", f"max{what}") if _is_count(schema.get(key))}
    least = told.get(f"min{what}", 0)
    upper = max(least, min(told.get(f"max{what}", most), most))
    return ({f"min{what}": least} if least else {}) | {f"max{what}": upper}


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
