"""The judge that a model plays."""

from __future__ import annotations

import asyncio
import json

import pytest

from tdscaling.errors import EndpointError, RoleError
from tdscaling.roles.judge.llm import LlmJudge
from tdscaling.schema import LlmCall, Verdict
from tests.llm.endpoints import endpoint
from tests.openai_server import Answer, dead_url, said, serving
from tests.roles import marked


def opinion(base_url: str) -> tuple[Verdict, tuple[LlmCall, ...]]:
    judge = LlmJudge(llm=endpoint(base_url))
    return asyncio.run(judge.judge(marked.scene(), marked.conversation()))


@pytest.mark.parametrize("accept", [True, False])
def test_verdict(accept: bool) -> None:
    with serving(said(json.dumps({"why": "stiff", "accept": accept}))) as server:
        verdict, calls = opinion(server.base_url)
    expected = Verdict(True) if accept else Verdict(False, "judge_rejected", "stiff")
    assert verdict == expected
    assert [call.role for call in calls] == ["judge"]


def test_it_sees_goal_and_conversation_and_asks_for_json() -> None:
    with serving(said('{"why": "", "accept": true}')) as server:
        opinion(server.base_url)
    for words in (marked.GOAL, "I want to fly.", "MARK_tool", marked.CALLED, marked.RESULT):
        assert words in server.sent
    hidden = ("MARK-gold", "MARK-observation", *marked.OUTCOME, marked.WITHHELD)
    assert [mark for mark in hidden if mark in server.sent] == []
    schema = server.requests[0]["response_format"]["json_schema"]["schema"]
    assert list(schema["properties"]) == ["why", "accept"]


@pytest.mark.parametrize(
    "text",
    [
        "yes",
        "[]",
        "null",
        '{"accept": true}',
        '{"why": "", "accept": "true"}',
        '{"why": 1, "accept": true}',
    ],
)
def test_malformed_verdict_fails_the_attempt(text: str) -> None:
    with (
        serving(said(text)) as server,
        pytest.raises(RoleError, match="malformed verdict") as caught,
    ):
        opinion(server.base_url)
    assert [c.error for c in caught.value.calls] == ["malformed verdict"]  # type: ignore[attr-defined]


def test_cut_off_verdict_fails_the_attempt() -> None:
    answer = said('{"why": "beca', finish="length")
    with serving(answer) as server, pytest.raises(RoleError, match="cut off"):
        opinion(server.base_url)


def test_dead_endpoint_is_no_verdict() -> None:
    with pytest.raises(EndpointError):
        opinion(dead_url())


def test_broken_server_is_no_verdict() -> None:
    with serving(Answer("{}", 503)) as server, pytest.raises(RoleError, match="status 503"):
        opinion(server.base_url)
