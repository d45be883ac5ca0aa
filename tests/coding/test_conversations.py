"""Coding conversations: played, replayed, and rejected for the right reason."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from tdscaling.coding.session import CodeSession
from tdscaling.errors import BlueprintError, SandboxLostError
from tdscaling.roles import Scene
from tdscaling.sandbox.bubblewrap import BubblewrapSandbox
from tdscaling.schema import Message, Step
from tests.coding.workspaces import (
    area,
    arguments,
    contract,
    instead,
    limits,
    play,
    trace,
    unchanged,
)
from tests.conversations import rejected, says

FAMILIES = [("data_analysis", "ranking"), ("sql_reporting", "share"), ("code_repair", "operator")]


@pytest.mark.parametrize(("name", "family"), FAMILIES)
def test_played_and_accepted(name: str, family: str) -> None:
    transcript, verdict = play(contract(name, family), unchanged)
    assert verdict.accepted, verdict.detail
    assert "code" in trace(transcript).events


@pytest.mark.parametrize(("name", "family"), FAMILIES[:2])
def test_mistakes_are_made_and_mended(name: str, family: str) -> None:
    transcript, verdict = play(contract(name, family, 1.0), unchanged)
    assert verdict.accepted, verdict.detail
    assert {"error", "recover"} <= set(trace(transcript).events)


@pytest.mark.parametrize(("name", "family"), FAMILIES)
def test_the_length_of_snippets_is_not_about_hidden_programs(name: str, family: str) -> None:
    tight = replace(area(name), sandbox=BubblewrapSandbox(cache=None, **limits() | {"code_kb": 1}))
    session = tight.open(next(iter(contract(name, family).worlds.values())))
    try:
        hidden = session.task.questions[0].hidden
        comment = f"{'--' if name == 'sql_reporting' else '#'} {'x' * 4096}"
        longer = replace(hidden, code=f"{comment}\n{hidden.code}")
        if hidden.kind == "returns":
            assert not session._holds(longer)  # it runs, and finds the bug
            path, data = next(iter(hidden.files.items()))
            session._opened().put(path, data)
            assert session._holds(longer)
        else:
            assert session.solution(longer) == session.solution(hidden)
        code = {"code": f"print(1)#{'x' * 1024}"}
        assert "1024 are allowed" in session.execute("run_python", code).content
    finally:
        session.close()
        tight.sandbox.close()


def test_wrong_figure_is_rejected() -> None:
    def lie(scene: Scene, messages: Sequence[Message], message: Message) -> Message:
        return {**message, "content": "It is 12.345%."} if says(message) else message

    verdict = play(contract("sql_reporting", "share"), lie)[1]
    rejected(verdict, "answer_not_told", "though code printed it")


def test_wrong_query_is_rejected() -> None:
    def other(scene: Scene, messages: Sequence[Message], message: Message) -> Message:
        if "ROUND" in arguments(message).get("query", ""):
            return instead(message, "run_sql", query="SELECT 1 AS percent")
        return message

    rejected(play(contract("sql_reporting", "share"), other)[1], "check_failed")


def test_wrong_fix_is_rejected() -> None:
    def nothing(scene: Scene, messages: Sequence[Message], message: Message) -> Message:
        given = arguments(message)
        if "new" in given:
            return instead(message, "edit_file", path=given["path"], old="def ", new="def ")
        return message

    verdict = play(contract("code_repair", "operator"), nothing)[1]
    rejected(verdict, "check_failed", "hidden check of question 1")


def test_another_way_to_the_same_fix_is_accepted() -> None:
    def with_python(scene: Scene, messages: Sequence[Message], message: Message) -> Message:
        given = arguments(message)
        if "new" not in given:
            return message
        code = (
            "from pathlib import Path\n"
            f"path = Path({given['path']!r})\n"
            f"path.write_text(path.read_text().replace({given['old']!r}, {given['new']!r}))\n"
        )
        return instead(message, "run_python", code=code)

    verdict = play(contract("code_repair", "operator"), with_python)[1]
    assert verdict.accepted, verdict.detail


def test_lost_sandbox_ends_with_that_reason() -> None:
    session = area("data_analysis").open("ranking.1")
    assert session.execute("run_bash", {"command": "ls"}).ok
    assert session._box is not None
    session._box.close()
    with pytest.raises(SandboxLostError) as lost:
        asyncio.run(session.call("run_bash", {"command": "ls"}))
    assert lost.value.reason == "sandbox_lost"


def test_snippet_that_differs_each_time_is_dropped() -> None:
    from tdscaling.blueprints._dry_run import rehearse

    domain = area("data_analysis")
    code = {"code": {"text": "import time\nprint(f'now: {time.monotonic_ns()}')\n"}}
    step = Step("data_analysis", "run_python", code, 0, 0, "goal", "ok")
    with pytest.raises(BlueprintError, match="not deterministic"):
        rehearse([step], {}, [domain], {"data_analysis": "ranking.1"})


def test_edit_file_refuses_what_is_not_unique() -> None:
    session = CodeSession(area("code_repair"), "operator.1")
    try:
        path = next(iter(session.task.files))
        for old, words in (("def ", "occurs"), ("not there", "does not occur")):
            result = session.execute("edit_file", {"path": path, "old": old, "new": "x"})
            assert not result.ok
            assert words in result.content
        assert not session.execute("edit_file", {"path": "../x", "old": "a", "new": "b"}).ok
    finally:
        session.close()


def test_endless_code_is_an_observation() -> None:
    session = area("calculations").open("figure.0")
    try:
        code = "while True: pass"
        result = session.execute("run_python", {"code": code})
    finally:
        session.close()
    assert not result.ok
    assert result.content == '{"exit_code": null, "stdout": "", "stderr": "", "status": "timeout"}'
