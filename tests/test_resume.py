"""Runs that end early: killed, interrupted, moved to other domains. Going on makes the same run."""

from __future__ import annotations

import contextlib
import os
import random
import re
import shlex
import shutil
import signal
import subprocess
from collections.abc import Callable
from glob import glob
from pathlib import Path

import pytest

from tests.runs import (
    NO_CODE,
    ROOT,
    SMALL,
    alive,
    children,
    data,
    finish,
    here,
    refused,
    same_run,
    small,
    started,
    tables,
    wait_until,
)

SIZE = 48
EXECUTIONS = ("inline", "processes")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    assert here(folder, size=SIZE) == 0
    return folder


def logged(folder: Path, kilobytes: int) -> Callable[[], bool]:
    """Whether the ledger's log is that large: 40 without any outcome, 20 more for each."""
    file = folder / "run.duckdb.wal"
    return lambda: file.exists() and file.stat().st_size > 1000 * kilobytes


def kill(process: subprocess.Popen[str]) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize("execution", EXECUTIONS)
def test_killed_runs_go_on(run: Path, tmp_path: Path, execution: str) -> None:
    """Three times: while the ledger is made, and some time after commits."""
    line = small(tmp_path, f"execution={execution}", size=SIZE)
    chance = random.Random(execution)
    for kilobytes in (1, 60, 400):
        with started(line) as process:
            wait_until(logged(tmp_path, kilobytes), "commits")
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(chance.uniform(0, 0.3))
            kill(process)
    finish(line)
    same_run(tmp_path, run)


def test_killed_export_is_made_again(run: Path, tmp_path: Path) -> None:
    line = small(tmp_path, "execution=inline", size=SIZE)
    with started(line) as process:
        wait_until((tmp_path / "dataset").exists, "export")
        kill(process)
    assert not (tmp_path / "report.html").exists()
    finish(line)
    same_run(tmp_path, run)
    assert not list(tmp_path.rglob("*.part"))


def test_workers_end_with_a_killed_parent(tmp_path: Path) -> None:
    with started(small(tmp_path, "execution=processes", "execution.workers=2", size=5000)) as run:
        wait_until(logged(tmp_path, 60), "commits")
        workers = children(run.pid)
        assert len(workers) >= 2
        os.kill(run.pid, signal.SIGKILL)
        wait_until(lambda: not alive(workers), "the end of the workers")


def test_a_killed_run_leaves_no_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    with started(small(tmp_path / "run", "execution=inline", size=5000)) as process:
        wait_until(logged(tmp_path / "run", 60), "commits")
        kill(process)
    assert [path.name for path in temporary.iterdir() if path.name.startswith("tdscaling")] == []


def interrupted(process: subprocess.Popen[str]) -> str:
    """Press Ctrl-C as a terminal does: every process of the group gets it."""
    workers = children(process.pid)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, out + err
    assert "Traceback" not in out + err
    wait_until(lambda: not alive(workers), "the end of the workers")
    return out


@pytest.mark.parametrize("execution", EXECUTIONS)
def test_interrupted_run_goes_on_as_it_says(run: Path, tmp_path: Path, execution: str) -> None:
    """The directory is left to Hydra, so only the hint tells where the run lies."""
    words = [*SMALL, *NO_CODE, f"budget.trajectories={SIZE}", f"execution={execution}"]
    line = small(tmp_path)[:3] + words
    with started(line, tmp_path) as process:
        # Not by pathlib: it fails where a folder goes that it has just seen.
        wait_until(lambda: glob(f"{tmp_path}/outputs/*/*/run.duckdb.wal"), "the ledger")
        folder = next(tmp_path.glob("outputs/*/*"))
        wait_until(logged(folder, 60), "a commit")
        out = interrupted(process)
    assert "finishing what is under way" in out
    begun = data(folder)
    assert data(run).startswith(begun)
    assert 0 < len(begun) < len(data(run))
    hint = out.split("To go on, type:\n")[1].strip()
    assert hint == shlex.join(
        ["tdscaling", *words, f"hydra.run.dir={folder.relative_to(tmp_path)}"]
    )
    finish([*line[:3], *shlex.split(hint)[1:]], folder=tmp_path)
    same_run(folder, run)


@pytest.mark.parametrize("execution", EXECUTIONS)
def test_second_interrupt_cancels(run: Path, tmp_path: Path, execution: str) -> None:
    line = small(tmp_path, f"execution={execution}", "concurrency=16", size=SIZE)
    with started(line) as process:
        wait_until(logged(tmp_path, 60), "a commit")
        os.killpg(process.pid, signal.SIGINT)
        process.send_signal(signal.SIGINT)
        interrupted(process)
    assert data(run).startswith(data(tmp_path))
    finish(line)
    same_run(tmp_path, run)


@pytest.mark.parametrize("execution", EXECUTIONS)
def test_interrupt_while_starting(tmp_path: Path, execution: str) -> None:
    with started(small(tmp_path, f"execution={execution}")) as process:
        wait_until((tmp_path / "run.duckdb").exists, "the ledger")
        out = interrupted(process)
    assert out.count("To go on, type:") == 1


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["seed=2"], "seed was 1, now 2"),
        (["metrics.alpha=0.75"], "metrics.alpha was 0.5, now 0.75"),
        (["evolution=none"], "evolution._target_ was "),
        (["budget.trajectories=5"], "budget.trajectories was 6, now 5"),
    ],
)
def test_directory_of_another_config_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert here(tmp_path, size=6) == 0
    before = snapshot(tmp_path)
    capsys.readouterr()
    assert here(tmp_path, *words, size=6) == 1
    refused(capsys.readouterr(), said, "hydra.run.dir=")
    assert snapshot(tmp_path) == before


def test_changed_domain_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """More rows in the initial state, the same tools: the data would be other data."""
    file = tmp_path / "airline.yaml"
    shutil.copy(ROOT / "conf" / "domains" / "airline.yaml", file)
    words = [f"tools.paths=[{file}]"]
    assert here(tmp_path / "run", *words, size=4) == 0
    before = data(tmp_path / "run"), tables(tmp_path / "run", timed=True)
    text = file.read_text()
    file.write_text(re.sub(r"count: (\d+)", lambda m: f"count: {int(m[1]) + 1}", text, count=1))
    capsys.readouterr()
    assert here(tmp_path / "run", *words, size=8) == 1
    refused(capsys.readouterr(), "the tools have changed", "Restore the domain files")
    assert (data(tmp_path / "run"), tables(tmp_path / "run", timed=True)) == before
    file.write_text(text)
    assert here(tmp_path / "run", *words, size=8) == 0
