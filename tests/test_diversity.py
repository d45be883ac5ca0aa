"""What SQL finds in a ledger is what the metrics kept while it was written."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tdscaling import diversity
from tdscaling.metrics._trace import shape_of
from tdscaling.metrics.default import DiversityMetrics
from tdscaling.schema import Action, Outcome, Request, Trace, Verdict
from tdscaling.store import FILE, Store
from tests.runs import here

KNOBS: dict[str, Any] = {"alpha": 0.5, "beta": 0.5, "gamma": 1.0, "bins": [1.01, 1.5, 2.0, 2.5]}
CONFIG = {"seed": 1, "metrics": KNOBS, "budget": {"trajectories": 9, "tokens": None}}
NAMES = st.sampled_from(["travel", "bank", "food & drink", "sant\u00e9", 'quo"te', "a.b$c"])


@st.composite
def actions(draw: st.DrawFn) -> tuple[Action, ...]:
    made = []
    for step in range(draw(st.integers(0, 4))):
        sources = draw(st.sets(st.integers(0, step - 1))) if step else set()
        tool = draw(st.sampled_from(["get_a", "get_b", "set_a", "set_b"]))
        depth, bound = len(sources), len(sources)
        order = tuple(sorted(sources))
        writes = tool.startswith("set")
        made.append(Action(step, "call", tool, True, "executed", depth, bound, writes, order))
    return tuple(made)


@st.composite
def outcomes(draw: st.DrawFn) -> list[Outcome]:
    made: list[Outcome] = []
    round_ = 0
    for index in range(draw(st.integers(0, 25))):
        round_ += draw(st.sampled_from([0, 0, 0, 1]))
        calls = draw(actions())
        weights = draw(st.dictionaries(NAMES, st.integers(1, 7), max_size=3))
        total = sum(weights.values())
        accepted = draw(st.booleans())
        made.append(
            Outcome(
                index=index,
                round=round_,
                id=str(index),
                seed="s",
                request=Request("c", (), 2),
                category=draw(NAMES),
                domain="d",
                categories={name: weight / total for name, weight in weights.items()},
                verdict=Verdict(accepted, None if accepted else "extra_write"),
                blueprint_id=str(index),
                trace=Trace(
                    events=("call",),
                    signature=draw(st.sampled_from(["call", "call>answer", "ask>call", ""])),
                    mode=draw(st.sampled_from(["direct", "ask", "ask+chain"])),
                    actions=calls,
                    complexity=draw(st.floats(1, 4)) * len(calls),
                    shape=shape_of(calls),
                ),
                turns=1,
                line="\u00e6\U0001f600x" * draw(st.integers(0, 300)),
                voice=draw(st.sampled_from(["", "", "a nurse | short", "short", 'quo"te'])),
            )
        )
    return made


def observed(sequence: Sequence[Outcome]) -> dict[str, Any]:
    metrics = DiversityMetrics(**KNOBS)
    for outcome in sequence:
        metrics.observe(outcome)
    return metrics.figures()


@settings(max_examples=40, deadline=None)
@given(outcomes())
def test_sql_and_incremental_figures_are_the_same(sequence: list[Outcome]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(Path(folder) / FILE, CONFIG)
        store.commit(sequence)
        found, again = diversity.figures(store), list(store.outcomes())
        store.close()
    assert found == pytest.approx(observed(sequence), abs=1e-9, rel=1e-9)
    assert again == sequence
    assert observed(again) == observed(sequence)


def test_figures_of_a_real_run_are_those_of_its_last_round(tmp_path: Path) -> None:
    assert here(tmp_path, "evolution=none", size=24) == 0
    store = Store.read(tmp_path / FILE)
    sequence, found = list(store.outcomes()), diversity.figures(store)
    knobs = store.config()["metrics"]
    stored = store.query("SELECT * FROM rounds ORDER BY round DESC LIMIT 1")[0]
    pairs = store.query(diversity.PAIRS)
    store.close()
    metrics = DiversityMetrics(**{name: knobs[name] for name in KNOBS})
    for outcome in sequence:
        metrics.observe(outcome)
    assert found == pytest.approx(metrics.figures(), abs=1e-9, rel=1e-9)
    assert stored["domain_entropy"] == pytest.approx(found["domain_entropy"], abs=1e-9)
    kept = yaml.safe_load(stored["figures"])
    for name in ("mode_miller_madow", "tool_pairs_covered", "shapes_covered", "complexity_total"):
        assert kept[name] == pytest.approx(found[name], abs=1e-9), name
    assert found["tool_pairs_covered"] == len(pairs) > 3
    assert found["shapes_covered"] > 3


def kept(index: int, categories: dict[str, float], mode: str) -> Outcome:
    return Outcome(
        index=index,
        round=0,
        id=str(index),
        seed="s",
        request=Request("c", (), 1),
        category="c",
        domain="d",
        categories=categories,
        verdict=Verdict(True),
        blueprint_id=str(index),
        trace=Trace((), "s", mode, (), 0.0),
        turns=1,
    )


def entropies(folder: Path, sequence: list[Outcome]) -> dict[str, diversity.Entropy]:
    store = Store.open(folder / FILE, CONFIG)
    store.commit(sequence)
    found = {over: diversity.entropy(store, over) for over in diversity.OVER}
    store.close()
    return found


def test_entropies_by_hand(tmp_path: Path) -> None:
    """16 trajectories, 8 modes twice each; categories 12 and 4 of 16, where two spread by half."""
    spreads = [{"a": 1.0}] * 11 + [{"b": 1.0}] * 3 + [{"a": 0.5, "b": 0.5}] * 2
    found = entropies(tmp_path, [kept(i, s, f"m{i % 8}") for i, s in enumerate(spreads)])
    mode, domain, signature = found["mode"], found["domain"], found["signature"]
    assert (mode.n, mode.support, mode.singletons) == (16, 8, 0)
    assert (mode.bits, mode.effective, mode.evenness) == pytest.approx((3, 8, 1))
    assert mode.miller_madow == pytest.approx(3 + 7 / (32 * math.log(2)))
    assert domain.bits == pytest.approx(0.8112781244591328)  # of 3/4 and 1/4
    assert domain.evenness == pytest.approx(domain.bits)
    assert (signature.bits, signature.effective, signature.evenness) == (0, 1, 0)


def test_entropy_of_voices_by_hand(tmp_path: Path) -> None:
    """Four voices twice each among ten trajectories, of which two have none."""
    voices = ["", "", *("abcd" * 2)]
    found = entropies(
        tmp_path, [replace(kept(i, {}, "m"), voice=voice) for i, voice in enumerate(voices)]
    )["voice"]
    assert (found.n, found.support, found.singletons) == (10, 4, 0)
    assert (found.bits, found.effective, found.evenness) == pytest.approx((2, 4, 1))


def test_entropies_of_nothing(tmp_path: Path) -> None:
    nothing = entropies(tmp_path, [])["mode"]
    assert nothing == diversity.Entropy("reasoning modes", 0, 0, 0, 0, 0, 0, 0)


def test_a_kind_seen_once_is_a_singleton(tmp_path: Path) -> None:
    modes = ["a", "a", "b", "c"]
    found = entropies(tmp_path, [kept(i, {}, mode) for i, mode in enumerate(modes)])
    assert found["mode"].singletons == 0.5
    assert found["domain"].support == 0


def test_bins_have_names() -> None:
    assert diversity.bin_names([]) == ["any"]
    assert diversity.bin_names([1.5, 2]) == ["below 1.5", "1.5 to 2", "2 and more"]
