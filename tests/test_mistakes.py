"""Likely slips of the fingers at the shipped commands: each is answered with what to type."""

from __future__ import annotations

from pathlib import Path

import pytest

from tdscaling.__main__ import main
from tests.runs import refused

Said = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("budget=50", ["budget: ", "budget.tokens", "Type for example budget.trajectories=50"]),
        ("budget=lots", ["budget.tokens", "Type for example budget.trajectories=VALUE"]),
        ("coding=off", ["coding: ", "coding.areas", "Type coding.share=0 to switch it off"]),
        ("coding=false", ["Type coding.share=0 to switch it off"]),
        ("coding=0.2", ["Type for example coding.share=0.2"]),
        ("report=5", ["Type for example report.trajectories=5"]),
        ("roles=scripted", ["roles/user, roles/assistant", "Type for example roles/user=scripted"]),
        ("hydra.run=mine", ["Type for example hydra.run.dir=VALUE"]),
        ("tools.domains=airline", ["expected list[str]", "; type tools.domains=[airline]"]),
        ("tools.domains=airline,hotel", ["list in brackets; type tools.domains=[airline,hotel]"]),
        ("seed=1,2", ["seed=1,2: several values make a sweep; add -m"]),
        ("seed=range(1,3)", ["several values make a sweep; add -m"]),
        ("out=mine", ["out: there is no such key; type run_dir=mine"]),
        ("output_dir=mine", ["type run_dir=mine"]),
    ],
)
def test_of_a_run(word: str, said: list[str], capsys: Said) -> None:
    assert main([word]) == 1
    refused(capsys.readouterr(), *said)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["verify", "run_dir=base"], "run_dir: there is no such key; type dataset=base"),
        (["measure", "run_dir=base"], "run_dir: there is no such key; type dataset=base"),
        (["measure", "output=x.json"], "output: there is no such key; type out=x.json"),
        (["report", "dataset=base"], "dataset: there is no such key; type run_dir=base"),
        (["compare", "dataset=base"], "dataset: there is no such key; type runs=base"),
        (["measure", "floors=3"], "Type for example floors.min_accepted_total=3"),
    ],
)
def test_a_word_of_another_command(words: list[str], said: str, capsys: Said) -> None:
    assert main(words) == 1
    refused(capsys.readouterr(), said)


@pytest.mark.parametrize(
    "words",
    [
        ["llm.model", "=", "sk-dear"],
        ["llm.model=", "sk-dear"],
        ["llm.model", "=sk-dear"],
        ["verify", "llm.model", "=", "sk-dear"],
        ["seed=1", "llm.model", "=", "sk-dear", "lag=2"],
    ],
)
def test_spaces_around_an_equals_sign(words: list[str], capsys: Said) -> None:
    """The value is not repeated: what is typed may be secret."""
    assert main(words) == 1
    said = capsys.readouterr()
    assert "sk-dear" not in said.err
    refused(said, "expected no spaces around `=`; type llm.model=VALUE")
