"""Files with OpenAI's `tools` lists."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tdscaling.errors import ToolsError
from tdscaling.tools.openai import OpenaiTools

SCHEMA = {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}
READ: dict[str, Any] = {"name": "get_order", "description": "One order.", "parameters": SCHEMA}
STOP: dict[str, Any] = {"name": "cancel_order", "description": "Cancels an order.", "strict": True}
WRAPPED = [{"type": "function", "function": one} for one in (READ, STOP)]


def load(path: Path, data: Any) -> Any:
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    return OpenaiTools(paths=[str(path)], services=[]).load()


@pytest.mark.parametrize(
    "data",
    [
        WRAPPED,
        [READ, STOP],
        {"tools": WRAPPED, "messages": []},
        {"functions": [READ, STOP]},
        "\n".join(json.dumps({"messages": [], "tools": WRAPPED}) for _ in range(3)),
        "\n".join(json.dumps(one) for one in WRAPPED),
        [{"tools": [one]} for one in WRAPPED],
    ],
    ids=["list", "bare", "request", "functions", "dataset", "lines", "requests"],
)
def test_shapes(tmp_path: Path, data: Any) -> None:
    catalog = load(tmp_path / "Shop.json", data)
    (service,) = catalog.services.values()
    assert (service.name, service.title, service.category) == ("shop", "Shop", "")
    assert [(t.name, t.writes, t.domain) for t in service.tools] == [
        ("get_order", False, "shop"),
        ("cancel_order", True, "shop"),
    ]
    assert service.tools[0].parameters == SCHEMA
    assert service.tools[1].parameters == {"type": "object", "properties": {}}
    assert catalog.skipped == ()


def test_tool_goes_out_as_it_came_in(tmp_path: Path) -> None:
    (service,) = load(tmp_path / "x.json", WRAPPED).services.values()
    assert service.tools[0].openai() == WRAPPED[0]


def test_broken_entries_are_skipped_and_named(tmp_path: Path) -> None:
    odd = {"type": "web_search"}
    catalog = load(tmp_path / "x.json", [*WRAPPED, odd, 4, {"function": {"name": ""}}])
    assert len(catalog.services["x"].tools) == 2
    assert [entry.where for entry in catalog.skipped] == [
        "x.json: entry 3",
        "x.json: entry 4",
        "x.json: tool 3",
    ]


def test_two_versions_of_a_function(tmp_path: Path) -> None:
    catalog = load(tmp_path / "x.json", [READ, {**READ, "description": "Other."}])
    assert [tool.description for tool in catalog.services["x"].tools] == ["One order."]
    assert [entry.why for entry in catalog.skipped] == ["that name again"]


@pytest.mark.parametrize("data", ["", "[", "[]", "{}", '"x"', '[{"type": "web_search"}]'])
def test_broken_file(tmp_path: Path, data: str) -> None:
    with pytest.raises(ToolsError, match=r"x\.json"):
        load(tmp_path / "x.json", data)


def test_no_path() -> None:
    with pytest.raises(ToolsError, match=r"Type tools\.paths="):
        OpenaiTools(paths=[], services=[]).load()


def test_function_that_nests_deeper_than_python_would_follow(tmp_path: Path) -> None:
    text = json.dumps([READ, {"name": "deep", "parameters": "D"}])
    catalog = load(tmp_path / "x.json", text.replace('"D"', "[" * 1_000 + "]" * 1_000))
    assert [tool.name for tool in catalog.services["x"].tools] == ["get_order"]
    assert [entry.where for entry in catalog.skipped] == ["x.json: entry 2"]
