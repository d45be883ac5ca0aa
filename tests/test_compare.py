"""Comparing runs: equal N only, groups by what differs, broken runs named and left out."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tdscaling.__main__ import main
from tdscaling.compare import compare
from tdscaling.compare._figures import contrast
from tdscaling.compare._groups import labels
from tdscaling.compare._runs import find, read
from tdscaling.errors import ConfigError, RunDirectoryError
from tdscaling.schema import Action, Cluster, LlmCall, Outcome, Request, Tool, Trace, Verdict
from tdscaling.store import FILE, Store


def config(evolution: str, seed: int) -> dict[str, Any]:
    return {
        "seed": seed,
        "evolution": {"_target_": f"tdscaling.evolution.{evolution}.X"},
        "metrics": {"bins": [1.5]},
    }


def outcome(index: int, modes: Sequence[str], rng: random.Random) -> Outcome:
    mode = rng.choice(modes)
    category = rng.choice(["travel", "bank"])
    action = Action(0, "call", f"tool_{rng.randrange(5)}", True, "executed", 0, 0)
    return Outcome(
        index=index,
        round=0,
        id=str(index),
        seed="s",
        request=Request("c", (), 1),
        category=category,
        domain="d",
        categories={category: 0.75, "food": 0.25},
        verdict=Verdict(True) if index % 4 else Verdict(False, "extra_write"),
        blueprint_id="b",
        trace=Trace(("call",), f"{mode}>answer", mode, (action,), 1.0),
        turns=1,
        line="{}",
    )


def write_run(folder: Path, evolution: str, seed: int, attempts: int, modes: int) -> Path:
    rng = random.Random(seed)
    names = [f"m{i}" for i in range(modes)]
    store = Store.open(folder / FILE, config(evolution, seed))
    tools = tuple(Tool(f"tool_{i}", "", {}, "d", "travel") for i in range(8))
    store.put_clusters([Cluster("c", "d", "travel", tools, ())])
    store.commit([outcome(i, names, rng) for i in range(attempts)])
    store.close()
    return folder


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    root = tmp_path / "multirun" / "day" / "time"
    write_run(root / "0", "none", 1, 80, 4)
    write_run(root / "1", "none", 2, 400, 4)
    write_run(root / "2", "entropy", 1, 160, 16)
    write_run(root / "3", "entropy", 2, 400, 16)
    return root


def test_runs_are_grouped_and_brought_to_equal_n(
    sweep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "compare"
    assert compare(f"{sweep.parents[1]}/**", str(out), draws=20, seed=0) == 0
    shown = capsys.readouterr().out
    assert "equal N = 60" in shown
    assert "evolution=none" in shown
    assert "do not compare" in shown
    assert "/8" in shown
    found = json.loads((out / "compare.json").read_text())
    assert found["equal_n"] == 60
    assert [len(group["runs"]) for group in found["groups"]] == [2, 2]
    values = {group["label"]: group["values"] for group in found["groups"]}
    rare, plain = values["evolution=entropy"], values["evolution=none"]
    assert rare["mode"]["low"] > plain["mode"]["high"] + 1.5
    assert plain["mode"]["mean"] == pytest.approx(2, abs=0.1)
    assert plain["acceptance"]["mean"] == pytest.approx(0.75)
    for run in found["runs"]:
        assert run["equal"]["mode"] <= run["own"]["mode"] + 0.05
        low, high = run["interval"]["mode"]
        assert low <= run["equal"]["mode"] <= high
    assert (out / "entropy.png").read_bytes().startswith(b"\x89PNG")
    svg = (out / "entropy.svg").read_text()
    assert "evolution=entropy (2 runs)" in svg


def test_the_same_comparison_twice_is_the_same_bytes(sweep: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        compare(f"{sweep}/*", str(tmp_path / name), draws=5, seed=0)
    for name in ("compare.json", "entropy.svg"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_more_of_the_same_does_not_look_more_diverse(sweep: Path) -> None:
    """Two runs of one distribution, N 60 and 300: equal at equal N though not at their own."""
    comparison = contrast(read(find(f"{sweep}/[01]"))[0], draws=100, seed=0)
    small, large = comparison.runs
    assert (small.accepted, large.accepted) == (60, 300)
    assert large.own["cells"] >= large.equal["cells"]
    assert large.equal["mode"] == pytest.approx(small.equal["mode"], abs=0.08)


@pytest.mark.parametrize("pattern", ["*", "*/run.duckdb", "", "../**", "../../day"])
def test_globs_of_directories_files_and_folders_above(sweep: Path, pattern: str) -> None:
    assert len(find(f"{sweep}/{pattern}")) == 4


def test_several_runs_by_their_names(
    sweep: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(sweep)
    assert main(["compare", "runs=[./1,./3]", "out=null", "draws=2"]) == 0
    assert "equal N = 300" in " ".join(capsys.readouterr().out.split())
    assert find(["3", "*", "2"]) == find("*")
    (sweep / "3").rename(sweep / "evolution=none,seed=[1]")  # no glob, as sweeps name their jobs
    assert len(find(["evolution=none,seed=[1]", "0"])) == 2
    assert main(["compare", "runs=./1,./2", "out=null"]) == 1
    said = capsys.readouterr().err
    assert "runs=./1,./2: expected a list in brackets; type runs=[./1,./2]\n" in said
    with pytest.raises(RunDirectoryError, match="runs=none: nothing matches"):
        find(["1", "none"])
    with pytest.raises(RunDirectoryError, match="expected runs"):
        find([])


def test_nothing_found_is_one_paragraph(tmp_path: Path) -> None:
    with pytest.raises(RunDirectoryError, match="nothing matches"):
        compare(f"{tmp_path}/none*", None, draws=1, seed=0)
    (tmp_path / "empty").mkdir()
    with pytest.raises(RunDirectoryError, match="none is a run"):
        compare(f"{tmp_path}/*", None, draws=1, seed=0)


def test_broken_and_empty_runs_are_named_and_the_rest_compared(
    sweep: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (sweep / "broken").mkdir()
    (sweep / "broken" / FILE).write_bytes(b"no database" * 500)
    write_run(sweep / "empty", "none", 9, 1, 1)
    assert compare(f"{sweep}/*", None, draws=2, seed=0) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert f"left out: {sweep}/broken/{FILE} is not a DuckDB file" in shown
    assert "has no accepted trajectory among 1 attempts" in shown
    assert "equal N = 60" in shown
    for number in range(4):
        shutil.rmtree(sweep / str(number))
    with pytest.raises(RunDirectoryError, match="none of the runs that match can be compared"):
        compare(f"{sweep}/*", None, draws=2, seed=0)


def test_what_cannot_be_written_and_no_draws_are_refused(sweep: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunDirectoryError, match="out="):
        compare(f"{sweep}/*", str(tmp_path / "file"), draws=2, seed=0)
    with pytest.raises(ConfigError, match="draws"):
        compare(f"{sweep}/*", None, draws=0, seed=0)


def test_labels_name_options_and_knobs_that_differ() -> None:
    none = {"seed": 1, "evolution": {"_target_": "tdscaling.evolution.none.U"}}
    entropy = {"seed": 2, "evolution": {"_target_": "tdscaling.evolution.entropy.E", "x": 0.1}}
    other = {"seed": 2, "evolution": {"_target_": "tdscaling.evolution.entropy.E", "x": 0.2}}
    assert labels([none, entropy]) == ["evolution=none", "evolution=entropy"]
    assert labels([none, entropy, other]) == [
        "evolution=none",
        "evolution=entropy evolution.x=0.1",
        "evolution=entropy evolution.x=0.2",
    ]
    assert labels([{"x": 2}, {"x": 2.0}]) == ["all", "all"]
    assert labels([none, none | {"seed": 5}]) == ["all", "all"]
    nested = [{"roles": {"user": {"_target_": f"tdscaling.roles.user.{n}.R"}}} for n in "ab"]
    assert labels(nested) == ["roles/user=a", "roles/user=b"]
    assert labels([{"llm": None}, {"llm": "x"}]) == ["llm=null", 'llm="x"']


def test_curves_go_over_accepted_trajectories_and_over_tokens(sweep: Path, tmp_path: Path) -> None:
    compare(f"{sweep}/*", str(tmp_path / "c"), draws=2, seed=0)
    for run in json.loads((tmp_path / "c" / "compare.json").read_text())["runs"]:
        lengths = {name: len(curve) for name, curve in run["curves"].items()}
        assert set(lengths) == {"domain", "mode", "signature", "cells", "complexity"}
        assert {*lengths.values(), len(run["tokens_at"])} == {len(run["accepted_at"])}
        assert run["curves"]["cells"][-1] == run["own"]["cells"]
        assert run["curves"]["complexity"][-1] == pytest.approx(run["complexity"])
        assert run["tokens_at"] == sorted(run["tokens_at"])
    svg = (tmp_path / "c" / "entropy.svg").read_text()
    for words in ("tokens, all attempts", "cells filled", "mean per trajectory"):
        assert words in svg


def test_tokens_are_what_models_counted_or_a_quarter_of_the_characters(tmp_path: Path) -> None:
    rng = random.Random(1)
    first, second, third = (outcome(i, ["m"], rng) for i in range(3))
    called = LlmCall("user", "m", 30, 12, 1.0, 0.0)
    store = Store.open(tmp_path / FILE, config("none", 1))
    lines = [replace(first, line="x" * 40), replace(second, line="x" * 400, llm_calls=(called,))]
    store.commit([*lines, replace(third, line="")])
    store.close()
    (run,), _ = read(find(str(tmp_path)))
    assert run.spent == [10 + 42, 10 + 42 + 0]
