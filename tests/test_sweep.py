"""Sweeps: a reproducible directory per job, a job that fails stops no other, and going on."""

from __future__ import annotations

import os
import shlex
import signal
from glob import glob
from pathlib import Path

import pytest

from tdscaling.__main__ import main
from tests.runs import (
    NO_CODE,
    SMALL,
    command,
    data,
    finish,
    here,
    same_run,
    started,
    wait_until,
)

JOBS = ("evolution=none,seed=1", "evolution=none,seed=2", "evolution=entropy,seed=1")


def words(folder: Path, *more: str, size: int = 6) -> list[str]:
    budget = f"budget.trajectories={size}"
    return ["-m", *SMALL, *NO_CODE, budget, "execution=inline", f"hydra.sweep.dir={folder}", *more]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_dir())


def test_each_job_is_the_run_that_its_name_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = tmp_path / "sweep"
    assert main(words(sweep, "evolution=none,entropy", "seed=1,2")) == 0
    assert names(sweep) == sorted([*JOBS, "evolution=entropy,seed=2"])
    assert here(tmp_path / "alone", "evolution=none", "seed=2", size=6) == 0
    same_run(sweep / "evolution=none,seed=2", tmp_path / "alone")
    assert len({data(sweep / name) for name in names(sweep)}) == 4
    assert main(["compare", f"runs={sweep}/*", f"out={tmp_path / 'out'}", "draws=5"]) == 0
    said = capsys.readouterr().out
    assert all(group in said for group in ("evolution=none", "evolution=entropy"))


def test_failing_job_stops_no_other_and_can_be_mended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`min_tools=15` leaves no cluster: that shows only while the job runs."""
    sweep = words(tmp_path, "clusters.min_tools=3,15,4")
    assert main(sweep) == 1
    said = capsys.readouterr()
    assert "job 1 (clusters.min_tools=15): clusters: no 15 tools are tied" in said.err
    finished = [name for name in names(tmp_path) if (tmp_path / name / "report.html").exists()]
    assert finished == ["clusters.min_tools=3", "clusters.min_tools=4"]


def test_interrupted_sweep_goes_on_as_it_says(tmp_path: Path) -> None:
    """Interrupted in the second of three jobs; the directory is left to Hydra."""
    typed = ["-m", *SMALL, *NO_CODE, "budget.trajectories=40", "execution=inline", "seed=1,2,3"]
    with started(command(*typed), tmp_path) as process:
        # Not by pathlib: it fails where a folder goes that it has just seen.
        log = f"{tmp_path}/multirun/*/*/seed=2/run.duckdb.wal"
        wait_until(lambda: any(os.stat(f).st_size > 60_000 for f in glob(log)), "job 2")
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate()
    assert process.returncode == 130, err
    sweep = next(tmp_path.glob("multirun/*/*"))
    assert names(sweep) == ["seed=1", "seed=2"]
    first = data(sweep / "seed=1")
    hint = shlex.split(out.split("To go on, type:\n")[1])
    assert hint == ["tdscaling", *typed, f"hydra.sweep.dir={sweep.relative_to(tmp_path)}"]
    finish(command(*hint[1:]), folder=tmp_path)
    assert names(sweep) == ["seed=1", "seed=2", "seed=3"]
    assert data(sweep / "seed=1") == first
    assert here(tmp_path / "alone", "seed=2", size=40) == 0
    same_run(sweep / "seed=2", tmp_path / "alone")


def test_directory_of_another_sweep_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words(tmp_path, "seed=1,2", size=4)) == 0
    capsys.readouterr()
    assert main(words(tmp_path, "seed=1,2", "metrics.alpha=0.75", size=4)) == 1
    assert "metrics.alpha was 0.5, now 0.75" in capsys.readouterr().err
