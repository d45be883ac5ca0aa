"""Services that a model plays: what counts as an answer, and what is remembered."""

from __future__ import annotations

import asyncio
import itertools
import json
import pickle
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tdscaling.blueprints.dataflow import DataFlowBlueprints
from tdscaling.catalog import Catalog
from tdscaling.declared.domain import Domain
from tdscaling.declared.session import Session
from tdscaling.environments.llm import LlmEnvironments
from tdscaling.errors import ConfigError, EndpointError, EnvironmentFailure
from tdscaling.schema import Draw, Request
from tests.llm.endpoints import endpoint
from tests.openai_server import Answer, Body, Server, dead_url, said, serving
from tests.schemas import tracker

_SEEDS = itertools.count()


def domain(base_url: str, tries: int = 1, rows: int = 3) -> Domain:
    environments = LlmEnvironments(llm=endpoint(base_url), tries=tries, rows=rows)
    return environments.prepare(Catalog({}), [tracker()])["tracker"]


def opened(server: Server, tries: int = 1) -> Session:
    """A session in a world that no other test has asked about."""
    return domain(server.base_url, tries).open(f"w{next(_SEEDS)}")


def answered(ok: bool = True, **parts: Any) -> Answer:
    return said(json.dumps({"ok": ok, "result": [], "changes": [], **parts}))


def state_of(body: Body) -> dict[str, dict[str, dict[str, Any]]]:
    """The state that a request shows."""
    prompt = body["messages"][0]["content"]
    found = re.search(r"State, per table and key:\n(.*)\n", prompt)
    assert found
    return dict(json.loads(found[1]))


def row_of(session: Session, table: str = "task") -> dict[str, Any]:
    from tdscaling.declared.world import world

    origin = world(session.domain, session._seed)  # type: ignore[attr-defined]
    columns, _ = origin.columns[table]
    return dict(zip(columns, origin.tables[table][0], strict=True))


def told(session: Session, row: dict[str, Any], name: str = "get_task") -> dict[str, Any]:
    return {column: row.get(column) for column in session.domain.tools[name].columns}


def test_an_answer_becomes_the_result() -> None:
    def reply(body: Body) -> Answer:
        [(_, row), *_] = state_of(body)["task"].items()
        columns = ("task_id", "title", "project_id", "due_date", "priority", "status")
        return answered(result=[{name: row[name] for name in columns}])

    with serving(reply) as server:
        session = opened(server)
        row = row_of(session)
        result = session.execute("get_task", {"task_id": row["task_id"]})
        assert result.ok
        assert json.loads(result.content) == told(session, row)
        assert session.provenance == "simulated"
        assert session.changes() == {}
        schema = server.requests[0]["response_format"]["json_schema"]["schema"]
        assert set(schema["required"]) == {"ok", "result", "changes"}


def test_the_model_sees_tool_state_and_calls_but_no_words_of_users() -> None:
    with serving(answered(ok=False, error="no such thing")) as server:
        session = opened(server)
        session.execute("get_task", {"task_id": "TAS-1"})
        session.execute("cancel_task", {"task_id": "TAS-1"})
    assert "Cancel a task." in server.requests[1]["messages"][0]["content"]
    assert "no such thing" in server.requests[1]["messages"][0]["content"]
    assert "go ahead and" not in server.sent


def test_what_is_written_is_in_the_state_that_follows() -> None:
    new = {"task_id": "TAS-77777", "title": "Sweep", "status": "open"}

    def reply(body: Body) -> Answer:
        columns = ("task_id", "title", "project_id", "due_date", "priority", "status")
        row = {name: new.get(name) for name in columns}
        if "Tool: create_task" in body["messages"][0]["content"]:
            change = {"table": "task", "key": "TAS-77777", "row": row}
            return answered(result=[row], changes=[change])
        return answered(result=[state_of(body)["task"]["TAS-77777"]])

    with serving(reply) as server:
        session = opened(server)
        project = row_of(session, "project")["project_id"]
        session.execute("create_task", {"title": "Sweep", "projectId": project})
        result = session.execute("get_task", {"task_id": "TAS-77777"})
    assert json.loads(result.content)["title"] == "Sweep"
    [added] = session.changes()["tracker.task"]["added"]
    assert added["task_id"] == "TAS-77777"


def test_the_same_call_in_the_same_state_is_asked_once() -> None:
    number = itertools.count()

    def reply(body: Body) -> Answer:
        return answered(ok=False, error=f"refused {next(number)}")

    with serving(reply) as server:
        of, seed = domain(server.base_url), f"w{next(_SEEDS)}"
        contents = {of.open(seed).execute("list_projects", {}).content for _ in range(3)}
        other = of.open(f"w{next(_SEEDS)}").execute("list_projects", {}).content
    assert contents == {'{"error": "refused 0"}'}
    assert other == '{"error": "refused 1"}'


