"""Roles with an endpoint of their own: what is to be typed is said by its own name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tdscaling.__main__ import main
from tests.runs import here

JUDGE = ("roles/judge=llm", "llm=openai", "llm.base_url=http://127.0.0.1:9/v1")
OWN = (*JUDGE, "llm.model=m", "+llm@roles.judge.llm=vllm")
CASES = {
    "the one of all": (JUDGE, "roles.judge: which model is to play it? type llm.model=NAME"),
    "its own": (OWN, "roles.judge: which model is to play it? type roles.judge.llm.model=NAME"),
    "the composer's own": (
        ("blueprints=composed", "+llm@blueprints.llm=vllm"),
        "blueprints: which model is to play it? type blueprints.llm.model=NAME",
    ),
    "a setting of its own": (
        (*OWN, "roles.judge.llm.model=n", "roles.judge.llm.temperature=9"),
        "roles.judge.llm.temperature: expected 0 to 2, got 9",
    ),
    "two settings of its own": (
        (*OWN, "roles.judge.llm.model=n", "roles.judge.llm.backoff_max=0.1"),
        "roles.judge.llm.backoff_max: expected at least roles.judge.llm.backoff, got 0.1",
    ),
    "a setting of the one of all": (
        (*JUDGE, "llm.model=m", "llm.temperature=9"),
        "llm.temperature: expected 0 to 2, got 9",
    ),
    "a replay of its own": (
        (*OWN[:-1], "+llm@roles.judge.llm=replay"),
        "roles.judge: whose replies are to be played again? type roles.judge.llm.run=DIRECTORY",
    ),
    "none": (
        ("roles/judge=llm",),
        "roles.judge: a model is to play it, but llm=none; type llm=openai llm.base_url=http://",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_advice_names_the_key_that_helps(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words, told = CASES[case]
    assert here(tmp_path / "run", *words) == 1
    assert capsys.readouterr().err.startswith(f"tdscaling: {told}")


def test_doctor_checks_one_endpoint_at_a_time(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "need=skip", "+llm@roles.judge.llm=vllm"]) == 1
    told = capsys.readouterr().err
    assert told.startswith("tdscaling: roles: doctor takes no such argument")
    assert told.endswith("; this command has one llm alone: type llm=vllm\n")
