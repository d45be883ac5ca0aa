"""Places are probed before work, and nothing is left of the probe."""

from __future__ import annotations

from pathlib import Path

import pytest

from tdscaling.__main__ import main
from tdscaling.writable import unwritable_file, unwritable_folder
from tests.runs import refused

Said = pytest.CaptureFixture[str]


def test_nothing_is_left(tmp_path: Path) -> None:
    assert unwritable_folder(tmp_path / "a" / "b") is None
    assert unwritable_file(tmp_path / "x.md") is None
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "x.md").write_text("mine")
    assert unwritable_file(tmp_path / "x.md") is None
    assert unwritable_folder(tmp_path) is None
    assert (tmp_path / "x.md").read_text() == "mine"


def test_why_not(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert unwritable_folder(tmp_path / "file") == "Not a directory"
    assert unwritable_folder(tmp_path / "file" / "a") == "Not a directory"
    assert unwritable_file(tmp_path / "none" / "x.md") == "No such file or directory"
    assert unwritable_file(tmp_path) == "Is a directory"


DUMP = "tools.paths=[tests/dataflow/services.jsonl]"


@pytest.mark.parametrize(
    "words",
    [
        ["clusters", "tools.domains=[airline]", "out=/nope/x.md"],
        ["clusters", "tools.domains=[airline]", "out=x.png"],
        ["measure", "dataset={line}", "out=/nope/x.json"],
        ["compare", "runs={line}", "out={line}"],
        ["draft", "tools=dump", DUMP, "count=1", "out={line}"],
    ],
)
def test_refused_before_any_work(words: list[str], tmp_path: Path, capsys: Said) -> None:
    """Nothing was printed, and a reason that only the work finds is not the one given."""
    line = tmp_path / "line.jsonl"
    line.write_text("no JSON")
    assert main([word.format(line=line) for word in words]) == 1
    refused(capsys.readouterr(), f"out={words[-1][4:].format(line=line)}: ")
    assert line.read_text() == "no JSON"
