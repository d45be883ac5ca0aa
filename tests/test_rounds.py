"""Rounds: what is drawn and what is committed does not depend on who is done first."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tdscaling.budget import Budget
from tdscaling.coding.mix import NO_MIX, Mix
from tdscaling.errors import ConfigError
from tdscaling.evolution import Evolution
from tdscaling.rounds import AHEAD, Rounds
from tdscaling.schema import Draw, Menu, Outcome, Steering, Verdict
from tdscaling.store import FILE, Store
from tests.evolution.options import made as option
from tests.evolution.synthetic import DEAD, menu, outcome
from tests.parts import parts

SIZE = 8


@cache
def config() -> dict[str, Any]:
    """Composing takes longer than a test; parts with state are copied."""
    return parts(Path("unused"), "tools.domains=[calendar]", "evolution=entropy")


def budget(**values: int | None) -> Budget:
    return Budget.of({"trajectories": 60, "tokens": None, "attempts": None, "patience": 5} | values)


def rounds_of(
    store: Store,
    limits: Budget,
    evolution: Evolution | None = None,
    *,
    lag: int = 2,
    mix: Mix = NO_MIX,
) -> Rounds:
    metrics, entropy = copy.deepcopy((config()["metrics"], config()["evolution"]))
    return Rounds(store, metrics, evolution or entropy, menu(), 1, SIZE, limits, mix, lag)


def made(draw: Draw) -> Outcome:
    played = outcome(draw.index, draw.round, draw.request, 1)
    return replace(played, blueprint_id=f"b{draw.index}")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / FILE, {"seed": 1})
    yield opened
    opened.close()


def play(rounds: Rounds, slots: int, chance: random.Random) -> list[int]:
    """Attempts side by side that end in any order; the most rounds that were under way at once."""
    running: list[Draw] = []
    spread = [0]
    while not rounds.done:
        running += rounds.draws(slots - len(running), False)
        spread.append(len({draw.round for draw in running}))
        rounds.take([made(running.pop(chance.randrange(len(running))))])
    rounds.flush()
    return spread


Rows = dict[str, list[dict[str, Any]]]


def ledger(store: Store) -> Rows:
    names = ("trajectories", "rounds", "steering")
    return {name: store.query(f"SELECT * FROM {name} ORDER BY ALL") for name in names}


@pytest.fixture(scope="module")
def one_by_one(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Rows]:
    """The ledger of a run without anything side by side, by lag."""

    def rows(lag: int) -> Rows:
        opened = Store.open(tmp_path_factory.mktemp("rounds") / FILE, {"seed": 1})
        play(rounds_of(opened, budget(), lag=lag), 1, random.Random(0))
        found = ledger(opened)
        opened.close()
        return found

    return {lag: rows(lag) for lag in (2, 5)}


@pytest.mark.parametrize("lag", [2, 5])
@pytest.mark.parametrize("slots", [3, 64])
def test_order_of_outcomes_does_not_matter(
    store: Store, one_by_one: dict[int, Rows], slots: int, lag: int
) -> None:
    play(rounds_of(store, budget(), lag=lag), slots, random.Random(slots))
    assert ledger(store) == one_by_one[lag]


def test_draws_that_wait_for_outcomes_are_told(store: Store) -> None:
    rounds = rounds_of(store, budget())
    assert len(list(rounds.draws(SIZE, False))) == SIZE
    assert not rounds.held_up
    assert len(list(rounds.draws(64, False))) == SIZE  # the third round learns from the first
    assert rounds.held_up
    rounds.flush()


def test_lag_is_part_of_what_decides_the_data(one_by_one: dict[int, Rows]) -> None:
    assert one_by_one[2]["trajectories"] != one_by_one[5]["trajectories"]


@pytest.mark.parametrize("lag", [2, 4])
def test_as_many_rounds_are_under_way_as_the_lag_says(store: Store, lag: int) -> None:
    assert max(play(rounds_of(store, budget(), lag=lag), 64, random.Random(1))) == lag


def test_one_slow_attempt_holds_up_the_round_after_next(store: Store) -> None:
    rounds = rounds_of(store, budget())
    slow, *others = rounds.draws(100, False)
    assert [draw.round for draw in (slow, *others)] == [0] * SIZE + [1] * SIZE
    rounds.take(map(made, others))
    assert list(rounds.draws(100, False)) == []
    rounds.take([made(slow)])
    assert {draw.round for draw in rounds.draws(100, False)} == {2, 3}


def test_nothing_waits_where_nobody_learns(store: Store) -> None:
    rounds = rounds_of(store, budget(trajectories=10**6), option("none"))
    slow, *others = rounds.draws(10 * SIZE, False)
    rounds.take(map(made, others))
    assert len(list(rounds.draws(10 * SIZE, False))) == 10 * SIZE
    rounds.take([made(slow)])
    assert rounds.state()[1] == 10 * SIZE


def test_what_waits_for_a_slow_attempt_is_bounded(store: Store) -> None:
    rounds = rounds_of(store, budget(trajectories=10**6), option("none"))
    slow, *others = rounds.draws(10**6, False)
    assert len(others) + 1 == AHEAD
    rounds.take(map(made, others))
    assert list(rounds.draws(1, False)) == []
    rounds.take([made(slow)])
    assert len(list(rounds.draws(1, False))) == 1


def test_coding_tasks_go_to_the_area_with_the_fewest_so_rounds_wait(store: Store) -> None:
    areas = menu().clusters[:2]
    rounds = rounds_of(store, budget(), option("none"), mix=Mix(0.5, areas, 1))
    assert len(list(rounds.draws(100, False))) == 2 * SIZE


@pytest.mark.parametrize("slots", [1, 64])
def test_uniform_draws_are_the_same_however_far_ahead(store: Store, slots: int) -> None:
    """Those that a round would have waited for too, before and after going on."""
    uniform = option("none")
    for limits in (budget(attempts=3 * SIZE + 1), budget()):
        play(rounds_of(store, limits, option("none"), lag=slots + 1), slots, random.Random(slots))
    asked = [
        (request.cluster, "+".join(request.operators), request.calls)
        for round_ in range(20)
        for request in uniform.steer(round_, SIZE, menu(), 1).requests
    ]
    rows = store.query(
        "SELECT cluster, asked_operators, asked_calls FROM trajectories ORDER BY idx"
    )
    assert len(rows) > 60
    assert [tuple(row.values()) for row in rows] == asked[: len(rows)]


def test_nothing_is_drawn_that_the_budget_no_longer_needs(store: Store) -> None:
    rounds = rounds_of(store, budget(trajectories=5), option("none"))
    slow, other, *others = rounds.draws(40, False)
    assert len(others) == 3  # with those, enough are under way if all are accepted
    rounds.take(good(draw) for draw in others)
    assert list(rounds.draws(40, False)) == []
    rounds.take([replace(good(other), verdict=Verdict(False, "extra_write"))])
    (more,) = rounds.draws(40, False)
    rounds.take([good(more)])
    assert list(rounds.draws(40, False)) == []
    assert not rounds.done
    rounds.take([good(slow)])
    assert rounds.done


def good(draw: Draw) -> Outcome:
    return replace(made(draw), verdict=Verdict(accepted=True))


def test_duplicates_among_those_that_waited_are_made_up_for(store: Store) -> None:
    rounds = rounds_of(store, budget(trajectories=20, patience=100), option("none"))
    slow, *others = rounds.draws(60, False)
    rounds.take(replace(good(draw), blueprint_id="ever the same") for draw in others)
    assert list(rounds.draws(1, False)) == []
    rounds.take([made(slow)])
    assert rounds.state()[0] <= 2
    assert len(list(rounds.draws(1, False))) == 1


def test_no_attempt_beyond_the_budget_is_drawn(store: Store) -> None:
    rounds = rounds_of(store, budget(attempts=13))
    assert len(list(rounds.draws(100, False))) == 13


class Watching:
    """Passes everything on, and writes down what was known when."""

    def __init__(self, inner: Evolution) -> None:
        self.inner = inner
        self.seen: list[int] = []
        self.told: dict[int, int] = {}
        self.watch, self.learns = inner.watch, inner.learns

    def observe(self, outcome: Outcome) -> None:
        self.seen.append(outcome.index)
        self.inner.observe(outcome)

    def steer(self, round_: int, size: int, menu: Menu, seed: int) -> Steering:
        self.told[round_] = len(self.seen)
        return self.inner.steer(round_, size, menu, seed)


@pytest.mark.parametrize("lag", [2, 3, 6])
def test_steering_sees_outcomes_of_so_many_rounds_ago(store: Store, lag: int) -> None:
    watching = Watching(copy.deepcopy(config()["evolution"]))
    play(rounds_of(store, budget(), watching, lag=lag), 64, random.Random(2))
    assert watching.seen == sorted(watching.seen)
    assert all(seen == max(0, round_ - lag + 1) * SIZE for round_, seen in watching.told.items())


@pytest.mark.parametrize("lag", [2, 5])
@pytest.mark.parametrize("stop", [1, 7, 8, 9, 30])
def test_going_on_makes_the_same_ledger(
    tmp_path: Path, one_by_one: dict[int, Rows], stop: int, lag: int
) -> None:
    """Also after an end by another budget in the middle of a round."""
    for limits in (budget(attempts=stop), budget()):
        opened = Store.open(tmp_path / FILE, {"seed": 1})
        play(rounds_of(opened, limits, lag=lag), 5, random.Random(stop))
        rows = ledger(opened)
        opened.close()
    assert rows == one_by_one[lag]


def test_stopping_gives_no_more_draws(store: Store) -> None:
    assert list(rounds_of(store, budget()).draws(5, True)) == []


def test_a_blueprint_counts_once(store: Store) -> None:
    rounds = rounds_of(store, budget())
    draws = list(rounds.draws(6, False))
    first = next(o for o in map(made, draws) if o.verdict.accepted)
    same = replace(first, blueprint_id="b", line="{}")
    rejected = replace(same, index=0, id="t0", verdict=Verdict(False, "extra_write"))
    rounds.take([rejected, *(replace(same, index=i, id=f"t{i}") for i in range(1, 6))])
    rounds.flush()
    rows = store.query("SELECT accepted, reason FROM trajectories ORDER BY idx")
    assert [row["reason"] for row in rows] == ["extra_write", None] + ["duplicate"] * 4
    assert list(store.lines(None)) == ["{}", "{}"]


def test_patience_ends_a_run_and_names_the_commonest_cause(store: Store) -> None:
    rounds = rounds_of(store, budget(patience=2))
    while not rounds.done:
        rounds.take(rejected(draw) for draw in rounds.draws(3, False))
    assert rounds.hopeless
    assert store.next_index == 2 * SIZE
    reason = store.query("SELECT any_value(reason) AS reason FROM trajectories")[0]["reason"]
    assert f"nothing was accepted in 2 rounds of 8 attempts; most often: {reason}" in (
        rounds.despair()
    )
    cell = store.query("SELECT any_value(category) AS category FROM trajectories")[0]
    assert f"Failing most: {cell['category']} with no operator (16 {reason})" in rounds.despair()


def test_a_run_that_was_killed_goes_on_with_the_patience_that_it_had_left(store: Store) -> None:
    rounds = rounds_of(store, budget(patience=2))
    rounds.take([rejected(draw) for draw in rounds.draws(SIZE, False)])
    rounds.flush()
    again = rounds_of(store, budget(patience=2))
    while not again.done:
        again.take(rejected(draw) for draw in again.draws(3, False))
    assert store.next_index == 2 * SIZE


def test_each_start_has_patience_anew(store: Store) -> None:
    """What failed may have been mended; what was made stays what it is."""
    ends = []
    for _ in range(3):
        rounds = rounds_of(store, budget(patience=2))
        assert not rounds.done
        while not rounds.done:
            rounds.take(rejected(draw) for draw in rounds.draws(3, False))
        assert rounds.hopeless
        assert "nothing was accepted in 2 rounds of 8 attempts" in rounds.despair()
        assert "start the same command again: it tries 2 rounds more" in rounds.despair()
        ends.append(store.next_index)
    assert ends == [2 * SIZE, 4 * SIZE, 6 * SIZE]


def test_a_start_within_a_barren_round_counts_that_round(store: Store) -> None:
    rounds = rounds_of(store, budget(patience=1))
    rounds.take([rejected(draw) for draw in rounds.draws(SIZE // 2, False)])
    rounds.flush()
    again = rounds_of(store, budget(patience=1))
    while not again.done:
        again.take(rejected(draw) for draw in again.draws(3, False))
    assert store.next_index == SIZE


def rejected(draw: Draw) -> Outcome:
    dead = f"c{DEAD[3:]}_0"
    return outcome(draw.index, draw.round, type(draw.request)(dead, (), 1), 1)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("trajectories", 0, "at least 1"),
        ("trajectories", None, "at least 1"),
        ("patience", 0, "at least 1"),
        ("tokens", -5, "null or at least 1"),
        ("attempts", 0, "null or at least 1"),
    ],
)
def test_budget_out_of_range(name: str, value: int | None, expected: str) -> None:
    with pytest.raises(ConfigError, match=f"budget.{name}: expected {expected}, got {value}"):
        budget(**{name: value})
