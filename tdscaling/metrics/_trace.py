"""Reads how the assistant got there off a conversation alone.

Enters: messages in OpenAI format; names of the tools that can write; where each observation came
from. Leaves: a `Trace`. No blueprint is read, so foreign data is measured by the same ruler.
Definitions of every event: `docs/metrics.md`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby, zip_longest
from typing import Any

from tdscaling.metrics._flow import ValueFlow, leaves, observed_leaves
from tdscaling.metrics._words import asks, refuses, revises
from tdscaling.schema import Action, Message, Trace, canonical

PLAIN = frozenset({"call", "answer"})
"""Events that every task has; the others make the coarse mode."""

_CODE = re.compile(
    r"(?:^|[._/-]|__)(?:(?:run|execute|exec|eval)_(?:\w+_)?"
    r"(?:code|python|bash|shell|sql|script|query)|code_interpreter|python|bash|shell|sql)$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights of the cumulative action complexity; each at least 0, without unit."""

    alpha: float
    """Per argument bound to an earlier observation."""
    beta: float
    """Per level of depth in the data-flow graph."""
    gamma: float
    """Per recovery from an error."""


@dataclass(slots=True)
class _Call:
    tool: str
    arguments: dict[str, Any]
    content: str
    ok: bool
    provenance: str
    step: int = 0
    bound: int = 0
    depth: int = 0
    recovered: bool = False

    def same_arguments(self, other: _Call) -> bool:
        return canonical(self.arguments) == canonical(other.arguments)


def read_trace(
    messages: Sequence[Message],
    writes: Collection[str],
    provenance: Sequence[str],
    weights: Weights,
) -> Trace:
    """The trace of one conversation.

    Args:
        messages: in OpenAI format, system messages allowed.
        writes: names of tools that can change state.
        provenance: one entry per tool message, in order; missing entries count as unknown ("").
        weights: of the complexity.
    """
    reader = _Reader(frozenset(writes))
    results = _results(messages, provenance)
    for message in messages:
        role = message.get("role")
        if role == "user":
            reader.user(_text(message))
        elif role == "assistant" and message.get("tool_calls"):
            reader.calls([_call(call, results) for call in message["tool_calls"]])
        elif role == "assistant":
            reader.words(_text(message))
    return reader.trace(weights)


class _Reader:
    """What is known so far of one conversation."""

    def __init__(self, writes: frozenset[str]) -> None:
        self._writes = writes
        self._flow = ValueFlow()
        self._events: list[str] = []
        self._actions: list[Action] = []
        self._complexity: list[tuple[int, int, bool]] = []
        self._failed: list[_Call] = []
        self._written: set[str] = set()
        self._user_turns = 0

    def user(self, text: str) -> None:
        # An error the assistant has answered for is over, unless it asked the user how to go on.
        if self._events and self._events[-1] != "ask":
            self._failed.clear()
        self._user_turns += 1
        if self._user_turns > 1 and revises(text):
            self._events.append("revise")
        self._written.clear()
        self._flow.hear(text)

    def words(self, text: str) -> None:
        if asks(text):
            self._events.append("ask")
        elif refuses(text):
            self._events.append("refuse")
        elif text.strip() and self._user_turns:
            self._events.append("answer")

    def calls(self, batch: list[_Call]) -> None:
        if len(batch) > 1:
            self._events.append("parallel")
        for call in batch:
            call.bound, call.depth = self._flow.bind(call.arguments)
        for call in batch:
            self._count(call)
        for call in batch:
            self._learn(call)

    def trace(self, weights: Weights) -> Trace:
        special = sorted(set(self._events) - PLAIN)
        return Trace(
            events=tuple(self._events),
            signature=">".join(event for event, _ in groupby(self._events)),
            mode="+".join(special) or "direct",
            actions=tuple(self._actions),
            complexity=sum(
                1 + weights.alpha * bound + weights.beta * depth + weights.gamma * recovered
                for bound, depth, recovered in self._complexity
            ),
        )

    def _count(self, call: _Call) -> None:
        call.step = len(self._actions)
        call.recovered = call.ok and self._recovers(call)
        kind = self._kind(call)
        self._events.append(kind)
        if not call.ok:
            self._events.append("error")
        self._complexity.append((call.bound, call.depth, call.recovered))
        self._actions.append(
            Action(
                step=call.step,
                kind=kind,
                tool=call.tool,
                ok=call.ok,
                provenance=call.provenance,
                depth=call.depth,
                bound_args=call.bound,
            )
        )

    def _kind(self, call: _Call) -> str:
        if _CODE.search(call.tool):
            return "code"
        if call.recovered:
            return "recover"
        if call.tool not in self._writes and self._written & set(leaves(call.arguments)):
            return "verify"
        return "chain" if call.bound else "call"

    def _recovers(self, call: _Call) -> bool:
        """Whether the call mends an open error; the errors it settles are closed either way."""
        same = [failed for failed in self._failed if failed.tool == call.tool]
        if same:
            self._failed = [failed for failed in self._failed if failed.tool != call.tool]
            return not any(call.same_arguments(failed) for failed in same)
        alike = [failed for failed in self._failed if self._stands_in(call, failed)]
        self._failed = [failed for failed in self._failed if failed not in alike]
        return bool(alike)

    def _stands_in(self, call: _Call, failed: _Call) -> bool:
        """Whether another tool does what the failed one should have done."""
        if (call.tool in self._writes) != (failed.tool in self._writes):
            return False
        shared = set(leaves(call.arguments)) & set(leaves(failed.arguments))
        return bool(shared or _nouns(call.tool) & _nouns(failed.tool))

    def _learn(self, call: _Call) -> None:
        self._flow.use(call.arguments)
        if not call.ok:
            self._failed.append(call)
            return
        self._flow.see(call.content, call.depth)
        if call.tool in self._writes:
            self._written.update(leaves(call.arguments))
            self._written.update(observed_leaves(call.content))


def _results(messages: Sequence[Message], provenance: Sequence[str]) -> dict[str, tuple[str, str]]:
    """(content, provenance) of every tool message by the id of its call."""
    tools = [message for message in messages if message.get("role") == "tool"]
    return {
        str(message.get("tool_call_id")): (_text(message), source)
        for message, source in zip_longest(tools, provenance[: len(tools)], fillvalue="")
        if isinstance(message, dict)
    }


def _call(call: dict[str, Any], results: dict[str, tuple[str, str]]) -> _Call:
    function = call.get("function") or {}
    # A call without an observation never ran: it counts as failed.
    content, source = results.get(str(call.get("id")), ('{"error": "no observation"}', ""))
    return _Call(
        tool=str(function.get("name")),
        arguments=_arguments(function.get("arguments")),
        content=content,
        ok=not _is_error(content),
        provenance=source,
    )


def _arguments(raw: Any) -> dict[str, Any]:
    if isinstance(raw, str):
        try:
            raw = json.loads(raw)
        except ValueError:
            return {}
    return raw if isinstance(raw, dict) else {}


def _is_error(content: str) -> bool:
    if content.startswith("Error"):
        return True
    if '"error"' not in content:
        return False
    try:
        value = json.loads(content)
    except ValueError:
        return False
    return isinstance(value, dict) and bool(value.get("error"))


def _text(message: Message) -> str:
    content = message.get("content") or ""
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return str(content)


def _nouns(tool: str) -> set[str]:
    """Words of a tool's name after its verb, singular: what it is about."""
    words = re.sub(r"([a-z])([A-Z])", r"\1_\2", tool).lower().split("_")
    return {word.rstrip("s") for word in words[1:] if len(word) > 2}
