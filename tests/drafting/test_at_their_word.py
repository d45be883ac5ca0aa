"""What names and parameters of tools say about them is what their simulation does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tdscaling.declared.domain import Domain
from tdscaling.declared.session import Session
from tdscaling.drafting import drafted, sketch
from tdscaling.errors import DomainError
from tdscaling.phrasing import UnphrasableError, parameters
from tdscaling.schema import Tool
from tests.schemas import cluster, tool

STATE = {"type": "string", "enum": ["pending", "filled", "cancelled"]}
YEAR = {"type": "integer"}


def said(session: Session, called: str, **arguments: Any) -> Any:
    """What a call returns, as data."""
    result = session.execute(called, arguments)
    assert result.ok, result.content
    return json.loads(result.content)


def shop(*more: Tool) -> Domain:
    return drafted(
        cluster(
            [
                tool("list_orders", "Orders.", {}, {"status": STATE}),
                tool("get_order", "One order.", {"order_id": "The order"}),
                tool("cancel_order", "Cancel one.", {"order_id": "The order"}),
                *more,
            ]
        )
    )


def left_out(*tools: Tool) -> dict[str, str]:
    skipped = sketch(cluster([*tools, tool("list_notes"), tool("get_note", "", {"note_id": ""})]))
    return {entry.where.partition(".")[2]: entry.why for entry in skipped[0].left_out}


@pytest.mark.parametrize("name", ["order_status", "get_order_status", "orderState"])
def test_a_question_about_the_status_reads_that_of_the_thing(name: str) -> None:
    domain = shop(tool(name, "How it is.", {"order_id": "The order"}, writes=False))
    session = domain.open("1")
    (order, *_) = [row["order_id"] for row in said(session, "list_orders", status="pending")]
    assert said(session, name, order_id=order) == {"order_id": order, "status": "pending"}
    said(session, "cancel_order", order_id=order)
    assert said(session, name, order_id=order)["status"] == "cancelled"
    assert not domain.tools[name].file.effects


def test_the_status_of_what_nothing_else_changes() -> None:
    refund = tool("refund_status", "Whether the money is back.", {"refund_id": "The refund"})
    domain = shop(tool("create_refund", "New.", {"order_id": "The order"}), refund)
    assert not domain.tools["refund_status"].file.effects
    session = domain.open("1")
    [(refund_id, status), *_] = session.table("SELECT refund_id, status FROM refund", {})
    assert said(session, "refund_status", refund_id=refund_id)["status"] == status


@pytest.mark.parametrize("verb", ["renew", "revoke", "upgrade", "acknowledge", "rotate"])
def test_verbs_that_write(verb: str) -> None:
    domain = shop(tool(f"{verb}_order", "The same again.", {"order_id": "The order"}))
    assert domain.tools[f"{verb}_order"].file.effects


@pytest.mark.parametrize(
    ("name", "description", "state"),
    [
        ("list_pending_orders", "Orders.", {"pending"}),
        ("list_new_orders", "Lists orders that are still pending.", {"pending"}),
        ("list_open_orders", "Orders that wait.", {"pending", "filled"}),
        ("search_cancelled_orders", "", {"cancelled"}),
        ("list_my_orders", "All pending orders.", {"pending"}),
        ("list_our_orders", "Pending or filled orders.", {"pending", "filled", "cancelled"}),
    ],
)
def test_an_adjective_restricts_the_status(name: str, description: str, state: set[str]) -> None:
    domain = shop(tool(name, description))
    found = {row["status"] for seed in range(4) for row in said(domain.open(str(seed)), name)}
    assert found == state


def test_names_and_years_filter() -> None:
    domain = drafted(
        cluster(
            [
                tool("search_authors", "Researchers by name.", {"name": "Name"}),
                tool("search_papers", "Papers.", {"query": "Words"}, {"year": YEAR}),
                tool("get_paper", "One.", {"paper_id": "The paper"}),
                tool("get_author_papers", "Of one.", {"author_id": "The author"}),
            ]
        )
    )
    session = domain.open("1")
    [(name,), *_] = session.table("SELECT full_name FROM author", {})
    found = said(session, "search_authors", name=name)
    assert found
    assert {row["full_name"] for row in found} == {name}
    assert said(session, "search_authors", name="Nobody at all") == []
    [(topic,), *_] = session.table("SELECT topic FROM paper", {})
    assert said(session, "search_papers", query=topic, year=2025)
    assert said(session, "search_papers", query=topic, year=1987) == []


def test_a_filter_that_no_column_knows_makes_one() -> None:
    domain = shop(tool("find_orders", "Some.", {}, {"city": "Where to", "starting_after": "Page"}))
    session = domain.open("1")
    assert list(domain.tools["find_orders"].file.parameters) == ["city"]
    [(city,), *_] = session.table('SELECT city FROM "order"', {})
    found = said(session, "find_orders", city=city)
    assert 0 < len(found) < len(said(session, "list_orders"))
    assert {row["city"] for row in found} == {city}


@pytest.mark.parametrize(
    ("name", "description", "parameter"),
    [
        ("run_query", "Rows that a SELECT yields.", "sql"),
        ("query_notes", "Runs a GraphQL query.", "query"),
        ("evaluate", "Value of a formula.", "expression"),
        ("execute_script", "Run it.", "script"),
    ],
)
def test_what_follows_from_a_program_is_left_out(
    name: str, description: str, parameter: str
) -> None:
    why = left_out(tool(name, description, {parameter: ""}))[name]
    assert why == f"what it returns follows from the {parameter} it is given"


def test_a_program_that_is_kept_is_no_question() -> None:
    snippet = tool("create_snippet", "Store a python snippet.", {"code": "The code"})
    block = tool("block_command", "Nobody may execute it.", {"command": "The command"})
    run = tool("run_script", "Run a script of the project.", {"script_name": "Its name"})
    assert left_out(snippet, block, run, tool("list_snippets")) == {}


@pytest.mark.parametrize(
    "name",
    ["session_token", "token", "userToken", "session_key", "client_secret", "passcode", "otp",
     "credential", "csrf_token"],
)  # fmt: skip
def test_what_needs_a_secret_is_left_out(name: str) -> None:
    assert "a secret" in left_out(tool("list_cards", "Cards.", {name: ""}))["list_cards"]


@pytest.mark.parametrize(
    ("name", "description"), [("from_token", "Swap coins."), ("token", "Price of a crypto token.")]
)
def test_a_token_that_is_money_is_none(name: str, description: str) -> None:
    assert parameters(tool("quote", description, {name: ""}))[name].kind == "coin"


def test_a_service_behind_a_session_is_refused_whole() -> None:
    tools = [tool(f"list_{noun}s", "", {"session_token": ""}) for noun in ("card", "account")]
    with pytest.raises(UnphrasableError, match="a secret"):
        parameters(tools[0])
    with pytest.raises(DomainError, match="a secret"):
        drafted(cluster(tools))
