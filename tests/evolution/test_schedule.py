"""Phases: what ends them, what they change, and every mistake in one."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from tdscaling.errors import ConfigError
from tdscaling.evolution._cells import cell_of
from tdscaling.evolution._schedule import Schedule
from tdscaling.schema import Outcome, Steering
from tests.evolution.options import BINS, knobs, made, shipped
from tests.evolution.synthetic import menu, run


def phases(until: Any, **first: Any) -> dict[str, Any]:
    return {"phases": [{"name": "first", "until": until, **first}, {"name": "second"}]}


def played(count: int, seed: int = 5) -> list[Outcome]:
    return run(made("none"), count, seed, size=32)


def phase_after(spec: dict[str, Any], outcomes: list[Outcome], budget: int = 400) -> Schedule:
    schedule = Schedule(spec, budget)
    for done in outcomes:
        schedule.observe(done, cell_of(done, BINS))
    schedule.settle()
    return schedule


@pytest.mark.parametrize(
    ("until", "why"),
    [
        ({"accepted": 100}, "after first: accepted 1.. of 100 reached"),
        ({"budget_share": 0.25}, r"after first: budget_share 0\.2\d* of 0.25 reached"),
        ({"coverage": 0.75}, r"after first: coverage 0\.[78]\d* of 0.75 reached"),
        ({"gain_below": {"bits": 0.2, "rounds": 2}}, "entropy grew by 0.* bits a round, less than"),
        ({"accepted": 9999, "coverage": 0.75}, "after first: coverage"),
    ],
)
def test_each_condition_ends_a_phase(until: dict[str, Any], why: str) -> None:
    outcomes = played(350)
    assert phase_after(phases(until), outcomes[:32]).phase.name == "first"
    schedule = phase_after(phases(until), outcomes)
    assert schedule.phase.name == "second"
    assert re.search(why, schedule.why)


def test_a_phase_ends_with_a_round_and_the_last_never() -> None:
    outcomes = played(200)
    spec = phases({"accepted": 1})
    inside = Schedule(spec, 400)
    for done in outcomes[:31]:
        inside.observe(done, cell_of(done, BINS))
    assert inside.phase.name == "first"
    assert phase_after(spec, outcomes).phase.name == "second"
    assert phase_after(phases({"accepted": 399}), outcomes).phase.name == "first"


def test_where_a_run_is_follows_from_outcomes_alone() -> None:
    """Steering in between, or only after a replay, ends in the same phase."""
    outcomes = played(300)
    spec = {
        "phases": [
            {"name": "a", "until": {"coverage": 0.5}},
            {"name": "b", "until": {"gain_below": {"bits": 0.05, "rounds": 2}}},
            {"name": "c"},
        ]
    }
    steered = Schedule(spec, 400)
    for number, done in enumerate(outcomes):
        if number % 32 == 0:
            steered.settle()
            steered.settle()
        steered.observe(done, cell_of(done, BINS))
    steered.settle()
    replayed = phase_after(spec, outcomes)
    assert (steered.phase, steered.why) == (replayed.phase, replayed.why)
    assert replayed.phase.name != "a"


def steering(spec: dict[str, Any], size: int = 400) -> Steering:
    evolution = made("entropy", schedule=spec)
    for done in played(200):
        evolution.observe(done)
    found: Steering = evolution.steer(20, size, menu(), 1)
    return found


def one(**keys: Any) -> dict[str, Any]:
    return {"phases": [{"name": "only", **keys}]}


def shares(factor: str, found: Steering) -> dict[str, float]:
    return {d.choice: d.weight for d in found.decisions if d.factor == factor}


def test_operator_mix_multiplies_every_combination_that_has_the_operator() -> None:
    plain = shares("operators", steering(one()))
    without = one(operators={"perturb": 0, "plain": 0}, exploration=0.1)
    mixed = shares("operators", steering(without))
    for name in ("perturb", "withhold+perturb", "plain"):
        assert mixed[name] == pytest.approx(0.1 / 9)
    assert mixed["refuse"] > plain["refuse"]


@pytest.mark.parametrize(
    "until", [{"accepted": 600}, {"budget_share": 1}, {"accepted": 900, "budget_share": 1}]
)
def test_a_phase_that_cannot_end_within_the_budget_is_refused(until: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"phases.0.until: expected an end before the 600 traj"):
        made("entropy", schedule=phases(until))
    made("entropy", schedule=phases({**until, "coverage": 0.9}))


def test_categories_multiply_their_draws() -> None:
    plain = shares("category", steering(one(exploration=0)))
    mixed = shares("category", steering(one(categories={"cat3": 3, "cat4": 0}, exploration=0)))
    assert mixed["cat3"] > 1.5 * plain["cat3"]
    assert mixed["cat4"] == 0


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (
            {"categories": {"flights": 2}},
            "phases.0.categories.flights: expected a key out of cat0, cat1, .*, got 'flights'",
        ),
        (
            {"categories": {f"cat{i}": 0 for i in range(12)}},
            "phases.0.categories: expected one weight above 0, got {'cat0': 0.0",
        ),
        (
            {
                "operators": dict.fromkeys(
                    ("plain", "extend", "withhold", "perturb", "revise", "refuse", "branch"), 0
                )
            },
            "phases.0.operators: expected a weight above 0 for one of what blueprints.operators",
        ),
    ],
)
def test_what_no_tool_fits_is_refused_before_the_first_attempt(
    keys: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        made("entropy", schedule=one(**keys)).steer(0, 8, menu(), 1)
    assert "docs/evolution.md" in str(caught.value)


def test_window_of_calls() -> None:
    found = steering(one(calls=[0.5, 1], exploration=0))
    assert set(Counter(r.calls for r in found.requests)) == {4, 6, 8}
    narrow = steering(one(calls=[0.41, 0.42], exploration=0))
    assert {r.calls for r in narrow.requests} == {3}


@pytest.mark.parametrize(
    "keys",
    [
        *(
            {"weights": {name: 0}}
            for name in ("domain", "mode", "signature", "complexity", "cell", "cost")
        ),
        {"exploration": 0.9},
        {"operators": {"revise": 3}},
        {"calls": [0, 0.5]},
    ],
)
def test_every_key_of_a_phase_has_an_effect(keys: dict[str, Any]) -> None:
    def priced(done: Outcome) -> Outcome:
        return replace(done, line="x" * 400 * done.request.calls)

    found = []
    for spec in (one(), one(**keys)):
        evolution = made("entropy", schedule=spec)
        for done in played(200):
            evolution.observe(priced(done))
        found.append(evolution.steer(20, 64, menu(), 1).requests)
    assert found[0] != found[1]


def test_curriculum_rises() -> None:
    evolution = made("entropy", schedule=shipped("schedule/curriculum"), budget=400)
    outcomes = run(evolution, 400, 3, size=32)
    third = len(outcomes) // 3
    means = [
        sum(o.request.calls for o in part) / len(part)
        for part in (outcomes[:third], outcomes[third : 2 * third], outcomes[2 * third :])
    ]
    assert means == sorted(means)
    assert means[2] > 1.5 * means[0]


def test_long_tail_ends_with_more_modes_than_the_control() -> None:
    spec = shipped("schedule/long_tail")
    steered = run(made("entropy", schedule=spec, budget=400), 400, 3, size=32)
    control = run(made("none"), 400, 3, size=32)

    def rare(outcomes: list[Outcome]) -> float:
        kept = [o.trace.mode for o in outcomes if o.verdict.accepted]
        return 1 - kept.count("direct") / len(kept)

    assert rare(steered) > rare(control) + 0.1


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({}, "evolution.schedule.phases: expected a list of at least one phase, got None"),
        ({"phases": []}, r"schedule.phases: expected a list of at least one phase, got \[\]"),
        ({"fases": []}, "schedule.fases: expected a key out of phases, got 'fases'"),
        ({"phases": ["x"]}, "phases.0: expected a mapping with keys out of name, .*, got 'x'"),
        (one(wieghts={}), "phases.0.wieghts: expected a key out of name, until, weights"),
        ({"phases": [{}]}, "phases.0.name: expected a word, got None"),
        (one(until={"accepted": 5}), "phases.0.until: expected nothing, since the last phase"),
        (phases({}), "phases.0.until: expected one or more of budget_share, accepted"),
        (phases({"rounds": 5}), "phases.0.until.rounds: expected a key out of budget_share"),
        (phases({"budget_share": 2}), "until.budget_share: expected a number from 0 to 1, got 2"),
        (phases({"accepted": 0}), "until.accepted: expected a number of at least 1, got 0"),
        (phases({"coverage": "most"}), "until.coverage: expected a number from 0 to 1, got 'most'"),
        (phases({"gain_below": 0.1}), "gain_below: expected a mapping with bits and rounds, got"),
        (
            phases({"gain_below": {"bits": 0.1, "rounds": 0}}),
            "gain_below.rounds: expected a whole number of at least 1, got 0",
        ),
        (one(weights={"mood": 1}), "weights.mood: expected a key out of domain, mode, signature"),
        (one(weights={"mode": -1}), "weights.mode: expected a number of at least 0, got -1"),
        (one(weights={"mode": True}), "weights.mode: expected a number of at least 0, got True"),
        (one(operators={"shuffle": 1}), "operators.shuffle: expected a key out of plain, extend"),
        (one(operators=[1]), r"operators: expected a mapping with keys .*, got \[1\]"),
        (one(calls=[0.8, 0.2]), r"calls: expected \[low, high\] .*, got \[0.8, 0.2\]"),
        (one(categories=["cat1"]), "categories: expected a mapping with categories as keys, got"),
        (one(categories={"cat1": -1}), "categories.cat1: expected a number of at least 0, got -1"),
        (one(calls=3), r"calls: expected \[low, high\] with 0 <= low <= high <= 1, got 3"),
        (one(exploration=1.5), "exploration: expected a number from 0 to 1, got 1.5"),
    ],
)
def test_a_bad_schedule_is_refused_at_once(spec: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        made("entropy", schedule=spec)
    assert "docs/evolution.md" in str(caught.value)


@pytest.mark.parametrize("name", ["balanced", "long_tail", "curriculum"])
def test_shipped_schedules_are_sound(name: str) -> None:
    assert Schedule(shipped(f"schedule/{name}"), 300).phase.name
    assert knobs("entropy")["schedule"] == shipped("schedule/balanced")
