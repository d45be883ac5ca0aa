"""The figures over outcomes: by hand on a few, accepted only, pure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tdscaling.errors import ConfigError
from tdscaling.metrics.default import DiversityMetrics
from tdscaling.schema import Action, Outcome, Request, Trace, Verdict

KNOBS: dict[str, Any] = {"alpha": 1.0, "beta": 1.0, "gamma": 1.0, "bins": [1.5, 2.5]}


def outcome(
    index: int,
    *,
    mode: str = "chain",
    category: str = "travel",
    complexity: float = 4.0,
    accepted: bool = True,
    round_: int = 0,
    characters: int = 4000,
) -> Outcome:
    actions = tuple(Action(i, "call", f"t{i}", True, "executed", 0, 0) for i in range(2))
    return Outcome(
        index=index,
        round=round_,
        id=str(index),
        seed="s",
        request=Request("c", (), 2),
        category=category,
        domain="d",
        categories={category: 1.0},
        verdict=Verdict(accepted, None if accepted else "extra_write"),
        blueprint_id="b",
        trace=Trace(("call",), f"{mode}>x", mode, actions, complexity),
        turns=1,
        line="x" * characters,
    )


def test_figures_by_hand() -> None:
    metrics = DiversityMetrics(**KNOBS)
    metrics.observe(outcome(0))
    metrics.observe(outcome(1, mode="ask", category="bank", complexity=6.0))
    metrics.observe(outcome(2, accepted=False, mode="code", category="food"))
    metrics.observe(outcome(3))
    figures = metrics.figures()
    assert figures == metrics.figures()
    assert figures["attempted_total"] == 4
    assert figures["accepted_total"] == 3
    assert figures["acceptance_rate"] == 0.75
    assert figures["mode_entropy"] == pytest.approx(0.9182958340544896)
    assert figures["domain_support"] == figures["signature_support"] == 2
    assert figures["complexity_mean"] == pytest.approx(14 / 3)
    assert figures["complexity_per_call"] == pytest.approx(7 / 3)
    assert figures["cells_covered"] == 2
    assert figures["tools_covered"] == 2
    assert figures["dataset_tokens"] == 3000
    assert figures["novelty_per_ktok_total"] == pytest.approx(4 / 3)
    assert dict(metrics.cells) == {("travel", "chain", 1): 2, ("bank", "ask", 2): 1}


def test_novelty_is_of_the_last_round_and_falls_when_nothing_is_new() -> None:
    metrics = DiversityMetrics(**KNOBS)
    metrics.observe(outcome(0))
    assert metrics.figures()["novelty_per_ktok"] == pytest.approx(2.0)
    metrics.observe(outcome(1, round_=1))
    assert metrics.figures()["novelty_per_ktok"] == 0
    metrics.observe(outcome(2, round_=1, mode="ask"))
    assert metrics.figures()["novelty_per_ktok"] == pytest.approx(1.0)


def test_no_outcome_at_all_gives_zeros() -> None:
    assert set(DiversityMetrics(**KNOBS).figures().values()) == {0}


def test_weights_and_bins_have_effect() -> None:
    messages = [
        {"role": "user", "content": "Go."},
        {
            "role": "assistant",
            "tool_calls": [{"id": "a", "function": {"name": "x", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "a", "content": '{"id": "FL78"}'},
        {
            "role": "assistant",
            "tool_calls": [{"id": "b", "function": {"name": "y", "arguments": '{"id": "FL78"}'}}],
        },
        {"role": "tool", "tool_call_id": "b", "content": '{"error": "no"}'},
        {
            "role": "assistant",
            "tool_calls": [
                {"id": "c", "function": {"name": "y", "arguments": '{"id": "FL78", "x": 40}'}}
            ],
        },
        {"role": "tool", "tool_call_id": "c", "content": "{}"},
    ]

    def complexity(**change: float) -> float:
        metrics = DiversityMetrics(**{**KNOBS, "alpha": 0, "beta": 0, "gamma": 0, **change})
        return metrics.read(messages, (), ["executed"] * 3).complexity

    assert complexity() == 3
    assert complexity(alpha=1) == 5
    assert complexity(beta=0.5) == 4
    assert complexity(gamma=7) == 10
    coarse = DiversityMetrics(**{**KNOBS, "bins": [100]})
    coarse.observe(outcome(0))
    assert list(coarse.cells) == [("travel", "chain", 0)]


@pytest.mark.parametrize("change", [{"alpha": -1}, {"bins": []}, {"bins": [2, 1]}])
def test_unusable_knobs_are_refused_by_name(change: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"metrics.{next(iter(change))}"):
        DiversityMetrics(**{**KNOBS, **change})


def test_the_shipped_config_builds_it() -> None:
    path = Path(__file__).parents[2] / "conf" / "metrics" / "default.yaml"
    knobs = yaml.safe_load(path.read_text())
    assert knobs.pop("_target_") == "tdscaling.metrics.default.DiversityMetrics"
    DiversityMetrics(**knobs)
