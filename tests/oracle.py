"""A model that plays recorded conversations again: the same request, the same reply."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.openai_server import Answer, Body, refused, said


def spoken(messages: list[Body]) -> list[tuple[str, str | None]]:
    return [(message["role"], message.get("content")) for message in messages]


def oracle(recorded: list[dict[str, Any]]) -> Callable[[Body], Answer]:
    """Plays every role as in conversations that were recorded."""

    def answer(body: Body) -> Answer:
        if "response_format" in body:
            return said('{"why": "as recorded", "accept": true}')
        return _assistant(body) if "tools" in body else _user(body)

    def _assistant(body: Body) -> Answer:
        so_far = spoken(body["messages"])
        for line in recorded:
            if spoken(line["messages"])[: len(so_far)] == so_far:
                message = line["messages"][len(so_far)]
                calls = [call["function"] for call in message.get("tool_calls") or ()]
                pairs = [(call["name"], call["arguments"]) for call in calls]
                return said(message.get("content"), calls=pairs or None)
        return refused(400, "no such conversation")

    def _user(body: Body) -> Answer:
        instructions, turn = (message["content"] for message in body["messages"])
        for line in recorded:
            if line["meta"]["blueprint"]["goal"] in instructions:
                words = [m["content"] for m in line["messages"] if m["role"] == "user"]
                voiced = sum(row.startswith("Customer: ") for row in turn.splitlines())
                return said([*words, "[DONE]"][voiced])
        return refused(400, "no such goal")

    return answer
