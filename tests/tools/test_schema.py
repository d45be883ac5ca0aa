"""What the cleaner leaves of a schema takes whatever the stated one takes, and stays small."""

from __future__ import annotations

import copy
import json
import re
import time
from typing import Any

import fastjsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tdscaling.tools._schema import STATED, Cleaner, Limits, SchemaProblem

SMALL = Limits(text=40, largest=600, levels=(2, 1))


def parameters(schema: Any, limits: Limits = STATED) -> dict[str, Any]:
    return Cleaner(schema, limits).parameters(schema)


def one(schema: Any) -> dict[str, Any]:
    """What is left of the schema of a single parameter."""
    found: dict[str, Any] = parameters({"properties": {"x": schema}})["properties"]["x"]
    return found


NAMES = st.sampled_from(["a", "b", "ab", 'q"', "{x}"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "ab"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
LEAVES = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(
            ["string", "integer", "object", "array", "null", ["string", "null"]]
        ),
        "enum": st.lists(st.integers(0, 2) | st.sampled_from(["a", "b"]), min_size=1, max_size=3),
        "const": st.sampled_from(["a", 1]),
        "minimum": st.integers(-2, 2),
        "exclusiveMaximum": st.integers(-2, 2),
        "maxLength": st.integers(0, 2),
        "pattern": st.sampled_from(["^a", "(ab)+$", "b", "[$]"]),
        "minItems": st.integers(0, 2),
        "$ref": st.sampled_from(["#/$defs/one", "#/$defs/two"]),
        "x-note": st.just("kept out"),
    },
)


def wider(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=1, max_size=3)
    return st.fixed_dictionaries(
        {},
        optional={
            "type": st.just("object"),
            "properties": st.dictionaries(NAMES, inner, max_size=3),
            "required": st.lists(NAMES, unique=True, max_size=2),
            "additionalProperties": st.booleans() | inner,
            "items": inner,
            "anyOf": several,
            "oneOf": several,
            "allOf": several,
            "not": inner,
        },
    )


SCHEMAS = st.recursive(LEAVES, wider, max_leaves=8)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=3)


def accepts(validate: Any, value: Any) -> bool:
    try:
        validate(value)
    except fastjsonschema.JsonSchemaValueException:
        return False
    return True


@settings(max_examples=300, deadline=None)
@given(SCHEMAS, SCHEMAS, OBJECTS, st.sampled_from([STATED, SMALL]))
def test_what_is_left_takes_what_the_stated_one_takes(
    inner: dict[str, Any], leaf: dict[str, Any], value: dict[str, Any], limits: Limits
) -> None:
    leaf.pop("$ref", None)
    bare = json.loads(re.sub(r'"\$ref": "[^"]*"', '"title": ""', json.dumps(leaf)))
    stated = {"type": "object", "properties": {"a": inner, "b": leaf}}
    stated["$defs"] = {"one": bare, "two": {"type": "string", "maxLength": 1}}
    before = copy.deepcopy(stated)
    cleaned = parameters(stated, limits)
    assert stated == before
    assert "$ref" not in json.dumps(cleaned)
    validate = fastjsonschema.compile(cleaned, use_default=False)
    try:
        stated_one = fastjsonschema.compile(stated, use_default=False)
    except (fastjsonschema.JsonSchemaDefinitionException, re.error):
        return  # what is left compiles even so
    assert accepts(validate, value) or not accepts(stated_one, value)


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["type", "properties", "items", "enum", "$ref"]) | NAMES, VALUES
    )
)
def test_anything_is_cleaned_or_refused(stated: dict[str, Any]) -> None:
    try:
        cleaned = parameters(stated)
    except SchemaProblem:
        return
    assert cleaned["type"] == "object"
    assert isinstance(cleaned["properties"], dict)
    fastjsonschema.compile(cleaned)


def test_nothing_stated_is_no_parameters() -> None:
    for schema in (None, {}, {"type": "object"}, {"type": ["object", "null"]}):
        assert parameters(schema) == {"type": "object", "properties": {}}


def test_what_needs_no_change_stays() -> None:
    schema = {
        "type": "object",
        "title": "Order",
        "properties": {
            "sku": {"type": "string", "pattern": "^[A-Z]{3}$", "description": "Key."},
            "size": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None},
            "tags": {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}},
        },
        "required": ["sku"],
        "additionalProperties": False,
    }  # fmt: skip
    assert parameters(schema) == schema


