"""Of several requests the one is chosen that leads into what is empty."""

from __future__ import annotations

from dataclasses import replace

from tdscaling.evolution._aim import Aim
from tdscaling.evolution._cells import Cell
from tdscaling.schema import Outcome, Request, Verdict
from tests.evolution.synthetic import outcome

PLAIN = Request("c0_0", (), 2)
REVISE = Request("c0_0", ("revise",), 2)


def accepted(request: Request, cell: Cell) -> Outcome:
    done = outcome(0, 0, request, 1)
    trace = replace(done.trace, mode=cell[1])
    return replace(done, category=cell[0], trace=trace, verdict=Verdict(True))


def aim_after(*observed: tuple[Request, str, int]) -> Aim:
    aim = Aim(rarity=1.0, prior=1.0)
    for request, mode, count in observed:
        cell = ("cat0", mode, 0)
        for _ in range(count):
            aim.observe(accepted(request, cell), cell, None, 10)
    return aim


def test_the_emptier_cell_is_chosen() -> None:
    aim = aim_after((PLAIN, "direct", 60), (REVISE, "revise", 20))
    assert aim.round().best([("cat0", PLAIN), ("cat0", REVISE)]) == REVISE
    assert aim.round().best([("cat0", REVISE), ("cat1", REVISE)]) == REVISE
    elsewhere = replace(REVISE, cluster="c1_0")
    assert aim.round().best([("cat0", REVISE), ("cat1", elsewhere)]) == elsewhere


def test_what_a_round_chose_counts_at_once() -> None:
    plan = aim_after((PLAIN, "direct", 22), (REVISE, "revise", 20)).round()
    chosen = [plan.best([("cat0", PLAIN), ("cat0", REVISE)]) for _ in range(20)]
    assert 5 < chosen.count(PLAIN) < chosen.count(REVISE)


def test_an_operator_whose_mutants_stay_in_their_parents_cell_is_avoided() -> None:
    aim = aim_after((PLAIN, "direct", 30), (REVISE, "revise", 30))
    mutant = replace(REVISE, parent="b")
    home = ("cat0", "revise", 0)
    for _ in range(20):
        aim.observe(accepted(mutant, home), home, home, 10)
    assert aim.leaves(mutant) < 0.15
    assert aim.leaves(REVISE) == 1
    assert aim.leaves(replace(PLAIN, parent="b")) < 0.5
