"""Bad input: one paragraph that says what to type, an exit code, and nothing lost or invented."""

from __future__ import annotations

import resource
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.bookshop import BOOKSHOP, changed
from tests.runs import data, finish, here, refused, same_run, small, tables

Said = pytest.CaptureFixture[str]


def nothing_in(folder: Path) -> bool:
    """No ledger, no dataset, no report."""
    return not [p for p in folder.rglob("*") if p.is_file() and ".hydra" not in p.parts]


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("tools.domains=[airlines]", ["no domain 'airlines'", "airline", "tools.paths=[PATH]"]),
        ("budget.trajektories=5", ["budget.trajektories", "budget.trajectories"]),
        ("evolution=entropie", ["evolution", "entropy"]),
        ("seed=abc", ["seed: expected int, got 'abc'"]),
        ("budget.trajectories=0", ["budget.trajectories: expected at least 1, got 0"]),
        ("budget.patience=-1", ["budget.patience: expected at least 1, got -1"]),
        ("round_size=0", ["round_size: expected at least 1, got 0"]),
        ("concurrency=0", ["concurrency: expected at least 1, got 0"]),
        ("lag=1", ["lag: expected at least 2, got 1"]),
        ("report.trajectories=-1", ["report.trajectories: expected at least 0, got -1"]),
        ("execution.workers=2", ["execution.workers"]),
        ("+llm@roles.jugde.llm=vllm", ["roles.jugde: there is no such part; nearest first: judge"]),
        ("~roles/judge", ["roles.judge: a value is needed"]),
        ("coding.share=abc", ["coding.share: expected float, got 'abc'"]),
        ("coding.share=null", ["coding.share: expected float, got null"]),
        ("coding.areas=sql_reporting", ["coding.areas: expected list[str], got 'sql_reporting'"]),
        ("tools.paths=[nowhere.yaml]", ["tools.paths", "nowhere.yaml", "existing path"]),
    ],
)
def test_refused_before_any_work(tmp_path: Path, capsys: Said, word: str, said: list[str]) -> None:
    assert here(tmp_path / "run", word) == 1
    refused(capsys.readouterr(), *said)
    assert nothing_in(tmp_path)


def test_broken_yaml(tmp_path: Path, capsys: Said) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text("category: [retail\nabout: x\n")
    assert here(tmp_path / "run", f"tools.paths=[{file}]", "tools.domains=[shop]") == 1
    refused(capsys.readouterr(), str(file), "line 2")
    assert nothing_in(tmp_path / "run")


def _no_sql(domain: dict[str, object]) -> None:
    domain["tables"] = "CREATE TABEL book (isbn TEXT)"


def test_broken_sql(tmp_path: Path, capsys: Said) -> None:
    file = changed(tmp_path, _no_sql)
    assert here(tmp_path / "run", f"tools.paths=[{file}]", "tools.domains=[bookshop]") == 1
    refused(capsys.readouterr(), str(file), "tables", 'near "TABEL"')
    assert nothing_in(tmp_path / "run")


def test_run_directory_that_cannot_be_written() -> None:
    done = finish(small(Path("/proc/run")), code=1)
    refused(done, "/proc/run", "expected a folder that can be written", "hydra.run.dir=PATH")


def test_run_directory_is_a_file(tmp_path: Path, capsys: Said) -> None:
    file = tmp_path / "run"
    file.write_text("mine")
    assert here(file) == 1
    refused(capsys.readouterr(), str(file), "hydra.run.dir=")
    assert file.read_text() == "mine"


def limited(kilobytes: int) -> Callable[[], None]:
    """No file may grow beyond that, like on a disk that is full."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000 * kilobytes, 1000 * kilobytes))

    return limit


@pytest.mark.parametrize("execution", ["inline", "processes"])
def test_full_disk_loses_nothing_that_was_committed(tmp_path: Path, execution: str) -> None:
    line = small(tmp_path / "run", f"execution={execution}", size=110)
    done = finish(line, code=1, before=limited(1500))  # room for two commits, and not for all
    assert done.stderr.startswith("tdscaling: ")
    assert done.stderr.count("\n") == 1, done.stderr
    assert "type the same command again" in done.stderr
    assert "To go on, type:" in done.stdout
    assert not (tmp_path / "run" / "dataset").exists()
    kept = tables(tmp_path / "run", timed=True)["trajectories"]
    assert kept
    finish(line)
    assert tables(tmp_path / "run", timed=True)["trajectories"][: len(kept)] == kept
    assert here(tmp_path / "undisturbed", size=110) == 0
    same_run(tmp_path / "run", tmp_path / "undisturbed")


@pytest.mark.parametrize(
    ("cap", "why"), [("budget.attempts=3", "3 attempts made"), ("budget.tokens=1", "of 1 tokens")]
)
def test_a_run_that_ends_with_nothing_says_why(
    cap: str, why: str, tmp_path: Path, capsys: Said
) -> None:
    assert here(tmp_path / "run", "graphs.steps=1", cap) == 1
    refused(capsys.readouterr(), "nothing was accepted before the run ended:", why, "most often:")


def test_no_acceptance_at_all(tmp_path: Path, capsys: Said) -> None:
    """Ends by itself, says why, writes no dataset; every attempt is in the ledger."""
    words = ["graphs.steps=1", "budget.patience=2"]  # one message cannot call and answer
    assert here(tmp_path / "run", *words) == 1
    said = capsys.readouterr()
    refused(said, "nothing was accepted in 2 rounds of 8 attempts; most often:", "budget.patience=")
    rows = tables(tmp_path / "run")["trajectories"]
    assert len(rows) == 16
    assert not any(row["accepted"] for row in rows)
    assert not (tmp_path / "run" / "dataset").exists()
    assert here(tmp_path / "run", *words) == 1  # again, with as much patience
    refused(capsys.readouterr(), "nothing was accepted in 2 rounds of 8 attempts; most often:")
    again = tables(tmp_path / "run")["trajectories"]
    assert len(again) == 32
    assert again[:16] == rows
    assert not (tmp_path / "run" / "dataset").exists()


def test_a_run_that_dries_up_keeps_what_it_has(tmp_path: Path, capsys: Said) -> None:
    """One world and one kind of plan: soon everything was there before."""
    words = ["tools.domains=[calendar]", "blueprints.worlds=1", "blueprints.calls=[1,1]"]
    words += ["blueprints.operators=[]", "budget.patience=1"]
    assert here(tmp_path, *words, size=5000) == 1
    refused(capsys.readouterr(), "most often: duplicate")
    accepted = [row for row in tables(tmp_path)["trajectories"] if row["accepted"]]
    assert len(data(tmp_path).splitlines()) == len(accepted) > 0


def test_own_domain_by_path(tmp_path: Path) -> None:
    words = [f"tools.paths=[{BOOKSHOP}]", "tools.domains=[bookshop]"]
    assert here(tmp_path, *words, size=4) == 0
    assert yaml.safe_load((tmp_path / ".hydra" / "overrides.yaml").read_text())[-2:] == words
