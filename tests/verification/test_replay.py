"""Each reason of the closed list is found and named, and honest variations are accepted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tdscaling.environments import Environment
from tdscaling.environments.declared import DeclaredEnvironments
from tdscaling.errors import EnvironmentFailure, RoleError
from tdscaling.roles import Said, Scene
from tdscaling.roles.assistant.scripted import ScriptedAssistant
from tdscaling.schema import LlmCall, Message, Observation, Transcript, Verdict
from tdscaling.store import FILE, Store
from tests.conversations import (
    blueprint,
    call,
    calls,
    mixed,
    once,
    play,
    rejected,
    says,
    text,
    verdict_on,
)
from tests.runs import here

HOLD = calls("hold_seat", turns=1)


def arguments(message: Message) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(message["tool_calls"][0]["function"]["arguments"])
    return loaded


def tool(message: Message) -> str:
    return "" if says(message) else str(message["tool_calls"][0]["function"]["name"])


def renamed(message: Message, name: str, values: dict[str, Any]) -> Message:
    made = message["tool_calls"][0]
    function = {"name": name, "arguments": json.dumps(values)}
    return {**message, "tool_calls": [{**made, "function": function}]}


def another(scene: Scene, query: str) -> Any:
    """A value out of the world that is not the one of the plan."""
    name = scene.blueprint.plan[0].domain
    environment = DeclaredEnvironments().open(scene.domains, scene.blueprint.worlds, ())
    found = environment._sessions[name].select(query, {})
    used = json.dumps([step.gold for step in scene.blueprint.plan])
    return next(v for row in found for v in row.values() if str(v) not in used)


FREE = "SELECT flight_id FROM flight WHERE seats_left > 1 AND status <> 'cancelled'"


@pytest.mark.parametrize("number", range(4))
def test_scripted_roles_are_accepted_whatever_the_blueprint(number: int) -> None:
    contracts = mixed(120)[number::4]
    verdicts = [(play(contract)[1], contract.domain) for contract in contracts]
    assert [(v.reason, v.detail, d) for v, d in verdicts if not v.accepted] == []
    assert len({domain for _, domain in verdicts}) >= 4


def test_wrong_argument_of_a_write() -> None:
    def other_flight(scene: Scene, messages: Sequence[Message], message: Message) -> Message:
        if tool(message) != "hold_seat":
            return message
        values = {**arguments(message), "flight_id": another(scene, FREE)}
        return renamed(message, "hold_seat", values)

    _, verdict = play(blueprint("airline", HOLD), assistant=other_flight)
    rejected(verdict, "wrong_argument", "hold_seat: expected {", "flight_id", "airline.booking")


def test_wrong_argument_of_a_read() -> None:
    def other_flight(scene: Scene, messages: Sequence[Message], message: Message) -> Message:
        if tool(message) != "get_flight":
            return message
        return renamed(message, "get_flight", {"flight_id": another(scene, FREE)})

    contract = blueprint("airline", _last_is("get_flight"))
    _, verdict = play(contract, assistant=other_flight)
    rejected(verdict, "wrong_argument", "get_flight: expected", "was not told")


def _last_is(name: str) -> Any:
    known = _LAST.setdefault(
        name, lambda b: b.plan[-1].tool == name and len(b.turns) == 1 and not b.final_state
    )
    return known


_LAST: dict[str, Any] = {}


def test_wrong_tool() -> None:
    def cancel_instead(scene: Scene, messages: Sequence[Message], message: Message) -> Message:
        if tool(message) != "pay_booking":
            return message
        return renamed(message, "cancel_booking", {"booking_id": arguments(message)["booking_id"]})

    contract = blueprint("airline", calls("pay_booking", turns=1))
    _, verdict = play(contract, assistant=cancel_instead)
    rejected(verdict, "wrong_tool", "expected pay_booking(", "got cancel_booking(")


def test_wrong_tool_for_a_read() -> None:
    def search_instead(scene: Scene, messages: Sequence[Message], message: Message) -> Message:
        if tool(message) != "get_flight":
            return message
        values = {"origin": "LHR", "destination": "JFK", "date": "2025-03-16"}
        return renamed(message, "search_flights", values)

    contract = blueprint("airline", _last_is("get_flight"))
    _, verdict = play(contract, assistant=search_instead)
    rejected(verdict, "wrong_tool", "expected get_flight(", "got search_flights")


def test_missing_step() -> None:
    def skip(scene: Scene, messages: Sequence[Message], message: Message) -> Message:
        return text("Consider it done.") if tool(message) == "hold_seat" else message

    _, verdict = play(blueprint("airline", HOLD), assistant=skip)
    rejected(verdict, "missing_step", "expected hold_seat(", "which was not made")


def test_extra_write() -> None:
    def hold_too(scene: Scene, messages: Sequence[Message], message: Message) -> Message:
        if not says(message) or not once(messages):
            return message
        passenger = another(scene, "SELECT passenger_id FROM passenger")
        values = {"flight_id": another(scene, FREE), "passenger_id": passenger}
        return call("hold_seat", json.dumps(values))

    contract = blueprint("airline", _last_is("get_flight"))
    _, verdict = play(contract, assistant=hold_too)
    rejected(verdict, "extra_write", "hold_seat(", "not in the plan", "airline.booking")


class _Lying:
    """An environment that reports another fare than it stored."""

    def __init__(self, real: Environment) -> None:
        self._real = real

    async def call(self, tool: str, arguments: object) -> Observation:
        seen = await self._real.call(tool, arguments)
        return replace(seen, content=seen.content.replace('"fare": ', '"fare": 1'))

    def changes(self) -> dict[str, Any]:
        return self._real.changes()

    def close(self) -> None:
        self._real.close()


def test_environment_that_lies() -> None:
    _, verdict = play(blueprint("airline", HOLD), environment=_Lying)
    rejected(verdict, "invented_observation", "result of ", '"fare": 1', "expected", "got")


def test_tampered_tool_message_and_provenance() -> None:
    contract = blueprint("airline", HOLD)
    transcript, _ = play(contract)
    position = next(n for n, m in enumerate(transcript.messages) if m["role"] == "tool")
    messages = list(transcript.messages)
    messages[position] = {**messages[position], "content": messages[position]["content"] + " "}
    tampered = verdict_on(contract, replace(transcript, messages=tuple(messages)))
    rejected(tampered, "invented_observation", f"message {position}")
    forged = replace(transcript, provenance=("simulated", *transcript.provenance[1:]))
    rejected(verdict_on(contract, forged), "invented_observation", "(executed)", "(simulated)")


def test_answer_not_told() -> None:
    def silent(scene: Scene, messages: Sequence[Message], message: Message) -> Message:
        return text("All done.") if says(message) else message

    _, verdict = play(blueprint("airline", HOLD), assistant=silent)
    rejected(verdict, "answer_not_told", "turn 0", "was not told", "though ", " was called")


def test_refusal_not_explained() -> None:
    def gloss_over(scene: Scene, messages: Sequence[Message], message: Message) -> Message:
        return text("All done, enjoy.") if says(message) else message

    contract = blueprint("airline", _refuses, ("refuse",), 1)
    _, verdict = play(contract, assistant=gloss_over)
    rejected(verdict, "answer_not_told", contract.answers[-1].refusal or "no refusal")


def _refuses(contract: Any) -> bool:
    return bool(contract.answers[-1].refusal) and len(contract.turns) == 1


class _Leaving:
    """A user who brings up one wish only."""

    name = "leaving"

    async def speak(self, scene: Scene, messages: Sequence[Message]) -> Said:
        spoken = any(message["role"] == "user" for message in messages)
        words = scene.blueprint.turns[0].request
        return Said(None if spoken else {"role": "user", "content": words})


def test_early_stop_of_the_user() -> None:
    contract = blueprint("airline", calls(turns=2), ("extend",))
    _, verdict = play(contract, user=_Leaving())
    rejected(verdict, "early_stop", "the user has 2 turns, the conversation only 1")


@pytest.mark.parametrize("message", [None, {"role": "assistant", "content": ""}])
def test_early_stop_of_the_assistant(message: Message | None) -> None:
    _, verdict = play(blueprint("airline", HOLD), assistant=lambda *_: message)
    rejected(verdict, "early_stop", "the assistant said nothing")


def test_endless_loop_of_one_call() -> None:
    same = json.dumps({"flight_id": "FL-1000"})
    transcript, verdict = play(
        blueprint("airline", HOLD),
        assistant=lambda _, messages, __: call("get_flight", same, len(messages)),
    )
    rejected(verdict, "endless_loop", "repeated a call")
    assert sum(m["role"] == "tool" for m in transcript.messages) == 4


def test_endless_loop_of_steps() -> None:
    transcript, verdict = play(
        blueprint("airline", HOLD),
        assistant=lambda _, m, __: call("get_flight", f'{{"flight_id": "FL-{len(m)}"}}', len(m)),
    )
    rejected(verdict, "endless_loop", "messages per turn")
    assert sum(m["role"] == "assistant" for m in transcript.messages) == 24


class _Chatty:
    name = "chatty"

    async def speak(self, scene: Scene, messages: Sequence[Message]) -> Said:
        return Said({"role": "user", "content": "And then?"})


def test_endless_loop_of_turns() -> None:
    transcript, verdict = play(
        blueprint("airline", HOLD), user=_Chatty(), assistant=lambda *_: text("Nothing.")
    )
    rejected(verdict, "endless_loop", "limit of turns")
    assert sum(m["role"] == "user" for m in transcript.messages) == 24


class _Failing:
    name = "failing"

    async def speak(self, scene: Scene, messages: Sequence[Message]) -> Said:
        if messages[-1]["role"] == "tool":
            raise RoleError("assistant: no reply in 60 s")
        return await ScriptedAssistant().speak(scene, messages)


def test_role_failed_keeps_what_was_said() -> None:
    transcript, verdict = play(blueprint("airline", HOLD), assistant=_Failing())
    rejected(verdict, "role_failed", "no reply in 60 s")
    assert transcript.messages[-1]["role"] == "tool"


class _Broken(_Lying):
    async def call(self, tool: str, arguments: object) -> Observation:
        raise EnvironmentFailure("server: connection refused")


class _BrokenLater(DeclaredEnvironments):
    def open(self, *args: Any) -> Any:
        return _Broken(super().open(*args))


def test_environment_failed() -> None:
    _, verdict = play(blueprint("airline", HOLD), environment=_Broken)
    rejected(verdict, "environment_failed", "connection refused")


def test_environment_that_fails_in_the_replay() -> None:
    _, verdict = play(blueprint("airline", HOLD), replayed_in=_BrokenLater())
    rejected(verdict, "environment_failed", "connection refused")


class _Strict:
    name = "strict"

    def __init__(self) -> None:
        self.asked = 0

    async def judge(
        self, scene: Scene, messages: Sequence[Message]
    ) -> tuple[Verdict, tuple[LlmCall, ...]]:
        self.asked += 1
        return Verdict(False, "judge_rejected", "curt"), ()


def test_judge_rejected() -> None:
    _, verdict = play(blueprint("airline", HOLD), judge=_Strict())
    rejected(verdict, "judge_rejected", "curt")


def test_judge_is_not_asked_about_what_is_rejected() -> None:
    judge = _Strict()
    _, verdict = play(blueprint("airline", HOLD), assistant=lambda *_: None, judge=judge)
    assert (verdict.reason, judge.asked) == ("early_stop", 0)


def test_blueprint_failed_and_duplicate(tmp_path: Path) -> None:
    """Two domains and one call each: there are not so many blueprints; `cross` never works."""
    words = ("blueprints.calls=[1,1]", "blueprints.worlds=1", "blueprints.max_operators=1")
    size = "tools.domains=[airline]"
    assert here(tmp_path, *words, size, "budget.attempts=150", size=140) == 0
    store = Store.read(tmp_path / FILE)
    try:
        rows = store.query("SELECT DISTINCT reason, min(detail) AS d FROM trajectories GROUP BY 1")
    finally:
        store.close()
    details = {row["reason"]: row["d"] for row in rows}
    assert "before" in details["duplicate"]
    assert details["blueprint_failed"]


def test_reads_in_another_order_and_more_of_them() -> None:
    def look_around(scene: Scene, messages: Sequence[Message], message: Message) -> Message:
        flight = next(s.gold["flight_id"] for s in scene.blueprint.plan if s.tool == "hold_seat")
        for number in range(2):
            if flight in str(messages) and once(messages, number):
                return call("get_flight", json.dumps({"flight_id": flight}), number)
        return message

    contract = blueprint("airline", HOLD, ("branch",))
    assert play(contract, assistant=look_around)[1].accepted


def test_calls_of_one_message_in_another_order() -> None:
    def backwards(scene: Scene, messages: Sequence[Message], message: Message) -> Message:
        if says(message):
            return message
        return {**message, "tool_calls": message["tool_calls"][::-1]}

    contract = blueprint("airline", _parallel, ("branch",), 6)
    transcript, verdict = play(contract, assistant=backwards)
    assert verdict.accepted, verdict.detail
    assert any(len(m.get("tool_calls") or ()) > 1 for m in transcript.messages)


def _parallel(contract: Any) -> bool:
    batches = [step.batch for step in contract.plan]
    return len(set(batches)) < len(batches)


def test_empty_transcript_is_malformed() -> None:
    verdict = verdict_on(blueprint("airline", HOLD), Transcript((), (), "silent"))
    rejected(verdict, "early_stop")
