"""Usable parameters: which are given, what they are called, which values they take."""

from __future__ import annotations

import re
from typing import Any

import fastjsonschema
import pytest

from tdscaling.declared.rows import Generators
from tdscaling.phrasing import UnphrasableError, parameters, sample
from tests.schemas import Schema, tool


def drawn(schema: Schema, name: str = "x", about: str = "", count: int = 12) -> list[Any]:
    """Sample values of a required parameter."""
    one = tool("do_thing", about, {name: schema})
    generators = Generators("s", "2025-06-17 08:30", None)
    spec = parameters(one)[name].sample
    return [generators.draw(spec, {}) for _ in range(count)]


SCHEMAS: list[tuple[str, Schema]] = [
    ("email", {"type": "string", "format": "email"}),
    ("due_date", {"type": "string", "format": "date"}),
    ("starts_at", {"type": "string", "format": "date-time"}),
    ("link", {"type": "string", "format": "uri"}),
    ("count", {"type": "integer", "minimum": 3, "maximum": 5}),
    ("amount", {"type": "number", "exclusiveMinimum": 0, "maximum": 20}),
    ("year", {"type": "integer"}),
    ("level", {"type": "integer", "minimum": 90, "maximum": 95}),
    ("code", {"type": "string", "pattern": "^[A-Z]{3}$"}),
    ("wallet", {"type": "string", "pattern": "^0x[0-9a-f]{40}$"}),
    ("title", {"type": "string", "minLength": 3, "maxLength": 20}),
    ("mode", {"enum": ["fast", "slow"]}),
    ("name", {"type": ["string", "null"]}),
    ("name", {"anyOf": [{"type": "string", "maxLength": 8}, {"type": "null"}]}),
    ("tags", {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 3}),
    ("flags", {"type": "array", "items": {"enum": ["a", "b"]}}),
    ("customer", {"type": "object", "properties": {"email": {"type": "string"},
                                                   "city": {"type": "string"}},
                  "required": ["email", "city"]}),
    ("enabled", {"type": "boolean"}),
    ("version", {"type": "string", "const": "2"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "schema"), SCHEMAS)
def test_samples_fit_their_schema(name: str, schema: Schema) -> None:
    fits = fastjsonschema.compile(schema, use_default=False)
    for value in drawn(schema, name):
        fits(value)


@pytest.mark.parametrize(
    ("about", "values"),
    [
        ("Symbol of the coin (e.g., 'BTC', 'ETH')", {"BTC", "ETH"}),
        ("The region, e.g. kanto, johto, hoenn", {"kanto", "johto", "hoenn"}),
        ("Network (twitter, instagram, tiktok)", {"twitter", "instagram", "tiktok"}),
    ],
)
def test_values_that_a_description_names_are_used(about: str, values: set[str]) -> None:
    assert set(drawn({"type": "string", "description": about}, "slug", count=40)) == values


def test_descriptions_in_sections_count() -> None:
    about = "Get it.\n\nArgs:\n    slug (str): The region (e.g., 'kanto', 'johto')\n"
    assert set(drawn({"type": "string"}, "slug", about, 40)) == {"kanto", "johto"}


def test_dates_are_near_the_clock_and_ends_follow_starts() -> None:
    date = {"type": "string", "format": "date"}
    starts, ends = drawn(date, "start_date", count=30), drawn(date, "end_date", count=30)
    assert max(starts) < min(ends)
    assert all(re.fullmatch(r"2025-\d\d-\d\d", value) for value in starts)


def test_samples_repeat() -> None:
    schema: Schema = {"type": "string"}
    assert drawn(schema, "title") == drawn(schema, "title")


def test_names_and_questions() -> None:
    one = tool(
        "get_task",
        "",
        {"task_id": "Id", "dueDate": "Date", "q": "Text", "id": "Id"},
        {"priority": {"type": "string", "enum": ["low", "high"]}},
    )
    found = parameters(one)
    nouns = {name: p.noun for name, p in found.items()}
    assert nouns == {
        "task_id": "task", "dueDate": "due date", "q": "search term", "id": "task",
        "priority": "priority",
    }  # fmt: skip
    assert found["task_id"].ask == "Which task do you mean?"
    assert found["priority"].ask == "Which priority should it be: low or high?"
    assert found["task_id"].kind == "id"


def test_optional_parameters_are_few_and_sayable() -> None:
    words = ["title", "verbose", "page", "timeout", "city", "user_agent", "status", "due_date"]
    one = tool("list_tasks", "", {}, {word: {"type": "string"} for word in words})
    assert list(parameters(one)) == ["title", "due_date", "status"]
    assert all(p.optional for p in parameters(one).values())


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"type": "array", "items": {"type": "array"}}, "no value of type array"),
        ({"type": "object"}, "no value of type object"),
        ({}, "states no type"),
        ({"type": "string", "minLength": 99999}, "no value of type string"),
        ({"type": "string", "pattern": "("}, "no value of type string"),
        ({"type": "integer", "minimum": 5, "maximum": 1}, "no value of type integer"),
    ],
)
def test_what_cannot_be_filled_is_named(schema: Schema, why: str) -> None:
    with pytest.raises(UnphrasableError, match=why):
        parameters(tool("do_thing", "", {"thing": schema}))


def test_secrets_are_not_asked_for() -> None:
    with pytest.raises(UnphrasableError, match="a secret"):
        parameters(tool("do_thing", "", {"api_key": "Key"}))


def test_too_many_required_parameters() -> None:
    many = {f"title{n}": {"type": "string"} for n in range(9)}
    with pytest.raises(UnphrasableError, match="9 required parameters, expected up to 8"):
        parameters(tool("do_thing", "", many))


def test_texts_and_summaries_fit_into_a_sentence() -> None:
    for name in ("comment", "summary"):
        values = sample(name, {"type": "string"}, "")["choice"]
        assert len(values) > 5
        assert not any(value.endswith(".") for value in values)
