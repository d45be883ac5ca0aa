"""Rules that a model adds: taken where execution bears them out, else dropped with a reason."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tdscaling.declared.load import checked
from tdscaling.drafting import Ruled, draft, ruled
from tdscaling.llm import NoReply
from tests.llm.endpoints import endpoint
from tests.openai_server import Answer, Server, said, serving
from tests.schemas import tracker

GOOD = {
    "tool": "cancel_task",
    "check": "SELECT 1 FROM task WHERE task_id = :task_id AND priority <> 'high'",
    "error": "task {task_id} has a high priority",
}
WORDS = {
    "tool": "get_task",
    "answers": [f"{n}: {{title}}, due {{due_date}}, is {{status}}." for n in ("A", "B", "C")],
}
BAD = [
    ({**GOOD, "tool": "burn_task"}, "there is no tool burn_task"),
    ({**GOOD, "check": "DELETE FROM task"}, "expected SELECT or WITH, got DELETE"),
    ({**GOOD, "check": "SELECT 1 FROM nowhere"}, "no such table"),
    ({**GOOD, "check": "SELECT 1 WHERE random() > 0"}, "not authorized"),
    ({**GOOD, "check": "SELECT 1 WHERE 0"}, "never succeeds"),
    ({**GOOD, "check": "SELECT 1 WHERE 1"}, "never refuses"),
    ({**GOOD, "error": "{title} no"}, "names title"),
    ({**WORDS, "answers": ["{a}", "{b}", "{c}"]}, "names a"),
    ({**WORDS, "answers": ["x", "y", "z"]}, "must name"),
    ({**WORDS, "answers": ["{title.__class__}", "y", "z"]}, "a slot is a plain name"),
]


def answered(*parts: dict[str, Any]) -> Answer:
    rules = [part for part in parts if "check" in part]
    return said(json.dumps({"rules": rules, "wordings": [p for p in parts if p not in rules]}))


def asked(server: Server) -> Ruled:
    return asyncio.run(ruled("tracker", draft(tracker()), endpoint(server.base_url), "s"))


def test_what_holds_is_taken() -> None:
    with serving(answered(GOOD, WORDS)) as server:
        made = asked(server)
    assert (made.added, made.dropped) == (2, [])
    assert len(server.requests) == 1
    domain = checked("tracker", made.file)
    assert domain.tools["get_task"].file.answers == tuple(WORDS["answers"])
    session = domain.open("1")
    high = session.table("SELECT * FROM task", {"priority": "high", "status": "open"})[0][0]
    result = session.execute("cancel_task", {"task_id": high})
    assert json.loads(result.content) == {"error": f"task {high} has a high priority"}
    assert server.requests[0]["response_format"]["json_schema"]["name"] == "rules"
    assert "CREATE TABLE" in server.sent


@pytest.mark.parametrize(("part", "why"), BAD, ids=[why for _, why in BAD])
def test_what_does_not_hold_is_dropped_with_its_reason(part: dict[str, Any], why: str) -> None:
    with serving(answered(part, GOOD)) as server:
        made = asked(server)
    assert why in made.dropped[0].why
    assert GOOD["error"] in [r.error for r in made.file.tools["cancel_task"].requires]
    assert len(server.requests) == 2
    assert why in server.requests[1]["messages"][0]["content"]


def test_a_better_second_answer_is_taken() -> None:
    with serving(answered(BAD[2][0]), answered(GOOD)) as server:
        made = asked(server)
    assert made.added == 1


@pytest.mark.parametrize("text", ["no", "[]", '{"rules": [1], "wordings": []}', '{"rules": []}'])
def test_an_unusable_answer_is_no_draft(text: str) -> None:
    with serving(said(text)) as server, pytest.raises(NoReply, match="malformed answer"):
        asked(server)


def test_an_unusable_second_answer_leaves_the_first() -> None:
    with serving(answered(GOOD, BAD[2][0]), said("no")) as server:
        made = asked(server)
    assert made.added == 1
    assert "malformed" in made.dropped[-1].why
