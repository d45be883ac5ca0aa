"""Malformed messages and calls, and calls that were recovered from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from tdscaling.roles import Scene
from tdscaling.schema import Message
from tests.conversations import (
    blueprint,
    call,
    calls,
    once,
    play,
    rejected,
    says,
    verdict_on,
)

HOLD = calls("hold_seat", turns=1)


BAD = [
    ("get_flight", '{"flight_id": ', "are no JSON"),
    ("get_flight", '["FL-1000"]', "not a JSON object"),
    ("get_flight", '{"flight_id": 1}', "string"),
    ("get_flight", '{"flight": 1}', "must"),
    ("find_everything", "{}", "expected one of the tools offered"),
]


@pytest.mark.parametrize(("name", "given", "named"), BAD)
def test_malformed_call(name: str, given: str, named: str) -> None:
    def last(scene: Scene, messages: Sequence[Message], message: Message) -> Message:
        return call(name, given) if says(message) and once(messages) else message

    _, verdict = play(blueprint("airline", HOLD), assistant=last)
    rejected(verdict, "malformed_call", f"call of {name}", named)


@pytest.mark.parametrize(("name", "given", "named"), BAD)
def test_malformed_call_that_is_recovered_from(name: str, given: str, named: str) -> None:
    def first(scene: Scene, messages: Sequence[Message], message: Message) -> Message:
        return call(name, given) if once(messages) else message

    contract = blueprint("airline", _read_last)
    transcript, verdict = play(contract, assistant=first)
    assert verdict.accepted, verdict.detail
    assert "error" in transcript.messages[3]["content"]


def test_malformed_message() -> None:
    def twice(scene: Scene, messages: Sequence[Message], message: Message) -> Message:
        if says(message):
            return message
        return {**message, "tool_calls": message["tool_calls"][:1] * 2}

    _, verdict = play(blueprint("airline", HOLD), assistant=twice)
    rejected(verdict, "malformed_message", "two calls have the same id", "message ")


@pytest.mark.parametrize(
    ("edit", "named"),
    [
        (lambda m: m[1:], "message 0: expected the system message"),
        (lambda m: [m[0], m[2], m[1], *m[3:]], "message 1: a assistant message cannot follow"),
        (lambda m: m[:-1], "expected an assistant's text at the end"),
        (lambda m: [*m, {"role": "user", "content": "Thanks"}], "at the end"),
        (lambda m: [*m, {"role": "critic", "content": "Hm"}], "unknown role 'critic'"),
        (lambda m: [*m[:-1], {"role": "assistant", "content": 5}], "expected a text as content"),
        (
            lambda m: [*m[:2], {"role": "assistant", "tool_calls": [{"id": "x"}]}],
            "a tool call has",
        ),
        (lambda m: [x for x in m if x["role"] != "tool"], "cannot follow"),
    ],
)
def test_malformed_message_of_a_dataset(edit: Any, named: str) -> None:
    contract = blueprint("airline", HOLD)
    transcript, _ = play(contract)
    broken = replace(transcript, messages=tuple(edit(list(transcript.messages))))
    rejected(verdict_on(contract, broken), "malformed_message", named)


def test_one_provenance_per_tool_message() -> None:
    contract = blueprint("airline", HOLD)
    transcript, _ = play(contract)
    short = replace(transcript, provenance=transcript.provenance[1:])
    rejected(verdict_on(contract, short), "malformed_message", "one provenance per tool message")


def _read_last(contract: Any) -> bool:
    last = contract.plan[-1].tool
    return last == "get_flight" and len(contract.turns) == 1 and not contract.final_state
