"""Answers read like a person's: numbers agree, words have no underscores, sentences a capital."""

from __future__ import annotations

from typing import Any

import pytest

from tdscaling.metrics._words import asks, refuses
from tdscaling.roles.assistant._phrases import DETOURS, MORE, REFUSALS, _filled, _spoken
from tdscaling.roles.assistant.scripted import AGAIN, MENDS, PREFACES
from tdscaling.verification._answers import _REFUSING
from tdscaling.verification._values import tells


@pytest.mark.parametrize(
    ("template", "row", "text"),
    [
        ("There are {n} order(s): {i}.", {"n": 1, "i": "x"}, "There is 1 order: x."),
        ("There are {n} order(s): {i}.", {"n": 2, "i": "x"}, "There are 2 orders: x."),
        ("It is a {kind} of {m} day(s).", {"kind": "animal", "m": 9}, "It is an animal of 9 days."),
        ("a {kind}", {"kind": "drama"}, "A drama"),
        ("{count} room type(s) are free.", {"count": 1}, "1 room type is free."),
        ("{count} dish(es) remain.", {"count": 0}, "0 dishes remain."),
        ("{n} repl(ies), {m} repl(ies)", {"n": 1, "m": 3}, "1 reply, 3 replies"),
        ("{a} of {b} approval(s).", {"a": 1, "b": 2}, "1 of 2 approvals."),
        ("it is {status}.", {"status": "under_review"}, "It is under review."),
        ("{status}: {x}", {"status": "store_credit", "x": None}, "Store credit: not set"),
        ("{file_name} is {status}", {"file_name": "a_b", "status": "open"}, "a_b is open"),
        ("{email} it is", {"email": "a_b@example.com"}, "a_b@example.com it is"),
        ("{contact}, {file}", {"contact": "a_b@c.de", "file": "a_b.txt"}, "a_b@c.de, a_b.txt"),
        ("{x} and {y}", {"x": 2.0, "y": True}, "2 and yes"),
    ],
)  # fmt: skip
def test_filled(template: str, row: dict[str, Any], text: str) -> None:
    assert _filled(template, row) == text


def test_what_is_said_in_words_is_told() -> None:
    assert tells(_filled("it is {s}", {"s": "waiting_on_customer"}), "waiting_on_customer")


def test_errors_lose_their_underscores_but_names_keep_them() -> None:
    error = "case in on_hold of a_b@c.de, file x_y.txt, is closed_out"
    assert _spoken(error) == "case in on hold of a_b@c.de, file x_y.txt, is closed out"


@pytest.mark.parametrize("words", [*REFUSALS, *DETOURS])
def test_refusals_are_understood(words: str) -> None:
    text = words.format(error="order OR-1234 has left the warehouse")
    assert refuses(text)
    assert _REFUSING.search(text)
    assert not asks(text)


@pytest.mark.parametrize("text", [*PREFACES, *AGAIN, *MENDS, *MORE])
def test_other_words_neither_ask_nor_refuse(text: str) -> None:
    assert not asks(text)
    assert not refuses(text)


def test_there_is_enough_to_choose_from() -> None:
    assert len(set(PREFACES)) >= 40
    assert min(len(set(AGAIN)), len(set(MENDS))) >= 14
    assert min(len(set(REFUSALS)), len(set(DETOURS))) >= 8
