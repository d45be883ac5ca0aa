"""Datasets as lines: one reader for `verify` and `measure`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tdscaling.__main__ import main
from tdscaling.dataset import file_of, numbered, parsed
from tdscaling.errors import DatasetError
from tests.runs import here, refused

Said = pytest.CaptureFixture[str]
BOM = b"\xef\xbb\xbf"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dataset") / "run"
    assert here(folder, "evolution=none", size=4) == 0
    return folder


def lines(run: Path) -> list[bytes]:
    return (run / "dataset" / "train.jsonl").read_bytes().splitlines(keepends=True)


def verified(path: Path) -> int:
    return main(["verify", f"dataset={path}", "execution=inline", "sandbox=none"])


def test_mark_blank_lines_and_other_endings_are_no_mistakes(
    run: Path, tmp_path: Path, capsys: Said
) -> None:
    path = tmp_path / "copy.jsonl"
    first, *rest = lines(run)
    ending = first.rstrip(b"\n") + b"\r\n"
    path.write_bytes(BOM + ending + b"\n  \r\n" + b"".join(rest) + b"\n\n")
    assert [number for number, _ in numbered(path)] == [1, 4, 5, 6]
    capsys.readouterr()
    assert verified(path) == 0
    assert "all 4 trajectories hold" in capsys.readouterr().out
    assert main(["measure", f"dataset={path}"]) == 0
    assert "4 trajectories" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"messages": [], "id": "\xff"}', "expected UTF-8, got byte 0xff at 25 in "),
        ('{"messages": []}'.encode("utf-16"), "expected UTF-8, got byte 0xff at 1 in "),
        (b'{"messages": [', "expecting value at character 15"),
        (b"{'messages': []}", "at character 2"),
        (BOM + b'{"messages": []}', "expected one JSON object, got "),
        (b"[" * 100_000, "expected one JSON object, got '[[["),
    ],
)
def test_what_is_no_line_is_told_by_its_number_in_the_file(
    run: Path, tmp_path: Path, capsys: Said, line: bytes, said: str
) -> None:
    path = tmp_path / "copy.jsonl"
    path.write_bytes(b"\n" + lines(run)[0] + b"\n" + line + b"\n")
    assert verified(path) == 1
    told = capsys.readouterr().out
    assert f"{path}:4: no id: " in told
    assert said in told
    assert told.endswith("1 of 2 lines do not hold\n")
    assert main(["measure", f"dataset={path}"]) == 1
    refused(capsys.readouterr(), f"{path}:4: ", said)


def test_a_file_without_a_line(tmp_path: Path, capsys: Said) -> None:
    path = tmp_path / "blank.jsonl"
    path.write_bytes(BOM + b"\n \n")
    assert verified(path) == 1
    refused(capsys.readouterr(), "expected one trajectory a line, got an empty file")
    assert main(["measure", f"dataset={path}"]) == 1
    refused(capsys.readouterr(), "expected one conversation a line, got an empty file")


def test_json_keeps_its_pairs() -> None:
    assert parsed(b'{"a": 1, "a": 2}') == {"a": 2}
    assert parsed(b'{"a": 1, "a": 2}', list) == [("a", 1), ("a", 2)]
    assert parsed(json.dumps("\u2028").encode()) == "\u2028"


def test_the_dataset_of_a_run(run: Path) -> None:
    for path in (run, run / "dataset", run / "dataset" / "train.jsonl"):
        assert file_of(path) == run / "dataset" / "train.jsonl"


@pytest.mark.parametrize("command", ["verify", "measure"])
@pytest.mark.parametrize("below", ["", "/dataset", "/dataset/train.jsonl"])
def test_a_run_that_accepted_nothing(
    tmp_path: Path, capsys: Said, command: str, below: str
) -> None:
    folder = tmp_path / "run"
    assert here(folder, "graphs.steps=1", "budget.attempts=3") == 1
    capsys.readouterr()
    assert main([command, f"dataset={folder}{below}"]) == 1
    refused(capsys.readouterr(), f"the run in {folder} has no dataset: nothing was accepted in 3 a")


def test_a_run_that_was_stopped_before_it_wrote_its_dataset(run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    shutil.rmtree(copy / "dataset")
    with pytest.raises(DatasetError, match=f"4 trajectories were accepted.*run_dir={copy}"):
        file_of(copy)
    with pytest.raises(DatasetError, match="expected a JSONL file or the directory of a run"):
        file_of(copy / "other.jsonl")