def test_references_are_written_out() -> None:
    found = parameters(
        {
            "$defs": {"a/b": {"type": "string", "description": "Inner."}},
            "properties": {"x": {"$ref": "#/$defs/a~1b", "description": "Outer."}},
        }
    )
    assert found["properties"] == {"x": {"type": "string", "description": "Outer."}}


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("https://example.org/a.json", "only # is followed"),
        ("file:///etc/passwd", "only # is followed"),
        ("#/$defs/gone", "which is not there"),
        ("#/properties/x", "circle"),
    ],
)
def test_reference_that_leads_nowhere(reference: str, said: str) -> None:
    with pytest.raises(SchemaProblem, match=said):
        one({"$ref": reference})


def test_tree_ends() -> None:
    tree = {
        "properties": {
            "left": {"$ref": "#"},
            "right": {"$ref": "#"},
            "all": {"allOf": [{"$ref": "#"}]},
        }
    }
    started = time.process_time()
    assert len(json.dumps(parameters(tree))) < 30_000
    assert time.process_time() - started < 1


def test_deep_nesting_is_cut() -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(5_000):
        schema = {"type": "object", "properties": {"x": schema}}
    assert len(json.dumps(parameters(schema))) < 1_000


def test_too_large_to_be_used() -> None:
    with pytest.raises(SchemaProblem, match=r"more than 20,000 characters"):
        parameters({"properties": {f"p{i}": {"description": "x" * 500} for i in range(100)}})


@pytest.mark.parametrize(
    ("stated", "left"),
    [
        ({"type": "file"}, {}),
        ({"type": ["string", "what"]}, {}),
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        ({"nullable": True, "enum": ["a"]}, {"enum": ["a", None]}),
        ({"minimum": 3, "exclusiveMinimum": True}, {"exclusiveMinimum": 3}),
        ({"minimum": 3, "exclusiveMinimum": False}, {"minimum": 3}),
        ({"minimum": float("nan"), "maxLength": -1, "enum": [], "multipleOf": 0}, {}),
        ({"pattern": "(a+)+$"}, {}),
        ({"pattern": "[["}, {}),
        ({"pattern": "["}, {}),
        ({"pattern": "[$]"}, {}),
        ({"pattern": "^\\$"}, {}),
        ({"pattern": "^[a-z]+$"}, {"pattern": "^[a-z]+$"}),
        ({"example": "Oslo"}, {"examples": ["Oslo"]}),
        ({"examples": ["a", {"b": 1}, "c" * 999, "d"]}, {"examples": ["a", "d"]}),
        ({"enum": list(range(301))}, {}),
        ({"oneOf": [{"const": 1}, {"const": 2}]}, {"anyOf": [{"const": 1}, {"const": 2}]}),
        ({"anyOf": [{"type": "string"}, {}]}, {}),
        ({"anyOf": [{"type": "string"}]}, {"type": "string"}),
        ({"if": {"type": "string"}, "not": {"const": 1}, "$comment": "x", "xml": {}}, {}),
        ({"items": [{"type": "string"}]}, {}),
        ({"prefixItems": [{}], "items": {"type": "string"}}, {}),
        ({"default": {"a": [1, "b"]}}, {"default": {"a": [1, "b"]}}),
        ({"default": "x" * 999}, {}),
        (True, {}),
        (False, {}),
        (3, {}),
    ],
    ids=lambda value: json.dumps(value)[:40],
)  # fmt: skip
def test_keywords(stated: Any, left: dict[str, Any]) -> None:
    assert one(stated) == left


def test_parts_of_one_object_are_merged() -> None:
    first = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    second = {
        "properties": {"b": {"type": "integer"}},
        "required": ["b"],
        "additionalProperties": False,
    }
    assert one({"allOf": [first, second], "description": "Both."}) == {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "integer"}},
        "required": ["a", "b"],
        "description": "Both.",
    }


@pytest.mark.parametrize("name", ['a"b', "a'b", "{a}", "a\\b", "a\nb", "\u202ea", "", "x" * 101])
def test_name_that_is_not_plain(name: str) -> None:
    schema: dict[str, Any] = {"properties": {name: {}, "ok": {}}, "additionalProperties": False}
    assert parameters(schema) == {"type": "object", "properties": {"ok": {}}}
    with pytest.raises(SchemaProblem, match="not plain"):
        parameters({**schema, "required": [name]})


def test_long_description_is_cut_between_words() -> None:
    cleaner = Cleaner({}, SMALL)
    found = cleaner.parameters({"properties": {"x": {"description": "word " * 20}}})
    assert found["properties"]["x"]["description"] == "word word word word word word word word…"


def test_html_is_taken_out_where_it_is_html() -> None:
    stated = {"properties": {"x": {"description": "<p>The <b>id</b> of <name>, 1 < 2.</p>"}}}
    html = Limits(text=100, largest=1_000, levels=(2,), html=True)
    assert parameters(stated)["properties"]["x"] == stated["properties"]["x"]
    assert parameters(stated, html)["properties"]["x"]["description"] == "The id of <name>, 1 < 2."
