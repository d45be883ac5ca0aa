"""Entropies: incremental equals direct, extremes are right, rarefaction equals its formula."""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy as scipy_entropy

from tdscaling.metrics._entropy import (
    Compensated,
    EntropyCounter,
    entropy_of,
    expected_entropy,
    expected_support,
    miller_madow,
    rarefy,
    standard_error,
)

keys = st.sampled_from([f"k{i}" for i in range(12)])
spreads = st.dictionaries(keys, st.floats(1e-6, 1e3), min_size=1, max_size=4)


@given(st.lists(spreads, min_size=1, max_size=60))
def test_incremental_equals_direct_and_scipy(rows: list[dict[str, float]]) -> None:
    counter = EntropyCounter()
    tally: Counter[str] = Counter()
    for row in rows:
        counter.add(row)
        for key, mass in row.items():
            tally[key] += mass  # type: ignore[assignment]
    masses = list(tally.values())
    assert counter.entropy == pytest.approx(entropy_of(masses), abs=1e-9)
    assert counter.entropy == pytest.approx(scipy_entropy(masses, base=2), abs=1e-9)
    assert 0 <= counter.entropy <= math.log2(counter.support) + 1e-12


def test_a_million_updates_do_not_drift() -> None:
    rng = random.Random(3)
    counter = EntropyCounter()
    tally: Counter[str] = Counter()
    for _ in range(200_000):
        key = f"k{int(rng.paretovariate(1.1)) % 500}"
        counter.add({key: 1 / 3})
        tally[key] += 1
    assert counter.entropy == pytest.approx(entropy_of(list(tally.values())), abs=1e-9)


def test_extremes() -> None:
    empty, single, uniform = EntropyCounter(), EntropyCounter(), EntropyCounter()
    for i in range(64):
        single.add({"a": 1})
        uniform.add({f"k{i}": 1})
    assert empty.figures("x")["x_entropy"] == 0
    assert single.figures("x") == {
        "x_entropy": 0.0,
        "x_support": 1,
        "x_effective": 1.0,
        "x_evenness": 0.0,
        "x_miller_madow": 0.0,
        "x_singleton_share": 0.0,
    }
    figures = uniform.figures("x")
    assert figures["x_entropy"] == pytest.approx(6)
    assert figures["x_effective"] == pytest.approx(64)
    assert figures["x_evenness"] == pytest.approx(1)
    assert figures["x_singleton_share"] == 1
    assert figures["x_miller_madow"] == pytest.approx(6 + 63 / (128 * math.log(2)))


def test_add_tells_what_is_new_and_counts_singletons_by_trajectory() -> None:
    counter = EntropyCounter()
    assert counter.add({"a": 0.5, "b": 0.5}) == 2
    assert counter.add({"a": 1.0, "c": 0.0}) == 0
    assert counter.figures("x")["x_singleton_share"] == 0.5


def test_miller_madow_brings_a_small_sample_nearer_to_the_truth() -> None:
    rng = random.Random(1)
    raw, corrected = [], []
    for _ in range(300):
        sample = Counter(rng.randrange(16) for _ in range(40))
        entropy = entropy_of(list(sample.values()))
        raw.append(entropy)
        corrected.append(miller_madow(entropy, len(sample), 40))
    assert abs(sum(corrected) / 300 - 4) < abs(sum(raw) / 300 - 4) / 3


counts_lists = st.lists(st.integers(1, 8), min_size=1, max_size=6)


@given(counts_lists, st.data())
def test_exact_rarefaction_equals_enumeration(counts: list[int], data: st.DataObject) -> None:
    n = data.draw(st.integers(1, sum(counts)))
    # Drawing one item after the other: probability of every composition, by dynamic programming.
    states: dict[tuple[int, ...], float] = {tuple(0 for _ in counts): 1.0}
    for drawn in range(n):
        after: dict[tuple[int, ...], float] = {}
        for state, probability in states.items():
            for k, held in enumerate(counts):
                if held > state[k]:
                    now = (*state[:k], state[k] + 1, *state[k + 1 :])
                    share = (held - state[k]) / (sum(counts) - drawn)
                    after[now] = after.get(now, 0.0) + probability * share
        states = after
    entropy = sum(p * entropy_of(list(state)) for state, p in states.items())
    support = sum(p * sum(c > 0 for c in state) for state, p in states.items())
    assert expected_entropy(counts, n) == pytest.approx(entropy, abs=1e-9)
    assert expected_support(counts, n) == pytest.approx(support, abs=1e-9)


