"""Lines about another task than the one that their world names, whose ids were made to fit."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tdscaling.__main__ import main
from tdscaling.blueprints._identity import identity
from tdscaling.schema import Blueprint
from tests.runs import data, here

Line = dict[str, Any]


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[Line]:
    folder = tmp_path_factory.mktemp("coding") / "run"
    words = ("coding.share=1", "coding.recover_share=0", "sandbox=bubblewrap")
    assert here(folder, *words, size=16) == 0
    return [json.loads(line) for line in data(folder).splitlines()]


def of(lines: list[Line], area: str, turns: int = 1) -> Line:
    """A copy of the first line of an area."""
    found = (line for line in lines if line["meta"]["category"] == area)
    line = next(line for line in found if len(line["meta"]["blueprint"]["turns"]) == turns)
    copy: Line = json.loads(json.dumps(line))
    return copy


def verified(folder: Path, lines: list[Line]) -> int:
    """Verify lines whose ids are those of their blueprints, whatever these say."""
    for line in lines:
        told = line["meta"]["blueprint"]
        one = Blueprint.from_json(told)
        told["id"] = identity(one.worlds, one.plan, one.turns, one.injections)
    path = folder / "data.jsonl"
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    words = ["parts=here", "sandbox=bubblewrap", "execution=inline"]
    return main(["verify", f"dataset={path}", *words])


def code(line: Line, tool: str) -> tuple[Any, Any, Any]:
    """The last call of a tool, what it said, and its step."""
    calls = [c for m in line["messages"] for c in m.get("tool_calls") or ()]
    call = [c for c in calls if c["function"]["name"] == tool][-1]
    said = next(m for m in line["messages"] if m.get("tool_call_id") == call["id"])
    step = [s for s in line["meta"]["blueprint"]["plan"] if s["tool"] == tool][-1]
    return call["function"], said, step


def told_otherwise(line: Line) -> None:
    """Code that prints a figure of its own, and everything that follows from it."""
    tool = line["meta"]["blueprint"]["plan"][-1]["tool"]
    call, said, step = code(line, tool)
    (name,) = step["gold"]
    text = "print('figure: 77')" if tool == "run_python" else "echo 'figure: 77'"
    call["arguments"] = json.dumps({name: text})
    step |= {"arguments": {name: {"text": text}}, "gold": {name: text}}
    seen = {"exit_code": 0, "stdout": "figure: 77\n", "stderr": ""}
    step["observation"] = said["content"] = json.dumps(seen)
    line["messages"][-1]["content"] = "The figure is 77."
    line["meta"]["blueprint"]["answers"][-1]["values"] = ["77"]


def mended_nothing(line: Line) -> None:
    call, _, step = code(line, "edit_file")
    given = json.loads(call["arguments"]) | {"new": json.loads(call["arguments"])["old"]}
    call["arguments"] = json.dumps(given)
    step["gold"] = given
    step["arguments"] = {name: {"text": text} for name, text in given.items()}
    line["meta"]["blueprint"]["final_state"] = {}


def wished_otherwise(line: Line) -> None:
    blueprint = line["meta"]["blueprint"]
    turn = blueprint["turns"][0]
    turn["request"] = "Please sing me a song."
    if len(blueprint["turns"]) == 1:
        blueprint["goal"] = turn["request"]
    next(m for m in line["messages"] if m["role"] == "user")["content"] = turn["request"]


def elsewhere(world: str) -> Callable[[Line], None]:
    return lambda line: line["meta"]["blueprint"]["worlds"].update(data_analysis=world)


def aimed_otherwise(line: Line) -> None:
    line["meta"]["blueprint"]["goal"] = "Something else."


def helped(line: Line) -> None:
    line["meta"]["blueprint"]["facts"] = {"answer": 42}


FORGED: list[tuple[str, Callable[[Line], None], str]] = [
    ("data_analysis", told_otherwise, "turn 0: expected the calls of the task "),
    ("sql_reporting", lambda line: code(line, "run_sql")[2].update(purpose="lookup"), "calls"),
    ("code_repair", mended_nothing, "turn 0: expected the calls of the task "),
    ("code_repair", wished_otherwise, "turn 0: expected a wording of the task "),
    ("sql_reporting", wished_otherwise, "turn 0: expected a wording of the task "),
    ("data_analysis", aimed_otherwise, "goal: expected "),
    ("data_analysis", helped, "blueprint: expected nothing but the task "),
    ("data_analysis", elsewhere("juggling.1"), "worlds, data_analysis: expected a family of "),
    ("data_analysis", elsewhere("ranking.1e3"), "got 'ranking.1e3'"),
    ("data_analysis", elsewhere("ranking.100000"), "a number up to 99999"),
    ("data_analysis", elsewhere("ranking"), "got 'ranking'"),
]


def test_lines_hold_until_they_are_forged(lines: list[Line], tmp_path: Path) -> None:
    assert {area for area, _, _ in FORGED} <= {line["meta"]["category"] for line in lines}
    assert verified(tmp_path, lines) == 0


def test_what_is_not_of_the_task_is_named(
    lines: list[Line], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    forged = [of(lines, area) for area, _, _ in FORGED]
    for line, (_, change, _) in zip(forged, FORGED, strict=True):
        change(line)
    assert verified(tmp_path, forged) == 1
    said = capsys.readouterr().out.splitlines()
    assert len(said) == len(FORGED) + 1
    for text, (_, _, named) in zip(said, FORGED, strict=False):
        assert named in text
        assert "not a trajectory" not in text
