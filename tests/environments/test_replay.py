"""A run over a live server, repeated and verified without the server."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
import yaml

from tdscaling.__main__ import main
from tdscaling.catalog import Catalog
from tdscaling.environments.replay import ReplayEnvironments
from tdscaling.errors import EnvironmentFailure, ToolsError
from tdscaling.tools.recorded import RecordedTools
from tests.live_parts import live_run


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("live") / "run"
    assert live_run(folder) == 0
    return folder


def lines(folder: Path) -> list[str]:
    return (folder / "dataset" / "train.jsonl").read_text().splitlines()


def test_a_run_over_a_server_is_executed_and_repeats(recorded: Path, tmp_path: Path) -> None:
    found = [json.loads(line) for line in lines(recorded)]
    assert len(found) >= 6
    assert {p for line in found for p in line["meta"]["provenance"]} <= {"executed", "injected"}
    calls = [sum(m["role"] == "tool" for m in line["messages"]) for line in found]
    assert max(calls) > 2
    text = "".join(lines(recorded))
    assert "2025-03-03T09:00:00" in text
    assert "tdscaling-live" not in text
    assert live_run(tmp_path / "again", "execution=processes", "execution.workers=2") == 0
    assert lines(tmp_path / "again") == lines(recorded)


def test_the_recording_gives_the_same_run(recorded: Path, tmp_path: Path) -> None:
    words = (
        "tools=recorded", f"tools.cassette={recorded}", "environments=replay",
        f"environments.cassette={recorded}", "blueprints.worlds=2", "blueprints.calls=[1,8]",
        "coding.share=0", "sandbox=none",
        "round_size=8", "budget.trajectories=6", "execution=inline",
    )  # fmt: skip
    assert main([*words, f"hydra.run.dir={tmp_path / 'run'}"]) == 0
    wanted = [line.replace('"executed"', '"replayed"') for line in lines(recorded)]
    assert lines(tmp_path / "run") == wanted
    # A replay is recorded, too, so that it can be verified like any run.
    assert main(["verify", f"dataset={tmp_path / 'run'}", "execution=inline"]) == 0


def test_verify_starts_nothing_that_came_with_the_dataset(
    recorded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mark, copy = tmp_path / "started", tmp_path / "run"
    for name in ("run.duckdb", "dataset/train.jsonl"):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes((recorded / name).read_bytes())
    config = yaml.safe_load((recorded / ".hydra" / "config.yaml").read_text())
    config["tools"]["servers"] = {"notes": {"command": "touch", "args": [str(mark)]}}
    (copy / ".hydra").mkdir()
    (copy / ".hydra" / "config.yaml").write_text(yaml.safe_dump(config))
    assert main(["verify", f"dataset={copy}", "execution=inline"]) == 0
    said = capsys.readouterr().out
    assert "what servers answered is taken from" in said
    assert "trajectories hold" in said
    assert not mark.exists()
    (copy / "run.duckdb").unlink()
    assert main(["verify", f"dataset={copy}", "execution=inline"]) == 1
    assert "run.duckdb is gone" in capsys.readouterr().err
    assert not mark.exists()


def test_verify_notices_what_the_server_never_said(recorded: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    for name in ("run.duckdb", ".hydra/config.yaml"):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes((recorded / name).read_bytes())
    (copy / "dataset").mkdir()
    line = next(line for line in lines(recorded) if "list_notes" in line.split('"tools"')[0])
    forged = line.replace('\\"ok\\": true', '\\"ok\\": 1')
    assert forged != line
    (copy / "dataset" / "train.jsonl").write_text(forged + "\n")
    assert main(["verify", f"dataset={copy}", "execution=inline"]) == 1


def test_a_call_that_was_not_recorded_fails(recorded: Path) -> None:
    environments = ReplayEnvironments(cassette=str(recorded / "run.duckdb"))
    catalog = RecordedTools(cassette=str(recorded)).load()
    domains = environments.prepare(catalog, ())
    environment = environments.open(domains, {"notes": "1-0"}, ())
    with pytest.raises(EnvironmentFailure, match="has no recording of this call"):
        asyncio.run(environment.call("get_note", {"note_id": "never"}))
    fresh = environments.open(domains, {"notes": "99-0"}, ())
    with pytest.raises(EnvironmentFailure, match="has no recording of the state"):
        fresh.changes()


def test_tools_that_were_not_recorded_are_refused(recorded: Path) -> None:
    environments = ReplayEnvironments(cassette=str(recorded))
    with pytest.raises(ToolsError, match=r"recordings of notes.*Type tools=recorded"):
        environments.prepare(Catalog({}), ())


def test_a_cassette_is_needed(tmp_path: Path) -> None:
    with pytest.raises(ToolsError, match="expected the directory of a run"):
        ReplayEnvironments(cassette=str(tmp_path))
