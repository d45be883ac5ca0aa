"""Files with `tools/list` results: every shape that is accepted, and what is said of the others."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tdscaling.catalog import Catalog
from tdscaling.errors import ToolsError
from tdscaling.tools._service import NAME
from tdscaling.tools.dump import DumpTools
from tdscaling.tools.openai import OpenaiTools

WEATHER: dict[str, Any] = {
    "name": "get_weather",
    "description": "Current weather of a city.",
    "inputSchema": {
        "type": "object",
        "properties": {"city": {"type": "string", "description": "Name of the city"}},
        "required": ["city"],
    },
    "outputSchema": {"type": "object", "properties": {"celsius": {"type": "number"}}},
    "annotations": {"readOnlyHint": True, "title": "Weather"},
}
ALERT: dict[str, Any] = {
    "name": "create_alert",
    "description": "Sets an alert.",
    "inputSchema": {"type": "object", "properties": {}},
}


def load(path: Path, data: Any, services: tuple[str, ...] = ()) -> Catalog:
    text = data if isinstance(data, str) else json.dumps(data)
    path.write_text(text, encoding="utf-8")
    return DumpTools(paths=[str(path)], services=list(services)).load()


@pytest.mark.parametrize(
    "data",
    [
        {"tools": [WEATHER, ALERT]},
        {"jsonrpc": "2.0", "id": 1, "result": {"tools": [WEATHER, ALERT]}},
        [WEATHER, ALERT],
        [{"tools": [WEATHER]}, {"tools": [ALERT]}],
        f"{json.dumps(WEATHER)}\n{json.dumps(ALERT)}\n",
        "\n".join(json.dumps({"id": 1, "result": {"tools": [one]}}) for one in (WEATHER, ALERT)),
    ],
    ids=["result", "response", "list", "pages", "lines", "responses"],
)  # fmt: skip
def test_tools_without_a_server_are_a_service_of_the_file(tmp_path: Path, data: Any) -> None:
    catalog = load(tmp_path / "Sky-Watch.json", data)
    (service,) = catalog.services.values()
    assert (service.name, service.title, service.source) == (
        "sky_watch",
        "Sky-Watch",
        "Sky-Watch.json",
    )
    assert [tool.name for tool in service.tools] == ["get_weather", "create_alert"]
    assert catalog.skipped == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty file"),
        ("{", "no JSON"),
        ("3", "got 3"),
        ('{"a": 1}', "got none of them"),
        ("[" * 100_000 + "]" * 100_000, "no JSON"),
        ("\0\1\2", "encoding"),
    ],
)
def test_broken_file_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ToolsError, match=said) as caught:
        load(tmp_path / "x.json", text)
    assert "x.json" in str(caught.value)


SERVER: dict[str, Any] = {
    "server": "Sky Watch",
    "label": "Weather & Climate",
    "licence": "MIT",
    "description": "Watches the sky. And more.",
    "tools": [WEATHER, ALERT],
}


@pytest.mark.parametrize("lines", [False, True])
def test_server_keeps_what_its_source_says(tmp_path: Path, lines: bool) -> None:
    catalog = load(tmp_path / "servers.json", json.dumps(SERVER) + "\n" if lines else [SERVER])
    service = catalog.services["sky_watch"]
    assert (service.title, service.category) == ("Sky Watch", "weather_climate")
    assert (service.licence, service.about) == ("MIT", "Watches the sky.")
    assert service.source == "servers.json"
    weather, alert = service.tools
    assert (weather.domain, weather.category) == ("sky_watch", "weather_climate")
    assert (weather.read_only, weather.writes, alert.read_only) == (True, False, None)
    assert alert.writes
    assert (weather.returns, weather.result) == (("celsius",), WEATHER["outputSchema"])
    assert weather.parameters == WEATHER["inputSchema"]


@pytest.mark.parametrize(
    ("key", "value"),
    [("name", "Sky Watch"), ("title", "Sky Watch"), ("serverInfo", {"name": "Sky Watch"})],
)
def test_names_of_servers(tmp_path: Path, key: str, value: Any) -> None:
    assert list(load(tmp_path / "x.json", {key: value, "tools": [ALERT]}).services) == ["sky_watch"]


def test_equal_names_get_a_number(tmp_path: Path) -> None:
    catalog = load(tmp_path / "x.json", [SERVER, SERVER, {**SERVER, "server": "sky-watch"}])
    assert list(catalog.services) == ["sky_watch", "sky_watch_2", "sky_watch_3"]
    assert {tool.domain for tool in catalog.services["sky_watch_2"].tools} == {"sky_watch_2"}


@pytest.mark.parametrize("key", ["inputSchema", "input_schema", "parameters"])
def test_spellings_of_the_schema(tmp_path: Path, key: str) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    (service,) = load(tmp_path / "x.json", [{"name": "f", key: schema}]).services.values()
    assert service.tools[0].parameters == schema


def test_hints_go_before_words(tmp_path: Path) -> None:
    tools = [
        {"name": "get_a", "annotations": {"readOnlyHint": False, "destructiveHint": True}},
        {"name": "delete_b", "annotations": {"readOnlyHint": True}},
        {"name": "c", "annotations": {"destructiveHint": True}},
        {"name": "get_d", "annotations": {"readOnlyHint": "yes"}},
        {"name": "delete_e", "annotations": 7},
    ]
    (service,) = load(tmp_path / "x.json", tools).services.values()
    assert [(t.writes, t.read_only, t.destructive) for t in service.tools] == [
        (True, False, True),
        (False, True, None),
        (True, None, True),
        (False, None, None),
        (True, None, None),
    ]


def test_broken_entries_are_skipped_and_named(tmp_path: Path) -> None:
    tools = [
        3,
        {"description": "x"},
        {"name": "a", "inputSchema": []},
        {"name": "b", "inputSchema": {"type": "string"}},
        {"name": "c", "inputSchema": {"$ref": "https://example.org/x.json"}},
        {"name": "d", "inputSchema": {"properties": 5}},
        {"name": "e", "description": ["x"]},
        ALERT,
        {**ALERT, "description": "again"},
    ]
    catalog = load(tmp_path / "x.json", {"tools": tools})
    assert [tool.description for tool in catalog.services["x"].tools] == ["Sets an alert."]
    assert {entry.where: entry.why for entry in catalog.skipped} == {
        "x.json: tool 1": "expected a tool, got 3",
        "x.json: tool 2": "expected a tool with a name, got None",
        "x.json: a": "expected a schema of an object, got a list",
        "x.json: b": "expected a schema of an object, got one of type string",
        "x.json: c": "it refers to 'https://example.org/x.json', and only # is followed",
        "x.json: d": "its `properties` is 5, expected an object",
        "x.json: e": "its description is no text",
        "x.json: x: create_alert": "that name again",
    }


def test_what_is_said_of_skipped_entries_can_be_seen(tmp_path: Path) -> None:
    name = "\x1b[31m\u202ea\n"
    (entry,) = load(tmp_path / "x.json", [ALERT, {"name": name, "inputSchema": 3}]).skipped
    assert entry.where == "x.json: \\x1b[31m\\u202ea\\n"


@pytest.mark.parametrize(
    "form", ["[{},D]", '[{},{"a":D}]', '[{},{"name":D}]', '[{},{"name":"x","inputSchema":D}]']
)
def test_value_that_nests_deeper_than_python_would_follow(tmp_path: Path, form: str) -> None:
    deep = "[" * 1_000 + "]" * 1_000
    text = form.replace("{}", json.dumps(ALERT), 1).replace("D", deep)
    catalog = load(tmp_path / "x.json", text)
    assert [tool.name for tool in catalog.services["x"].tools] == ["create_alert"]
    assert len(catalog.skipped) == 1


HINTS = ["label", "annotations", "required", "description"]
KEYS = st.sampled_from(
    [*HINTS, "tools", "name", "server", "inputSchema", "function", "result", "type", "$ref"]
)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
        max_leaves=12,
    )
)
def test_any_json_is_read_or_refused(tmp_path: Path, data: Any) -> None:
    for source in (DumpTools, OpenaiTools):
        path = tmp_path / "x.json"
        path.write_text(json.dumps(data))
        try:
            catalog = source(paths=[str(path)], services=[]).load()
        except ToolsError:
            continue
        for service in catalog.services.values():
            assert all(NAME.fullmatch(tool.name) for tool in service.tools)
            assert all(tool.parameters["type"] == "object" for tool in service.tools)


def test_broken_lines_are_skipped_and_named(tmp_path: Path) -> None:
    lines = [json.dumps(SERVER), "{", "7", '{"a": 1}', "", '"\\ud800"', json.dumps({"tools": 3})]
    catalog = load(tmp_path / "x.jsonl", "\n".join(lines))
    assert list(catalog.services) == ["sky_watch"]
    assert [entry.where for entry in catalog.skipped] == [
        f"x.jsonl: line {number}" for number in (4, 7, 2, 3, 6)
    ]


def test_server_without_a_usable_tool_is_skipped(tmp_path: Path) -> None:
    catalog = load(tmp_path / "x.json", [SERVER, {"server": "Empty", "tools": []}])
    assert list(catalog.services) == ["sky_watch"]
    assert [entry.where for entry in catalog.skipped] == ["x.json: Empty"]
    with pytest.raises(ToolsError, match=r"expected tools, got none.*without a usable tool"):
        load(tmp_path / "y.json", {"server": "Empty", "tools": []})


def test_names_are_made_plain_and_descriptions_kept(tmp_path: Path) -> None:
    said = "Reads\u202e a\u0000 page \x1b[31m"
    names = ["a.b/c", "9lives", "\u202eevil\n", "\u67e5\u8be2", "x" * 90, "_"]
    tools = [{"name": name, "description": said} for name in names]
    (service,) = load(tmp_path / "x.json", tools).services.values()
    found = [tool.name for tool in service.tools]
    assert found[:3] == ["a_b_c", "t_9lives", "evil"]
    assert found[4] == "x" * 64
    assert all(NAME.fullmatch(name) for name in found)
    assert len(set(found)) == len(names)
    assert {tool.description for tool in service.tools} == {said}


def test_chosen_services(tmp_path: Path) -> None:
    both = [SERVER, {**SERVER, "server": "Moon"}]
    assert list(load(tmp_path / "x.json", both, ("moon",)).services) == ["moon"]
    with pytest.raises(ToolsError, match=r"tools\.services: .*'mon'.*Did you mean moon"):
        load(tmp_path / "x.json", both, ("mon",))


def test_folder_with_all_that_is_below(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "z.jsonl").write_text(json.dumps(SERVER))
    (tmp_path / "a.json").write_text(json.dumps([ALERT]))
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "notes.txt").write_text("none")
    catalog = DumpTools(paths=[str(tmp_path)], services=[]).load()
    assert {s.name: s.source for s in catalog.services.values()} == {
        "a": "a.json",
        "sky_watch": "b/z.jsonl",
    }
    assert [entry.where for entry in catalog.skipped] == ["broken.json"]


def test_folder_of_nothing_usable(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(ToolsError, match=r"no file is usable.*broken\.json"):
        DumpTools(paths=[str(tmp_path)], services=[]).load()


@pytest.mark.parametrize("name", ["nowhere.json", "empty", "pipe"])
def test_path_without_tools(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ToolsError, match=r"tools\.paths: expected .*Give "):
        DumpTools(paths=[str(tmp_path / name)], services=[]).load()


def test_no_path_at_all() -> None:
    with pytest.raises(ToolsError, match=r"Type tools\.paths=\[my/tools\.json\]"):
        DumpTools(paths=[], services=[]).load()


def test_unreadable_file_and_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps([ALERT]).encode())
    assert list(DumpTools(paths=[str(path)], services=[]).load().services) == ["x"]
    path.write_bytes(json.dumps([ALERT]).encode("utf-16"))
    with pytest.raises(ToolsError, match="UTF-8"):
        DumpTools(paths=[str(path)], services=[]).load()
    path.write_bytes(b'[{"name": "\xff"}]')
    with pytest.raises(ToolsError, match="no JSON"):
        DumpTools(paths=[str(path)], services=[]).load()


def test_same_bytes_same_catalog(tmp_path: Path) -> None:
    first, second = (load(tmp_path / "x.json", [SERVER, ALERT]) for _ in range(2))
    assert first == second
