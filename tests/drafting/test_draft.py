"""Worlds drafted from schemas: verbs do what they say, ids and states are checked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tdscaling.blueprints.dataflow import ORDER, DataFlowBlueprints
from tdscaling.declared.domain import Domain
from tdscaling.declared.session import Session
from tdscaling.drafting import draft, drafted, sketch, written
from tdscaling.errors import DomainError
from tdscaling.schema import Cluster, Draw, Request
from tests.schemas import cluster, tool, tracker, weather


def said(session: Session, tool_name: str, **arguments: Any) -> Any:
    """What a call returns, as data."""
    result = session.execute(tool_name, arguments)
    assert result.ok, result.content
    return json.loads(result.content)


def refused(session: Session, tool_name: str, **arguments: Any) -> str:
    result = session.execute(tool_name, arguments)
    assert not result.ok
    return str(json.loads(result.content)["error"])


@pytest.fixture(scope="module")
def domain() -> Domain:
    return drafted(tracker())


@pytest.fixture
def session(domain: Domain) -> Session:
    return domain.open("1")


def task(session: Session, status: str = "open") -> str:
    [row, *_] = session.table("SELECT * FROM task", {"status": status})
    return str(row[0])


def test_all_tools_are_there_with_the_schemas_of_the_service(domain: Domain) -> None:
    tools = {one.name: one for one in domain.as_tools()}
    assert [(t.name, t.parameters) for t in tracker().tools] == [
        (name, one.parameters) for name, one in tools.items()
    ]
    assert {one.category for one in tools.values()} == {"productivity"}
    writing = {name for name, one in tools.items() if one.writes}
    assert writing == tools.keys() - {"list_projects", "search_tasks", "get_task"}


def test_what_it_observes_counts_as_simulated(domain: Domain) -> None:
    assert domain.file.simulates == "Tracker" or domain.file.simulates == "tracker"
    assert domain.provenance == "simulated"


def test_created_things_are_found_again(session: Session) -> None:
    project = said(session, "create_project", name="Attic")["project_id"]
    made = said(session, "create_task", title="Sweep the attic", projectId=project)
    assert made["project_id"] == project
    assert said(session, "get_task", task_id=made["task_id"])["title"] == "Sweep the attic"
    found = said(session, "search_tasks", query="the attic")
    assert made["task_id"] in [row["task_id"] for row in found]


def test_foreign_ids_are_checked(session: Session) -> None:
    error = refused(session, "create_task", title="Sweep", projectId="PRO-1")
    assert error == "there is no project PRO-1"


def test_own_ids_are_checked_and_deleted_things_are_gone(session: Session) -> None:
    gone = task(session)
    said(session, "delete_task", task_id=gone)
    for name in ("get_task", "cancel_task", "delete_task"):
        assert refused(session, name, task_id=gone) == f"there is no task {gone}"
    changes = session.changes()
    assert [row["task_id"] for row in changes["tracker.task"]["removed"]] == [gone]


def test_states_allow_what_they_should(session: Session) -> None:
    one = task(session)
    assert said(session, "cancel_task", task_id=one)["status"] == "cancelled"
    assert "already cancelled" in refused(session, "cancel_task", task_id=one)
    assert said(session, "reopen_task", task_id=one)["status"] == "open"
    assert session.changes() == {}


def test_updates_change_what_is_given_and_nothing_else(session: Session) -> None:
    one = task(session)
    before = said(session, "get_task", task_id=one)
    said(session, "update_task", task_id=one, title="Paint the fence")
    assert said(session, "get_task", task_id=one) == {**before, "title": "Paint the fence"}


def test_lists_are_filtered_and_cut(session: Session) -> None:
    topic = str(session.table("SELECT topic FROM task")[0][0])
    for row in said(session, "search_tasks", query=topic, priority="high"):
        assert row["priority"] == "high"
    assert len(said(session, "search_tasks", query="a", limit=2)) == 2
    assert said(session, "search_tasks", query="zebra crossing") == []


def test_equal_clusters_equal_bytes() -> None:
    def text(of: Cluster) -> str:
        made, _ = sketch(of)
        return written(made.file, "t", made.left_out, "r")

    assert text(tracker()) == text(tracker())
    assert drafted(tracker()).digest == drafted(tracker()).digest


def test_the_same_question_has_the_same_answer_in_one_world() -> None:
    one, other = drafted(weather()).open("1"), drafted(weather()).open("2")
    asked = [said(one, "get_weather", city=city) for city in ("Oslo", "Rome", "Oslo", "Lima")]
    assert asked[0] == asked[2]
    assert len({json.dumps({**row, "city": ""}) for row in asked}) > 1
    cities = [f"City {number}" for number in range(8)]
    assert [said(one, "get_weather", city=c) for c in cities] != [
        said(other, "get_weather", city=c) for c in cities
    ]
    assert one.changes() == {}


def test_arithmetic_is_done() -> None:
    session = drafted(weather()).open("1")
    assert said(session, "divide", a=7, b=2) == {"result": 3.5}
    assert refused(session, "divide", a=7, b=0) == "a division by zero"


def test_actions_leave_a_trace() -> None:
    session = drafted(weather()).open("1")
    assert said(session, "refresh_station", city="Oslo")["outcome"] == "refreshed"
    assert list(session.changes()) == ["weather.done_refresh_station"]


def test_a_tool_that_cannot_be_drafted_is_left_out_with_its_reason() -> None:
    broken = tool("lookup_x", "Looks.", {"blob": {"type": "array", "items": {"type": "array"}}})
    made, domain = sketch(cluster([*tracker().tools, broken]))
    assert "lookup_x" not in domain.tools
    [entry] = made.left_out
    assert entry.where == "tracker-1.lookup_x"
    assert "blob" in entry.why


def test_too_few_tools_are_refused_with_reasons() -> None:
    tools = [tool("a_b", "", {"x": {"type": "array"}}), tool("list_cats", "List cats.")]
    with pytest.raises(DomainError, match=r"at least 2 tools.*got 1 of 2.*a_b"):
        draft(cluster(tools))


def test_stated_results_become_columns() -> None:
    result = {
        "type": "object",
        "properties": {
            "id": {"type": "string"},
            "title": {"type": "string"},
            "owner": {"type": "object", "properties": {"email": {"type": "string"}}},
        },
    }
    tools = [
        tool("list_books", "List books.", result={"type": "array", "items": result}),
        tool("get_book", "Get a book.", {"book_id": "Id"}, result=result),
    ]
    session = drafted(cluster(tools)).open("1")
    [row, *_] = said(session, "list_books")
    assert list(row) == ["book_id", "title", "owner_email"]
    assert said(session, "get_book", book_id=row["book_id"]) == row


def test_services_in_one_world_keep_their_things_apart() -> None:
    def mail(service: str, verb: str) -> list[Any]:
        return [
            tool(f"{verb}_list_messages", "List messages.", domain=service),
            tool(f"{verb}_get_message", "Get a message.", {"message_id": "Id"}, domain=service),
        ]

    domain = drafted(cluster([*mail("post", "post"), *mail("chatter", "chatter")]))
    session = domain.open("1")
    [row, *_] = said(session, "chatter_list_messages")
    assert domain.tables == ("chatter_message", "message")
    assert refused(session, "post_get_message", message_id=row["chatter_message_id"])


def test_drafts_give_blueprints_of_any_length() -> None:
    domain, of = drafted(tracker()), tracker()
    sampler = DataFlowBlueprints(
        seed=1, worlds=2, operators=list(ORDER), max_operators=3, calls=(1, 12), depth=3, tries=6,
        transient_errors=["try again"],
        voices={},
    )  # fmt: skip
    lengths = []
    for number, calls in enumerate([1, 2, 4, 8] * 3):
        request = Request(of.id, ("extend",) if calls > 2 else (), calls)
        made = sampler.make(Draw(number, 0, f"s{number}", request), of, {"tracker": domain})
        lengths.append(len(made.plan))
        names = {tool.name for tool in of.tools}
        assert not names & set(made.goal.replace(".", " ").split())
    assert max(lengths) >= 8
    refusing = Request(of.id, ("refuse",), 2)
    made = sampler.make(Draw(99, 0, "r", refusing), of, {"tracker": domain})
    assert "refused" in {step.expect for step in made.plan}
