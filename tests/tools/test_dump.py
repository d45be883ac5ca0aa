"""Files with `tools/list` results: every shape that is accepted, and what is said of the others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tdscaling.catalog import Catalog
from tdscaling.errors import ToolsError
from tdscaling.tools.dump import DumpTools

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