def wrong() -> Iterator[tuple[str, str]]:
    row = {"project_id": "PRO-1", "name": "x", "created_on": "2025-01-01"}
    good = {"ok": True, "result": [], "changes": []}
    change = {"table": "project", "key": "PRO-1", "row": row}
    yield "sorry, I cannot", "malformed"
    yield "[]", "malformed"
    yield json.dumps({"ok": True}), "malformed"
    yield json.dumps({**good, "result": [{"project_id": "PRO-1"}]}), "malformed"
    yield json.dumps({**good, "result": [{**row, "more": 1}]}), "malformed"
    yield json.dumps({**good, "result": [row]}), "'PRO-1' is in the result but not in the state"
    yield json.dumps({**good, "changes": [change]}), "only reads changed the state"
    yield json.dumps({**good, "ok": False, "changes": [change]}), "changes nothing"


@pytest.mark.parametrize(("text", "why"), list(wrong()))
def test_what_does_not_hold_fails_and_is_no_content(text: str, why: str) -> None:
    with serving(said(text)) as server:
        session = opened(server)
        with pytest.raises(EnvironmentFailure, match=why):
            session.execute("list_projects", {})


def test_a_deleted_thing_stays_gone() -> None:
    def reply(body: Body) -> Answer:
        prompt = body["messages"][0]["content"]
        key = str(re.search(r'"task_id": "(TAS-\d+)"}\n', prompt)[1])  # type: ignore[index]
        if "Tool: delete_task" in prompt:
            change = {"table": "task", "key": key, "row": None}
            return answered(result=[{"deleted": key}], changes=[change])
        columns = ("task_id", "title", "project_id", "due_date", "priority", "status")
        return answered(result=[dict.fromkeys(columns, None) | {"task_id": key}])

    with serving(reply) as server:
        session = opened(server)
        key = row_of(session)["task_id"]
        assert session.execute("delete_task", {"task_id": key}).ok
        with pytest.raises(EnvironmentFailure, match="not in the state"):
            session.execute("get_task", {"task_id": key})


def test_a_second_try_is_told_what_was_wrong() -> None:
    with serving(said("what?"), answered(ok=False, error="closed")) as server:
        assert opened(server, tries=2).execute("list_projects", {}).content == '{"error": "closed"}'
    assert "refused: malformed answer" in server.requests[1]["messages"][0]["content"]


def test_an_unwanted_result_is_undone() -> None:
    with serving(answered(ok=False, error="closed")) as server:
        session = opened(server)
        assert session.attempt("list_projects", {}, lambda result: result.ok) is None
        assert session.attempt("list_projects", {}, lambda result: not result.ok) is not None


def test_calls_do_not_hold_up_the_event_loop() -> None:
    async def several(session: Session) -> int:
        calls = [session.call("get_task", {"task_id": f"TAS-{n}"}) for n in range(4)]
        return len(await asyncio.gather(*calls))

    with serving(answered(ok=False, error="gone")) as server:
        assert asyncio.run(several(opened(server))) == 4


def test_it_pickles_and_is_blocking() -> None:
    with serving(answered(ok=False, error="gone")) as server:
        environments = LlmEnvironments(llm=endpoint(server.base_url), tries=1, rows=2)
        worlds = pickle.loads(pickle.dumps(environments.prepare(Catalog({}), [tracker()])))
        of = worlds["tracker"]
        assert of.blocking
        assert not of.open(f"w{next(_SEEDS)}").execute("list_projects", {}).ok


def test_rows_bound_the_state() -> None:
    with serving(answered(ok=False, error="gone")) as server:
        domain(server.base_url, rows=2).open(f"w{next(_SEEDS)}").execute("list_projects", {})
        assert {len(rows) for rows in state_of(server.requests[0]).values()} == {2}


def test_blueprints_are_made_over_it() -> None:
    def reply(body: Body) -> Answer:
        prompt, state = body["messages"][0]["content"], state_of(body)
        if "Tool: list_projects" in prompt:
            columns = ("project_id", "name", "created_on")
            rows = [{c: row[c] for c in columns} for row in state["project"].values()]
            return answered(result=rows)
        return answered(ok=False, error="the service is closed for today")

    request = Request("tracker-1", (), 1)
    sampler = DataFlowBlueprints(
        seed=next(_SEEDS), worlds=1, operators=[], max_operators=0, calls=(1, 2), depth=1, tries=20,
        transient_errors=[],
        voices={},
    )  # fmt: skip
    with serving(reply) as server:
        known = {"tracker": domain(server.base_url)}
        made = sampler.make(Draw(1, 0, "s", request), tracker(), known)
    assert made.plan[0].tool == "list_projects"


def test_a_dead_endpoint_stops_the_run() -> None:
    session = domain(dead_url()).open("1")
    with pytest.raises(EndpointError):
        session.execute("list_projects", {})


@pytest.mark.parametrize("knobs", [{"tries": 0, "rows": 1}, {"tries": 1, "rows": 0}])
def test_numbers_out_of_range(knobs: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="at least 1, got 0"):
        LlmEnvironments(llm=endpoint("http://127.0.0.1:9/v1"), **knobs)
