"""A server at an address: streamable HTTP over loopback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tdscaling.errors import EnvironmentFailure
from tdscaling.live import entry as entries
from tdscaling.live.discover import discover, launch, listed
from tdscaling.tools._entries import tool
from tests.live_parts import NOTES, SERVERS


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("http")
    surroundings = {**os.environ, "NOTES_PORT": str(port), "NOTES_DB": str(folder / "n.db")}
    words = [sys.executable, str(SERVERS / "notes.py"), "--http"]
    with subprocess.Popen(words, env=surroundings, stderr=subprocess.DEVNULL) as process:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/mcp"
        process.terminate()


def of(address: str, **changes: object) -> entries.Entry:
    kept = ("title", "category", "about", "hide", "samples")
    data = {"url": address, **{key: NOTES[key] for key in kept}, **changes}
    return entries.entry("notes", data, "notes")


def test_an_address_serves(address: str) -> None:
    found = discover(launch(of(address), Path(), 0), tool)
    assert {"create_note", "get_note", "rename_note"} <= found.domain.tools.keys()
    session = found.domain.open("1")
    try:
        made = session.execute("create_note", {"title": "Over the wire"})
        assert made.ok
        assert "2025-03-03T09:00:00" in made.content
        assert [*session.changes()] == ["notes.calls"]
    finally:
        session.close()


def test_what_is_too_large_is_not_read(address: str) -> None:
    with pytest.raises(EnvironmentFailure, match="notes"):
        listed(launch(of(address, output_bytes=1000, call_seconds=3), Path(), 0))
