"""Thompson sampling plays what brings new cells per token, and depends on outcomes alone."""

from __future__ import annotations

import pickle
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from tdscaling.errors import ConfigError
from tdscaling.schema import Outcome, Steering
from tests.evolution.options import made
from tests.evolution.synthetic import DEAD, menu, outcome, run


def observed(count: int = 400) -> list[Outcome]:
    return run(made("none"), count, 5)


def steering_after(outcomes: list[Outcome], seed: int = 1, **change: Any) -> Steering:
    bandit = made("bandit", **change)
    for done in outcomes:
        bandit.observe(done)
    steering: Steering = bandit.steer(20, 64, menu(), seed)
    return steering


def test_a_pure_function_of_outcomes_and_arguments() -> None:
    outcomes = observed()
    bandit = made("bandit")
    for done in outcomes:
        bandit.observe(done)
    bandit.steer(19, 64, menu(), 1)
    first = steering_after(outcomes)
    assert pickle.loads(pickle.dumps(bandit)).steer(20, 64, menu(), 1) == first
    assert steering_after(outcomes, seed=2).requests != first.requests


def test_what_never_succeeds_is_hardly_played() -> None:
    shares = {d.choice: d.weight for d in steering_after(observed(), exploration=0.0).decisions}
    assert shares[DEAD] < 0.02
    assert max(shares[f"cat{i}"] for i in range(4)) > 0.1


def test_a_cheap_arm_beats_a_dear_one_of_the_same_yield() -> None:
    def priced(done: Outcome) -> Outcome:
        dear = done.request.operators == ("revise",)
        return replace(done, line="x" * (40_000 if dear else 400))

    steering = steering_after([priced(done) for done in observed(800)])
    plain = steering_after(observed(800))
    drawn, without = (
        Counter(r.operators for r in one.requests)[("revise",)] for one in (steering, plain)
    )
    assert drawn < without


def test_the_last_trajectory_of_a_full_cell_earns_little() -> None:
    """Cells of one operator are filled, those of the other stay new."""
    bandit = made("bandit", discount=1.0)
    for index in range(200):
        operators = ("extend",) if index % 2 else ("revise",)
        done = outcome(index, index // 50, replace(outcomes_request(), operators=operators), 1)
        mode = "direct" if operators == ("extend",) else f"mode {index}"
        bandit.observe(replace(done, trace=replace(done.trace, mode=mode)))
    shares = {d.choice: d.weight for d in bandit.steer(6, 64, menu(), 1).decisions}
    assert shares["revise"] > 2 * shares["extend"]


def outcomes_request() -> Any:
    return outcome(0, 0, made("none").steer(0, 1, menu(), 1).requests[0], 1).request


def test_decisions_are_the_shares_drawn() -> None:
    steering = steering_after(observed())
    for factor in ("category", "operators", "calls"):
        part = [d for d in steering.decisions if d.factor == factor]
        assert sum(d.weight for d in part) == pytest.approx(1)
        assert all("attempts that still count" in d.why for d in part)
    counts = Counter(r.calls for r in steering.requests)
    weights = {d.choice: d.weight for d in steering.decisions if d.factor == "calls"}
    assert {str(calls): n / 64 for calls, n in counts.items()} == {
        choice: weight for choice, weight in weights.items() if weight
    }


@pytest.mark.parametrize(
    "change",
    [
        {"prior": 50.0},
        {"discount": 0.3},
        {"bins": [1.01]},
        {"cost_weight": 3.0},
        {"exploration": 0.0},
    ],
)
def test_every_knob_has_an_effect(change: dict[str, Any]) -> None:
    outcomes = observed()
    assert steering_after(outcomes, **change).decisions != steering_after(outcomes).decisions


@pytest.mark.parametrize(
    "change",
    [
        {"prior": 0},
        {"discount": 0},
        {"discount": 1.1},
        {"cost_weight": -1},
        {"exploration": 1.1},
    ],
)
def test_unusable_knobs_are_refused_by_name(change: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"evolution.{next(iter(change))}: expected .*, got"):
        made("bandit", **change)
