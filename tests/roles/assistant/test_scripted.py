"""The scripted assistant: arguments from actual observations, further tries, plain answers."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from tdscaling.attempt import scene_of
from tdscaling.environments import Environment
from tdscaling.errors import RoleError
from tdscaling.roles.assistant.scripted import RETRIES, ScriptedAssistant
from tdscaling.schema import Blueprint, Injection, Message, Observation
from tests.conversations import blueprint, domains, mixed, play, says


def chained(found: Blueprint) -> bool:
    return any("step" in b for step in found.plan for b in step.arguments.values())


def calls_of(messages: Any) -> list[tuple[str, str]]:
    return [
        (call["function"]["name"], call["function"]["arguments"])
        for message in messages
        for call in message.get("tool_calls") or ()
    ]


def test_makes_the_gold_calls_in_order() -> None:
    for contract in mixed(20):
        transcript, _ = play(replace(contract, injections=()))
        made = [(name, json.loads(given)) for name, given in calls_of(transcript.messages)]
        assert made == [(step.tool, step.gold) for step in contract.plan]


class _Renaming:
    """An environment where every id is another."""

    def __init__(self, real: Environment) -> None:
        self._real = real

    async def call(self, tool: str, arguments: object) -> Observation:
        seen = await self._real.call(tool, arguments)
        return replace(seen, content=seen.content.replace('_id": "', '_id": "X'))

    def changes(self) -> dict[str, Any]:
        return self._real.changes()

    def close(self) -> None:
        self._real.close()


def test_binds_from_what_it_observes_and_not_from_the_plan() -> None:
    contract = blueprint("airline", chained)
    step = next(s for s in contract.plan if any("step" in b for b in s.arguments.values()))
    slot = next(name for name, b in step.arguments.items() if "step" in b)
    transcript, verdict = play(contract, environment=_Renaming)
    made = dict(calls_of(transcript.messages))
    assert json.loads(made[step.tool])[slot] == f"X{step.gold[slot]}"
    assert not verdict.accepted


def test_tries_again_after_a_transient_error() -> None:
    contract = blueprint("airline", chained)
    tool = contract.plan[0].tool
    fault = Injection(tool, 0, "request timed out, please try again")
    transcript, verdict = play(replace(contract, injections=(fault,)))
    assert verdict.accepted, verdict.detail
    assert calls_of(transcript.messages)[0] == calls_of(transcript.messages)[1]
    assert transcript.provenance[:2] == ("injected", "executed")


def test_gives_up_after_some_tries() -> None:
    contract = blueprint("airline", chained)
    tool = contract.plan[0].tool
    faults = tuple(Injection(tool, n, "busy, please retry") for n in range(9))
    transcript, verdict = play(replace(contract, injections=faults))
    tries = [name for name, _ in calls_of(transcript.messages) if name == tool]
    assert len(tries) == 1 + RETRIES
    assert verdict.reason == "role_failed"  # a later step has nothing to be bound from


def test_asks_for_what_is_held_back_before_it_calls() -> None:
    contract = blueprint("airline", _withholds, ("withhold",))
    transcript, verdict = play(contract)
    assert verdict.accepted
    question = next(q for turn in contract.turns for _, q, _ in turn.withheld)
    asked = next(n for n, m in enumerate(transcript.messages) if question in str(m["content"]))
    told = transcript.messages[asked + 1]
    assert told["content"] == next(w for turn in contract.turns for _, _, w in turn.withheld)


def _withholds(found: Blueprint) -> bool:
    return any(turn.withheld for turn in found.turns)


def test_answers_hold_what_was_observed() -> None:
    contract = blueprint("airline", chained)
    transcript, _ = play(contract)
    words = " ".join(
        m["content"] for m in transcript.messages if m["role"] == "assistant" and says(m)
    )
    for told in contract.answers:
        assert all(value in words for value in told.values)


@pytest.mark.parametrize("content", ['{"odd": 1}', "no JSON"])
def test_an_observation_that_fits_nothing_is_an_error(content: str) -> None:
    contract = blueprint("airline", chained)
    scene = scene_of(contract, domains(), "a seed")
    role = ScriptedAssistant()
    messages: list[Message] = [
        {"role": "system", "content": scene.system},
        {"role": "user", "content": contract.turns[0].request},
    ]

    async def act() -> None:
        for _ in contract.plan:
            message = (await role.speak(scene, messages)).message or {}
            messages.append(message)
            for call in message["tool_calls"]:
                made = {"role": "tool", "tool_call_id": call["id"], "content": content}
                messages.append(made)

    with pytest.raises(RoleError, match="assistant: "):
        asyncio.run(act())


def test_same_messages_same_words() -> None:
    contract = blueprint("airline", chained)
    assert play(contract)[0].messages == play(contract)[0].messages
