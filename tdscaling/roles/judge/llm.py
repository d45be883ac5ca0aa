"""A judge played by a model.

Enters: the goal and a conversation that verification accepted. Leaves: a verdict with its reason.
It can reject further; what verification rejected never comes here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from tdscaling.llm import Endpoint, NoReply, endpoint_of
from tdscaling.llm._text import value_in
from tdscaling.roles import Scene
from tdscaling.roles._prompts import fill, told
from tdscaling.schema import LlmCall, Message, Verdict

LONGEST_WHY = 400
"""Characters of a reason: a model that may go on would be cut off inside the JSON."""

SHAPE = {
    "name": "verdict",
    "schema": {
        "type": "object",
        "properties": {
            # First, so that the verdict follows from the reason.
            "why": {"type": "string", "maxLength": LONGEST_WHY},
            "accept": {"type": "boolean"},
        },
        "required": ["why", "accept"],
        "additionalProperties": False,
    },
}


class LlmJudge:
    """Has a model's opinion.

    Args:
        llm: the endpoint.
    """

    def __init__(self, *, llm: Endpoint) -> None:
        self._llm = endpoint_of(llm, "judge")
        self.name = f"llm:{self._llm.model}"
        self.prompts: Mapping[str, str] = told("judge", "judge")

    async def judge(
        self, scene: Scene, messages: Sequence[Message]
    ) -> tuple[Verdict, tuple[LlmCall, ...]]:
        """Accept, or reject with `judge_rejected`.

        Raises:
            NoReply: if the model's answer is no verdict.
            EndpointError: if its endpoint cannot be used at all.
        """
        prompt = fill("judge", goal=scene.blueprint.goal, lines=list(_lines(messages)))
        reply = await self._llm.chat(
            "judge",
            [{"role": "user", "content": prompt}],
            seed=f"{scene.seed}:judge",
            json_schema=SHAPE,
        )
        accept, why = _verdict(str(reply.message["content"]), reply.call)
        if accept:
            return Verdict(accepted=True), (reply.call,)
        return Verdict(False, "judge_rejected", why), (reply.call,)


def _lines(messages: Sequence[Message]) -> Iterator[tuple[str, str]]:
    names = {"user": "Customer", "assistant": "Assistant", "tool": "Tool"}
    for message in messages:
        if message["role"] in names and message.get("content"):
            yield names[message["role"]], message["content"]
        for call in message.get("tool_calls") or ():
            yield "Call", f"{call['function']['name']} {call['function']['arguments']}"


def _verdict(text: str, call: LlmCall) -> tuple[bool, str]:
    try:
        said = value_in(text)
        accept, why = said["accept"], said["why"]
    except (ValueError, KeyError, TypeError) as error:
        raise _malformed(text, call) from error
    if not isinstance(accept, bool) or not isinstance(why, str):
        raise _malformed(text, call)
    return accept, why


def _malformed(text: str, call: LlmCall) -> NoReply:
    reason = f"judge: malformed verdict: {text[:LONGEST_WHY]!r}"
    return NoReply(reason, (replace(call, error="malformed verdict"),))
