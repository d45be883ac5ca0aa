"""Arguments that a person could give: of the right type, out of the state, in a seeded order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tdscaling.declared.arguments import candidates, typed
from tdscaling.declared.definition import Parameter
from tdscaling.declared.load import load
from tdscaling.declared.rows import Generators
from tdscaling.declared.world import SqlSession, World
from tests.bookshop import changed, session


def drawn(
    state: SqlSession, tool: str, *, seed: str = "s", limit: int = 50, **fixed: Any
) -> list[dict[str, Any]]:
    generators = Generators(seed, "2025-06-01 10:00", None)
    return list(candidates(state, state.domain.tools[tool], generators, fixed, limit))


def test_cases_give_every_row_once_in_a_seeded_order() -> None:
    state = session()
    found = [arguments["purchase_id"] for arguments in drawn(state, "pay_purchase")]
    cases = [row[0] for row in state.table("SELECT purchase_id FROM purchase")]
    assert sorted(found) == sorted([*cases, "PU-1"])
    again = [arguments["purchase_id"] for arguments in drawn(state, "pay_purchase")]
    other = [arguments["purchase_id"] for arguments in drawn(state, "pay_purchase", seed="t")]
    assert found == again
    assert found != other


def test_limit() -> None:
    assert len(drawn(session(), "pay_purchase", limit=3)) == 3


def test_cases_include_what_the_rules_refuse() -> None:
    state = session()
    results = {state.execute("pay_purchase", a).ok for a in drawn(state, "pay_purchase")}
    assert results == {True, False}


def test_fixed_parameters_are_kept_and_cases_agree_with_them() -> None:
    assert drawn(session(), "search_books", title="Dunes") == [{"title": "Dunes"}]
    assert drawn(session(), "search_books", title="Nothing") == []
    (found,) = drawn(session(), "order_book", buyer="Ada", book_id="BO-1")
    assert found["buyer"] == "Ada"
    assert found["book_id"] == "BO-1"


def test_sources_of_values() -> None:
    state = session()
    books = {row[0] for row in state.table("SELECT book_id FROM book")}
    made = [drawn(state, "order_book", seed=str(number))[0] for number in range(40)]
    assert {arguments["book_id"] for arguments in made} <= books
    assert len({arguments["buyer"] for arguments in made}) > 30
    assert {arguments.get("gift") for arguments in made} == {True, False, None}


def test_cases_see_the_present_state() -> None:
    state = session()
    gone = drawn(state, "pay_purchase")[0]
    state.execute("remove_purchase", gone)
    assert gone not in drawn(state, "pay_purchase")


def test_enum_and_empty_table(tmp_path: Path) -> None:
    def change(data: dict[str, Any]) -> None:
        tool = data["tools"]["remove_purchase"]
        reason = {"type": "string", "description": "Why", "enum": ["lost", "late"]}
        tool["parameters"]["reason"] = reason
        tool["returns"] = "SELECT :purchase_id AS purchase_id, :reason AS reason"

    state = World(load(changed(tmp_path, change)), "1").open()
    reasons = {drawn(state, "remove_purchase", seed=str(n))[0]["reason"] for n in range(20)}
    assert reasons == {"lost", "late"}
    for (purchase,) in state.table("SELECT purchase_id FROM purchase"):
        state.execute("remove_purchase", {"purchase_id": purchase, "reason": "lost"})
    assert drawn(state, "remove_purchase") == []


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("boolean", 1, True),
        ("array", '["a", "b"]', ["a", "b"]),
        ("string", 7, "7"),
        ("number", 7, 7.0),
        ("integer", 7, 7),
        ("string", "x", "x"),
    ],
)
def test_typed(kind: str, value: Any, expected: Any) -> None:
    parameter = Parameter.model_validate({"type": kind, "description": "x"})
    found = typed(value, parameter)
    assert found == expected
    assert type(found) is type(expected)


def test_a_single_value_of_a_column_is_a_list_of_one() -> None:
    parameter = Parameter(type="array", description="Tags.")
    assert typed('["a", "b"]', parameter) == ["a", "b"]
    assert typed("TAG-1", parameter) == ["TAG-1"]
    assert typed("7", parameter) == ["7"]
