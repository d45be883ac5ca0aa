"""Shares keep their floor; dealt places keep their shares to within one."""

from __future__ import annotations

import random
from collections import Counter
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tdscaling.evolution._apportion import deal, shares

needs_lists = st.lists(st.just(0.0) | st.floats(1e-3, 1e3), min_size=1, max_size=30)


@given(needs_lists, st.floats(0, 1), st.floats(1, 30))
def test_shares_sum_to_one_between_floor_and_ceiling(
    needs: list[float], exploration: float, ceiling: float
) -> None:
    found = shares(needs, exploration, ceiling)
    assert sum(found) == pytest.approx(1)
    assert min(found) >= exploration / len(needs) - 1e-12
    if min(needs) > 0:
        assert max(found) <= max(1.0, ceiling) / len(needs) + 1e-9


def test_shares_by_hand() -> None:
    assert shares([0, 0], 0, 4) == [0.5, 0.5]
    assert shares([1, 3], 0, 4) == [0.25, 0.75]
    assert shares([1, 3], 0.5, 4) == [0.375, 0.625]
    assert shares([98, 1, 1, 0], 0, 2) == pytest.approx([0.5, 0.25, 0.25, 0])


@given(needs_lists, st.integers(0, 100), st.integers())
def test_dealt_places_keep_their_shares(needs: list[float], size: int, seed: int) -> None:
    probabilities = shares(needs, 0.1, 4)
    counts = Counter(deal(probabilities, size, random.Random(seed)))
    assert counts.total() == size
    for i, probability in enumerate(probabilities):
        assert floor(probability * size - 1e-6) <= counts[i] <= ceil(probability * size + 1e-6)
