"""Kinds of value, as names and formats tell them; names as words."""

from __future__ import annotations

import pytest

from tdscaling.phrasing import kind_of
from tdscaling.phrasing.names import countable, identified, plural, singular, verb_and_thing
from tdscaling.phrasing.verbs import past


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("email", "email"), ("customerEmail", "email"), ("phone_number", "phone"),
        ("homeAddress", "address"), ("city", "city"), ("cityName", "city"), ("due_date", "date"),
        ("created_at", "datetime"), ("updated_on", "date"), ("total_price", "amount"),
        ("website_url", "url"), ("file_path", "path"), ("fileName", "file"), ("user_id", "id"),
        ("id", "id"), ("authorName", "person"), ("first_name", "person"), ("query", "query"),
        ("max_results", None), ("depends_on", None), ("blob", None),
    ],
)  # fmt: skip
def test_kinds(name: str, kind: str | None) -> None:
    assert kind_of(name, {"type": "string"}) == kind


def test_formats_and_types_count() -> None:
    assert kind_of("when", {"type": "string", "format": "date-time"}) == "datetime"
    assert kind_of("limit", {"type": "integer"}) == "limit"
    assert kind_of("name", {"type": "integer"}) is None
    assert kind_of("email", {"type": "boolean"}) is None


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("create_task", ("create", "task", False)),
        ("getUserById", ("get", "user", False)),
        ("list-all-projects", ("list", "project", True)),
        ("tasks_list", ("list", "task", True)),
        ("get_order_details", ("get", "order", False)),
        ("search_companies", ("search", "company", True)),
        ("get_f1_races", ("get", "f1 race", True)),
        ("provider_get_block", ("get", "block", False)),
        ("weather", ("", "weather", False)),
        ("", ("", "", False)),
    ],
)
def test_verbs_and_things(name: str, found: tuple[str, str, bool]) -> None:
    assert verb_and_thing(name) == found


@pytest.mark.parametrize(
    ("one", "many", "counted"),
    [
        ("task", "tasks", "task(s)"), ("company", "companies", "compan(ies)"),
        ("branch", "branches", "branch(es)"), ("person", "people", "result(s)"),
        ("issue", "issues", "issue(s)"), ("news", "news", "result(s)"),
    ],
)  # fmt: skip
def test_plurals(one: str, many: str, counted: str) -> None:
    assert (plural(one), singular(many), countable(one)) == (many, one, counted)


def test_what_ids_identify() -> None:
    names = ("taskId", "order_ids", "id", "uuid", "api_key", "title")
    assert [identified(name) for name in names] == ["task", "order", "", "", None, None]


def test_participles() -> None:
    verbs = ("cancel", "archive", "send", "tag", "copy", "control", "book")
    assert [past(verb) for verb in verbs] == [
        "cancelled", "archived", "sent", "tagged", "copied", "controlled", "booked",
    ]  # fmt: skip
