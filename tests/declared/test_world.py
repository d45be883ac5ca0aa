"""Calls on a state: one transaction each, ids and clock out of the call, differences told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tdscaling.declared.load import load
from tdscaling.declared.world import SqlSession, World, world
from tests.bookshop import bookshop, changed, session, some

IN_STOCK = "SELECT book_id FROM book WHERE copies > 1 ORDER BY 1"
SOLD_OUT = "SELECT book_id FROM book WHERE copies = 0"
OPEN = "SELECT purchase_id FROM purchase WHERE purchase_status = 'open' ORDER BY 1"


def order(state: SqlSession, buyer: str = "Ada", **more: Any) -> dict[str, Any]:
    result = state.execute("order_book", {"book_id": some(state, IN_STOCK), "buyer": buyer, **more})
    assert result.ok, result.content
    return dict(result.rows[0])


def error(state: SqlSession, tool: str, arguments: dict[str, Any]) -> str:
    result = state.execute(tool, arguments)
    assert not result.ok
    assert result.rows == ()
    return str(json.loads(result.content)["error"])


def test_result_of_one_row() -> None:
    result = session().execute("pay_purchase", {"purchase_id": some(session(), OPEN)})
    assert result.ok
    assert json.loads(result.content) == result.rows[0]
    assert result.rows[0]["purchase_status"] == "paid"


def test_result_of_many_rows() -> None:
    result = session().execute("search_books", {"title": "Dunes"})
    prices = [row["price"] for row in json.loads(result.content)]
    assert prices == sorted(prices)
    assert len(prices) > 1
    assert session().execute("search_books", {"title": "Nothing"}).content == "[]"


def test_no_row_is_an_error_where_one_is_expected(tmp_path: Path) -> None:
    def change(data: dict[str, Any]) -> None:
        data["tools"]["pay_purchase"]["requires"] = []

    state = World(load(changed(tmp_path, change)), "1").open()
    assert error(state, "pay_purchase", {"purchase_id": "PU-9"}) == (
        "nothing found for purchase_id PU-9"
    )
    assert state.changes() == {}


def test_rule_refuses_in_its_own_words() -> None:
    state = session()
    paid = some(state, "SELECT purchase_id FROM purchase WHERE purchase_status = 'paid'")
    assert error(state, "pay_purchase", {"purchase_id": "PU-9"}) == "there is no order PU-9"
    assert error(state, "pay_purchase", {"purchase_id": paid}) == f"order {paid} is not open"


def test_refused_call_leaves_nothing_behind() -> None:
    state = session()
    # The first effect takes the last copy away, which the CHECK refuses.
    refused = error(state, "order_book", {"book_id": some(state, SOLD_OUT), "buyer": "Ada"})
    assert "no_copies_left" in refused
    assert state.changes() == {}


def test_effects_before_a_failing_one_are_undone(tmp_path: Path) -> None:
    def change(data: dict[str, Any]) -> None:
        insert, update = reversed(data["tools"]["order_book"]["effects"])
        data["tools"]["order_book"]["effects"] = [insert, update]

    state = World(load(changed(tmp_path, change)), "1").open()
    error(state, "order_book", {"book_id": some(state, SOLD_OUT), "buyer": "Ada"})
    assert state.changes() == {}
    assert order(state)["purchase_status"] == "open"


def test_foreign_key_refuses(tmp_path: Path) -> None:
    def change(data: dict[str, Any]) -> None:
        remove = data["tools"]["remove_purchase"]
        remove["effects"] = [
            "DELETE FROM book WHERE book_id IN "
            "(SELECT book_id FROM purchase WHERE purchase_id = :purchase_id)",
            "DELETE FROM purchase WHERE purchase_id = :purchase_id AND buyer = ''",
        ]
        remove["cases"] = "SELECT 'PU-0' AS purchase_id"

    state = World(load(changed(tmp_path, change)), "1").open()
    assert "FOREIGN KEY" in error(state, "remove_purchase", {"purchase_id": some(state, OPEN)})
    assert state.changes() == {}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "must contain ['purchase_id']"),
        ({"purchase_id": 5}, "purchase_id must be string"),
        ({"purchase_id": "PU-1", "card": "x"}, "must not contain {'card'}"),
        ({"purchase_id": "\ud800"}, "surrogates not allowed"),
    ],
)
def test_invalid_arguments(arguments: dict[str, Any], words: str) -> None:
    text = error(session(), "pay_purchase", arguments)
    assert text.startswith("invalid arguments: ")
    assert words in text


def test_number_that_sqlite_cannot_hold(tmp_path: Path) -> None:
    def change(data: dict[str, Any]) -> None:
        tool = data["tools"]["pay_purchase"]
        tool["parameters"]["cents"] = {
            "type": "integer",
            "description": "Paid",
            "sample": {"value": 1},
        }
        tool["requires"].append({"check": "SELECT 1 WHERE :cents > 0", "error": "pay {cents}"})

    state = World(load(changed(tmp_path, change)), "1").open()
    text = error(state, "pay_purchase", {"purchase_id": some(state, OPEN), "cents": 10**30})
    assert text.startswith("invalid arguments: ")


def test_unknown_tool() -> None:
    with pytest.raises(KeyError):
        session().execute("sell_book", {})


def test_clock_stands_still() -> None:
    state = session()
    bought = order(state)["purchase_id"]
    placed = some(state, f"SELECT placed FROM purchase WHERE purchase_id = '{bought}'")
    assert placed == "2025-06-01 10:00"
    removed = state.execute("remove_purchase", {"purchase_id": bought})
    assert removed.rows[0]["removed_on"] == "2025-06-01"


def test_ids_do_not_depend_on_the_order_of_calls() -> None:
    one, other = session(), session()
    first = {buyer: order(one, buyer)["purchase_id"] for buyer in ("Ada", "Bob")}
    other.execute("search_books", {"title": "Dunes"})
    other.execute("pay_purchase", {"purchase_id": "PU-9"})
    second = {buyer: order(other, buyer)["purchase_id"] for buyer in ("Bob", "Ada")}
    assert first == second
    assert one.changes() == other.changes()


def test_ids_follow_the_seed_and_never_repeat() -> None:
    state = session()
    ids = [order(state, gift=False)["purchase_id"] for _ in range(4)]
    assert len(set(ids)) == 4
    assert order(session("2"))["purchase_id"] != order(session("1"))["purchase_id"]


def test_ids_are_not_issued_twice_in_one_session(tmp_path: Path) -> None:
    def change(data: dict[str, Any]) -> None:
        data["tools"]["order_book"]["effects"][0] = "UPDATE book SET copies = copies"

    state = World(load(changed(tmp_path, change)), "1").open()
    # Among 1,000 of 90,000 ids a collision is nearly certain: 1 - exp(-1000^2 / 180,000) = 0.996.
    ids = {order(state, f"buyer {number}")["purchase_id"] for number in range(1000)}
    assert len(ids) == 1000


def test_several_ids_in_one_call(tmp_path: Path) -> None:
    def change(data: dict[str, Any]) -> None:
        effects = data["tools"]["order_book"]["effects"]
        data["tools"]["order_book"]["effects"] = [effects[1]] * 5

    state = World(load(changed(tmp_path, change)), "1").open()
    order(state)
    assert len(state.changes()["bookshop.purchase"]["added"]) == 5


def test_attempt_that_is_not_wanted_leaves_no_trace() -> None:
    state, plain = session(), session()
    arguments = {"book_id": some(state, IN_STOCK), "buyer": "Ada"}
    assert state.attempt("order_book", arguments, lambda result: False) is None
    assert state.changes() == {}
    kept = state.attempt("order_book", arguments, lambda result: result.ok)
    assert kept is not None
    assert kept.rows == plain.execute("order_book", arguments).rows


def test_refused_call_does_not_shift_later_ids() -> None:
    state = session()
    book = some(state, SOLD_OUT)
    error(state, "order_book", {"book_id": book, "buyer": "Ada"})
    state.execute("remove_purchase", {"purchase_id": "PU-9"})
    assert order(state) == order(session())


def test_id_of_a_call_that_was_refused_is_free_again(tmp_path: Path) -> None:
    def change(data: dict[str, Any]) -> None:
        data["tools"]["order_book"]["effects"].reverse()
        data["tools"]["remove_purchase"]["effects"].append("UPDATE book SET copies = 5")

    origin = World(load(changed(tmp_path, change)), "1")
    refused, plain = origin.open(), origin.open()
    book = some(refused, SOLD_OUT)
    error(refused, "order_book", {"book_id": book, "buyer": "Ada"})
    for state in (refused, plain):
        state.execute("remove_purchase", {"purchase_id": "PU-9"})
    bought = [s.execute("order_book", {"book_id": book, "buyer": "Ada"}) for s in (refused, plain)]
    assert bought[0].ok
    assert bought[0] == bought[1]


def test_changes_added_removed_changed() -> None:
    state = session()
    book, opened = some(state, IN_STOCK), some(state, OPEN)
    copies = some(state, f"SELECT copies FROM book WHERE book_id = '{book}'")
    other = some(state, f"SELECT purchase_id FROM purchase WHERE purchase_id <> '{opened}'")
    bought = order(state)
    state.execute("pay_purchase", {"purchase_id": opened})
    state.execute("remove_purchase", {"purchase_id": other})
    changes = state.changes()
    assert changes.keys() == {"bookshop.book", "bookshop.purchase"}
    assert changes["bookshop.book"] == {"changed": {book: {"copies": [copies, copies - 1]}}}
    purchases = changes["bookshop.purchase"]
    assert [row["purchase_id"] for row in purchases["added"]] == [bought["purchase_id"]]
    assert [row["purchase_id"] for row in purchases["removed"]] == [other]
    assert purchases["changed"] == {opened: {"purchase_status": ["open", "paid"]}}


def test_volatile_columns_do_not_count() -> None:
    gift, plain = session(), session()
    order(gift, gift=True)
    order(plain, gift=True)
    assert gift.changes() == plain.changes()
    assert "note" not in gift.changes()["bookshop.purchase"]["added"][0]


def test_what_is_done_and_undone_is_no_change() -> None:
    state = session()
    bought = order(state)["purchase_id"]
    state.execute("remove_purchase", {"purchase_id": bought})
    assert state.changes().keys() == {"bookshop.book"}


def test_sessions_are_apart() -> None:
    origin = World(bookshop(), "1")
    first, second = origin.open(), origin.open()
    order(first)
    assert second.changes() == {}
    assert origin.open().changes() == {}


def test_worlds_follow_the_seed() -> None:
    assert World(bookshop(), "1").tables == World(bookshop(), "1").tables
    assert World(bookshop(), "1").tables != World(bookshop(), "2").tables
    assert world(bookshop(), "1") is world(bookshop(), "1")


def test_table_is_asked_again_after_a_write() -> None:
    state = session()
    count = "SELECT count(*) AS n FROM purchase"
    before = some(state, count)
    order(state)
    assert some(state, count) == before + 1
    assert state.table("SELECT title FROM book", {"title": "Dunes"})[0] == ("Dunes",)


def test_binary_noise_is_no_data(tmp_path: Path) -> None:
    def change(data: dict[str, Any]) -> None:
        tool = data["tools"]["remove_purchase"]
        tool["returns"] = "SELECT :purchase_id AS purchase_id, 0.1 + 0.2 AS fee"

    state = World(load(changed(tmp_path, change)), "1").open()
    assert state.execute("remove_purchase", {"purchase_id": "PU-1"}).content == (
        '{"purchase_id": "PU-1", "fee": 0.3}'
    )
