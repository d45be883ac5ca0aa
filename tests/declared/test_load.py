"""The loader refuses every file that the docs say it refuses, naming file, tool and cause."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tdscaling.declared.load import load, rule_problems
from tdscaling.errors import DomainError
from tests.bookshop import BOOKSHOP, bookshop, changed

Data = dict[str, Any]


def refusal(path: Path) -> str:
    with pytest.raises(DomainError) as caught:
        load(path)
    text = str(caught.value)
    assert str(path) in text
    return text


def put(*keys: str | int, to: Any) -> Callable[[Data], None]:
    """A change that sets what lies under the keys."""

    def change(data: Data) -> None:
        node: Any = data
        for key in keys[:-1]:
            node = node[key]
        node[keys[-1]] = to

    return change


def drop(*keys: str) -> Callable[[Data], None]:
    def change(data: Data) -> None:
        node: Any = data
        for key in keys[:-1]:
            node = node[key]
        del node[keys[-1]]

    return change


ORDER, PAY, SEARCH = ("tools", "order_book"), ("tools", "pay_purchase"), ("tools", "search_books")

REFUSED: dict[str, tuple[Callable[[Data], object], tuple[str, ...]]] = {
    "unknown key": (put("tabels", to="x"), ("unknown key `tabels`", "did you mean `tables`")),
    "unknown key of a tool": (
        put(*ORDER, "effect", to=[]),
        ("tool order_book", "unknown key `effect`", "did you mean `effects`"),
    ),
    "missing key": (drop("category"), ("category", "Field required")),
    "wrong kind of value": (put("clock", to="today"), ("clock", "got 'today'")),
    "few intents": (put(*ORDER, "intents", to=["buy {book_id}"]), ("tool order_book, intents",)),
    "list without item": (drop(*SEARCH, "item"), ("tool search_books", "needs `item`")),
    "item without list": (put(*PAY, "item", to="x"), ("tool pay_purchase", "go with `result")),
    "SQL error in tables": (put("tables", to="CREATE TABEL x (y)"), ("tables: near",)),
    "table without key": (
        lambda data: put("tables", to=data["tables"] + "CREATE TABLE log (entry TEXT);")(data),
        ("tables: log needs a PRIMARY KEY",),
    ),
    "ATTACH in tables": (
        put("tables", to="ATTACH DATABASE 'x.db' AS other"),
        ("tables: not authorized",),
    ),
    "wall clock in tables": (
        put("tables", to="CREATE TABLE b (b_id TEXT PRIMARY KEY, at TEXT DEFAULT CURRENT_DATE)"),
        ("tables: `CURRENT_DATE` reads the wall clock", "now() or today()"),
    ),
    "rows of no table": (
        lambda data: data["rows"].update(boks=data["rows"].pop("book")),
        ("rows.boks: no such table, there are book, purchase",),
    ),
    "rows with an unknown column": (
        put("rows", "book", "columns", "colour", to={"value": "red"}),
        ("rows:", "no column named colour"),
    ),
    "unknown generator": (
        put("rows", "book", "columns", "title", to={"chioce": ["a"]}),
        ("rows: table book, column title: unknown generator", "choice"),
    ),
    "generator of a wrong shape": (
        put("rows", "purchase", "columns", "book_id", to={"ref": 5}),
        ("rows: table purchase, column book_id",),
    ),
    "pick without as": (
        put("rows", "purchase", "columns", "_book", to={"pick": "book"}),
        ("rows: table purchase, column _book",),
    ),
    "row breaks a CHECK": (
        put("rows", "book", "columns", "copies", to={"value": -1}),
        ("rows: table book", "no_copies_left"),
    ),
    "row breaks a foreign key": (
        put("rows", "purchase", "columns", "book_id", to={"value": "BO-0"}),
        ("rows: table purchase", "FOREIGN KEY"),
    ),
    "random rows": (
        put("rows", "book", "columns", "copies", to={"sql": "SELECT abs(random()) % 5"}),
        ("rows: table book, column copies", "not authorized to use function: random"),
    ),
    "rows that attach": (
        put("rows", "book", "columns", "copies", to={"sql": "ATTACH DATABASE ':memory:' AS m"}),
        ("rows: table book, column copies", "not authorized"),
    ),
    "wall clock in rows": (
        put("rows", "purchase", "columns", "placed", to={"sql": "SELECT date('now')"}),
        ("rows.purchase.placed: `'now'` reads the wall clock",),
    ),
    "wall clock deep in rows": (
        put(
            "rows",
            "purchase",
            "columns",
            "placed",
            to={"maybe": [0.5, {"sql": "SELECT strftime('%Y')"}]},
        ),
        ("rows.purchase.placed: `strftime('%Y')` reads the wall clock",),
    ),
    "SQL error": (put(*PAY, "returns", to="SELEKT 1"), ("tool pay_purchase: returns",)),
    "unknown column": (
        put(*PAY, "returns", to="SELECT total FROM purchase WHERE purchase_id = :purchase_id"),
        ("tool pay_purchase: returns: no such column: total",),
    ),
    "unknown table": (
        put(*PAY, "effects", to=["DELETE FROM orders WHERE purchase_id = :purchase_id"]),
        ("tool pay_purchase: effects[0]: no such table: orders",),
    ),
    "two columns of one name": (
        put(*PAY, "returns", to="SELECT buyer, note AS buyer FROM purchase"),
        ("tool pay_purchase: returns: two columns are named buyer",),
    ),
    "unknown SQL parameter": (
        put(*PAY, "requires", 0, "check", to="SELECT 1 FROM purchase WHERE purchase_id = :id"),
        ("tool pay_purchase: SQL uses :id, which is no parameter",),
    ),
    "unused parameter": (
        put(*PAY, "parameters", "card", to={"type": "string", "description": "Card"}),
        ("tool pay_purchase: parameter card is never used",),
    ),
    "write in returns": (
        put(*PAY, "returns", to="UPDATE purchase SET note = :purchase_id RETURNING note"),
        ("tool pay_purchase: returns: expected SELECT or WITH, got UPDATE",),
    ),
    "write behind WITH": (
        put(
            *PAY,
            "requires",
            0,
            "check",
            to="WITH n AS (SELECT 'x' AS v) DELETE FROM purchase RETURNING note",
        ),
        ("tool pay_purchase: requires[0]: may only read",),
    ),
    "two statements": (
        put(*PAY, "effects", to=["DELETE FROM purchase; DELETE FROM book"]),
        ("tool pay_purchase: effects[0]", "one statement"),
    ),
    "no SQL": (put(*PAY, "effects", to=["(((((("]), ("tool pay_purchase: effects[0]: expected",)),
    "ATTACH": (
        put(*PAY, "effects", to=["ATTACH DATABASE 'x.db' AS other"]),
        ("tool pay_purchase: effects[0]", "got ATTACH"),
    ),
    "PRAGMA": (
        put(*PAY, "effects", to=["PRAGMA foreign_keys = OFF"]),
        ("tool pay_purchase: effects[0]", "got PRAGMA"),
    ),
    "PRAGMA as a function": (
        put(*PAY, "returns", to="SELECT :purchase_id AS a, file FROM pragma_database_list"),
        ("tool pay_purchase: returns", "not authorized"),
    ),
    "random": (
        put(*PAY, "returns", to="SELECT random() AS n, :purchase_id AS purchase_status"),
        ("tool pay_purchase: returns: not authorized to use function: random",),
    ),
    "wall clock": (
        put(*PAY, "returns", to="SELECT datetime('NOW') AS purchase_status, :purchase_id AS p"),
        ("tool pay_purchase: returns: `'NOW'` reads the wall clock",),
    ),
    "cases with parameters": (
        put(*PAY, "cases", to="SELECT purchase_id FROM purchase WHERE purchase_id = :purchase_id"),
        ("tool pay_purchase: cases: takes no parameters, got :purchase_id",),
    ),
    "cases of no parameter": (
        put(*PAY, "cases", to="SELECT buyer FROM purchase"),
        ("tool pay_purchase: cases: column buyer is no parameter",),
    ),
    "bad slot in intents": (
        put(*PAY, "intents", 0, to="pay {order}"),
        ("tool pay_purchase: intents", "names order, no parameter; there are purchase_id"),
    ),
    "bad slot in context": (put(*PAY, "context", to=["By {who}."]), ("context", "names who")),
    "bad slot in an error": (
        put(*PAY, "requires", 0, "error", to="no {order}"),
        ("tool pay_purchase: requires.error", "names order"),
    ),
    "bad slot in answers": (
        put(*PAY, "answers", 0, to="{purchase_status} for {total}."),
        ("tool pay_purchase: answers", "names total, no result column"),
    ),
    "bad slot in item": (
        put(*SEARCH, "item", to="{book_id} {price} {isbn}"),
        ("tool search_books: item", "names isbn"),
    ),
    "unbalanced braces": (
        put(*PAY, "intents", 0, to="pay {purchase_id"),
        ("intents", "expected '}'"),
    ),
    "answer without what is to be told": (
        put(*PAY, "answers", 1, to="All done."),
        ("tool pay_purchase: answers", "must name {purchase_status}"),
    ),
    "answer without items": (
        put(*SEARCH, "answers", 1, to="I found {count}."),
        ("tool search_books: answers", "must name {items}"),
    ),
    "tell no column": (put(*PAY, "tell", to=["total"]), ("tell: total is no result column",)),
    "volatile of no table": (put("volatile", to=["orders.note"]), ("orders.note names no table",)),
    "parameter that nothing fills": (
        drop(*ORDER, "parameters", "buyer", "sample"),
        ("tool order_book: parameter buyer",),
    ),
    "key that nobody knows": (
        drop(*PAY, "parameters", "purchase_id", "known"),
        ("tool pay_purchase: parameter purchase_id", "a person cannot know", "known: true"),
    ),
    "tool that never succeeds": (
        put(*PAY, "requires", 1, "check", to="SELECT 1 WHERE :purchase_id = ''"),
        ("tool pay_purchase: never succeeds", "the usual refusal is: there is no order"),
    ),
    "cases without rows": (
        put(*PAY, "cases", to="SELECT purchase_id FROM purchase WHERE buyer = ''"),
        ("tool pay_purchase: never succeeds", "`cases` yields no row"),
    ),
    "SQL that fails when it runs": (
        put(
            *PAY,
            "returns",
            to="SELECT json(:purchase_id || buyer) AS purchase_status, purchase_id FROM purchase",
        ),
        ("tool pay_purchase: malformed JSON",),
    ),
    "sample that needs tables": (
        put(*ORDER, "parameters", "buyer", "sample", to={"ref": "book.title"}),
        ("tool order_book:", "need tables; use `cases`"),
    ),
}


def _make_refused(data: Data, name: str) -> None:
    if name == "parameter that nothing fills":
        # Without data-flow into it and without a sample, nothing is left.
        data["kinds"].pop("buyer")
    if name == "key that nobody knows":
        for tool in ("order_book", "remove_purchase"):
            file = data["tools"][tool]
            file["returns"] = file["returns"].replace(
                "SELECT purchase_id", "SELECT note AS receipt"
            )
            file["returns"] = file["returns"].replace("AS purchase_id", "AS receipt")
            file["answers"], file["tell"] = ["{receipt}."] * 3, ["receipt"]
    REFUSED[name][0](data)


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, tmp_path: Path) -> None:
    text = refusal(changed(tmp_path, lambda data: _make_refused(data, name)))
    for words in REFUSED[name][1]:
        assert words in text
    assert text.endswith(f"then run `tdscaling domains check={tmp_path / 'bookshop.yaml'}`.")


def test_unchanged_copy_is_good(tmp_path: Path) -> None:
    assert load(changed(tmp_path, lambda data: None)).tools.keys() == bookshop().tools.keys()


def test_broken_yaml_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "bookshop.yaml"
    path.write_text("category: retail\nabout: [a\nclock: x\n")
    assert f"{path}, line 3, column" in refusal(path)


@pytest.mark.parametrize("content", [b"", b"- a\n", b"\xff\xfe\xfa"])
def test_no_mapping(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bookshop.yaml"
    path.write_bytes(content)
    assert refusal(path)


def test_missing_file(tmp_path: Path) -> None:
    assert "cannot read the domain file" in refusal(tmp_path / "none.yaml")


def test_name_of_the_file_is_the_name_of_the_domain(tmp_path: Path) -> None:
    path = tmp_path / "my-shop.yaml"
    path.write_text(BOOKSHOP.read_text())
    assert "Rename the file" in refusal(path)


def test_rules_that_never_refuse() -> None:
    warnings = list(rule_problems(bookshop()))
    assert len(warnings) == 1
    assert "tool order_book" in warnings[0]
    assert "'there is no book {book_id}'" in warnings[0]
