"""The command `measure`, over the real command line: ours, foreign data, floors, refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tdscaling.__main__ import main
from tdscaling.store import FILE, Store
from tests.runs import here, refused

FOREIGN: list[dict[str, Any]] = [
    {
        "topic": {"name": "weather"},
        "messages": [
            {"role": "user", "content": "How warm is Lima?"},
            {
                "role": "assistant",
                "tool_calls": [
                    {"id": "a", "function": {"name": "get_weather", "arguments": {"city": "Lima"}}}
                ],
            },
            {"role": "tool", "tool_call_id": "a", "content": "19 degrees"},
            {"role": "assistant", "content": "19 degrees."},
        ],
    },
    {"topic": {"name": "chat"}, "messages": [{"role": "user", "content": "Hi"}]},
    {
        "topic": {"name": "weather"},
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "And there?"}]},
            {"role": "assistant", "content": "Which city do you mean?"},
        ],
    },
    {"messages": [{"role": "user", "content": "Hi"}]},
]


def dataset(folder: Path, lines: list[Any]) -> Path:
    path = folder / "foreign.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + "\n")
    return path


def measured(path: Path, out: Path, *words: str) -> dict[str, Any]:
    assert main(["measure", f"dataset={path}", f"out={out}", *words]) == 0
    figures: dict[str, Any] = json.loads(out.read_text())
    return figures


def test_foreign_data_by_hand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = dataset(tmp_path, FOREIGN)
    figures = measured(path, tmp_path / "figures.json", "category=topic.name")
    shown = capsys.readouterr().out
    assert f"{path}: 4 trajectories" in shown
    assert "1 lines name no category" in shown
    assert figures["accepted_total"] == 4
    assert figures["domain_entropy"] == pytest.approx(1.5)  # 2, 1 and 1 of 4
    assert figures["domain_support"] == 3
    assert figures["mode_entropy"] == pytest.approx(0.8112781244591328)  # direct thrice, ask once
    assert figures["tools_covered"] == figures["shapes_covered"] == 1
    assert figures["equal_n"]["mode"]["low"] < figures["mode_entropy"]


def test_lines_without_the_named_category_are_unknown(tmp_path: Path) -> None:
    figures = measured(dataset(tmp_path, FOREIGN), tmp_path / "figures.json")
    assert figures["domain_support"] == 1
    assert figures["domain_entropy"] == 0


def test_a_line_may_be_the_list_of_messages_itself(tmp_path: Path) -> None:
    path = dataset(tmp_path, [line["messages"] for line in FOREIGN])
    assert measured(path, tmp_path / "figures.json")["accepted_total"] == 4


def test_our_own_data_gives_the_figures_of_its_run(tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert here(run, "evolution=none", size=24) == 0
    store = Store.read(run / FILE)
    row = store.query("SELECT * FROM rounds ORDER BY round DESC LIMIT 1")[0]
    store.close()
    figures = measured(run, tmp_path / "figures.json")
    for name in ("mode_entropy", "signature_entropy", "complexity_mean"):
        assert figures[name] == pytest.approx(row[name]), name
    kept = json.loads(row["figures"])
    for name in ("tools_covered", "tool_pairs_covered", "shapes_covered", "dataset_tokens"):
        assert figures[name] == kept[name], name


def test_entropies_at_a_smaller_number(tmp_path: Path) -> None:
    path = dataset(tmp_path, FOREIGN)
    figures = measured(path, tmp_path / "figures.json", "equal_n=2", "category=topic.name")
    assert figures["equal_n"]["mode"]["n"] == 2
    # Two of four: a pair differs in mode with probability 1/2, and then has one bit.
    assert figures["equal_n"]["mode"]["entropy"] == pytest.approx(0.5)
    assert figures["equal_n"]["domain"]["entropy"] == pytest.approx(5 / 6)


def test_floors_decide_the_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = ["measure", f"dataset={dataset(tmp_path, FOREIGN)}", "category=topic.name"]
    assert main([*line, "floors.min_domain_entropy=1.5", "floors.min_tools_covered=1"]) == 0
    assert "below" not in capsys.readouterr().out
    assert main([*line, "floors.min_domain_entropy=1.6", "floors.min_mode_entropy=1"]) == 1
    shown = capsys.readouterr().out
    assert "below its floor: min_domain_entropy=1.6, got 1.5" in shown
    assert "below its floor: min_mode_entropy=1, got 0.811278" in shown
    assert main([*line, "+floors.min_tool_pairs_covered=1"]) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["+floors.min_fame=1"], "floors.min_fame: there is no such figure; known: min_"),
        (["equal_n=5"], "equal_n: expected 1 to 4"),
        (["draws=0"], "draws: expected 1 or more"),
        (["out=/nowhere/x.json"], "out=/nowhere/x.json: cannot be written"),
        (["floors.min_mode_entropy=high"], "floors.min_mode_entropy"),
    ],
)
def test_options_that_cannot_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main(["measure", f"dataset={dataset(tmp_path, FOREIGN)}", *words]) == 1
    refused(capsys.readouterr(), said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected one conversation a line, got an empty file"),
        ('{"messages": []}\nnot JSON\n', "foreign.jsonl:2: expected one JSON object"),
        ('{"text": "hello"}\n', "foreign.jsonl:1: expected a field messages"),
        ('{"messages": "hello"}\n', "expected a field messages"),
        ('{"messages": ["hello"]}\n', "expected a field messages"),
        ("17\n", "expected a field messages"),
    ],
)
def test_data_that_is_no_conversation(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    path = tmp_path / "foreign.jsonl"
    path.write_text(text)
    assert main(["measure", f"dataset={path}"]) == 1
    refused(capsys.readouterr(), said)


def test_a_dataset_that_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["measure", f"dataset={tmp_path}/none"]) == 1
    refused(capsys.readouterr(), "dataset: expected a JSONL file or the directory of a run")
