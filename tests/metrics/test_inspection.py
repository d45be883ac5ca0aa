"""Tests that fail before anything was changed are looked at, not failed attempts."""

from __future__ import annotations

from typing import Any

import pytest

from tdscaling.metrics._trace import read_trace
from tests.coding.workspaces import contract, play, trace, unchanged
from tests.metrics.test_trace import WEIGHTS, Talk

ASKED = "The tests of pricing.py fail. Please mend it."
RUN = {"command": "python3 -m unittest"}
FAILS = {"exit_code": 1, "stdout": "", "stderr": "Ran 4 tests in 0.000s\n\nFAILED (failures=1)\n"}
PASSES = {"exit_code": 0, "stdout": "", "stderr": "Ran 4 tests in 0.000s\n\nOK\n"}
EDIT = ("edit_file", {"path": "pricing.py", "old": "<", "new": "<="}, {"replaced": 1})
OTHER = ("edit_file", {"path": "pricing.py", "old": "*", "new": "+"}, {"replaced": 1})


def events(asked: str, *calls: tuple[str, dict[str, Any], Any]) -> str:
    talk = Talk().user(asked)
    for call in calls:
        talk.calls(call)
    talk.says("It works now.")
    seen = ["executed"] * len(calls)
    return " ".join(read_trace(talk.messages, {"edit_file"}, seen, WEIGHTS).events)


def test_a_look_at_failing_tests_is_no_error_and_mending_them_no_recovery() -> None:
    told = events(ASKED, ("run_bash", RUN, FAILS), EDIT, ("run_bash", RUN, PASSES))
    assert told.replace("chain", "call") == "code call code answer"


def test_tests_that_fail_after_a_change_are_an_error() -> None:
    told = events(
        ASKED, ("run_bash", RUN, FAILS), EDIT, ("run_bash", RUN, FAILS),
        OTHER, ("run_bash", RUN, PASSES),
    )  # fmt: skip
    assert told.replace("chain", "call") == "code call code error call recover answer"


@pytest.mark.parametrize(
    ("asked", "command", "seen"),
    [
        ("Work out the total of prices.csv.", RUN["command"], FAILS),
        (ASKED, "python3 pricing.py", FAILS),
        (ASKED, "sed -i s/a/b/ pricing.py && python3 -m unittest", FAILS),
        (ASKED, "echo x > pricing.py; pytest", FAILS),
        (ASKED, "pytest", {"exit_code": 127, "stderr": "bash: pytest: command not found"}),
    ],
    ids=["not asked", "no tests", "edits first", "writes first", "does not start"],
)
def test_what_is_no_look_at_tests(asked: str, command: str, seen: dict[str, Any]) -> None:
    assert "error" in events(asked, ("run_bash", {"command": command}, seen))


@pytest.mark.parametrize(
    "command",
    ["pytest -q 2>&1", "python3 test_pricing.py", "npm test", "go test ./...", "make test"],
)
def test_commands_that_run_tests(command: str) -> None:
    assert "error" not in events(ASKED, ("bash", {"command": command}, FAILS))


@pytest.mark.parametrize("family", ["operator", "comparison"])
def test_a_repair_without_a_mistake_recovers_from_nothing(family: str) -> None:
    transcript, verdict = play(contract("code_repair", family), unchanged)
    assert verdict.accepted, verdict.detail
    assert {"error", "recover"}.isdisjoint(trace(transcript).events)
