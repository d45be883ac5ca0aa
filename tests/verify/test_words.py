"""What docs/verification.md says of edited words: which edits are seen, and which are not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tdscaling.__main__ import main
from tests.runs import here

Line = dict[str, Any]
ADDED = " I have also refunded your fee."


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Line:
    folder = tmp_path_factory.mktemp("words")
    assert here(folder / "run", "evolution=none", size=1) == 0
    found: Line = json.loads((folder / "run" / "dataset" / "train.jsonl").read_text())
    return found


def of(line: Line, role: str) -> Line:
    """The last message of a role that says something."""
    found: Line = next(
        m for m in reversed(line["messages"]) if m["role"] == role and m.get("content")
    )
    return found


def claims_a_deed(line: Line) -> None:
    of(line, "assistant")["content"] += ADDED


def adds_to_the_user(line: Line) -> None:
    of(line, "user")["content"] += " Take your time, please."


def states_an_amount(line: Line) -> None:
    of(line, "assistant")["content"] += " I have also refunded $512.44."


def drops_the_request(line: Line) -> None:
    of(line, "user")["content"] = "Take your time, please."


@pytest.mark.parametrize(
    ("edit", "seen"),
    [
        (claims_a_deed, False),
        (adds_to_the_user, False),
        (states_an_amount, True),
        (drops_the_request, True),
    ],
)
def test_only_words_that_carry_values_are_held_against_something(
    edit: Callable[[Line], None], seen: bool, line: Line, tmp_path: Path
) -> None:
    data: Line = json.loads(json.dumps(line))
    edit(data)
    assert data != line
    path = tmp_path / "edited.jsonl"
    path.write_text(json.dumps(data, ensure_ascii=False) + "\n")
    assert main(["verify", f"dataset={path}", "execution=inline", "sandbox=none"]) == seen
