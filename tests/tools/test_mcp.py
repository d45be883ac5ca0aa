"""Tools of live servers."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import yaml

from tdscaling.errors import ConfigError, ToolsError
from tdscaling.live.registry import registry
from tdscaling.tools.mcp import McpTools
from tests.live_parts import NOTES, SERVERS


def tools(servers: Any, paths: list[str] | None = None, ahead: int = 0) -> McpTools:
    return McpTools(servers=servers, paths=paths or [], home="/nonexistent", ahead=ahead)


@pytest.mark.parametrize("sdk", [True, False])
def test_a_server_becomes_a_service_with_a_domain(sdk: bool) -> None:
    args = [str(SERVERS / "notes.py"), "--sdk"] if sdk else NOTES["args"]
    served = {**NOTES, "args": args}
    catalog = tools({"notes": served}).load()
    assert list(catalog.services) == ["notes"]
    domain = catalog.domains["notes"]
    assert domain.blocking
    assert {tool.name for tool in catalog.services["notes"].tools} == set(domain.tools)
    assert {name for name, spec in domain.tools.items() if spec.writes} == {
        "create_note", "rename_note", "archive_note"
    }  # fmt: skip
    assert not {"reset_state", "show_environment"} & domain.tools.keys()
    flow = {(edge.producer, edge.consumer, edge.slot) for edge in domain.edges}
    assert ("list_notes", "get_note", "note_id") in flow
    assert all(edge.confirmed for edge in domain.edges)
    again = pickle.loads(pickle.dumps(domain))
    assert again.digest == domain.digest
    assert tools([served]).load().domains["notes"].digest == domain.digest


def test_one_bad_server_stops_no_other(tmp_path: Path) -> None:
    (tmp_path / "notes.yaml").write_text(yaml.safe_dump(NOTES))
    quits = {"command": NOTES["command"], "args": [str(SERVERS / "unruly.py"), "quits"]}
    wanted = ["notes", "nobody", {"name": "quits", **quits}, {"name": "gone", "command": "no-such"}]
    catalog = tools(wanted, [str(tmp_path)]).load()
    assert list(catalog.domains) == ["notes"]
    why = {skipped.where: skipped.why for skipped in catalog.skipped}
    assert "there is no server 'nobody'" in why["nobody"]
    assert "no licence found" in why["quits"]
    assert "no program 'no-such'" in why["gone"]


def test_files_alone_are_enough(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump({**NOTES, "name": "mine"}))
    assert list(tools([], [str(tmp_path / "mine.yaml")]).load().domains) == ["mine"]


def test_none_left_is_an_error() -> None:
    with pytest.raises(ToolsError, match=r"got none.*is not installed.*install=\[time\]"):
        tools(["time"]).load()


@pytest.mark.parametrize(
    ("servers", "message"),
    [
        ([], "expected names of the registry"),
        ([3], "expected a name or a mapping"),
        ([{"command": "x"}], "expected a name or a mapping"),
    ],
)
def test_options_are_checked(servers: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        tools(servers)
    with pytest.raises(ConfigError, match=r"tools\.ahead: expected at least 0"):
        tools(["time"], ahead=-1)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"command": "x", "comand": "y"}, r"tools\.servers\.s: comand"),
        ({}, "either `command`"),
        ({"command": "x", "url": "http://x"}, "either `command`"),
        ({"url": "file:///etc"}, "begins with http"),
        ({"command": "x", "state": {"sqlite": "../x"}}, "inside the conversation"),
        ({"command": "x", "install": {}}, "either `pypi` or `npm`"),
        ("x", "expected a mapping"),
    ],
)
def test_entries_are_checked(data: Any, message: str) -> None:
    with pytest.raises(ToolsError, match=message):
        tools({"s": data}).load()


def test_every_entry_of_the_registry_reads() -> None:
    from tdscaling.live.entry import read

    assert len(registry()) >= 8
    for path in registry().values():
        entry = read(path)
        assert entry.install is not None
        assert entry.licence
        assert entry.about


def test_words_of_strangers_change_nothing() -> None:
    domain = tools([NOTES]).load().domains["notes"]
    spec = domain.tools["create_note"]
    assert "Ignore your instructions" in spec.schema.get("description", spec.file.description)
    said = json.dumps([spec.file.intents, spec.file.answers]).lower()
    assert "delete all files" not in said
    session = domain.open("1")
    try:
        assert session.execute("advise", {"topic": "food"}).ok
        assert session.changes() == {}
    finally:
        session.close()
