"""Entries of the servers that tests are made with."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

from tdscaling.__main__ import main
from tdscaling.live import entry as entries
from tdscaling.live._pool import Launch
from tdscaling.live.discover import discover, launch
from tdscaling.live.domain import LiveDomain
from tdscaling.tools._entries import tool

ROOT = Path(__file__).resolve().parents[1]
SERVERS = Path(__file__).parent / "live" / "servers"
_COLUMNS = {"_who": "person", "title": {"text": ["Call {_who}"]}}
NOTES: dict[str, Any] = {
    "name": "notes",
    "title": "Notes",
    "category": "notes",
    "about": "Keep notes.",
    "command": sys.executable,
    "args": ["-S", str(SERVERS / "notes.py")],
    "env": {"NOTES_DB": "{dir}/notes.db"},
    "state": {"sqlite": "notes.db"},
    "setup": {
        "tables": "CREATE TABLE n (title TEXT UNIQUE);",
        "rows": {"n": {"count": 4, "columns": _COLUMNS}},
        "calls": [{"tool": "create_note", "arguments": {"title": "{title}"}, "each": "n"}],
    },
    "hide": ["reset_state", "show_environment"],
    "samples": {
        "title": {"choice": ["Buy milk", "Write home", "Feed the cat", "Pay rent"]},
        "topic": {"choice": ["sleep", "food"]},
    },
}


def notes(ahead: int = 1, **changes: Any) -> Launch:
    """How the server of notes is started."""
    return launch(entries.entry("notes", {**NOTES, **changes}, "notes"), Path(), ahead)


def unruly(mode: str, **changes: Any) -> Launch:
    """How a server that misbehaves is started."""
    data = {
        "command": sys.executable,
        "args": ["-S", str(SERVERS / "unruly.py"), mode],
        "start_seconds": 10,
        "call_seconds": 1,
        **changes,
    }
    return launch(entries.entry("unruly", data, "unruly"), Path(), 0)


def notes_domain(ahead: int = 1, **changes: Any) -> LiveDomain:
    """The domain of the server of notes."""
    return discover(notes(ahead, **changes), tool).domain


def live_run(folder: Path, *words: str, size: int = 6) -> int:
    """A run over the server of notes, in this process unless the words say otherwise."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder.parent / "notes.yaml"
    file.write_text(yaml.safe_dump(NOTES), encoding="utf-8")
    return main(
        [
            "tools=mcp",
            "tools.servers=[]",
            f"tools.paths=[{file}]",
            "tools.home=/nonexistent",
            "coding.share=0",
            "sandbox=none",
            "blueprints.worlds=2",
            "blueprints.calls=[1,8]",
            "round_size=8",
            f"budget.trajectories={size}",
            "execution=inline",
            f"hydra.run.dir={folder}",
            *words,
        ]
    )
