"""Each kind of annotation against values that fit it and values that don't."""

from __future__ import annotations

from typing import Any

import pytest

from tdscaling.typecheck import problems
from tests.evolution.options import knobs

FIXED: dict[str, Any] = {
    "_target_": "tests.commandline_parts.Fixed",
    "count": 1,
    "on_full": "stop",
    "weights": {"a": 0.5, "b": 1},
    "names": ["x", "y"],
}
RUN: dict[str, Any] = {
    "_target_": "tests.commandline_parts.run",
    "seed": 1,
    "budget": {"trajectories": 1, "tokens": None},
    "part": FIXED,
    "run_dir": "somewhere",
    "tags": [],
    "outcome": "done",
}
HARD: dict[str, Any] = {
    "_target_": "tests.commandline_parts.Hard",
    "phases": [{"name": "x", "until": None}, {"name": "y", "until": 1}],
    "rate": 1,
    "part": None,
    "parts": [],
    "kinds": {"k": ["a", "b"]},
    "pair": [1, 2.5],
}


@pytest.mark.parametrize(
    "config",
    [
        RUN,
        FIXED,
        HARD,
        HARD | {"part": FIXED, "parts": [FIXED]},
        FIXED | {"later": "a name that only type checkers can resolve"},
        FIXED | {"weights": {"a": float("inf")}},
        {"_target_": "tests.commandline_parts.Fixed", "_partial_": True},
        {"_target_": "builtins.int", "anything": 1},
        {"no": "target", "list": [FIXED, {"deep": FIXED}]},
    ],
)
def test_fits(config: dict[str, Any]) -> None:
    assert problems(config) == []


@pytest.mark.parametrize(
    ("config", "line"),
    [
        (FIXED | {"count": "1"}, "count: expected int, got '1' (str)"),
        (FIXED | {"count": None}, "count: expected int, got null"),
        (FIXED | {"weights": [1]}, "weights: expected dict[str, float], got [1] (list)"),
        (FIXED | {"names": ["x", 2]}, "names.1: expected str, got 2 (int)"),
        (FIXED | {"names": {"x": 1}}, "names: expected tuple[str, ...], got {'x': 1} (dict)"),
        (RUN | {"budget": {"trajectories": 1}}, "budget.tokens: a value is needed"),
        (
            RUN | {"budget": {"trajectories": 1, "tokens": "x"}},
            "budget.tokens: expected int or null, got 'x' (str)",
        ),
        (
            RUN | {"part": "fixed"},
            "part: expected a part with a _target_, got 'fixed' (str)",
        ),
        (HARD | {"phases": [{"name": "x", "untl": 1}]}, "phases.0.until: a value is needed"),
        (
            HARD | {"phases": [{"name": "x", "until": "q"}]},
            "phases.0.until: expected float or null, got 'q' (str)",
        ),
        (HARD | {"rate": 0}, "rate: input should be greater than or equal to 1, got 0 (int)"),
        (HARD | {"rate": "x"}, "rate: expected int, got 'x' (str)"),
        (HARD | {"part": "x"}, "part: expected a part with a _target_ or null, got"),
        (HARD | {"kinds": {"k": ["c"]}}, "kinds.k.0: expected one of 'a', 'b', got 'c' (str)"),
        (HARD | {"pair": [1, "x"]}, "pair.1: expected float, got 'x' (str)"),
        (
            {"deep": [{"x": FIXED | {"count": 0.5}}]},
            "deep.0.x.count: expected int, got 0.5 (float)",
        ),
        (
            {"part": {"_target_": "tests.commandline_parts.Nothing"}},
            "part._target_: cannot import 'tests.commandline_parts.Nothing': "
            "Error loading 'tests.commandline_parts.Nothing': "
            "AttributeError(\"module 'tests.commandline_parts' has no attribute 'Nothing'\")",
        ),
    ],
)
def test_misfit(config: dict[str, Any], line: str) -> None:
    found = problems(config)
    assert found[0].startswith(line[:60])


def test_all_misfits_of_a_part_are_told() -> None:
    assert len(problems(FIXED | {"count": "x", "names": 5, "more": 1})) == 3


def test_keys_that_options_share_are_checked_like_their_own() -> None:
    control = {"_target_": "tdscaling.evolution.none.UniformEvolution", **knobs("none")}
    assert problems(control) == []
    assert problems(control | {"window": "x"}) == ["window: expected int, got 'x' (str)"]
    assert problems(control | {"windw": 1})[0].startswith("windw: UniformEvolution takes no such")
    del control["fall"]
    assert problems(control)[0].startswith("fall: tdscaling.evolution.none.UniformEvolution needs")


def test_touched_parts_come_first() -> None:
    config = {"a": FIXED | {"count": "x"}, "b": FIXED | {"count": "y"}}
    assert problems(config)[0].startswith("a.count")
    assert problems(config, ["b.count"])[0].startswith("b.count")


def test_touched_part_is_answered_without_importing_the_others() -> None:
    config = {"a": {"_target_": "no.such.module"}, "b": FIXED | {"count": "y"}}
    assert problems(config, ["b"]) == ["b.count: expected int, got 'y' (str)"]
