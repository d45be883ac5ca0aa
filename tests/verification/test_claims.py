"""What an assistant states without ground is found; what it may say is not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from tdscaling.roles import Scene
from tdscaling.schema import Message, Verdict
from tdscaling.verification._values import tells
from tdscaling.verification.replay import ReplayVerification
from tests.conversations import (
    blueprint,
    calls,
    case_of,
    play,
    rejected,
    verdict_on,
)

HOLD = calls("hold_seat", turns=1)


@pytest.mark.parametrize(
    ("claim", "reason", "named"),
    [
        ("Your reference is BK-99999.", "invented_id", "BK-99999"),
        ("Your reference is bk-99999.", "invented_id", "bk-99999"),
        ("It belongs to {booking_id}9.", "invented_id", "9'"),  # longer than one that is known
        ("The refund is 7777.70.", "invented_amount", "7777.70"),
        ("It weighs 1,234,567 grams.", "invented_amount", "1,234,567"),
        ("There is a fee of $13.", "invented_amount", "13"),
        ("That makes 13 euros.", "invented_amount", "13"),
        ("You get 37% back.", "invented_amount", "37"),
        ("It leaves on 2031-01-31.", "invented_amount", "2031-01-31"),
        ("It leaves on 31 January.", "invented_amount", "01-31"),
        ("Boarding is at 03:07.", "invented_amount", "03:07"),
        ("Your flight is delayed.", "invented_status", "delayed"),
        ("It has been checked in.", "invented_status", "checked in"),
    ],
)
def test_invented_claim(claim: str, reason: str, named: str) -> None:
    contract = blueprint("airline", HOLD)
    rejected(_claiming(contract, claim), reason, named, "was never observed or said", "message ")


def _claiming(contract: Any, claim: str) -> Verdict:
    """The verdict where the last answer goes on with a claim."""
    transcript, verdict = play(contract)
    assert verdict.accepted
    seen: dict[str, Any] = {}
    for message in transcript.messages:
        if message["role"] == "tool":
            found = json.loads(message["content"])
            for row in found if isinstance(found, list) else [found]:
                seen |= row
    if "booking_id" in seen:
        seen["booking_id_lower"] = seen["booking_id"].lower()
        seen["digits"] = seen["booking_id"].partition("-")[2]
    last = transcript.messages[-1]
    words = f"{last['content']} {claim.format(**seen)}"
    messages = (*transcript.messages[:-1], {**last, "content": words})
    return verdict_on(contract, replace(transcript, messages=messages))


def test_status_of_another_object() -> None:
    contract = blueprint("airline", _two_statuses)
    transcript, _ = play(contract)
    rows = [
        row
        for m in transcript.messages
        if m["role"] == "tool" and m["content"].startswith("[")
        for row in json.loads(m["content"])
        if "booking_status" in row
    ]
    one = rows[0]
    other = next(row for row in rows if row["booking_status"] != one["booking_status"])
    wrong = f"Booking {one['booking_id']} is {other['booking_status']}."
    rejected(_claiming(contract, wrong), "invented_status", one["booking_id"])
    assert _claiming(contract, f"Booking {one['booking_id']} is {one['booking_status']}.").accepted
    conditional = f"If {one['booking_id']} is {other['booking_status']}, tell me."
    assert _claiming(contract, conditional).accepted


def _two_statuses(contract: Any) -> bool:
    return any(
        step.tool == "list_bookings"
        and len({row["booking_status"] for row in json.loads(step.observation)}) > 1
        for step in contract.plan
        if step.expect == "ok" and not step.observation.startswith('{"')
    )


def test_claims_are_not_checked_where_they_are_off() -> None:
    contract = blueprint("airline", HOLD)
    transcript, _ = play(contract)
    last = {**transcript.messages[-1]}
    last["content"] += " The fee is 7777.70."
    case = case_of(contract, replace(transcript, messages=(*transcript.messages[:-1], last)))
    assert asyncio.run(ReplayVerification(claims=False, require=None).verify(case)).accepted


@pytest.mark.parametrize(
    "claim",
    [
        "That is {booking_id}, or {booking_id_lower} for short.",
        "The fare is ${fare}, that is {fare} euros.",
        "It is 8 to 15 kg, or 2 bags.",  # small numbers that are no money
        "Booking number {digits} is yours.",
        "Your booking is {booking_status}.",
        "Today is 10 March 2025, 9:00 am.",
        "March 10 is today, 2025-03-10.",
        "You get 80% back if you cancel.",  # a tool's description says so
        "Is your flight delayed?",
        "Should your flight be delayed, once it is cancelled you are told.",
        "The flight of {booking_id} is {booking_status}.",
        "From now cancelled trips are no concern of yours.",
    ],
)
def test_grounded_claim(claim: str) -> None:
    verdict = _claiming(blueprint("airline", HOLD), claim)
    assert verdict.accepted, verdict.detail


def test_what_the_assistant_said_itself_is_no_ground() -> None:
    def repeating(scene: Scene, messages: Sequence[Message], message: Message) -> Message:
        return {**message, "content": f"{message['content'] or ''} Fee: 7777.70."}

    _, verdict = play(blueprint("airline", HOLD), assistant=repeating)
    rejected(verdict, "invented_amount", "message 2", "7777.70")


@pytest.mark.parametrize(
    ("text_", "value", "told"),
    [
        ("That is $1,234.50 in all.", "1234.5", True),
        ("That is 1234.50 in all.", "1234.5", True),
        ("That is 1234.60 in all.", "1234.5", False),
        ("A discount of 20%.", "0.2", True),
        ("A discount of 2%.", "0.2", False),
        ("It is checked in.", "checked_in", True),
        ("It is a no-show.", "no_show", True),
        ("It is unpaid.", "paid", False),
        ("It is PAID.", "paid", True),
        ("See BK-10234.", "BK-1023", False),
        ("See bk-1023.", "BK-1023", True),
        ("On 2025-03-16.", "3", False),  # a day of a date is no count
        ("At 03:45.", "45", False),
        ("See BK-1023.", "1023", False),
        ("There are two bags.", "2", True),
        ("There is nothing to pay.", "0", True),
        ("It leaves on March 16, 2025 at 8:45 pm.", "2025-03-16 20:45", True),
        ("It leaves on the 16th of March at 20:45.", "2025-03-16 20:45", True),
        ("It leaves on March 16 at 9:45 pm.", "2025-03-16 20:45", False),
        ("It leaves on March 17, 2025.", "2025-03-16", False),
        ("It leaves on March 16, 2024.", "2025-03-16", False),
    ],
)
def test_values_in_words(text_: str, value: str, told: bool) -> None:
    assert tells(text_, value) is told
