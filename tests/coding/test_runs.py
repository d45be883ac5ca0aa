"""Whole runs with coding conversations: the same bytes whatever runs them, and verified again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tdscaling.__main__ import main
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


def changed(run: Path, path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """The first line that runs code, changed, as a dataset of its own."""
    line = next(line for line in lines(run) if "sandbox" in line["meta"])
    change(line)
    path.write_text(json.dumps(line) + "\n")
    return path


WRONG: dict[str, Any] = {
    "which is missing": None,
    "expected the fields backend": {"backend": "bubblewrap"},
    "backend: expected docker or bubblewrap": {"backend": "none"},
    "digest: expected sha256:HEX": {"digest": "latest"},
    "cgroup: expected a bool": {"cgroup": "yes"},
    "limits: .*memory_mb: expected": {"limits": {"memory_mb": 1}},
    "limits: expected seconds, memory_mb, .*got network as well": {"limits": {"network": True}},
    "limits.seconds: expected a number, got 10 .str": {"limits": {"seconds": "10"}},
    "limits.pids: expected a whole number, got 1.5 .float": {"limits": {"pids": 1.5}},
    "limits.cpus: expected a number, got true .bool": {"limits": {"cpus": True}},
    "limits: .*clock: expected a moment": {"limits": {"clock": "noon"}},
    "limits: .*seconds: expected 0.1 to 3600": {"limits": {"seconds": 0.0}},
}


@pytest.mark.parametrize("told", WRONG)
def test_what_code_ran_in_is_refused_where_it_cannot_be(
    run: Path, tmp_path: Path, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def change(line: dict[str, Any]) -> None:
        meta, wrong = line["meta"], WRONG[told]
        if wrong is None:
            del meta["sandbox"]
        elif "expected the fields" in told:
            meta["sandbox"] = wrong
        elif "limits" in wrong:
            meta["sandbox"]["limits"] |= wrong["limits"]
        else:
            meta["sandbox"] |= wrong

    path = changed(run, tmp_path / "train.jsonl", change)
    assert main(["verify", f"dataset={path}", "sandbox=none"]) == 1
    assert re.search(f"meta.sandbox.*{told}", capsys.readouterr().out)


def test_sandbox_of_a_line_that_runs_no_code_is_refused(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = next(line["meta"]["sandbox"] for line in lines(run) if "sandbox" in line["meta"])
    line = next(line for line in lines(run) if "sandbox" not in line["meta"])
    line["meta"]["sandbox"] = told
    (tmp_path / "train.jsonl").write_text(json.dumps(line) + "\n")
    assert main(["verify", f"dataset={tmp_path}", "sandbox=none"]) == 1
    assert "expected none where no code is run" in capsys.readouterr().out


def test_other_image_or_limits_are_told_and_do_not_condemn(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def change(line: dict[str, Any]) -> None:
        line["meta"]["sandbox"]["digest"] = f"sha256:{'0' * 64}"
        line["meta"]["sandbox"]["limits"]["memory_mb"] = 2048

    path = changed(run, tmp_path / "train.jsonl", change)
    assert main(["verify", f"dataset={path}", "sandbox=bubblewrap"]) == 0
    told = capsys.readouterr().out
    assert "the code of 1 of 1 lines ran in another sandbox: digest sha256:0000" in told
    assert "limits.memory_mb 2048 there and 512 here" in told
    assert "all 1 trajectories hold" in told


def test_figure_that_was_put_into_the_code_is_not_worked_out(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = next(line for line in lines(run) if "compute" in line["meta"]["operators"]
                and "recover" not in line["meta"]["mode"])  # fmt: skip
    said = {m["tool_call_id"]: m["content"] for m in line["messages"] if m["role"] == "tool"}
    for call in (call for m in line["messages"] for call in m.get("tool_calls") or ()):
        if call["function"]["name"] == "run_python":
            printed = json.loads(said[call["id"]])["stdout"]
            call["function"]["arguments"] = json.dumps({"code": f"print({printed.strip()!r})"})
    (tmp_path / "train.jsonl").write_text(json.dumps(line) + "\n")
    assert main(["verify", f"dataset={tmp_path}", "sandbox=bubblewrap"]) == 1
    told = capsys.readouterr().out
    assert "got ungrounded_argument: code of run_python: expected it to work on the values" in told


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
