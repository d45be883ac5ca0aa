"""Bad steering is refused at the command line: one paragraph, exit code 1, no attempt made."""

from __future__ import annotations

from pathlib import Path

import pytest

from tdscaling.schema import Request
from tests.evolution.options import made
from tests.evolution.synthetic import DEAD, menu, outcome
from tests.runs import here, refused

_NOTHING = "{plain: 0, extend: 0, withhold: 0, perturb: 0, revise: 0, refuse: 0, branch: 0, "
_PHASES = "evolution.schedule.phases"


@pytest.mark.parametrize(
    ("word", "said"),
    [
        (f"{_PHASES}=[{{name: a}}, {{name: b}}]", f"{_PHASES}.0.until: expected one or more of"),
        (
            f"{_PHASES}=[{{name: a, until: {{accepted: 24}}}}, {{name: b}}]",
            f"{_PHASES}.0.until: expected an end before the 24 trajectories",
        ),
        (
            f"{_PHASES}=[{{name: a, categories: {{flying carpets: 2}}}}]",
            f"{_PHASES}.0.categories.flying carpets: expected a key out of",
        ),
        (
            f"{_PHASES}=[{{name: a, operators: {_NOTHING}cross: 0}}}}]",
            f"{_PHASES}.0.operators: expected a weight above 0",
        ),
        (f"{_PHASES}=[{{name: a, exploration: 1.5}}]", f"{_PHASES}.0.exploration: expected"),
        ("evolution.domain_floor=2", "evolution.domain_floor: expected 0 to 1, got 2"),
        ("evolution.ceiling=0.5", "evolution.ceiling: expected 1 or more, got 0.5"),
    ],
)
def test_refused_before_the_first_attempt(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], word: str, said: str
) -> None:
    assert here(tmp_path / "run", word) == 1
    refused(capsys.readouterr(), said)
    assert not (tmp_path / "run" / "dataset").exists()


@pytest.mark.parametrize("option", ["none", "entropy", "novelty", "bandit"])
def test_rounds_without_any_acceptance_are_steered_on(option: str) -> None:
    evolution = made(option)
    for round_ in range(6):
        steering = evolution.steer(round_, 16, menu(), 1)
        assert len(steering.requests) == 16
        for place in range(16):
            cluster = f"c{DEAD[3:]}_0"
            evolution.observe(outcome(16 * round_ + place, round_, Request(cluster, (), 2), 1))
