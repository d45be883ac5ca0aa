"""What is derived of a domain file: tables, reads and writes, data-flow, schemas."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tdscaling.declared.load import load
from tests.bookshop import bookshop, changed

Data = dict[str, Any]


def test_what_is_derived() -> None:
    domain = bookshop()
    assert domain.name == "bookshop"
    assert domain.tables == ("book", "purchase")
    assert domain.keys == {"book_id", "purchase_id"}
    assert domain.homes == {"book_id": "book", "purchase_id": "purchase"}
    assert domain.statuses == {"open", "paid", "cancelled"}
    assert domain.volatile("purchase") == {"note"}
    assert domain.volatile("book") == frozenset()
    order = domain.tools["order_book"]
    assert order.columns == ("purchase_id", "book_id", "purchase_status")
    assert order.writes == {"book", "purchase"}
    assert domain.tools["search_books"].writes == frozenset()
    assert domain.tools["search_books"].reads == {"book"}
    assert domain.tools["search_books"].case_columns == ("title",)


def test_edges_are_derived() -> None:
    edges = {(e.producer, e.consumer, e.column, e.slot, e.kind) for e in bookshop().edges}
    assert edges == {
        ("search_books", "order_book", "book_id", "book_id", "key"),
        ("pay_purchase", "order_book", "book_id", "book_id", "key"),
        ("pay_purchase", "order_book", "buyer", "buyer", "value"),
        ("order_book", "pay_purchase", "purchase_id", "purchase_id", "key"),
        ("remove_purchase", "pay_purchase", "purchase_id", "purchase_id", "key"),
        ("order_book", "remove_purchase", "purchase_id", "purchase_id", "key"),
        ("pay_purchase", "remove_purchase", "purchase_id", "purchase_id", "key"),
    }


def test_tool_that_only_echoes_a_value_does_not_feed_it(tmp_path: Path) -> None:
    def change(data: Data) -> None:
        tools = data["tools"]
        tools["find_purchases"] = {
            **tools["search_books"],
            "parameters": {"buyer": tools["order_book"]["parameters"]["buyer"]},
            "cases": "SELECT buyer FROM purchase",
            "returns": "SELECT buyer, purchase_id AS book_id, 1 AS price FROM purchase "
            "WHERE buyer = :buyer ORDER BY purchase_id",
            "intents": ["look up {buyer}"] * 3,
        }

    edges = load(changed(tmp_path, change)).edges
    found = {(e.column, e.slot) for e in edges if e.producer == "find_purchases"}
    assert found == {("book_id", "book_id")}


def test_alias_ties_a_parameter_to_another_column(tmp_path: Path) -> None:
    def change(data: Data) -> None:
        tool = data["tools"]["remove_purchase"]
        tool["parameters"] = {
            "old_id": {"type": "string", "description": "Order", "from": "purchase_id"}
        }
        tool["effects"] = ["DELETE FROM purchase WHERE purchase_id = :old_id"]
        tool["returns"] = "SELECT :old_id AS gone"
        tool["answers"], tool["tell"] = ["{gone} left."] * 3, ["gone"]
        tool["intents"] = ["delete {old_id}"] * 3

    domain = load(changed(tmp_path, change))
    found = {
        (e.producer, e.column, e.slot) for e in domain.edges if e.consumer == "remove_purchase"
    }
    assert ("pay_purchase", "purchase_id", "old_id") in found


def test_digest_follows_the_content(tmp_path: Path) -> None:
    same = load(changed(tmp_path, lambda data: None))
    assert same.digest == bookshop().digest
    other = load(changed(tmp_path, lambda data: data.update(about="Something else.")))
    assert other.digest != same.digest


def test_tools_for_a_model_have_schemas_without_our_extensions() -> None:
    tools = {tool.name: tool for tool in bookshop().as_tools()}
    assert tools["order_book"].parameters == {
        "type": "object",
        "properties": {
            "book_id": {"type": "string", "description": "Book id"},
            "buyer": {"type": "string", "description": "Name of the buyer"},
            "gift": {"type": "boolean", "description": "Wrap it"},
        },
        "required": ["book_id", "buyer"],
        "additionalProperties": False,
    }
    assert tools["order_book"].writes
    assert not tools["search_books"].writes
