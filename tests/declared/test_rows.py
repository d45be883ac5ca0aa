"""Every generator, and that each row's random stream is its own."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tdscaling.declared.definition import DomainFile
from tdscaling.declared.load import load
from tdscaling.declared.rows import GeneratorError, Generators, fill
from tdscaling.declared.world import World
from tests.bookshop import changed

CLOCK = "2025-06-01 10:00"


@pytest.fixture
def shelf() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE book (book_id, price)")
    connection.executemany("INSERT INTO book VALUES (?, ?)", [("BO-1", 5.0), ("BO-2", 9.0)])
    yield connection
    connection.close()


def draws(spec: Any, count: int = 200, row: dict[str, Any] | None = None) -> list[Any]:
    generators = Generators("seed", CLOCK, None)
    return [generators.draw(spec, row or {}) for _ in range(count)]


@pytest.mark.parametrize(
    ("spec", "pattern"),
    [
        ({"value": 7}, r"7"),
        ({"choice": ["a", "b"]}, r"[ab]"),
        ({"int": [1, 3]}, r"[123]"),
        ({"money": [10, 12]}, r"1[012]\.\d\d?"),
        ({"number": [0, 1, 3]}, r"[01]\.\d{1,3}"),
        ({"bool": 0.5}, r"[01]"),
        ({"date": [-1, 1]}, r"2025-(05-31|06-01|06-02)"),
        ({"datetime": [0, 0]}, r"2025-06-01 (0[7-9]|1\d|20):(00|15|30|45)"),
        ({"time": [8, 10]}, r"0[89]:(00|15|30|45)"),
        ({"pattern": "##-??"}, r"\d\d-[A-Z]{2}"),
        ({"text": ["{a} at {b}", "{b}"]}, r"x at y|y"),
        ({"email": "name"}, r"jose\.nunez\d{1,2}@example\.(com|org|net)"),
        ({"maybe": [0.5, {"value": 1}]}, r"1|None"),
        ("phone", r"\+1-\d{3}-555-\d{4}"),
        ("person", r"\S+ .+"),
        ("address", r".+, .+"),
        ("city", r".+"),
        ("company", r".+"),
        ("sentence", r".+"),
    ],
)
def test_form_of_values(spec: Any, pattern: str) -> None:
    row = {"a": "x", "b": "y", "name": "José Núñez"}
    values = [str(value) for value in draws(spec, row=row)]
    assert [value for value in values if not re.fullmatch(pattern, value, re.DOTALL)] == []
    if spec != {"value": 7}:
        assert len(set(values)) > 1


def test_both_ends_are_drawn() -> None:
    assert set(draws({"int": [1, 3]})) == {1, 2, 3}
    assert set(draws({"date": [-1, 1]})) == {"2025-05-31", "2025-06-01", "2025-06-02"}


def test_weights_and_shares() -> None:
    assert set(draws({"choice": {"a": 0, "b": 1}})) == {"b"}
    assert 120 < draws({"choice": {"a": 3, "b": 1}}).count("a") < 180
    assert 20 < sum(draws({"bool": 0.2})) < 60
    assert set(draws({"bool": 1})) == {1}
    assert 20 < draws({"maybe": [0.2, {"value": 1}]}).count(1) < 60


def test_people_come_from_several_languages() -> None:
    assert len({len(name.split()) for name in draws("person")}) > 1
    assert any(not name.isascii() for name in draws("person"))


def test_values_out_of_tables(shelf: sqlite3.Connection) -> None:
    generators = Generators("seed", CLOCK, shelf)
    assert {generators.draw({"ref": "book.book_id"}, {}) for _ in range(40)} == {"BO-1", "BO-2"}
    query = {"sql": "SELECT price FROM book WHERE book_id = :book_id"}
    assert generators.draw(query, {"book_id": "BO-2"}) == 9.0
    assert generators.draw(query, {"book_id": "BO-3"}) is None


@pytest.mark.parametrize(
    "spec",
    [
        "nothing",
        7,
        None,
        {},
        {"int": [1], "money": [2]},
        {"int": 3},
        {"int": ["a", "b"]},
        {"choice": []},
        {"choice": 5},
        {"choice": {}},
        {"date": "soon"},
        {"pattern": 5},
        {"ref": 5},
        {"ref": "book.book_id"},
        {"sql": "SELECT 1"},
        {"text": ["{missing}"]},
        {"email": "missing"},
        {"maybe": 0.5},
        {"maybe": [0.9999, "nothing"]},
    ],
)
def test_unusable_generator(spec: Any) -> None:
    with pytest.raises(GeneratorError, match=r"generator|need tables"):
        draws(spec)


def made(rows: dict[str, Any], tables: str, seed: str = "1") -> dict[str, list[Any]]:
    file = DomainFile.model_validate(
        {
            "category": "x",
            "about": "x",
            "clock": CLOCK,
            "tables": tables,
            "rows": rows,
            "tools": {
                "look": {
                    "description": "x",
                    "returns": "SELECT 1 AS a",
                    "intents": ["x"] * 3,
                    "answers": ["x"] * 3,
                }
            },
        }
    )
    connection = sqlite3.connect(":memory:")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.executescript(tables)
    fill(connection, file, seed)
    found = {name: connection.execute(f'SELECT * FROM "{name}"').fetchall() for name in rows}
    connection.close()
    return found


TABLES = """
CREATE TABLE book (book_id TEXT PRIMARY KEY, number INTEGER, price REAL);
CREATE TABLE sale (sale_id TEXT PRIMARY KEY, book_id TEXT REFERENCES book, paid REAL);
"""
BOOK = {
    "count": 30,
    "columns": {"book_id": {"id": "BO"}, "number": {"seq": 5}, "price": {"money": [1, 9]}},
}
SALE = {
    "count": 20,
    "columns": {
        "sale_id": {"id": "SA"},
        "_book": {
            "pick": "book",
            "as": {"book_id": "book_id", "_price": "price"},
            "where": "price > 3",
        },
        "paid": {"sql": "SELECT 2 * :_price"},
    },
}


def test_ids_sequences_and_picked_columns() -> None:
    found = made({"book": BOOK, "sale": SALE}, TABLES)
    ids = [row[0] for row in found["book"]]
    assert all(re.fullmatch(r"BO-[1-9]\d{3}", value) for value in ids)
    assert len(set(ids)) == 30
    assert [row[1] for row in found["book"]] == list(range(5, 35))
    prices = {row[0]: row[2] for row in found["book"]}
    assert len(found["sale"]) == 20
    for _, book, paid in found["sale"]:
        assert paid == pytest.approx(2 * prices[book])
        assert prices[book] > 3


def test_same_seed_same_rows() -> None:
    rows = {"book": BOOK, "sale": SALE}
    assert made(rows, TABLES) == made(rows, TABLES)
    assert made(rows, TABLES, "1") != made(rows, TABLES, "2")


def test_streams_are_separate() -> None:
    before = made({"book": BOOK}, TABLES)["book"]
    longer = {**BOOK, "count": 40}
    assert made({"book": longer}, TABLES)["book"][:30] == before
    tables = "CREATE TABLE first (a TEXT PRIMARY KEY);" + TABLES
    first = {"count": 9, "columns": {"a": "person"}}
    assert made({"first": first, "book": BOOK}, tables)["book"] == before
    more = {"count": 30, "columns": {**BOOK["columns"], "_more": "person"}}  # type: ignore[dict-item]
    assert made({"book": more}, TABLES)["book"] == before


def test_rows_that_repeat_a_key_are_left_out() -> None:
    rows = {"count": 50, "columns": {"a": {"int": [1, 3]}, "b": {"int": [1, 2]}}}
    found = made({"pair": rows}, "CREATE TABLE pair (a, b, PRIMARY KEY (a, b));")["pair"]
    assert len(found) == len(set(found)) == 6


def test_broken_constraint_names_the_row() -> None:
    sale = {"count": 1, "columns": {"sale_id": {"value": "SA-7"}, "book_id": {"value": "BO-0"}}}
    with pytest.raises(GeneratorError, match=r"table sale, row .*SA-7.*FOREIGN KEY"):
        made({"sale": sale}, TABLES)


def test_pick_without_a_row() -> None:
    sale = {"count": 1, "columns": {"_b": {"pick": "book", "as": ["book_id"]}}}
    with pytest.raises(GeneratorError, match=r"table sale, column _b: .* finds no row"):
        made({"sale": sale}, TABLES)


def test_clock_of_the_domain_is_known_to_rows(tmp_path: Path) -> None:
    def change(data: dict[str, Any]) -> None:
        placed = {"sql": "SELECT date(today(), '-1 day')"}
        data["rows"]["purchase"]["columns"]["placed"] = placed

    state = World(load(changed(tmp_path, change)), "1").open()
    assert set(state.table("SELECT placed FROM purchase")) == {("2025-05-31",)}


def test_lists_objects_and_instants() -> None:
    generators = Generators("s", "2025-06-17 08:30", None)
    values = generators.draw({"list": [{"choice": ["a", "b", "c"]}, 2]}, {})
    assert len(set(values)) == len(values) == 2
    assert sorted(generators.draw({"list": [{"choice": ["a", "b"]}, 9]}, {})) == ["a", "b"]
    made = generators.draw({"object": {"n": {"int": [3, 3]}, "who": "person"}}, {})
    assert made["n"] == 3
    assert isinstance(made["who"], str)
    instant = generators.draw({"instant": [1, 1]}, {})
    assert re.fullmatch(r"2025-06-18T\d\d:\d\d:00Z", instant)


@pytest.mark.parametrize("spec", [{"list": 3}, {"list": [{"nope": 1}, 2]}, {"object": [1]}])
def test_bad_lists_and_objects(spec: object) -> None:
    with pytest.raises(GeneratorError):
        Generators("s", "2025-06-17 08:30", None).draw(spec, {})
