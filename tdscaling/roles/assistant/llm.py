"""An assistant played by a model.

Enters: the system message, the tools, the conversation; never the blueprint. Leaves: the model's
message as it sent it. Arguments that are no JSON are passed on too: verification rejects them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tdscaling.llm import Endpoint, NoReply, endpoint_of
from tdscaling.roles import Said, Scene
from tdscaling.schema import LlmCall, Message, digest

SENT = ("role", "content", "tool_calls", "tool_call_id")
"""Keys of a message that an endpoint gets to see."""


class LlmAssistant:
    """Speaks and acts as a model decides.

    Args:
        llm: the endpoint.
    """

    def __init__(self, *, llm: Endpoint) -> None:
        self._llm = endpoint_of(llm, "assistant")
        self.name = f"llm:{self._llm.model}"
        # Its system message is in the data, but not what tells of tools where calls are forced.
        told = self._llm.tools_prompt
        self.prompts: Mapping[str, str] = {"assistant": told} if told else {}

    async def speak(self, scene: Scene, messages: Sequence[Message]) -> Said:
        """The model's next message.

        Raises:
            NoReply: if it sends nothing usable.
            EndpointError: if its endpoint cannot be used at all.
        """
        sent = [{key: message[key] for key in SENT if key in message} for message in messages]
        tools = [tool.openai() for tool in scene.tools]
        seed = f"{scene.seed}:assistant:{len(messages)}"
        reply = await self._llm.chat("assistant", sent, seed=seed, tools=tools)
        message = reply.message
        if "tool_calls" in message:
            calls = _calls(message["tool_calls"], seed, reply.call)
            message = {**message, "tool_calls": calls}
        return Said(message, (reply.call,))


def _calls(sent: object, seed: str, call: LlmCall) -> list[dict[str, Any]]:
    """The calls with ids of our own: servers repeat theirs, and some send none."""
    if not isinstance(sent, list) or not all(map(_is_call, sent)):
        raise NoReply("assistant: malformed reply: a tool call without name or arguments", (call,))
    return [
        {
            "id": f"call_{digest([seed, number])}",
            "type": "function",
            "function": {key: item["function"][key] for key in ("name", "arguments")},
        }
        for number, item in enumerate(sent)
    ]


def _is_call(item: object) -> bool:
    function = item.get("function") if isinstance(item, dict) else None
    return isinstance(function, dict) and all(
        isinstance(function.get(key), str) for key in ("name", "arguments")
    )
