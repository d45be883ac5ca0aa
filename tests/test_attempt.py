"""An attempt: a function of its draw, an outcome whatever happens, and it travels."""

from __future__ import annotations

import asyncio
import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tdscaling.attempt import Attempt, scene_of, trajectory_id
from tdscaling.schema import Draw, Operator, Outcome, Request, digest
from tdscaling.tools.declared import DeclaredTools
from tests.conversations import blueprint
from tests.parts import attempt_of, parts

WORDS = ("tools.domains=[calendar]", "blueprints.worlds=2")


@pytest.fixture(scope="module")
def built() -> dict[str, Any]:
    return parts(Path("unused"), *WORDS)


@pytest.fixture(scope="module")
def attempt(built: dict[str, Any]) -> Attempt:
    return attempt_of(built)


def draw(built: dict[str, Any], index: int, operators: tuple[Operator, ...] = ()) -> Draw:
    cluster = built["clusters"].build(built["tools"].load())[0]
    return Draw(index, index // 8, digest([1, index]), Request(cluster.id, operators, 3))


def made(attempt: Attempt, *draws: Draw) -> list[Outcome]:
    """Outcomes side by side, measured seconds left out."""

    async def play() -> list[Outcome]:
        return list(await asyncio.gather(*(attempt.run(draw) for draw in draws)))

    return [replace(outcome, seconds={}) for outcome in asyncio.run(play())]


def test_same_draw_same_outcome_whoever_makes_it(built: dict[str, Any], attempt: Attempt) -> None:
    draws = [draw(built, index, ("withhold",)) for index in range(6)]
    one_by_one = [made(attempt, each)[0] for each in draws]
    travelled = pickle.loads(pickle.dumps(attempt))
    assert made(travelled, *reversed(draws)) == one_by_one[::-1]
    assert pickle.loads(pickle.dumps(one_by_one)) == one_by_one
    assert any(outcome.verdict.accepted for outcome in one_by_one)


def test_line_tells_what_the_ledger_tells(built: dict[str, Any], attempt: Attempt) -> None:
    draws = [draw(built, index, ("perturb",)) for index in range(4)]
    for outcome, asked in zip(made(attempt, *draws), draws, strict=True):
        assert outcome.request == asked.request
        assert outcome.id == trajectory_id(asked)
        if not outcome.line:
            continue
        line = json.loads(outcome.line)
        assert line["id"] == outcome.id
        assert line["meta"]["seed"] == asked.seed == outcome.seed
        assert line["meta"]["blueprint"]["id"] == outcome.blueprint_id
        assert line["meta"]["verdict"]["accepted"] == outcome.verdict.accepted
        assert line["meta"]["signature"] == outcome.trace.signature
        calls = sum(len(m.get("tool_calls") or ()) for m in line["messages"])
        assert calls == len(outcome.trace.actions)
        assert sum(outcome.categories.values()) == pytest.approx(1)
        assert outcome.turns == sum(m["role"] == "user" for m in line["messages"])


def test_impossible_blueprint_is_a_rejection(built: dict[str, Any], attempt: Attempt) -> None:
    """One domain has nothing to cross with."""
    (outcome,) = made(attempt, draw(built, 0, ("cross",)))
    assert outcome.verdict.reason == "blueprint_failed"
    assert "cross" in outcome.verdict.detail
    assert (outcome.line, outcome.blueprint_id, outcome.turns) == ("", "", 0)
    assert outcome.domain == "calendar"


def test_endless_conversation_is_a_rejection() -> None:
    cut = parts(Path("unused"), *WORDS, "graphs.steps=1")
    (outcome,) = made(attempt_of(cut), draw(cut, 1))
    assert not outcome.verdict.accepted
    assert outcome.verdict.reason != "blueprint_failed"
    assert json.loads(outcome.line)["meta"]["verdict"]["reason"] == outcome.verdict.reason


def test_seconds_of_every_stage(built: dict[str, Any], attempt: Attempt) -> None:
    outcome = asyncio.run(attempt.run(draw(built, 1)))
    assert set(outcome.seconds) == {"blueprint", "converse", "verify", "measure"}
    assert all(seconds >= 0 for seconds in outcome.seconds.values())


def test_two_clocks_are_told_apart_by_words_and_not_by_internal_names() -> None:
    domains = DeclaredTools(domains=["library", "power_utility"], paths=[]).load().domains
    both = replace(blueprint("bank"), worlds=dict.fromkeys(domains, "1-0"))
    system = scene_of(both, domains, "1").system
    assert "It is 2025-11-06 11:00 in the library system and 2025-02-17 10:30" in system
    assert "in the power utility system." in system
    assert "power_utility" not in system
