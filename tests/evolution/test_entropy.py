"""Steering reaches higher entropies than the control, and is a function of what it observed."""

from __future__ import annotations

import math
import pickle
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from tdscaling.errors import ConfigError
from tdscaling.evolution.entropy import EntropyEvolution
from tdscaling.schema import Menu, Outcome, Request, Steering, Verdict
from tests.evolution.options import BINS, knobs, made
from tests.evolution.synthetic import CATEGORIES, DEAD, menu, outcome, run


def evolution_with(**change: Any) -> EntropyEvolution:
    return EntropyEvolution(**knobs("entropy", **change))


def entropy(labels: Iterable[object]) -> float:
    counts = Counter(labels)
    return -sum(c / counts.total() * math.log2(c / counts.total()) for c in counts.values())


def accepted_entropies(outcomes: list[Outcome], count: int) -> tuple[float, float, float]:
    kept = [o for o in outcomes if o.verdict.accepted][:count]
    assert len(kept) == count
    per_call = [o.trace.complexity / len(o.trace.actions) for o in kept]
    return (
        entropy(o.category for o in kept),
        entropy(o.trace.mode for o in kept),
        entropy(sum(value >= edge for edge in BINS) for value in per_call),
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_at_equal_accepted_counts_steering_beats_the_control(seed: int) -> None:
    count = 600
    uniform = accepted_entropies(run(made("none"), count, seed), count)
    steered = accepted_entropies(run(evolution_with(), count, seed), count)
    assert steered[0] > uniform[0] + 0.4
    assert steered[0] > math.log2(CATEGORIES - 1) - 0.1
    assert steered[1] > uniform[1] + 0.25
    assert steered[2] > uniform[2] + 0.1


def test_the_dead_category_is_left_to_exploration() -> None:
    outcomes = run(evolution_with(), 600, 1)
    late = [o for o in outcomes if o.round >= 4]
    share = sum(o.category == DEAD for o in late) / len(late)
    assert 0 < share < 2 * 0.03 / CATEGORIES + 0.01


def steering_after(seed: int, **change: Any) -> Steering:
    evolution = evolution_with(**change)
    for done in run(made("none"), 300, 5):
        evolution.observe(done)
    return evolution.steer(9, 64, menu(), seed)


def test_a_pure_function_of_outcomes_and_arguments() -> None:
    first = steering_after(1)
    assert first == steering_after(1)
    assert first.requests != steering_after(2).requests
    evolution = evolution_with()
    for done in run(made("none"), 300, 5):
        evolution.observe(done)
    evolution.steer(3, 64, menu(), 1)
    assert pickle.loads(pickle.dumps(evolution)).steer(9, 64, menu(), 1) == first


@pytest.mark.parametrize(
    "change",
    [
        {"domain_weight": 0},
        {"mode_weight": 0},
        {"signature_weight": 0},
        {"complexity_weight": 0},
        {"exploration": 1},
        {"prior": 50},
        {"hopeless": 0.5},
        {"ceiling": 1.5},
        {"bins": [1.01]},
        {"optimism": 2.0},
    ],
)
def test_every_knob_has_an_effect(change: dict[str, Any]) -> None:
    doubtful = {"optimism": 0.0}
    before = steering_after(1, **doubtful).decisions
    assert steering_after(1, **{**doubtful, **change}).decisions != before


def test_full_exploration_is_uniform() -> None:
    phase, *decisions = steering_after(1, exploration=1).decisions
    assert (phase.factor, phase.choice) == ("phase", "balanced")
    for decision in decisions:
        choices = {"category": CATEGORIES, "operators": 9, "calls": 6}[decision.factor]
        assert decision.weight == pytest.approx(1 / choices)


def test_decisions_are_probabilities_with_reasons() -> None:
    decisions = steering_after(1).decisions
    for factor in ("category", "operators", "calls"):
        part = [d for d in decisions if d.factor == factor]
        assert sum(d.weight for d in part) == pytest.approx(1)
        assert all(d.round == 9 for d in part)
    dead = next(d for d in decisions if d.choice == DEAD)
    assert dead.why.startswith("0.0 accepted; 0 of ")
    assert next(d for d in decisions if d.choice == "plain").why.startswith("yielded direct")


def test_before_anything_is_known_factors_are_uniform() -> None:
    steering = evolution_with().steer(0, 64, menu(), 1)
    assert len(steering.requests) == 64
    weights = [d.weight for d in steering.decisions if d.factor == "calls"]
    assert weights == pytest.approx([1 / 6] * 6)


def test_what_never_succeeds_is_given_up_even_if_nothing_else_was_tried() -> None:
    evolution = evolution_with()
    for index in range(100):
        evolution.observe(outcome(index, 0, Request("c11_0", ("revise",), 2), 1))
    decisions = {d.choice: d for d in evolution.steer(2, 8, menu(), 1).decisions}
    for choice in (DEAD, "revise", "2"):
        assert "given up but for exploration" in decisions[choice].why
        assert decisions[choice].weight < 0.02


def test_calls_that_yield_one_signature_over_and_over_are_drawn_less() -> None:
    evolution = evolution_with(complexity_weight=0, exploration=0)
    for index in range(300):
        calls = 1 if index % 2 else 8
        done = outcome(index, 0, Request("c0_0", (), calls), 1)
        signature = "call>answer" if calls == 1 else f"signature {index}"
        trace = replace(done.trace, signature=signature)
        evolution.observe(replace(done, trace=trace))
    weights = {d.choice: d.weight for d in evolution.steer(2, 8, menu(), 1).decisions}
    assert weights["8"] > 5 * weights["1"]


def test_a_cluster_that_yields_rare_modes_is_drawn_more_than_its_neighbour() -> None:
    evolution = evolution_with()
    for index in range(400):
        cluster = f"c0_{index % 12}"
        done = outcome(index, 0, Request(cluster, (), 2), 1)
        trace = replace(done.trace, mode="rare" if cluster == "c0_3" else "direct")
        evolution.observe(replace(done, trace=trace))
    offer = menu()
    only = Menu(tuple(c for c in offer.clusters if c.category == "cat0"), ((),), (2,))
    drawn = Counter(r.cluster for r in evolution.steer(2, 120, only, 1).requests)
    assert drawn["c0_3"] > 2 * drawn["c0_4"]


def test_an_untried_operator_counts_as_the_best_until_it_was_tried() -> None:
    evolution = evolution_with(exploration=0)
    outcomes = [o for o in run(made("none"), 300, 5) if o.request.operators != ("revise",)]
    for done in outcomes:
        evolution.observe(replace(done, verdict=Verdict(True)))
    weights = {d.choice: d.weight for d in evolution.steer(9, 8, menu(), 1).decisions}
    assert weights["revise"] > 5 * weights["plain"]
    for index in range(100):
        done = outcome(index, 9, Request("c0_0", ("revise",), 2), 1)
        trace = replace(done.trace, mode="direct")
        evolution.observe(replace(done, trace=trace, verdict=Verdict(True)))
    weights = {d.choice: d.weight for d in evolution.steer(12, 8, menu(), 1).decisions}
    assert weights["revise"] < 2 * weights["plain"]


def weights_after(alike: int, seen: int, rejected: int = 0, **change: Any) -> dict[str, float]:
    """Two operators that yield a rare mode each, one of them less often, and a plain one."""
    evolution = evolution_with(exploration=0, ceiling=9, **change)
    for index in range(3 * seen):
        operators = ((), ("revise",), ("refuse",))[index % 3]
        done = outcome(index, 0, Request("c0_0", operators, 2), 1)
        each = {(): 0, ("revise",): 8, ("refuse",): alike}[operators]
        mode = "+".join(operators) if index // 3 % 20 < each else "direct"
        verdict = Verdict(True) if index // 3 >= rejected else Verdict(False, "missing_step")
        trace = replace(done.trace, mode=mode)
        evolution.observe(replace(done, trace=trace, verdict=verdict))
    offer = Menu(menu().clusters, ((), ("revise",), ("refuse",)), (2,))
    return {d.choice: d.weight for d in evolution.steer(9, 8, offer, 1).decisions}


def test_what_chance_can_explain_makes_no_difference_and_what_it_cannot_does() -> None:
    doubtful = weights_after(7, seen=20)
    assert doubtful["revise"] == pytest.approx(doubtful["refuse"])
    trusting = weights_after(7, seen=20, optimism=0.0)
    assert trusting["revise"] != pytest.approx(trusting["refuse"])
    sure = weights_after(7, seen=200)
    assert sure["plain"] < 0.3 * sure["refuse"]


def test_rejected_conversations_tell_what_an_operator_yields() -> None:
    """Sixty of which one in ten is accepted say more than the six would alone."""
    told = weights_after(8, seen=60, rejected=54)
    alone = weights_after(8, seen=6)
    assert told["plain"] < 0.5 * alone["plain"]


@pytest.mark.parametrize(
    "change",
    [{"domain_weight": -1}, {"exploration": 1.5}, {"prior": 0}, {"hopeless": 2}, {"ceiling": 0}],
)
def test_unusable_knobs_are_refused_by_name(change: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"evolution.{next(iter(change))}"):
        evolution_with(**change)
