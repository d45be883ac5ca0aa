"""The user that a model plays: what it is told, and how it ends."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tdscaling.errors import ConfigError, EndpointError, RoleError
from tdscaling.roles.user.llm import STOP, LlmUser
from tdscaling.schema import Voice
from tests.llm.endpoints import endpoint
from tests.openai_server import Server, dead_url, refused, said, serving
from tests.roles import marked

START = marked.conversation()[:1]


def user(server: Server, tries: int = 3) -> LlmUser:
    return LlmUser(llm=endpoint(server.base_url), tries=tries)


def test_it_sees_no_plan_no_tool_no_call_and_no_result() -> None:
    with serving(said("Please fly me.")) as server:
        for length in range(1, len(marked.conversation()) + 1):
            marked.speak(user(server), marked.conversation()[:length])
    hidden = (*marked.PLAN, *marked.OUTCOME, *marked.TOOLS, marked.RESULT, marked.CALLED)
    assert [mark for mark in hidden if mark in server.sent] == []
    assert all("tools" not in body for body in server.requests)
    shown = (marked.GOAL, marked.FACT, marked.WITHHELD, "I want to fly.", "And back again.")
    assert [words for words in shown if words not in server.sent] == []


def test_it_sees_what_was_said() -> None:
    with serving(said("Thanks.")) as server:
        marked.speak(user(server), marked.conversation())
    turn = server.requests[0]["messages"][1]["content"]
    assert "Assistant: How heavy?\nCustomer: Quite.\nAssistant: One moment." in turn
    assert "Assistant: You fly at noon." in turn
    assert marked.SYSTEM not in server.sent


def test_it_is_told_what_to_hold_back() -> None:
    with serving(said("Hi")) as server:
        marked.speak(user(server), START)
    lines = server.requests[0]["messages"][0]["content"].splitlines()
    assert f"- date: {marked.FACT}" in lines
    assert [
        line.startswith(f"- weight kg: {marked.WITHHELD} (say this only when")
        for line in lines
        if marked.WITHHELD in line
    ] == [True]


def test_it_is_told_its_voice() -> None:
    plain = replace(marked.blueprint(), voice=Voice("a nurse", "short", "English"))
    foreign = replace(marked.blueprint(), voice=Voice(language="German"))
    with serving(said("Hi")) as server:
        for contract in (marked.blueprint(), plain, foreign):
            marked.speak(user(server), START, blueprint=contract)
    bare, english, german = (body["messages"][0]["content"] for body in server.requests)
    assert "Who you are: a nurse. Do not say so." in english
    assert "How you write: short." in english
    assert "Write in" not in english
    assert "Write in German;" in german
    assert "Who you are" not in german
    voiceless = [line for line in english.splitlines() if "ou are: " not in line]
    assert [line for line in voiceless if line and "How you" not in line] == [
        line for line in bare.splitlines() if line
    ]


def test_its_prompt_has_a_digest() -> None:
    told = LlmUser(llm=endpoint("http://127.0.0.1:9/v1"), tries=1).prompts
    assert list(told) == ["user"]
    assert re.fullmatch("[0-9a-f]{16}", told["user"])


def test_its_words_are_the_message() -> None:
    with serving(said("  Fly me.\n")) as server:
        found = marked.speak(user(server), START)
    assert found.message == {"role": "user", "content": "Fly me."}
    assert [(call.role, call.error) for call in found.calls] == [("user", None)]


@pytest.mark.parametrize("text", [STOP, f"Thank you! {STOP}"])
def test_stop_ends_when_every_wish_was_voiced(text: str) -> None:
    with serving(said(text)) as server:
        found = marked.speak(user(server), marked.conversation())
    assert found.message is None
    assert len(found.calls) == 1


def test_stop_comes_too_early_until_then() -> None:
    with serving(said(STOP), said(f"I want to fly. {STOP}"), said("I want to fly.")) as server:
        found = marked.speak(user(server), START)
    assert found.message == {"role": "user", "content": "I want to fly."}
    assert len(found.calls) == 3
    told = ["not possible now" in body["messages"][1]["content"] for body in server.requests]
    assert told == [False, True, True]
    assert len({body["seed"] for body in server.requests}) == 3


def test_stop_that_is_always_too_early_fails_the_attempt() -> None:
    with serving(said(STOP)) as server, pytest.raises(RoleError, match="0 of 2 wishes") as caught:
        marked.speak(user(server, tries=2), START)
    assert len(server.requests) == len(caught.value.calls) == 2  # type: ignore[attr-defined]


def test_failed_request_counts_the_earlier_ones() -> None:
    with serving(said(STOP), refused(400, "no")) as server, pytest.raises(RoleError) as caught:
        marked.speak(user(server), START)
    errors = [call.error for call in caught.value.calls]  # type: ignore[attr-defined]
    assert errors == [None, "status 400: no"]


def test_dead_endpoint_leaves_no_words() -> None:
    with pytest.raises(EndpointError):
        marked.speak(LlmUser(llm=endpoint(dead_url()), tries=1), START)


def test_name_tells_the_model() -> None:
    assert LlmUser(llm=endpoint("http://127.0.0.1:9/v1", model="big"), tries=1).name == "llm:big"


def test_unusable_setting_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"roles\.user\.tries: expected at least 1, got 0"):
        LlmUser(llm=endpoint("http://127.0.0.1:9/v1"), tries=0)
