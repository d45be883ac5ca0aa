"""Arguments that nobody gave are found; those that were observed or said in any form are not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from tdscaling.roles import Said, Scene
from tdscaling.roles.user.scripted import ScriptedUser
from tdscaling.schema import Blueprint, Message, Tool, Transcript
from tdscaling.verification._arguments import ungrounded_argument
from tests.conversations import blueprint, call, calls, case_of, mixed, once, play, rejected, text

HOLD = calls("hold_seat", turns=1)
TOOL = "check"


class Mumbling:
    """Speaks whenever the scripted user does, of something else."""

    name = "mumbling"

    async def speak(self, scene: Scene, messages: Sequence[Message]) -> Said:
        said = await ScriptedUser().speak(scene, messages)
        if said.message is None:
            return said
        return Said({"role": "user", "content": "Purple monkey dishwasher."})


def test_a_plan_that_nobody_asked_for_is_rejected() -> None:
    verdicts = [play(contract, user=Mumbling())[1] for contract in mixed(120)]
    reasons = [verdict.reason for verdict in verdicts]
    # The others begin with what the assistant may look up unasked.
    assert reasons.count("ungrounded_argument") > 110
    assert set(reasons) <= {None, "ungrounded_argument"}


def test_a_call_beside_the_plan() -> None:
    def look_up(scene: Scene, messages: Sequence[Message], message: Message) -> Message:
        return call("get_booking", '{"booking_id": "BK-99999"}') if once(messages) else message

    _, verdict = play(blueprint("airline", HOLD), assistant=look_up)
    rejected(verdict, "ungrounded_argument", "message 2, booking_id of get_booking: 'BK-99999'")


def finding(value: Any, said: str = "", observed: Any = None, schema: Any = None) -> str | None:
    """What is found on a call with one argument, after a wish and perhaps an observation."""
    contract: Blueprint = blueprint("airline", HOLD)
    messages: list[Message] = [
        {"role": "system", "content": "You work for Blue Air."},
        {"role": "user", "content": said},
    ]
    if observed is not None:
        messages.append(call(TOOL, "{}"))
        messages.append({"role": "tool", "tool_call_id": "x", "content": json.dumps(observed)})
    messages += [call(TOOL, json.dumps({"it": value}), 1), text("Done.")]
    parameters = {"type": "object", "properties": {"it": schema or {}}}
    tool = Tool(TOOL, "", parameters, "airline", "travel")
    case = case_of(contract, Transcript(tuple(messages), (), "done"))
    found = ungrounded_argument(replace(case, tools=(tool,)))
    return found[1] if found else None


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("BK-1023", "It is bk-1023."),
        ("BK-1023", "It is booking 1023."),
        ("checked_in", "Who has Checked In?"),
        (1234.5, "I pay $1,234.50."),
        (0.2, "I get 20% off."),
        (2, "For two of us."),
        (1, "For my wife."),
        ("2025-03-16", "On March 16, please."),
        ("2025-03-16 20:45", "On March 16. I mean at 8:45 pm."),
        ("09:30", "At 9:30 am."),
        (["aisle", "vegan meal"], "A vegan meal, on the aisle."),
        ("Blue Air", "Whatever."),
        (None, "Whatever."),
        (True, "Whatever."),
    ],
)
def test_what_was_said(value: Any, said: str) -> None:
    assert finding(value, said) is None


@pytest.mark.parametrize("value", ["BK-1023", 80.25, "late at the gate", ["x", 7]])
def test_what_was_observed(value: Any) -> None:
    row = {"id": "BK-1023", "fare": 80.25, "note": "Late at the gate", "more": ["x", 7]}
    assert finding(value, observed=[row]) is None
    assert finding(value, observed=[{}]) is not None


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("BK-1023", "It is BK-10234."),
        ("paid", "It is unpaid."),
        (50, "It was 500."),
        ("2025-03-16", "On March 17."),
        ("2025-03-16 20:45", "On March 16 at 8:40 pm."),
        (["aisle", "vegan meal"], "On the aisle."),
        ("Please hurry.", "Please take your time."),
        (2, "For my wife."),
    ],
)
def test_what_was_not(value: Any, said: str) -> None:
    assert "message 2, it of check" in str(finding(value, said))


def test_names_of_columns_are_no_values() -> None:
    assert finding("paid", observed={"paid": None}) is not None


def test_what_the_tool_offers() -> None:
    assert finding("late", schema={"enum": ["late", "early"]}) is None
    assert finding(["late"], schema={"items": {"enum": ["late", "early"]}}) is None
    assert finding(20, schema={"default": 20}) is None
    assert finding(21, schema={"default": 20}) is not None
