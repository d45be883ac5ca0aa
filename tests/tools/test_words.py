"""What names, descriptions and schemas of results tell: writes, fields, names that fit."""

from __future__ import annotations

from typing import Any

import pytest

from tdscaling.tools._fields import fields
from tdscaling.tools._service import label, sentence, slug, tool_name
from tdscaling.tools._verbs import changes
from tdscaling.tools._yaml import yaml_of


@pytest.mark.parametrize(
    ("name", "description", "verdict"),
    [
        ("list_orders", "", False),
        ("createOrder", "", True),
        ("slack-send-message", "", True),
        ("browser_click", "", True),
        ("API-post-database-query", "Query a database", False),
        ("API-post-page", "Create a page", True),
        ("get_or_create_user", "", True),
        ("find_and_replace", "", True),
        ("git_log", "Shows the commit logs", False),
        ("git_commit", "Records changes to the repository", True),
        ("order_status", "Gets the status", False),
        ("refund_status", "Whether the money is back.", False),
        ("set_order_status", "", True),
        ("post_status", "", True),
        ("clear_history", "", True),
        ("weather", "Returns the weather", False),
        ("weather", "Weather of a city", None),
        ("getUpdateHistory", "", False),
        ("\u67e5\u8be2", "", None),
    ],
)
def test_changes_by_the_first_verb(name: str, description: str, verdict: bool | None) -> None:
    assert changes(name, description) is verdict


ROW = {"type": "object", "properties": {"id": {"type": "string"}, "title": {"type": "string"}}}
ROWS = {"type": "array", "items": ROW}


@pytest.mark.parametrize(
    "result",
    [
        ROW,
        ROWS,
        {"properties": {"data": ROWS, "total": {}, "next_page": {}}},
        {"properties": {"book": ROW}},
        {"properties": {"result": {"anyOf": [{"type": "null"}, ROW]}}},
        {"properties": {"items": {"items": {"properties": {"book": ROW}}}, "meta": ROW}},
        {"properties": {"data": ROW, "owner": {}}},
    ],
)
def test_fields_of_a_row(result: dict[str, Any]) -> None:
    assert fields(result) == ("id", "title")


@pytest.mark.parametrize(
    ("result", "names"),
    [
        (None, ()),
        ({"type": "string"}, ()),
        ({"properties": {}}, ()),
        ({"properties": {"order_id": {}, "items": ROWS}}, ("order_id", "items")),
        ({"properties": {"a": ROW, "b": ROW}}, ("a", "b")),
        ({"properties": {"celsius": {}, "status": {}}}, ("celsius", "status")),
    ],
)
def test_fields_of_what_is_no_envelope(result: Any, names: tuple[str, ...]) -> None:
    assert fields(result) == names


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("GitHub v3", "github_v3"),
        (" a--B ", "a_b"),
        ("7zip", "s_7zip"),
        ("\u00e9", "e"),
        ("\u67e5", ""),
    ],
)
def test_slug(text: str, name: str) -> None:
    assert slug(text) == name


def test_label_of_any_writing_is_a_label() -> None:
    assert label("\u91d1\u878d").startswith("category_")
    assert label("\u91d1\u878d") != label("\u5929\u6c14")
    assert (label(None), label("  "), label(3)) == ("", "", "")


def test_tool_name_that_is_cut_ends_in_a_word() -> None:
    assert tool_name("a" * 63 + ".b") == "a" * 63


def test_first_sentence() -> None:
    assert sentence("Reads v1.2 of <b>it</b>.\nThen stops.") == "Reads v1.2 of it ."
    assert sentence("x" * 500).endswith("…")
    assert sentence(None) == ""


def test_yaml_reads_as_json_does() -> None:
    data = yaml_of(
        b"a: no\nb: 2024-01-01\nc: 012\nd: 1.5e3\ne: .5\nf: ~\ng: true\n200: 1\n<<: {h: 1}"
    )
    assert data == {
        "a": "no", "b": "2024-01-01", "c": "012", "d": 1500.0, "e": 0.5, "f": None, "g": True,
        200: 1, "<<": {"h": 1},
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        b"a: [",
        b"{a: 1, a: *b}",
        b"!!python/name:os.system x",
        b"\xff",
        b"? [a]\n: 1",
        b"- " * 9_000,
    ],
)
def test_yaml_that_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        yaml_of(text)
