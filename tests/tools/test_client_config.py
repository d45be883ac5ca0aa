"""Servers of a desktop client's config file."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tdscaling.errors import ToolsError
from tdscaling.tools.client_config import ClientConfigTools
from tests.live_parts import SERVERS


def tools(path: Path, data: Any, servers: list[str] | None = None) -> ClientConfigTools:
    file = path / "claude_desktop_config.json"
    file.write_text(data if isinstance(data, str) else json.dumps(data))
    return ClientConfigTools(path=str(file), servers=servers or [], home="/nonexistent", ahead=0)


def test_servers_as_clients_write_them(tmp_path: Path) -> None:
    notes = {
        "command": sys.executable,
        "args": [str(SERVERS / "notes.py")],
        "env": {"NOTES_DB": "notes.db"},
        "type": "stdio",
        "autoApprove": ["list_notes"],
    }
    servers = {
        "My Notes": notes,
        "off": {**notes, "disabled": True},
        "broken": {"command": sys.executable, "args": ["-c", "raise SystemExit(7)"]},
        "odd": 3,
        "nobody": {"url": "http://127.0.0.1:9/mcp"},
    }
    catalog = tools(tmp_path, {"mcpServers": servers}).load()
    assert list(catalog.domains) == ["my_notes"]
    assert catalog.services["my_notes"].title == "My Notes"
    why = {skipped.where: skipped.why for skipped in catalog.skipped}
    assert "it is disabled" in why["off"]
    assert "did not start" in why["broken"]
    assert "expected an object" in why["odd"]
    assert "did not start" in why["nobody"]
    session = catalog.domains["my_notes"].open("1")
    try:
        made = session.execute("create_note", {"title": "Buy milk"})
        session.execute("list_notes", {})
        # Nobody knows where it keeps its state: the calls that write stand for it.
        assert session.changes() == {
            "my_notes.calls": {
                "added": [{"tool": "create_note", "arguments": {"title": "Buy milk"}}]
            }
        }
        assert made.ok
    finally:
        session.close()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("{", "expected a JSON file"),
        ("[" * 100_000, "expected a JSON file"),
        ([], "expected {"),
        ({"mcpServers": []}, "expected {"),
        ({"mcpServers": {}}, "got none"),
    ],
)
def test_a_file_that_is_none(tmp_path: Path, data: Any, message: str) -> None:
    with pytest.raises(ToolsError, match=message):
        tools(tmp_path, data).load()


def test_names_are_checked(tmp_path: Path) -> None:
    with pytest.raises(ToolsError, match="has no server 'b'; it has a"):
        tools(tmp_path, {"mcpServers": {"a": {"command": "x"}}}, ["b"])
    with pytest.raises(ToolsError, match="expected a JSON file"):
        ClientConfigTools(path=str(tmp_path / "no"), servers=[], home="", ahead=0)
