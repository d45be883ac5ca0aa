"""Whole runs that collapse: a warning or an end, the same after a resume, and all of it stored."""

from __future__ import annotations

from pathlib import Path

import pytest

from tdscaling.store import FILE, Store
from tests.runs import data, here, same_run

COLLAPSING = (
    "evolution=none",
    "evolution.window=10",
    "evolution.mode_floor=500.0",
    "evolution.cell_ceiling=0.001",
)
"""Bounds that no run can keep."""


def alarms(folder: Path) -> list[tuple[int, str]]:
    store = Store.read(folder / FILE)
    try:
        return [
            (row["round"], row["kind"])
            for row in store.query("SELECT * FROM alarms ORDER BY round, rowid")
        ]
    finally:
        store.close()


def test_warn_says_it_and_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert here(tmp_path, *COLLAPSING, size=24) == 0
    said = " ".join(capsys.readouterr().out.split())
    first = alarms(tmp_path)
    assert [kind for _, kind in first] == ["modes", "cell"]
    assert f"alarm in round {first[0][0]}: " in said
    assert "effective modes among the last 10 accepted, below 500.0" in said
    assert 'id="alarms"' in (tmp_path / "report.html").read_text()


def test_stop_exports_and_fails_with_the_alarm(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (*COLLAPSING, "evolution.on_collapse=stop")
    assert here(tmp_path, *words, size=60) == 1
    said = capsys.readouterr()
    assert "the alarm `modes` was raised in round" in said.err
    assert "evolution.on_collapse=warn" in said.err
    stored = data(tmp_path)
    assert 10 <= stored.count(b"\n") < 24
    assert (tmp_path / "report.html").exists()
    assert here(tmp_path, *words, size=60) == 1
    assert data(tmp_path) == stored


@pytest.mark.parametrize("option", ["none", "novelty", "bandit"])
def test_too_little_novelty_ends_a_run_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    words = (f"evolution={option}", "evolution.min_novelty=1000", "evolution.over=2")
    assert here(tmp_path, *words, size=60) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "of 16 attempted; ended with fewer than 1000 new cells and signatures" in said


@pytest.mark.parametrize("option", ["entropy evolution/schedule=curriculum", "novelty", "bandit"])
def test_a_resumed_run_goes_on_as_if_it_had_not_ended(tmp_path: Path, option: str) -> None:
    """Ended by a budget of attempts in the middle of a round; phases and archive are replayed."""
    words = (f"evolution={option}".split(), ("evolution.window=10", "evolution.mode_floor=4.0"))
    flat = [word for part in words for word in part]
    for folder, stops in (("once", [90]), ("twice", [21, 53, 90])):
        for stop in stops:
            assert here(tmp_path / folder, *flat, f"budget.attempts={stop}", size=500) == 0
    same_run(tmp_path / "once", tmp_path / "twice")
    assert alarms(tmp_path / "once") == alarms(tmp_path / "twice")


def test_mutants_are_stored_with_their_parents(tmp_path: Path) -> None:
    assert here(tmp_path, "evolution=novelty", size=40) == 0
    store = Store.read(tmp_path / FILE)
    orphans = store.query(
        "SELECT parent FROM trajectories WHERE parent IS NOT NULL AND parent NOT IN"
        " (SELECT blueprint FROM trajectories WHERE accepted)"
    )
    mutants = store.query("SELECT count(*) AS n FROM trajectories WHERE parent IS NOT NULL")
    phases = store.query("SELECT count(*) AS n FROM steering WHERE factor = 'parent'")
    store.close()
    assert orphans == []
    assert mutants[0]["n"] > 5
    assert phases[0]["n"] > 0


def test_the_schedule_of_the_docs_runs(tmp_path: Path) -> None:
    text = (Path(__file__).parents[1] / "docs" / "evolution.md").read_text()
    example = text.split("`my/evolution/schedule/gentle.yaml`:\n\n```yaml\n")[1].split("```")[0]
    folder = tmp_path / "my" / "evolution" / "schedule"
    folder.mkdir(parents=True)
    (folder / "gentle.yaml").write_text(example)
    words = ("evolution/schedule=gentle", "round_size=4", "--config-dir", str(tmp_path / "my"))
    assert here(tmp_path / "run", *words, size=130) == 0
    store = Store.read(tmp_path / "run" / FILE)
    phases = store.query("SELECT DISTINCT choice FROM steering WHERE factor = 'phase' ORDER BY 1")
    why = store.query("SELECT why FROM steering WHERE factor = 'phase' ORDER BY round DESC LIMIT 1")
    store.close()
    assert [row["choice"] for row in phases] == ["dig", "look around"]
    assert why[0]["why"].startswith("after look around: ")
