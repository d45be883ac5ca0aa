"""Arguments bound from facts and from what was observed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tdscaling.bindings import BindingError, resolve, rows
from tdscaling.schema import Step

LIST = json.dumps([{"id": "A", "price": 3}, {"id": "B", "price": 2}, {"id": "C", "price": 2}])
OBSERVED = {0: LIST, 1: '{"id": "Z"}', 2: "[]", 3: "no JSON", 4: "[1]"}


def bound(**arguments: dict[str, Any]) -> dict[str, Any]:
    step = Step("shop", "buy", arguments, 0, 5, "goal", "ok")
    return resolve(step, {"price": 2, "who": "Ada", "none": 9}, OBSERVED)


def test_fact() -> None:
    assert bound(name={"fact": "who"}) == {"name": "Ada"}


def test_first_row_and_single_object() -> None:
    assert bound(
        a={"step": 0, "column": "id", "pick": "first"},
        b={"step": 1, "column": "id", "pick": "first"},
    ) == {"a": "A", "b": "Z"}


def test_row_that_equals_a_fact() -> None:
    pick = {"column": "price", "fact": "price"}
    assert bound(id={"step": 0, "column": "id", "pick": pick}) == {"id": "B"}


def test_no_arguments() -> None:
    assert bound() == {}


@pytest.mark.parametrize(
    "source",
    [
        {"fact": "age"},
        {"step": 0, "column": "name", "pick": "first"},
        {"step": 0, "column": "id", "pick": {"column": "price", "fact": "none"}},
        {"step": 0, "column": "id", "pick": {"column": "weight", "fact": "price"}},
        {"step": 2, "column": "id", "pick": "first"},
        {"step": 3, "column": "id", "pick": "first"},
        {"step": 4, "column": "id", "pick": "first"},
        {"step": 9, "column": "id", "pick": "first"},
        {},
    ],
)
def test_what_cannot_be_bound_names_tool_and_argument(source: dict[str, Any]) -> None:
    with pytest.raises(BindingError, match="buy: argument item has no value"):
        bound(item=source)


def test_rows() -> None:
    assert rows('{"a": 1}') == [{"a": 1}]
    assert rows("[]") == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[1]", [{"value": 1}]),
        ("{", [{"text": "{"}]),
        ('{"ok": true, "tasks": [{"id": 1}, {"id": 2}]}', [{"id": 1}, {"id": 2}]),
        ('{"requestId": "r", "tasks": [{"id": 1}]}', [{"requestId": "r", "id": 1}]),
        ('{"success": true, "items": [], "count": 0}', []),
        ('{"success": true, "item": {"id": 7, "ok": 1}}', [{"success": True, "id": 7, "ok": 1}]),
        ('{"a": {"t": 1}, "b": {"t": 2}, "d": 3}', [{"d": 3, "a_t": 1, "b_t": 2}]),
        ('{"a": 1, "b": 2, "c": 3, "rows": [{"x": 1}]}',
         [{"a": 1, "b": 2, "c": 3, "rows": [{"x": 1}]}]),
        ('{"a": 1}\n{"a": 2}', [{"a": 1}, {"a": 2}]),
        ("name: Ada\nfull size: 3 kB", [{"name": "Ada", "full_size": "3 kB"}]),
        ("[{'a': '1', 'b': None}]", [{"a": "1", "b": None}]),
        ("[{'a': __import__('os')}]", [{"text": "[{'a': __import__('os')}]"}]),
        ("/tmp/a.md\n/tmp/b.md", [{"path": "/tmp/a.md"}, {"path": "/tmp/b.md"}]),
        ("Done: it worked", [{"text": "Done: it worked"}]),
        ("[" * 100_000, [{"text": "[" * 100_000}]),
    ],
)  # fmt: skip
def test_rows_of_what_servers_say(text: str, found: list[dict[str, Any]]) -> None:
    assert rows(text) == found
