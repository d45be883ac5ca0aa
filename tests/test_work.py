"""Places that stand empty because steering waits: told once, where it costs much."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

import pytest
from rich.console import Console

from tdscaling.progress import Display
from tdscaling.work import HELD_UP_SECONDS, Places


def told(looks: Sequence[tuple[float, int]]) -> str:
    """What is said of 10 places, of which so many stand empty from each moment on."""
    moments: Iterator[float] = iter([0.0, *(moment for moment, _ in looks)])
    out = io.StringIO()
    places = Places(10, lambda: next(moments))
    with Display(Console(file=out, width=200), 10, 0) as display:
        for _, empty in looks:
            places.look(empty)
            if places.dear:
                places.tell(display)
    return out.getvalue()


def test_it_is_told_once_with_what_to_change() -> None:
    said = told([(0.0, 6), (HELD_UP_SECONDS, 6), (2 * HELD_UP_SECONDS, 6)])
    assert said.count("60% of the 10 places stand empty") == 1
    assert "lag" in said


@pytest.mark.parametrize(
    "looks",
    [
        [(0.0, 9), (HELD_UP_SECONDS - 1, 9)],  # too early to say
        [(0.0, 1), (9 * HELD_UP_SECONDS, 1)],  # too few
        [(0.0, 9), (10.0, 0), (9 * HELD_UP_SECONDS, 0)],  # for a short time
    ],
)
def test_what_costs_little_is_not_told(looks: Sequence[tuple[float, int]]) -> None:
    assert "empty" not in told(looks)
