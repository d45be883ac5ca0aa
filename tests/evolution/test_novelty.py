"""Elites of rare cells are mutated; the archive is a function of what was observed."""

from __future__ import annotations

import pickle
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from tdscaling.errors import ConfigError
from tdscaling.schema import Menu, Outcome, Request, Steering
from tests.evolution.options import made
from tests.evolution.synthetic import menu, outcome, run


def observed(count: int = 300) -> list[Outcome]:
    return [replace(o, blueprint_id=f"b{o.index}") for o in run(made("none"), count, 5)]


def steering_after(outcomes: list[Outcome], seed: int = 1, **change: Any) -> Steering:
    novelty = made("novelty", **change)
    for done in outcomes:
        novelty.observe(done)
    steering: Steering = novelty.steer(20, 64, menu(), seed)
    return steering


def test_a_pure_function_of_outcomes_and_arguments() -> None:
    outcomes = observed()
    novelty = made("novelty")
    for done in outcomes:
        novelty.observe(done)
    novelty.steer(19, 64, menu(), 1)
    first = steering_after(outcomes)
    assert pickle.loads(pickle.dumps(novelty)).steer(20, 64, menu(), 1) == first
    assert steering_after(outcomes, seed=2).requests != first.requests


def test_parents_are_accepted_and_keep_their_cluster() -> None:
    outcomes = observed()
    known = {o.blueprint_id: o for o in outcomes if o.verdict.accepted}
    requests = steering_after(outcomes).requests
    mutants = [request for request in requests if request.parent]
    assert len(requests) == 64
    assert len(mutants) == 64 - round(64 * 0.8)
    for mutant in mutants:
        parent = known[str(mutant.parent)].request
        assert mutant.cluster == parent.cluster
        assert mutant.operators
        assert mutant.calls >= parent.calls
    assert len({mutant.parent for mutant in mutants}) > len(mutants) // 2


def test_without_elites_all_is_fresh() -> None:
    steering = made("novelty").steer(0, 64, menu(), 1)
    assert all(request.parent is None for request in steering.requests)
    assert steering.decisions[0].choice == "(fresh)"
    assert steering.decisions[0].weight == 1


def test_rare_cells_have_more_children() -> None:
    """One cell holds 90 of 100 accepted trajectories, the other 10."""
    outcomes = []
    for index in range(100):
        done = outcome(index, 0, Request("c0_0", (), 2), 1)
        mode = "rare" if index % 10 == 0 else "usual"
        trace = replace(done.trace, mode=mode, complexity=2.0)
        accepted = replace(done.verdict, accepted=True, reason=None)
        outcomes.append(replace(done, trace=trace, verdict=accepted, blueprint_id=f"{mode}{index}"))
    drawn = Counter(str(r.parent).rstrip("0123456789") for r in steering_after(outcomes).requests)
    assert drawn["rare"] > 4 * drawn["usual"]


def test_a_cell_whose_mutants_fail_is_left() -> None:
    first = observed()
    before = Counter(r.parent for r in steering_after(first).requests if r.parent)
    parent, count = max(before.items(), key=lambda item: (item[1], str(item[0])))
    request = replace(next(o.request for o in first if o.blueprint_id == parent), parent=parent)
    failed = [
        replace(o, verdict=replace(o.verdict, accepted=False, reason="missing_step"))
        for o in (outcome(len(first) + i, 19, request, 1) for i in range(30))
    ]
    after = Counter(r.parent for r in steering_after([*first, *failed]).requests)
    assert after[parent] == 0 < count


def test_elites_of_tools_that_are_gone_are_no_parents() -> None:
    offer = menu()
    only = Menu(offer.clusters[:3], offer.operators, offer.calls)
    novelty = made("novelty")
    for done in observed():
        novelty.observe(done)
    left = {cluster.id for cluster in only.clusters}
    assert {r.cluster for r in novelty.steer(20, 64, only, 1).requests} <= left


@pytest.mark.parametrize(
    "change",
    [
        {"fresh": 0.2},
        {"rarity": 0.0},
        {"elites": 1},
        {"reach": 0},
        {"prior": 50.0},
        {"bins": [1.01]},
    ],
)
def test_every_knob_has_an_effect(change: dict[str, Any]) -> None:
    outcomes = observed(600)
    assert steering_after(outcomes, **change) != steering_after(outcomes)


@pytest.mark.parametrize(
    "change", [{"fresh": 2}, {"rarity": -1}, {"elites": 0}, {"reach": -1}, {"prior": 0}]
)
def test_unusable_knobs_are_refused_by_name(change: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"evolution.{next(iter(change))}: expected .*, got"):
        made("novelty", **change)
