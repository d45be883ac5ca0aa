"""A run depends on config and seed alone: not on concurrency, execution or the process."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.runs import data, finish, here, same_run, small, tables


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("synthesize") / "run"
    assert here(folder) == 0
    return folder


@pytest.mark.parametrize("concurrency", [1, 32])
def test_concurrency_does_not_change_a_run(run: Path, tmp_path: Path, concurrency: int) -> None:
    assert here(tmp_path, f"concurrency={concurrency}") == 0
    same_run(tmp_path, run)


@pytest.mark.parametrize(
    "words",
    [
        ["execution=inline"],
        ["execution=processes"],
        ["execution=processes", "execution.workers=3", "concurrency=40"],
    ],
)
def test_another_process_makes_the_same_run(run: Path, tmp_path: Path, words: list[str]) -> None:
    """Workers and a new interpreter have other hash seeds, and other timing."""
    finish(small(tmp_path, *words), apart=True)
    same_run(tmp_path, run)


def test_another_seed_makes_another_run(run: Path, tmp_path: Path) -> None:
    assert here(tmp_path, "seed=2") == 0
    first, second = tables(run), tables(tmp_path)
    blueprints = [{row["blueprint"] for row in t["trajectories"]} - {""} for t in (first, second)]
    assert blueprints[0].isdisjoint(blueprints[1])


def test_dataset_and_ledger_tell_the_same(run: Path) -> None:
    lines = [json.loads(line) for line in data(run).splitlines()]
    rows = [row for row in tables(run)["trajectories"] if row["accepted"]]
    assert len(lines) == 24
    assert [line["id"] for line in lines] == [row["id"] for row in rows]
    for line, row in zip(lines, rows, strict=True):
        meta = line["meta"]
        assert (meta["seed"], meta["round"], meta["mode"]) == (
            row["seed"],
            row["round"],
            row["mode"],
        )
        assert len(meta["provenance"]) == sum(m["role"] == "tool" for m in line["messages"])


def test_rounds_are_full_but_the_last(run: Path) -> None:
    found = tables(run)
    attempted = [row["attempted"] for row in found["rounds"]]
    assert attempted[:-1] == [8] * (len(attempted) - 1)
    assert sum(attempted) == len(found["trajectories"])
    assert sum(row["accepted"] for row in found["rounds"]) == 24
    assert {row["round"] for row in found["steering"]} == set(range(len(attempted)))


def test_finished_run_repeated_does_no_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert here(tmp_path, size=6) == 0
    bytes_, rows = data(tmp_path), tables(tmp_path, timed=True)
    capsys.readouterr()
    assert here(tmp_path, size=6) == 0
    assert "6 trajectories accepted" in capsys.readouterr().out
    assert data(tmp_path) == bytes_
    assert tables(tmp_path, timed=True) == rows  # the measured seconds as well: none was made again


def test_raised_budget_goes_on(run: Path, tmp_path: Path) -> None:
    for size in (5, 11, 24):
        assert here(tmp_path, size=size) == 0
        assert len(data(tmp_path).splitlines()) == size
    same_run(tmp_path, run)


def test_attempts_end_a_run(tmp_path: Path) -> None:
    assert here(tmp_path, "budget.attempts=10") == 0
    assert len(tables(tmp_path)["trajectories"]) == 10


def test_tokens_end_a_run_where_they_are_spent(run: Path, tmp_path: Path) -> None:
    """Without a model, a quarter of the characters of each played conversation counts."""
    documents = sorted(tables(run)["documents"], key=lambda row: row["idx"])
    spent = [sum(len(row["line"]) // 4 for row in documents[:n]) for n in range(8)]
    assert here(tmp_path, f"budget.tokens={spent[5] + 1}") == 0
    assert len(tables(tmp_path)["documents"]) == 6


def test_summary_fits_a_terminal_and_says_where_things_lie(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    assert here(Path("runs/first"), size=6) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines == [line.rstrip() for line in lines]
    assert re.fullmatch(r"accepted    6 of \d+ attempted; ended with 6 .*", lines[0])
    files = [line.split()[1] for line in lines if line.startswith(("written", "ledger"))]
    assert files == [
        "runs/first/dataset/train.jsonl",
        "runs/first/dataset/README.md",
        "runs/first/report.html",
        "runs/first/run.duckdb",
    ]
    assert all((tmp_path / file).stat().st_size for file in files)
