"""What `verification.require` keeps."""

from __future__ import annotations

import asyncio

import pytest

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
