"""The dataset card: a YAML head the Hub reads, figures that agree with the ledger, no clock."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tdscaling.export._card import _cell, card
from tdscaling.export._summary import summarise
from tdscaling.schema import Outcome
from tdscaling.store import FILE, Store
from tests.export.ledger import EVIL, make_run, outcome

FILES = {"openai": "train.jsonl", "sharegpt": "train.sharegpt.jsonl"}


def text_of(run_dir: Path, name: str = "Sample", licence: str = "apache-2.0") -> str:
    store = Store.read(run_dir / FILE)
    try:
        return card(summarise(store), name, licence, FILES)
    finally:
        store.close()


def head(text: str) -> dict:
    return yaml.safe_load(text.split("---")[1])


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("card"), 120)


@pytest.fixture(scope="module")
def accepted() -> list[Outcome]:
    return [o for o in map(outcome, range(120)) if o.verdict.accepted]


def test_head_follows_the_conventions_of_the_hub(run: Path) -> None:
    meta = head(text_of(run))
    assert meta["license"] == "apache-2.0"
    assert meta["pretty_name"] == "Sample"
    assert meta["size_categories"] == ["n<1K"]
    assert meta["task_categories"] == ["text-generation"]
    assert {"synthetic", "tool-use"} <= set(meta["tags"])
    assert meta["configs"] == [
        {
            "config_name": "openai",
            "default": True,
            "data_files": [{"split": "train", "path": "train.jsonl"}],
        },
        {
            "config_name": "sharegpt",
            "data_files": [{"split": "train", "path": "train.sharegpt.jsonl"}],
        },
    ]


def test_head_stays_yaml_whatever_the_name(run: Path) -> None:
    name = 'a: "b"\n--- # <script>\u2028'
    text = text_of(run, name)
    assert head(text.replace("\\n---", "\\n-+-"))["pretty_name"] == name.replace("---", "-+-")


def test_counts_agree_with_the_ledger(run: Path, accepted: list[Outcome]) -> None:
    text = text_of(run)
    reasons = Counter(o.verdict.reason for o in map(outcome, range(120)))
    assert "| attempted | 120 |" in text
    assert f"| accepted, in this data set | {len(accepted)} |" in text
    for reason, n in reasons.items():
        if reason:
            assert f"| rejected: {reason} | {n} |".replace("_", "\\_") in text
    injected = sum(a.provenance == "injected" for o in accepted for a in o.trace.actions)
    assert f"| injected | {injected} |" in text
    assert f"| assistant | scripted | {len(accepted)} |" in text


def test_entropies_agree_with_their_definition(run: Path, accepted: list[Outcome]) -> None:
    store = Store.read(run / FILE)
    domain, mode, signature = summarise(store).entropies
    store.close()
    counts = Counter(o.trace.mode for o in accepted)
    n = len(accepted)
    bits = -sum(c / n * math.log2(c / n) for c in counts.values())
    assert mode.bits == pytest.approx(bits)
    assert (mode.n, mode.support) == (n, len(counts))
    assert mode.miller_madow == pytest.approx(bits + (len(counts) - 1) / (2 * n * math.log(2)))
    assert domain.support == len({o.category for o in accepted})
    assert (signature.support, signature.bits, signature.effective) == (1, 0.0, 1.0)


def test_several_operators_count_for_each_and_crossings_for_their_first_domain(
    tmp_path: Path,
) -> None:
    base = next(o for o in map(outcome, range(99)) if o.verdict.accepted and o.domain == "bank")
    crossed = replace(
        base,
        index=3,
        domain="bank+hotel",
        request=replace(base.request, operators=("cross", "revise")),
    )
    text = text_of(make_run(tmp_path, 3, (crossed,)))
    assert "| cross | 1 | 1 |" in text
    assert "| revise | 1 | 1 |" in text
    assert "| bank | finance | 1 | 1 | 1 |" in text


def test_names_from_tools_cannot_add_markup(tmp_path: Path) -> None:
    bad = replace(outcome(0), index=20, domain=f"a|b\n\n# Owned {EVIL}")
    text = text_of(make_run(tmp_path, 20, (bad,)))
    assert "\n# Owned" not in text
    assert "<script>" not in text.replace("\\<script\\>", "")


def test_says_how_to_reproduce_and_verify_and_has_no_path_of_this_machine(run: Path) -> None:
    text = text_of(run)
    assert "tdscaling verify dataset=dataset/train.jsonl" in text
    assert "seed `7`" in text
    assert str(run) not in text
    assert "## Limits" in text


def test_licences_are_those_that_sources_state(run: Path) -> None:
    section = text_of(run).split("## Licence")[1]
    assert "| Airline | not stated | 5 |" in section
    assert r"| Bank | MIT \| \<b\>free\</b\> | 5 |" in section


def test_names_hold_no_terminal_commands() -> None:
    assert _cell("\x1b[31mred\x07 | x") == "\\[31mred  \\| x".replace("  ", " ")
