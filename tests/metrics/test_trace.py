"""Golden traces: one small conversation per event, read from messages alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tdscaling.metrics._trace import Weights, read_trace
from tdscaling.metrics._words import asks, refuses, revises
from tdscaling.schema import Message, Trace

WEIGHTS = Weights(alpha=0.5, beta=0.25, gamma=1.0)
WRITES = {"book", "cancel"}
FLIGHTS = {"rows": [{"flight_id": "FL77", "price": 120.5}, {"flight_id": "FL78", "price": 99}]}


class Talk:
    """Builds a conversation call by call."""

    def __init__(self) -> None:
        self.messages: list[Message] = [{"role": "system", "content": "Be helpful."}]

    def user(self, text: str) -> Talk:
        self.messages.append({"role": "user", "content": text})
        return self

    def says(self, text: str) -> Talk:
        self.messages.append({"role": "assistant", "content": text})
        return self

    def calls(self, *calls: tuple[str, dict[str, Any], Any]) -> Talk:
        ids = [f"call_{len(self.messages)}_{i}" for i in range(len(calls))]
        self.messages.append(
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": id_,
                        "type": "function",
                        "function": {"name": name, "arguments": json.dumps(arguments)},
                    }
                    for id_, (name, arguments, _) in zip(ids, calls, strict=True)
                ],
            }
        )
        for id_, (_, _, result) in zip(ids, calls, strict=True):
            content = result if isinstance(result, str) else json.dumps(result)
            self.messages.append({"role": "tool", "tool_call_id": id_, "content": content})
        return self

    def trace(self) -> Trace:
        tools = sum(m["role"] == "tool" for m in self.messages)
        return read_trace(self.messages, WRITES, ["executed"] * tools, WEIGHTS)


SEARCH = ("search", {"origin": "OSL"}, FLIGHTS)
BOOKED = {"booking_id": "BK1", "status": "held"}
SOLD_OUT = {"error": "flight FL77 is sold out"}
AGAIN = "Sorry, it is sold out. Should I take FL78?"

GOLDEN: list[tuple[str, Talk, str, str]] = [
    (
        "one call",
        Talk().user("Flights from OSL?").calls(SEARCH).says("Two flights."),
        "call>answer",
        "direct",
    ),
    (
        "an observed value in the next call",
        Talk()
        .user("Book the cheapest from OSL.")
        .calls(SEARCH)
        .calls(("book", {"flight_id": "FL78"}, BOOKED))
        .says("Booked."),
        "call>chain>answer",
        "chain",
    ),
    (
        "an observed value that the user named as well",
        Talk()
        .user("Book fl78 from OSL.")
        .calls(SEARCH)
        .calls(("book", {"flight_id": "FL78"}, BOOKED))
        .says("Booked."),
        "call>answer",
        "direct",
    ),
    (
        "an observed amount that the user named as a number",
        Talk()
        .user("Pay the 1,120.50 from OSL.")
        .calls(("search", {"origin": "OSL"}, {"total": 1120.5}))
        .calls(("pay", {"amount": 1120.5}, {"ok": True}))
        .says("Paid."),
        "call>answer",
        "direct",
    ),
    (
        "small numbers and booleans coincide",
        Talk()
        .user("Go.")
        .calls(("search", {}, {"bags": 2, "ok": True, "code": "A"}))
        .calls(("book", {"bags": 2, "ok": True, "code": "A"}, BOOKED))
        .says("Done."),
        "call>answer",
        "direct",
    ),
    (
        "a tool that echoes the assistant's own value",
        Talk()
        .user("Book for the third of May.")
        .calls(("search", {"date": "2026-05-03"}, {"date": "2026-05-03"}))
        .calls(("search", {"date": "2026-05-03", "sort": "price"}, FLIGHTS))
        .says("Here."),
        "call>answer",
        "direct",
    ),
    (
        "an identifier in plain text",
        Talk()
        .user("Book anything.")
        .calls(("search", {}, "Found flight FL78, for 99 euros."))
        .calls(("book", {"flight_id": "FL78"}, BOOKED))
        .says("Booked."),
        "call>chain>answer",
        "chain",
    ),
    (
        "two calls in one message",
        Talk()
        .user("From OSL and LHR?")
        .calls(SEARCH, ("search", {"origin": "LHR"}, {"rows": []}))
        .says("Two and none."),
        "parallel>call>answer",
        "parallel",
    ),
    (
        "no chain within one message",
        Talk()
        .user("Go.")
        .calls(("search", {}, FLIGHTS), ("book", {"flight_id": "FL78"}, BOOKED))
        .says("Done."),
        "parallel>call>answer",
        "parallel",
    ),
    (
        "a missing fact",
        Talk()
        .user("Find flights.")
        .says("Sure. From which airport?")
        .user("OSL")
        .calls(SEARCH)
        .says("Two flights. Anything else I can help with?"),
        "ask>call>answer",
        "ask",
    ),
    (
        "an error and another try with other arguments",
        Talk()
        .user("Book FL77 or FL78.")
        .calls(("book", {"flight_id": "FL77"}, SOLD_OUT))
        .calls(("book", {"flight_id": "FL78"}, BOOKED))
        .says("Booked."),
        "call>error>recover>answer",
        "error+recover",
    ),
    (
        "the same arguments once more",
        Talk()
        .user("Book FL77.")
        .calls(("book", {"flight_id": "FL77"}, "Error: timeout"))
        .calls(("book", {"flight_id": "FL77"}, BOOKED))
        .says("Booked."),
        "call>error>call>answer",
        "error",
    ),
    (
        "a retry that fails too",
        Talk()
        .user("Book FL77 or FL78.")
        .calls(("book", {"flight_id": "FL77"}, SOLD_OUT))
        .calls(("book", {"flight_id": "FL78"}, SOLD_OUT))
        .says("I am sorry, that cannot be done."),
        "call>error>call>error>refuse",
        "error+refuse",
    ),
    (
        "another tool that reads the same",
        Talk()
        .user("Show booking BK1 of Ada.")
        .calls(("get_booking", {"booking_id": "BK1"}, {"error": "not found"}))
        .calls(("find_bookings", {"passenger": "Ada"}, {"rows": [BOOKED]}))
        .says("Here it is."),
        "call>error>recover>answer",
        "error+recover",
    ),
    (
        "another tool for another thing",
        Talk()
        .user("Show booking BK1, and the weather.")
        .calls(("get_booking", {"booking_id": "BK1"}, {"error": "not found"}))
        .calls(("get_weather", {}, {"sky": "blue"}))
        .says("Blue."),
        "call>error>call>answer",
        "error",
    ),
    (
        "an error that was answered for is over",
        Talk()
        .user("Book FL77.")
        .calls(("book", {"flight_id": "FL77"}, SOLD_OUT))
        .says("Sorry, I can't book it.")
        .user("Fine. Book FL78 for Ada then.")
        .calls(("book", {"flight_id": "FL78"}, BOOKED))
        .says("Booked."),
        "call>error>refuse>call>answer",
        "error+refuse",
    ),
    (
        "an error that the assistant asked about is not",
        Talk()
        .user("Book FL77.")
        .calls(("book", {"flight_id": "FL77"}, SOLD_OUT))
        .says(AGAIN)
        .user("Yes, FL78.")
        .calls(("book", {"flight_id": "FL78"}, BOOKED))
        .says("Booked."),
        "call>error>ask>recover>answer",
        "ask+error+recover",
    ),
    (
        "the user changes a goal",
        Talk()
        .user("Flights from OSL?")
        .calls(SEARCH)
        .says("Two.")
        .user("Actually, look from LHR.")
        .calls(("search", {"origin": "LHR"}, {"rows": []}))
        .says("None."),
        "call>answer>revise>call>answer",
        "revise",
    ),
    (
        "a read of what was written",
        Talk()
        .user("Book FL78.")
        .calls(("book", {"flight_id": "FL78"}, BOOKED))
        .calls(("get_booking", {"booking_id": "BK1"}, BOOKED))
        .says("Booked and checked."),
        "call>verify>answer",
        "verify",
    ),
    (
        "a read of something else, and one in a later turn",
        Talk()
        .user("Book FL78.")
        .calls(("book", {"flight_id": "FL78"}, BOOKED))
        .calls(("search", {"origin": "LHR"}, {"rows": []}))
        .says("Booked.")
        .user("Show it.")
        .calls(("get_booking", {"booking_id": "BK1"}, BOOKED))
        .says("Here."),
        "call>answer>chain>answer",
        "chain",
    ),
    (
        "code goes before chain",
        Talk()
        .user("Sum the prices from OSL.")
        .calls(SEARCH)
        .calls(("sandbox__run_code", {"code": "120.5+99", "id": "FL78"}, {"stdout": "219.5"}))
        .says("219.5"),
        "call>code>answer",
        "code",
    ),
    ("words alone", Talk().user("Hello.").says("Hello, how can I help you?"), "answer", "direct"),
]


@pytest.mark.parametrize(
    ("talk", "signature", "mode"), [g[1:] for g in GOLDEN], ids=[g[0] for g in GOLDEN]
)
def test_golden_traces(talk: Talk, signature: str, mode: str) -> None:
    trace = talk.trace()
    assert (trace.signature, trace.mode) == (signature, mode)


def test_runs_collapse_in_the_signature_only() -> None:
    trace = Talk().user("Go.").calls(SEARCH).calls(SEARCH).says("Ok.").trace()
    assert trace.events == ("call", "call", "answer")
    assert trace.signature == "call>answer"


def test_depth_bound_arguments_and_complexity_by_hand() -> None:
    trace = (
        Talk()
        .user("Book the cheapest from OSL and pay with what is on file.")
        .calls(SEARCH)
        .calls(("book", {"flight_id": "FL78", "fare": 99}, {"booking_id": "BK1"}))
        .calls(("invoice", {"booking_id": "BK1", "flight_id": "FL78"}, {"invoice": "IN-5"}))
        .says("Done.")
        .trace()
    )
    assert [(a.depth, a.bound_args) for a in trace.actions] == [(0, 0), (1, 2), (2, 2)]
    first, second, third = 1, 1 + 2 * 0.5 + 1 * 0.25, 1 + 2 * 0.5 + 2 * 0.25
    assert trace.complexity == pytest.approx(first + second + third)
    assert [a.kind for a in trace.actions] == ["call", "chain", "verify"]


def test_a_recovery_weighs_gamma() -> None:
    talk = next(g[1] for g in GOLDEN if g[0].startswith("an error and another"))
    assert talk.trace().complexity == pytest.approx(1 + 1 + 1.0)


def test_actions_carry_success_and_provenance() -> None:
    talk = next(g[1] for g in GOLDEN if g[0].startswith("an error and another"))
    trace = read_trace(talk.messages, WRITES, ["injected", "executed"], WEIGHTS)
    assert [(a.step, a.ok, a.provenance) for a in trace.actions] == [
        (0, False, "injected"),
        (1, True, "executed"),
    ]


def test_foreign_oddities_do_not_break_the_reader() -> None:
    messages: list[Message] = [
        {"role": "user", "content": [{"type": "text", "text": "Hello FL78"}]},
        {
            "role": "assistant",
            "tool_calls": [{"id": "a", "function": {"name": "x", "arguments": "{broken"}}],
        },
        {"role": "assistant", "content": None},
        {
            "role": "assistant",
            "tool_calls": [{"id": "b", "function": {"name": "x", "arguments": {"n": 10**400}}}],
        },
        {"role": "tool", "tool_call_id": "b", "content": '{"error": null, "n": 1e999}'},
        {"role": "assistant", "content": "Done."},
    ]
    trace = read_trace(messages, (), [], WEIGHTS)
    assert trace.signature == "call>error>recover>answer"
    assert [a.provenance for a in trace.actions] == ["", ""]
    assert read_trace([], (), [], WEIGHTS) == Trace((), "", "direct", (), 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Which date?", True),
        ("I found it. Could you give me your booking number?", True),
        ("Is it 'FL78'?\n", True),
        ("Done! Is there anything else I can help you with?", False),
        ("How can I help you?", False),
        ("What date? Please tell me.", True),
        ("Booked.", False),
    ],
)
def test_asks(text: str, expected: bool) -> None:
    assert asks(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I'm sorry, I can't cancel it.", True),
        ("I can\u2019t do that.", True),
        ("This fare isn't eligible for a refund.", True),
        ("I was unable to find it.", True),
        ("I have cancelled it.", False),
        ("You can now board.", False),
    ],
)
def test_refuses(text: str, expected: bool) -> None:
    assert refuses(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Actually, make it Tuesday.", True),
        ("I'd rather fly on Monday than on Sunday.", True),
        ("Change of plan: London.", True),
        ("Let's take the blue one instead.", True),
        ("Instead, book a train.", True),
        ("Scrap that. A train, please.", True),
        ("Please send my order to Oslo instead.", False),
        ("I need you to scrap that meeting.", False),
        ("Could you also book a car?", False),
        ("I would rather not say.", False),
    ],
)
def test_revises(text: str, expected: bool) -> None:
    assert revises(text) is expected
