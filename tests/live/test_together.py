"""Two live servers in one run: a small one gets conversations of its own, and both can meet."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from tests.live_parts import NOTES, live_run

_NOTES = ["list_notes", "get_note", "create_note", "rename_note", "archive_note"]
_ADVICE: dict[str, Any] = {
    **{name: NOTES[name] for name in ("command", "args", "env", "samples")},
    "name": "advice",
    "title": "Advice",
    "category": "wellbeing",
    "about": "Give advice.",
    "hide": [*_NOTES, *NOTES["hide"]],
}


def test_two_servers_meet_in_one_conversation(tmp_path: Path) -> None:
    advice = tmp_path / "advice.yaml"
    advice.write_text(yaml.safe_dump(_ADVICE), encoding="utf-8")
    notes = tmp_path / "own" / "notes.yaml"
    notes.parent.mkdir()
    notes.write_text(yaml.safe_dump({**NOTES, "hide": [*NOTES["hide"], "advise"]}), "utf-8")
    words = (f"tools.paths=[{notes},{advice}]", "blueprints.operators=[cross]")
    assert live_run(tmp_path / "run", *words, size=8) == 0
    lines = (tmp_path / "run" / "dataset" / "train.jsonl").read_text(encoding="utf-8").splitlines()
    made = [json.loads(line) for line in lines]
    assert {line["meta"]["domain"].split("+")[0] for line in made} == {"notes", "advice"}
    joined = [line for line in made if "+" in line["meta"]["domain"]]
    assert joined
    for line in joined:
        called = {
            call["function"]["name"]
            for message in line["messages"]
            for call in message.get("tool_calls") or ()
        }
        assert "advise" in called
        assert called & set(_NOTES)
        assert set(line["meta"]["provenance"]) == {"executed"}
        offered = {tool["function"]["name"] for tool in line["tools"]}
        assert offered == {*_NOTES, "advise"}
