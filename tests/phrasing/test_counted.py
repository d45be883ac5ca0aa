"""One day is no days."""

from __future__ import annotations

from tdscaling.phrasing.counted import one_of


def test_one_is_singular() -> None:
    assert one_of("push it by {n} days", "n", 1) == "push it by {n} day"
    assert one_of("a room for {n} people", "n", 1) == "a room for {n} person"
    assert one_of("push it by {n} days", "n", 2) == "push it by {n} days"
    assert one_of("worth {n} points", "n", True) == "worth {n} points"
