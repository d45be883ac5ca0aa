"""The ShareGPT form of one trajectory.

Enters: a line of `train.jsonl`. Leaves: the same conversation with `from` and `value`, as trainers
that expect strictly alternating sides read it: human and observation on one side, gpt and
function_call on the other.
"""

from __future__ import annotations

import json
from typing import Any

from tdscaling.llm._text import value_in


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))


def _calls(message: dict[str, Any]) -> str:
    """One call as an object, several made at once as a list of objects."""
    calls = [
        {
            "name": call["function"]["name"],
            "arguments": _arguments(call["function"]["arguments"]),
        }
        for call in message["tool_calls"]
    ]
    return _dump(calls[0] if len(calls) == 1 else calls)


def _arguments(text: str) -> Any:
    """A call's arguments; the text as it is of one that was wrong, and was made again."""
    try:
        return value_in(text or "{}")
    except ValueError:
        return text


def _item(content: str) -> str:
    """A result as an element of a JSON list: as it is where it is JSON, else as a string."""
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return json.dumps(content, ensure_ascii=False)
    return content


def _observations(contents: list[str]) -> dict[str, str]:
    """Results of calls made at once share one turn, as a JSON list in the order of the calls."""
    if len(contents) == 1:
        return {"from": "observation", "value": contents[0]}
    return {"from": "observation", "value": "[" + ", ".join(map(_item, contents)) + "]"}


def sharegpt(line: str) -> str:
    """One line of `train.jsonl` as one line of `train.sharegpt.jsonl`.

    Words that the assistant says in the same message as a call have no place in this form and are
    left out; they are in `train.jsonl`.
    """
    row = json.loads(line)
    system: list[str] = []
    turns: list[dict[str, str]] = []
    waiting: list[str] = []
    for message in row["messages"]:
        if message["role"] == "tool":
            waiting.append(message["content"])
            continue
        if waiting:
            turns.append(_observations(waiting))
            waiting = []
        if message["role"] == "system":
            system.append(message["content"])
        elif message["role"] == "user":
            turns.append({"from": "human", "value": message["content"]})
        elif message.get("tool_calls"):
            turns.append({"from": "function_call", "value": _calls(message)})
        else:
            turns.append({"from": "gpt", "value": message["content"]})
    if waiting:
        turns.append(_observations(waiting))
    return _dump(
        {
            "id": row["id"],
            "conversations": turns,
            "system": "\n\n".join(system),
            "tools": _dump([tool["function"] for tool in row["tools"]]),
        }
    )
