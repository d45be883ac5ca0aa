"""API descriptions: which arguments an operation gets, what it returns, what is left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tdscaling.catalog import Catalog
from tdscaling.errors import ToolsError
from tdscaling.schema import Service, Tool
from tdscaling.tools._service import NAME
from tdscaling.tools.openapi import OpenapiTools

DEEP = "deep"
"""Stands for a value that nests as deeply as JSON is read, and deeper than Python would follow."""
LIBRARY = Path(__file__).parent / "data" / "library.yaml"


def catalog_of(*paths: Path, services: tuple[str, ...] = ()) -> Catalog:
    return OpenapiTools(paths=[str(path) for path in paths], services=list(services)).load()


@pytest.fixture(scope="module")
def library() -> Service:
    return catalog_of(LIBRARY).services["city_library"]


@pytest.fixture(scope="module")
def tools(library: Service) -> dict[str, Tool]:
    return {tool.name: tool for tool in library.tools}


def of(tmp_path: Path, **document: Any) -> Catalog:
    path = tmp_path / "x.json"
    text = json.dumps({"openapi": "3.1.0", **document})
    path.write_text(text.replace(json.dumps(DEEP), "[" * 1_000 + "]" * 1_000))
    return catalog_of(path)


def only(tmp_path: Path, operation: dict[str, Any], method: str = "post", path: str = "/x") -> Tool:
    (service,) = of(tmp_path, paths={path: {method: operation}}).services.values()
    (tool,) = service.tools
    return tool


def test_service_keeps_what_the_file_says(library: Service) -> None:
    assert (library.title, library.about) == ("City Library", "Lends books.")
    assert library.category == "open_data"
    assert library.licence == "MIT (https://example.org/mit)"
    assert library.source == "library.yaml"


def test_names_are_plain_and_unique(tools: dict[str, Tool]) -> None:
    assert list(tools)[:3] == ["books_list", "addBook", "addBook_2"]
    assert "delete_books_book_id" in tools
    assert all(NAME.fullmatch(name) for name in tools)
    assert {tool.domain for tool in tools.values()} == {"city_library"}


def test_arguments_without_headers_cookies_and_keys(tools: dict[str, Tool]) -> None:
    assert tools["books_list"].parameters == {
        "type": "object",
        "properties": {
            "on": {
                "type": "string",
                "format": "date",
                "default": "2024-02-01",
                "description": "Day of return",
            }
        },
    }
    assert tools["delete_books_book_id"].parameters == {
        "type": "object",
        "properties": {"book_id": {"type": "string", "examples": ["B-1"]}},
        "required": ["book_id"],
    }


def test_body_beside_path_and_query(tools: dict[str, Tool]) -> None:
    (name,) = (name for name in tools if name.startswith("tool_"))
    put = tools[name].parameters
    assert list(put["properties"]) == ["book_id", "shelf"]
    assert put["properties"]["book_id"]["type"] == "string"
    assert put["required"] == ["book_id", "shelf"]


def test_body_out_of_several_schemas(tools: dict[str, Tool]) -> None:
    parameters = tools["addBook"].parameters
    assert list(parameters["properties"]) == ["title", "year", "note", "author", "sequels"]
    assert parameters["required"] == ["title"]
    assert parameters["properties"]["year"] == {"type": "integer", "exclusiveMinimum": 1400}
    assert parameters["properties"]["note"]["type"] == ["string", "null"]


def test_body_that_is_no_object(tools: dict[str, Tool]) -> None:
    assert tools["addBook_2"].parameters["properties"] == {
        "body": {"type": "array", "items": {"type": "string"}}
    }


def test_result_and_its_fields(tools: dict[str, Tool]) -> None:
    listing = tools["books_list"]
    assert listing.returns == ("id", "title", "year", "note", "author", "sequels")
    assert listing.result is not None
    assert list(listing.result["properties"]) == ["items", "next_page"]
    assert tools["addBook"].returns == listing.returns
    assert (tools["addBook_2"].returns, tools["addBook_2"].result) == ((), None)


def test_summary_and_description_are_sentences_of_their_own(tmp_path: Path) -> None:
    stated = {"summary": "Delete a track", "description": "Delete a track of a bundle"}
    assert only(tmp_path, {**stated, "responses": {}}).description == "Delete a track of a bundle"
    other = {"summary": "Delete a bundle track", "description": "Delete a track of a bundle"}
    said = only(tmp_path, {**other, "responses": {}}).description
    assert said == "Delete a bundle track.\n\nDelete a track of a bundle"


def test_circles_end(tools: dict[str, Tool]) -> None:
    def depth(node: Any) -> int:
        inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        return max((1 + depth(part) for part in inner), default=0)

    assert 4 < depth(tools["books_list"].result) < 20
    assert "$ref" not in json.dumps(tools["books_list"].result)


def test_descriptions(tools: dict[str, Tool]) -> None:
    assert tools["books_list"].description == "List books"
    assert tools["addBook"].description == "Adds a book."


@pytest.mark.parametrize(
    ("name", "hints"),
    [
        ("books_list", (False, True, None)),
        ("addBook", (True, None, None)),
        ("delete_books_book_id", (True, False, True)),
        ("fine", (True, None, None)),
    ],
)
def test_hints_by_method(
    tools: dict[str, Tool], name: str, hints: tuple[bool, bool | None, bool | None]
) -> None:
    tool = tools[name]
    assert (tool.writes, tool.read_only, tool.destructive) == hints


@pytest.mark.parametrize(
    ("method", "name", "writes"),
    [
        ("post", "searchBooks", False),
        ("post", "POST_ListBooks", False),
        ("post", "list_and_delete", True),
        ("post", "frobnicate", True),
        ("post", "ComputeNode_DisableScheduling", True),
        ("post", "places.searchNearby", False),
        ("post", "create_order_list", True),
        ("get", "GET_DeleteBook", True),
        ("get", "createForm", False),
        ("put", "searchBooks", True),
        ("head", "books", False),
    ],
)
def test_words_go_before_a_method_that_is_open(
    tmp_path: Path, method: str, name: str, writes: bool
) -> None:
    assert only(tmp_path, {"operationId": name}, method).writes is writes


def test_broken_operations_are_skipped_and_named() -> None:
    assert {entry.where: entry.why for entry in catalog_of(LIBRARY).skipped} == {
        "library.yaml: GET /broken/{id}": "it refers to 'other.yaml#/x', and only # is followed",
        "library.yaml: POST /broken/{id}": "it refers to '#/nowhere', which is not there",
        "library.yaml: PUT /broken/{id}": "expected an operation, got 7",
    }


def test_path_parameter_that_is_not_stated(tools: dict[str, Tool]) -> None:
    assert tools["fine"].parameters["required"] == ["id"]


def test_json_says_the_same_as_yaml(tmp_path: Path, library: Service) -> None:
    path = tmp_path / "library.json"
    data = yaml.load(LIBRARY.read_text(), yaml.BaseLoader)

    def typed(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: typed(value) for key, value in node.items()}
        if isinstance(node, list):
            return [typed(value) for value in node]
        words = {"true": True, "1400": 1400, "80": 80, "7": 7}
        return words.get(node, node)

    path.write_text(json.dumps(typed(data)))
    assert catalog_of(path).services["city_library"].tools == library.tools


def test_swagger_2(tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    order = {"type": "object", "properties": {"sku": {"type": "string"}}, "required": ["sku"]}
    parameters = [
        {"name": "shop", "in": "query", "type": "string", "enum": ["a", "b"], "required": True},
        {"name": "order", "in": "body", "schema": {"$ref": "#/definitions/Order"}},
        {"name": "k", "in": "query", "type": "string"},
    ]
    form = [{"name": "scan", "in": "formData", "type": "file", "required": True}]
    document = {
        "swagger": "2.0",
        "info": {"title": "Old Shop", "license": {"name": "CC0"}},
        "definitions": {"Order": order},
        "securityDefinitions": {"k": {"type": "apiKey", "in": "query", "name": "k"}},
        "paths": {
            "/orders": {
                "post": {
                    "parameters": parameters,
                    "responses": {"200": {"schema": {"$ref": "#/definitions/Order"}}},
                }
            },
            "/scans": {"post": {"operationId": "scan", "parameters": form}},
        },
    }
    path.write_text(json.dumps(document))
    service = catalog_of(path).services["old_shop"]
    assert service.licence == "CC0"
    assert service.tools[0].parameters == {
        "type": "object",
        "properties": {"shop": {"type": "string", "enum": ["a", "b"]}, "sku": {"type": "string"}},
        "required": ["shop", "sku"],
    }
    assert service.tools[0].returns == ("sku",)
    assert service.tools[1].parameters["required"] == ["scan"]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("x.json", "{", "no JSON"),
        ("x.json", '{"a": 1}', "got None"),
        ("x.json", "[]", "got None"),
        ("x.json", '{"openapi": "4.0", "paths": {}}', "got '4.0'"),
        ("x.yaml", "openapi: [", "no YAML"),
        ("x.yaml", "a: &a [*a]", "got None"),
        ("x.yaml", "[" * 5_000 + "]" * 5_000, "within each other"),
        ("x.yaml", "!!python/object/apply:os.abort []", "no YAML"),
        ("x.yaml", "openapi: 3.0.0\npaths: {}\n", "expected tools, got none"),
    ],
)
def test_broken_file(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ToolsError, match=said) as caught:
        catalog_of(tmp_path / name)
    assert name in str(caught.value)


def test_folder_with_other_files(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"name": "x"}')
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "library.yml").write_bytes(LIBRARY.read_bytes())
    catalog = catalog_of(tmp_path)
    assert list(catalog.services) == ["city_library"]
    places = [entry.where for entry in catalog.skipped]
    assert (places[0], places[-1]) == ("deep/library.yml: GET /broken/{id}", "package.json")


def test_aliases_that_multiply_stay_small(tmp_path: Path) -> None:
    lines = ["a0: &a0 {type: object, properties: {x: {type: string}}}"]
    for level in range(1, 30):
        each = ", ".join(f"p{i}: *a{level - 1}" for i in range(9))
        lines.append(f"a{level}: &a{level} {{type: object, properties: {{{each}}}}}")
    content = "requestBody: {content: {application/json: {schema: *a29}}}"
    lines += ["openapi: 3.0.0", f"paths: {{/x: {{post: {{operationId: x, {content}}}}}}}"]
    path = tmp_path / "bomb.yaml"
    path.write_text("\n".join(lines))
    (service,) = catalog_of(path).services.values()
    assert len(json.dumps(service.tools[0].parameters)) < 10_000


def test_odd_values_everywhere_are_survived(tmp_path: Path) -> None:
    for odd in (None, 3, "x", [], [3], {"$ref": 3}, {"$ref": "#/paths"}, {"a": []}, True, DEEP):
        query = [{"name": odd, "in": "query"}, {"name": "q", "in": "query", "schema": odd}]
        operation = {
            "operationId": odd, "summary": odd, "description": odd, "requestBody": odd,
            "parameters": [odd, *query],
            "responses": {"200": odd, "201": {"content": {"application/json": odd}}},
        }  # fmt: skip
        body = {"content": {"application/json": {"schema": {"properties": odd, "allOf": odd}}}}
        paths = {"/x": {"post": operation}, "/y": odd, "/z": {"post": {"requestBody": body}}}
        paths["/ok"] = {"get": {}}
        document = {"info": odd, "components": odd, "paths": paths}
        catalog = of(tmp_path, **document)
        (service,) = catalog.services.values()
        assert "get_ok" in {tool.name for tool in service.tools}
        assert len(service.tools) + len(catalog.skipped) >= 3
