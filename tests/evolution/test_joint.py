"""Of pairs of operators and calls the one is chosen that brings what is rare, not its parts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tdscaling.evolution._joint import Joint, Operators, Pair, Promise
from tdscaling.schema import Outcome, Request, Verdict
from tests.evolution.synthetic import outcome

WEIGHTS = {"mode": 2.0, "cell": 2.0, "cost": 0.25}
PLAIN: Operators = ()
ASKS: Operators = ("withhold",)
REVISES: Operators = ("revise",)


def done(pair: Pair, mode: str, accepted: bool) -> Outcome:
    played = outcome(0, 0, Request("c0_0", *pair), 1)
    verdict = Verdict(True) if accepted else Verdict(False, "early_stop")
    return replace(played, trace=replace(played.trace, mode=mode), verdict=verdict)


def learnt(*observed: tuple[Pair, str, bool, int]) -> Joint:
    joint = Joint()
    for pair, mode, accepted, count in observed:
        for _ in range(count):
            joint.observe(done(pair, mode, accepted), ("cat0", mode, 0), 10)
    return joint


def crossed(plain: int = 10) -> Joint:
    """Long plans chain, short ones do not; short plans that ask are what came least."""
    return learnt(
        ((PLAIN, 1), "direct", True, plain),
        ((PLAIN, 8), "chain", True, plain),
        ((ASKS, 1), "ask", True, 2),
        ((ASKS, 8), "ask+chain", True, 2 * plain),
    )


def test_the_pair_decides_where_its_parts_would_mislead() -> None:
    """Operators that ask came most often, and so did each number of calls: the pair came least."""
    pairs: list[Pair] = [(PLAIN, 1), (PLAIN, 8), (ASKS, 8), (ASKS, 1)]
    assert Promise(crossed(), {}, WEIGHTS).best("cat0", pairs) == (ASKS, 1)


def test_a_pair_that_was_never_tried_is_guessed_from_its_parts() -> None:
    joint = learnt(
        ((PLAIN, 1), "direct", True, 20),
        ((PLAIN, 8), "chain", True, 20),
        ((ASKS, 4), "ask", True, 10),
        ((ASKS, 4), "ask+chain", True, 10),
        ((REVISES, 8), "ask+chain", True, 20),
        ((REVISES, 1), "ask", True, 20),
    )
    short, long = dict(joint.modes((ASKS, 1), 0.0)), dict(joint.modes((ASKS, 8), 0.0))
    assert short["ask"] > 3 * short["ask+chain"]
    assert long["ask+chain"] > 3 * long["ask"]
    assert sum(short.values()) < 1


def test_what_a_round_chose_counts_at_once() -> None:
    promise = Promise(crossed(20), {}, WEIGHTS)
    pairs: list[Pair] = [(PLAIN, 1), (ASKS, 1)]
    chosen = [promise.best("cat0", pairs) for _ in range(60)]
    assert chosen[0] == (ASKS, 1)
    assert 10 < chosen.count((PLAIN, 1)) < 40


def test_of_two_pairs_as_rare_the_one_that_is_accepted_is_chosen() -> None:
    joint = learnt(
        ((PLAIN, 1), "direct", True, 10),
        ((ASKS, 1), "ask", True, 10),
        ((ASKS, 1), "ask", False, 90),
    )
    assert joint.rate((ASKS, 1)) < 0.2 < 0.8 < joint.rate((PLAIN, 1))
    assert Promise(joint, {}, WEIGHTS).best("cat0", [(ASKS, 1), (PLAIN, 1)]) == (PLAIN, 1)


def test_rejected_ones_are_trusted_only_if_rejection_does_not_depend_on_the_mode() -> None:
    alike = learnt(((PLAIN, 1), "direct", True, 20), ((ASKS, 1), "direct", False, 20))
    assert alike.by_operators.trust == pytest.approx(1)
    assert dict(alike.modes((ASKS, 1), 1.0))["direct"] > 0.9
    cut_short = learnt(((ASKS, 1), "ask", True, 20), ((ASKS, 1), "direct", False, 80))
    assert cut_short.by_operators.trust == 0
    assert "direct" not in dict(cut_short.modes((ASKS, 1), 0.0))


def test_the_emptier_cell_is_chosen_among_modes_as_common() -> None:
    joint = learnt(((PLAIN, 1), "direct", True, 20), ((ASKS, 1), "ask", True, 20))
    cells = {("cat1", "direct", 0): 9, ("cat2", "ask", 0): 9}
    pairs: list[Pair] = [(PLAIN, 1), (ASKS, 1)]
    assert Promise(joint, cells, WEIGHTS).best("cat1", pairs) == (ASKS, 1)
    assert Promise(joint, cells, WEIGHTS).best("cat2", pairs) == (PLAIN, 1)
