"""The conversation graph: its routes, its limits, its picture, what it keeps of failures."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest

from tdscaling.attempt import scene_of
from tdscaling.environments.declared import DeclaredEnvironments
from tdscaling.errors import EndpointError, RoleError
from tdscaling.graphs.conversation import (
    Cast,
    ConversationGraph,
    Limits,
    build,
    route_assistant,
    route_environment,
    route_user,
)
from tdscaling.roles import Said, Scene
from tdscaling.roles.assistant.scripted import ScriptedAssistant
from tdscaling.roles.judge.scripted import ScriptedJudge
from tdscaling.roles.user.scripted import ScriptedUser
from tdscaling.schema import LlmCall, Message, Transcript, Verdict
from tests.conversations import LIMITS, blueprint, call, calls, domains, play, text

SPENT = LlmCall("assistant", "a-model", 10, 2, 5.0, 0.0)


@pytest.mark.parametrize(
    ("route", "stop", "message", "node"),
    [
        (route_user, None, {"role": "user", "content": "Hi"}, "assistant"),
        (route_user, "done", text("Bye."), "judge"),
        (route_assistant, None, text("Hello."), "user"),
        (route_assistant, None, call("get_flight", "{}"), "environment"),
        (route_assistant, "silent", text("Hello."), "judge"),
        (route_environment, None, {"role": "tool", "content": "{}"}, "assistant"),
        (route_environment, "repeats", call("get_flight", "{}"), "judge"),
    ],
)
def test_routes(route: Any, stop: str | None, message: Message, node: str) -> None:
    assert asyncio.run(route({"messages": [message], "stop": stop})) == node


def test_picture_has_every_way() -> None:
    picture = ConversationGraph(**LIMITS).mermaid()
    ways = ["user", "assistant", "environment", "judge"]
    assert all(name in picture for name in ways)
    edges = {(e.source, e.target) for e in build().get_graph().edges}
    assert edges == {
        ("__start__", "user"),
        ("user", "assistant"),
        ("user", "judge"),
        ("assistant", "environment"),
        ("assistant", "user"),
        ("assistant", "judge"),
        ("environment", "assistant"),
        ("environment", "judge"),
        ("judge", "__end__"),
    }


@pytest.mark.parametrize(
    ("limits", "stop"),
    [({"user_turns": 1}, "turns"), ({"steps": 1}, "steps"), ({"repeats": 0}, "repeats")],
)
def test_each_limit_ends_a_conversation(limits: dict[str, int], stop: str) -> None:
    contract = blueprint("airline", calls("hold_seat", turns=2), ("extend",), 4)
    assert play(contract)[1].accepted
    transcript, verdict = play(contract, limits={**LIMITS, **limits})
    assert (transcript.stop, verdict.reason) == (stop, "endless_loop")


def test_a_write_in_between_makes_a_call_a_new_one() -> None:
    contract = blueprint("airline", calls("hold_seat", turns=1))
    write = next(step for step in contract.plan if step.tool == "hold_seat")
    read = call("get_flight", json.dumps({"flight_id": write.gold["flight_id"]}))

    def busy(scene: Scene, messages: Sequence[Message], message: Message) -> Message:
        number = sum(m["role"] == "tool" for m in messages)
        if number == 2:
            return call("hold_seat", json.dumps(write.gold), number)
        made = {**read["tool_calls"][0], "id": f"extra_{number}"}
        return {**read, "tool_calls": [made]} if number < 5 else text("Done.")

    assert play(contract, assistant=busy, limits={**LIMITS, "repeats": 2})[0].stop == "done"
    assert play(contract, assistant=busy, limits={**LIMITS, "repeats": 1})[0].stop == "repeats"


def test_one_step_of_the_engine_per_node() -> None:
    """A step costs more than most nodes do, so none may be spent on anything else."""
    contract = blueprint("airline", calls("hold_seat", turns=1))
    transcript, _ = play(contract)
    scene = scene_of(contract, domains(), "a seed")

    async def verify(transcript: Transcript) -> Verdict:
        return Verdict(accepted=True)

    async def steps() -> list[str]:
        environment = DeclaredEnvironments().open(scene.domains, contract.worlds, ())
        roles = (ScriptedUser(), ScriptedAssistant(), ScriptedJudge())
        cast = Cast(scene, *roles, environment, verify, Limits(**LIMITS))
        opening = {"messages": [{"role": "system", "content": scene.system}]}
        updates = build().astream(opening, context=cast, stream_mode="updates")  # type: ignore[arg-type]
        return [node async for update in updates for node in update]

    nodes = asyncio.run(steps())
    assistants = sum(m["role"] == "assistant" for m in transcript.messages)
    acting = sum(bool(m.get("tool_calls")) for m in transcript.messages)
    users = sum(m["role"] == "user" for m in transcript.messages)
    assert len(nodes) == (users + 1) + assistants + acting + 1


class _Failing:
    name = "failing"

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def speak(self, scene: Scene, messages: Sequence[Message]) -> Said:
        if messages[-1]["role"] == "tool":
            raise self._error
        return Said((await ScriptedAssistant().speak(scene, messages)).message, (SPENT,))

    async def judge(self, scene: Scene, messages: Sequence[Message]) -> Any:
        raise self._error


class _Costly(RoleError):
    calls = (SPENT,)


def test_failure_keeps_messages_and_what_was_spent() -> None:
    contract = blueprint("airline", calls("hold_seat", turns=1))
    transcript, verdict = play(contract, assistant=_Failing(_Costly("no reply")))
    assert (verdict.reason, verdict.detail) == ("role_failed", "no reply")
    assert [m["role"] for m in transcript.messages][:4] == ["system", "user", "assistant", "tool"]
    assert transcript.llm_calls == (SPENT, SPENT)


def test_judge_that_fails_is_a_rejection_with_what_was_spent() -> None:
    contract = blueprint("airline", calls("hold_seat", turns=1))
    transcript, verdict = play(contract, judge=_Failing(_Costly("no reply")))
    assert verdict.reason == "role_failed"
    assert transcript.llm_calls == (SPENT,)


def test_endpoint_that_cannot_be_used_ends_the_run() -> None:
    contract = blueprint("airline", calls("hold_seat", turns=1))
    with pytest.raises(EndpointError, match="no key"):
        play(contract, assistant=_Failing(EndpointError("no key")))
