"""The assistant that a model plays: what it is told, and that it is quoted exactly."""

from __future__ import annotations

import pytest

from tdscaling.errors import EndpointError, RoleError
from tdscaling.roles.assistant.llm import LlmAssistant
from tests.llm.endpoints import endpoint
from tests.openai_server import Answer, Server, dead_url, said, serving
from tests.roles import marked


def assistant(server: Server) -> LlmAssistant:
    return LlmAssistant(llm=endpoint(server.base_url))


def test_it_sees_nothing_of_the_blueprint() -> None:
    with serving(said("Sure.")) as server:
        for length in range(2, len(marked.conversation()) + 1):
            marked.speak(assistant(server), marked.conversation()[:length])
    # The name of the tool is in the plan, and rightly on offer.
    plan = [mark for mark in marked.PLAN if mark not in marked.TOOLS]
    hidden = (*plan, *marked.OUTCOME, marked.GOAL, marked.FACT, marked.WITHHELD, "And back again")
    assert [mark for mark in hidden if mark in server.sent] == []
    shown = (*marked.TOOLS, marked.RESULT, marked.CALLED, marked.SYSTEM, "I want to fly.")
    assert [mark for mark in shown if mark not in server.sent] == []


def test_messages_and_tools_are_sent_as_they_are() -> None:
    noted = [{**message, "provenance": "executed"} for message in marked.conversation()]
    with serving(said("Sure.")) as server:
        marked.speak(assistant(server), noted)
    body = server.requests[0]
    assert body["messages"] == marked.conversation()
    assert body["tools"] == [tool.openai() for tool in marked.scene().tools]


def test_calls_are_kept_as_sent_with_ids_of_our_own() -> None:
    broken = '{"MARK_parameter": "x'
    odd = '{"a":1.0,  "a":2}'
    with serving(said("On it.", calls=[("MARK_tool", broken), ("no_tool", odd)])) as server:
        first = marked.speak(assistant(server), marked.conversation()[:2])
        again = marked.speak(assistant(server), marked.conversation()[:2])
        later = marked.speak(assistant(server), marked.conversation()[:6])
    assert first.message is not None
    assert later.message is not None
    assert first.message["content"] == "On it."
    functions = [call["function"] for call in first.message["tool_calls"]]
    assert functions == [
        {"name": "MARK_tool", "arguments": broken},
        {"name": "no_tool", "arguments": odd},
    ]
    assert {call["type"] for call in first.message["tool_calls"]} == {"function"}
    ids = [c["id"] for m in (first.message, later.message) for c in m["tool_calls"]]
    assert len(set(ids)) == 4
    assert first.message == again.message


def test_call_without_words() -> None:
    with serving(said(None, calls=[("MARK_tool", "{}")])) as server:
        found = marked.speak(assistant(server), marked.conversation()[:2])
    assert found.message is not None
    assert found.message["content"] is None
    assert [call.role for call in found.calls] == ["assistant"]


@pytest.mark.parametrize(
    "calls",
    [
        [{"id": "1", "type": "function"}],
        [{"function": {"arguments": "{}"}}],
        [{"function": {"name": "MARK_tool"}}],
        [{"function": {"name": "MARK_tool", "arguments": {}}}],
        ["x"],
    ],
)
def test_call_in_another_form_fails_the_attempt(calls: list[object]) -> None:
    with (
        serving(said("x", tool_calls=calls)) as server,
        pytest.raises(RoleError, match="malformed"),
    ):
        marked.speak(assistant(server), marked.conversation()[:2])


def test_dead_endpoint_leaves_no_words() -> None:
    with pytest.raises(EndpointError):
        marked.speak(LlmAssistant(llm=endpoint(dead_url())), marked.conversation()[:2])


def test_error_of_the_server_is_no_message() -> None:
    with serving(Answer("oops", 500)) as server, pytest.raises(RoleError, match="status 500"):
        marked.speak(assistant(server), marked.conversation()[:2])


def test_name_tells_the_model() -> None:
    assert LlmAssistant(llm=endpoint("http://127.0.0.1:9/v1", model="big")).name == "llm:big"
