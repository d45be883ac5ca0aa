"""The control is uniform, and a function of seed and round alone."""

from __future__ import annotations

from collections import Counter

from tests.evolution.options import made
from tests.evolution.synthetic import menu, outcome


def test_uniform_over_clusters_operators_and_calls() -> None:
    offer = menu()
    steering = made("none").steer(0, 6000, offer, seed=1)
    assert steering.decisions == ()
    for drawn, choices in (
        ([r.cluster for r in steering.requests], len(offer.clusters)),
        ([r.operators for r in steering.requests], len(offer.operators)),
        ([r.calls for r in steering.requests], len(offer.calls)),
    ):
        counts = Counter(drawn)
        assert len(counts) == choices
        assert max(counts.values()) < 1.5 * 6000 / choices


def test_seed_and_round_decide_outcomes_do_not() -> None:
    one, two = made("none"), made("none")
    requests = one.steer(3, 20, menu(), seed=1).requests
    two.observe(outcome(0, 0, requests[0], 1))
    assert two.steer(3, 20, menu(), seed=1).requests == requests
    assert one.steer(4, 20, menu(), seed=1).requests != requests
    assert one.steer(3, 20, menu(), seed=2).requests != requests
