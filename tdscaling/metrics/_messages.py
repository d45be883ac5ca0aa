"""Turns of a conversation out of messages in OpenAI format, whoever wrote them.

Enters: messages: ours, or foreign ones with the variations that are found in the wild. Leaves: what
the user said, what the assistant said, and batches of calls with what each observed. Understood:
content as text, as a list of parts, or null; arguments as JSON text or as an object; the former
`function_call`; calls without ids; ids that repeat from turn to turn; results in any order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tdscaling.metrics._flow import parsed
from tdscaling.schema import Message, canonical

_ERROR_TEXT = re.compile(
    r"\s*[\[<(*]*(?:"
    r"\w*error\b(?![-\s]+(?:free|rates?|codes?|messages?|logs?|bars?|counts?|budgets?)\b)"
    r"|[\w.]*(?:Error|Exception)\s*:|traceback \(most recent|failed to\b"
    r"|tool (?:call|execution) failed"
    r"|(?:http )?[45]\d\d[ :-]+(?:(?:client |server )?error|not found|bad re|bad ga|unauth|forbid"
    r"|internal|conflict|too many|service|gateway))",
    re.IGNORECASE,
)
"""How an observation that is no JSON object begins where it tells of a failure."""

_UNSEEN = '{"error": "no observation"}'
"""Stands for a missing observation: a call without one never ran, so it counts as failed."""


@dataclass(slots=True)
class Call:
    """One tool call and what became of it."""

    tool: str
    arguments: dict[str, Any]
    content: str
    ok: bool
    provenance: str
    writes: bool = False
    step: int = 0
    bound: int = 0
    depth: int = 0
    sources: tuple[int, ...] = ()
    recovered: bool = False
    outdated: bool = False
    """Whether something was written after it."""

    def same_arguments(self, other: Call) -> bool:
        """Whether both calls say the same."""
        return canonical(self.arguments) == canonical(other.arguments)


@dataclass(frozen=True, slots=True)
class Turn:
    """One message, results of calls included."""

    kind: Literal["given", "user", "words", "calls"]
    """`given` is what system and developer messages say."""
    text: str
    calls: tuple[Call, ...] = ()


def turns(messages: Sequence[Message], provenance: Sequence[str]) -> Iterator[Turn]:
    """The turns of a conversation in order.

    Args:
        messages: in OpenAI format.
        provenance: one entry per tool message, in order; missing entries count as unknown ("").
    """
    seen = 0
    for i, message in enumerate(messages):
        role, text = message.get("role"), text_of(message.get("content"))
        raw = _raw_calls(message) if role == "assistant" else []
        if raw:
            results = _results_after(messages, i)
            sources = [*provenance[seen : seen + len(results)]]
            sources += [""] * (len(results) - len(sources))
            seen += len(results)
            paired = _paired(raw, list(zip(results, sources, strict=True)))
            yield Turn("calls", text, tuple(paired))
        elif role == "assistant":
            yield Turn("words", text)
        elif role == "user":
            yield Turn("user", text)
        elif role in ("system", "developer"):
            yield Turn("given", text)


def text_of(content: Any) -> str:
    """The words of a message's content."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        texts = [p if isinstance(p, str) else p.get("text") for p in content if _is_part(p)]
        return "\n".join(text for text in texts if isinstance(text, str))
    return "" if content is None else json.dumps(content, ensure_ascii=False)


def _is_part(part: Any) -> bool:
    return isinstance(part, str | Mapping)


def _raw_calls(message: Message) -> list[Mapping[str, Any]]:
    calls = message.get("tool_calls")
    if isinstance(calls, list) and calls:
        return [call for call in calls if isinstance(call, Mapping)]
    former = message.get("function_call")
    return [{"function": former}] if isinstance(former, Mapping) else []


def _results_after(messages: Sequence[Message], i: int) -> list[Message]:
    """The observations that follow message `i` directly."""
    found = []
    for message in messages[i + 1 :]:
        if message.get("role") not in ("tool", "function"):
            break
        found.append(message)
    return found


def _paired(raw: Sequence[Mapping[str, Any]], results: list[tuple[Message, str]]) -> Iterator[Call]:
    """Calls with their results: by id, and by order where a result names no call."""
    by_id: dict[str, tuple[Message, str]] = {}
    rest = []
    wanted = {str(call["id"]) for call in raw if call.get("id")}
    for result in results:
        id_ = str(result[0].get("tool_call_id"))
        if id_ in wanted and id_ not in by_id:
            by_id[id_] = result
        else:
            rest.append(result)
    for call in raw:
        own = by_id.get(str(call.get("id")))
        yield _call(call, own or (rest.pop(0) if rest else None))


def _call(call: Mapping[str, Any], result: tuple[Message, str] | None) -> Call:
    function = call.get("function")
    function = function if isinstance(function, Mapping) else call
    message, source = result or ({"content": _UNSEEN}, "")
    content = text_of(message.get("content"))
    return Call(
        tool=str(function.get("name")),
        arguments=_arguments(function.get("arguments")),
        content=content,
        ok=not failed(content),
        provenance=source,
    )


def _arguments(raw: Any) -> dict[str, Any]:
    for _ in range(2):  # some writers encode twice
        if isinstance(raw, str):
            try:
                raw = json.loads(raw)
            except (ValueError, RecursionError):
                return {}
    return raw if isinstance(raw, dict) else {}


def _exited_badly(value: Mapping[str, Any]) -> bool:
    """Whether a program ended with an exit code, and not with 0."""
    code = value.get("exit_code", 0)
    return code is None or (isinstance(code, int) and code != 0)


def failed(content: str) -> bool:
    """Whether an observation tells that the call failed; see `docs/metrics.md`."""
    if _ERROR_TEXT.match(content):
        return True
    value = parsed(content) if content.lstrip().startswith("{") else None
    if not isinstance(value, dict):
        return False
    return bool(
        value.get("error")
        or value.get("errors")
        or value.get("isError") is True
        or value.get("is_error") is True
        or value.get("success") is False
        or value.get("ok") is False
        or value.get("status") == "error"
        or _exited_badly(value)
    )
