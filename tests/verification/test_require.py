"""What `verification.require` keeps."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tdscaling.__main__ import main
from tdscaling.errors import ConfigError
from tdscaling.verification.replay import ReplayVerification
from tests.conversations import blueprint, case_of, play

EXECUTED = ReplayVerification(claims=True, require="executed")


def test_executed_alone_is_accepted() -> None:
    contract = blueprint("airline")
    transcript, verdict = play(contract)
    assert verdict.accepted
    assert asyncio.run(EXECUTED.verify(case_of(contract, transcript))).accepted


def test_injected_observation_is_not_executed() -> None:
    contract = blueprint("airline", operators=("perturb",))
    transcript, verdict = play(contract)
    assert verdict.accepted
    strict = asyncio.run(EXECUTED.verify(case_of(contract, transcript)))
    assert strict.reason == "not_executed"
    assert "expected executed, got injected" in strict.detail


def test_unknown_requirement_is_refused() -> None:
    with pytest.raises(ConfigError, match="expected executed or null, got 'real'"):
        ReplayVerification(claims=True, require="real")  # type: ignore[arg-type]


def test_tools_that_cannot_be_executed_are_refused_at_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    schema = {"type": "object", "properties": {"note_id": {"type": "string"}}}
    tools = [
        {"name": f"{verb}_note", "description": f"{verb} a note.", "inputSchema": schema}
        for verb in ("create", "get", "delete")
    ]
    dump = tmp_path / "tools.json"
    dump.write_text(json.dumps({"tools": tools}), encoding="utf-8")
    words = ["tools=dump", f"tools.paths=[{dump}]", "verification.require=executed"]
    assert main([*words, "sandbox=none", f"hydra.run.dir={tmp_path / 'run'}"]) == 1
    assert "no tool of this run is executed" in capsys.readouterr().err