def test_subsampling_agrees_with_the_exact_expectation() -> None:
    counts = [50, 30, 10, 5, 3, 1, 1]
    rows = [{f"k{i}": 1.0} for i, count in enumerate(counts) for _ in range(count)]
    found = rarefy(rows, 40, seed="s", draws=400)
    assert found.entropy == pytest.approx(expected_entropy(counts, 40), abs=0.02)
    assert found.support == pytest.approx(expected_support(counts, 40), abs=0.1)
    assert found.entropy_low < found.entropy < found.entropy_high
    assert found == rarefy(rows, 40, seed="s", draws=400)
    whole = rarefy(rows, len(rows), seed="s", draws=400)
    assert whole.entropy == pytest.approx(entropy_of(counts))
    assert whole.entropy_low < whole.entropy < whole.entropy_high


def test_standard_error_by_hand() -> None:
    """Halves of 100: no first order, 1 degree of freedom; 3 to 1: Basharin's variance."""
    even = [{"a": 1.0}, {"b": 1.0}] * 50
    assert standard_error(even) == pytest.approx(math.sqrt(1 / 2) / (100 * math.log(2)))
    uneven = [{"a": 1.0}] * 75 + [{"b": 1.0}] * 25
    basharin = (0.75 * math.log2(0.75) ** 2 + 0.25 * 4 - entropy_of([3, 1]) ** 2) / 100
    assert standard_error(uneven) ** 2 == pytest.approx(basharin + 1 / (2e4 * math.log(2) ** 2))
    doubled = [{key: 2 * mass for key, mass in row.items()} for row in uneven]
    assert standard_error(doubled) == pytest.approx(standard_error(uneven))
    assert standard_error([{"a": 1.0}] * 9) == standard_error([]) == 0


@pytest.mark.parametrize("weights", [[1 / (i + 1) for i in range(60)], [1.0] * 25])
@pytest.mark.parametrize("n", [60, 200])
def test_the_interval_holds_the_expectation_as_often_as_it_says(
    weights: list[float], n: int
) -> None:
    rng = random.Random(11)
    total = sum(weights)
    truth = expected_entropy([round(1e5 * w / total) for w in weights], n)
    held = 0
    for _ in range(200):
        drawn = [{str(k): 1.0} for k in rng.choices(range(len(weights)), weights, k=200)]
        found = rarefy(drawn, n, "s", 1)
        held += found.entropy_low <= truth <= found.entropy_high
    assert 0.91 <= held / 200 <= 1


def test_rarefied_entropy_of_a_larger_sample_matches_a_smaller_one() -> None:
    rng = random.Random(5)
    weights = [1 / (i + 1) for i in range(50)]
    large = [{f"k{i}": 1.0} for i in rng.choices(range(50), weights, k=4000)]
    small = [{f"k{i}": 1.0} for i in rng.choices(range(50), weights, k=200)]
    raw = rarefy(large, 4000, "s", 1).entropy - rarefy(small, 200, "s", 1).entropy
    equal = rarefy(large, 200, "s", 100).entropy - rarefy(small, 200, "s", 1).entropy
    assert abs(equal) < raw


@given(st.lists(st.floats(-1e12, 1e12), max_size=50))
def test_compensated_sum_equals_fsum(terms: list[float]) -> None:
    total = Compensated()
    for term in terms:
        total.add(term)
    assert total.value == pytest.approx(math.fsum(terms), rel=1e-12, abs=1e-3)
