"""Whole runs with coding conversations: the same bytes whatever runs them, and verified again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.runs import data, finish, here, same_run, small, tables

WORDS = ("coding.share=0.5", "sandbox=bubblewrap")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("coding") / "run"
    assert here(folder, *WORDS, "concurrency=3", size=16) == 0
    return folder


def lines(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data(run).splitlines()]


def test_same_bytes_in_processes(run: Path, tmp_path: Path) -> None:
    finish(small(tmp_path, *WORDS, "execution=processes", size=16))
    same_run(run, tmp_path)


def test_share_is_that_of_the_draws(run: Path) -> None:
    rows = tables(run)["trajectories"]
    coding = [
        "compute" in row["asked_operators"]
        or row["cluster"].startswith(("data", "sql", "code_rep"))
        for row in rows
    ]
    assert 0.2 < sum(coding) / len(rows) < 0.8
    kinds = {
        "compute" in row["asked_operators"]
        for row, is_it in zip(rows, coding, strict=True)
        if is_it
    }
    assert kinds == {True, False}  # fmt: skip


def test_trajectories_record_what_their_code_ran_in(run: Path) -> None:
    for line in lines(run):
        runs_code = {"run_python", "run_sql", "run_bash"} & {
            tool["function"]["name"] for tool in line["tools"]
        }
        assert ("sandbox" in line["meta"]) == bool(runs_code)
        if runs_code:
            assert line["meta"]["sandbox"]["backend"] == "bubblewrap"
            assert line["meta"]["sandbox"]["digest"].startswith("sha256:")
            assert line["meta"]["sandbox"]["limits"]["seconds"] == 10.0


def test_verified_by_running_the_code_again(run: Path) -> None:
    from tests.runs import command

    said = finish(command("verify", f"dataset={run}", "sandbox=bubblewrap"))
    assert "trajectories hold" in said.stdout
    said = finish(command("verify", f"dataset={run}", "sandbox=none"), code=1)
    assert "could not be run" in said.stdout


def test_without_a_sandbox_the_run_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert here(tmp_path, "coding.share=0.5", "sandbox=none", size=4) == 0
    assert "coding tasks are left out: the code tool is off" in capsys.readouterr().out
    assert all("sandbox" not in line["meta"] for line in lines(tmp_path))


def test_without_the_engine_that_was_asked_for_the_run_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    absent = f"sandbox.host=unix://{tmp_path}/none.sock"
    assert here(tmp_path, "coding.share=0.5", "sandbox=docker", absent, size=4) == 1
    told = capsys.readouterr().err
    assert "no engine answers" in told
    assert "sandbox=bubblewrap" in told
