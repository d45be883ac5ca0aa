"""Whole runs whose model writes what no reader can bear: rejections, and the run goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tdscaling.llm._journalled import request_key
from tdscaling.llm._text import DEEPEST, text_in, value_in
from tests.llm.outcomes import lines, rows
from tests.openai_server import Answer, Body, said, serving
from tests.oracle import oracle
from tests.runs import here

MODEL = ("llm=openai", "llm.model=m", "llm.retries=0", "tools.domains=[airline]")
DEEP = '{"message": ' + '{"a":' * 20_000
CLOSED = '{"message": ' + '{"a":' * 800 + "1" + "}" * 801
HALF = r'{"message": "A half \ud800.", "why": "half \ud800", "accept": true}'
HOSTILE = {"deep": DEEP, "closed": CLOSED, "half": HALF, "nan": '{"message": NaN}'}
NOT_USED = "SELECT DISTINCT error FROM llm_calls WHERE error NOT IN ('not_used', 'fell_back')"


def run(folder: Path, answer: Answer | Callable[[Body], Answer], *words: str) -> int:
    with serving(answer) as server:
        return here(folder, *MODEL, f"llm.base_url={server.base_url}", *words, size=4)


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("part", ["blueprints=composed", "roles/assistant=narrated"])
def test_words_that_cannot_be_read_are_not_used(part: str, name: str, tmp_path: Path) -> None:
    """The template's, or the scripted assistant's, stand in their place."""
    assert run(tmp_path, said(HOSTILE[name]), part) == 0
    assert rows(tmp_path, "SELECT count(*) > 0 FROM llm_calls") == [(True,)]
    assert rows(tmp_path, NOT_USED) == []
    text = (tmp_path / "dataset" / "train.jsonl").read_text(encoding="utf-8")
    assert len(text.splitlines()) == 4


@pytest.mark.parametrize("name", HOSTILE)
def test_verdict_that_cannot_be_read_is_none(name: str, tmp_path: Path) -> None:
    words = ("roles/judge=llm", "budget.attempts=6")
    assert run(tmp_path, said(HOSTILE[name]), *words) == 1  # nothing is accepted
    kept = rows(tmp_path, "SELECT DISTINCT accepted, reason FROM trajectories ORDER BY 2")
    assert (False, "role_failed") in kept
    assert not any(accepted for accepted, _ in kept)
    assert run(tmp_path, said(HOSTILE[name]), *words) == 1  # it can be started again


def test_half_a_character_in_plain_words_is_refused_where_it_comes_in(tmp_path: Path) -> None:
    words = ("roles/user=llm", "budget.attempts=6")
    assert run(tmp_path, said("I want to fly \ud800."), *words) == 1
    kept = rows(tmp_path, "SELECT DISTINCT reason, detail FROM trajectories WHERE id <> ''")
    assert any("malformed reply" in detail for reason, detail in kept if reason == "role_failed")
    assert rows(tmp_path, "SELECT count(*) FROM trajectories WHERE accepted") == [(0,)]


@pytest.mark.parametrize(
    "value", ['"\\ud800"', '{"a":' * 800 + "1" + "}" * 800, '{"a":' * 20_000, "NaN"]
)
def test_arguments_that_cannot_be_read_are_a_malformed_call(value: str, tmp_path: Path) -> None:
    def answer(body: Body) -> Answer:
        if any(message["role"] == "tool" for message in body["messages"]):
            return said("I am afraid I could not do that.")
        name = body["tools"][0]["function"]["name"]
        return said(calls=[(name, f'{{"id": {value}}}')])

    assert run(tmp_path, answer, "roles/assistant=llm", "budget.attempts=6") == 1
    kept = rows(tmp_path, "SELECT DISTINCT accepted, reason FROM trajectories")
    assert (False, "malformed_call") in kept
    assert not any(accepted for accepted, _ in kept)


def nested(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


@pytest.mark.parametrize(
    "text", [DEEP, CLOSED, HALF, "\ud800", "NaN", "1e999", nested(DEEPEST + 1)]
)
def test_what_is_no_value(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        value_in(text)


@pytest.mark.parametrize("value", [2**70, "\U0001f600", [], {"a": [1, 2.5, None, True]}, "{" * 999])
def test_what_is_a_value(value: Any) -> None:
    assert value_in(json.dumps(value)) == value
    assert value_in(json.dumps([value] * 100)) == [value] * 100


def test_as_deep_as_may_be() -> None:
    assert value_in(nested(DEEPEST)) == json.loads(nested(DEEPEST))


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (" Hi. ", "Hi."),
        ('{"message": " Hi. "}', "Hi."),
        ('{"message": 1}', ""),
        ("{", ""),
        (HALF, ""),
    ],
)
def test_text_in_a_reply(content: str, text: str) -> None:
    assert text_in(content) == text


def test_any_request_has_a_key() -> None:
    keys = {request_key("user", "m", [text]) for text in ("\ud800", "\ud801", "a", "\\ud800")}
    assert len(keys) == 4


@pytest.mark.parametrize("arguments", ['{"id": "AB', '{"id": ' + DEEP, '{"id": "\\ud800"}', "[1]"])
def test_a_call_that_was_mended_is_no_obstacle(arguments: str, tmp_path: Path) -> None:
    """Where a right call follows, the conversation counts, and is written in any form."""
    assert here(tmp_path / "scripted", "tools.domains=[airline]", size=4) == 0
    right = oracle(lines(tmp_path / "scripted"))

    def answer(body: Body) -> Answer:
        messages = body["messages"]
        wrong = [n for n, m in enumerate(messages) if _calls(m) == [arguments]]
        kept = [m for n, m in enumerate(messages) if not {n, n - 1} & set(wrong)]
        reply = right({**body, "messages": kept})
        found = reply.body["choices"][0]["message"].get("tool_calls")
        if found and not wrong:
            return said(calls=[(found[0]["function"]["name"], arguments)])
        return reply

    words = ("roles/assistant=llm", "export.formats=[openai,sharegpt]", "budget.attempts=8")
    assert run(tmp_path / "run", answer, *words) == 0
    asked = rows(tmp_path / "run", "SELECT accepted, reason, detail FROM trajectories")
    count = sum(accepted for accepted, _, _ in asked)
    assert count > 0, asked
    text = (tmp_path / "run" / "dataset" / "train.sharegpt.jsonl").read_text(encoding="utf-8")
    assert len(text.splitlines()) == count


def _calls(message: Body) -> list[str]:
    return [call["function"]["arguments"] for call in message.get("tool_calls") or ()]
