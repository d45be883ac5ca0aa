"""The command `draft`: simulated services as files."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from tdscaling.__main__ import main
from tests.openai_server import Answer, said, serving
from tests.runs import command, finish
from tests.schemas import tracker, weather


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    """Results of tools/list of two services."""
    path = tmp_path / "tools.jsonl"
    services = [(of.domain, of.tools) for of in (tracker(), weather())]
    lines = [
        {
            "server": name,
            "tools": [
                {"name": t["name"], "description": t["description"], "inputSchema": t["parameters"]}
                for t in map(asdict, tools)
            ],
        }
        for name, tools in services
    ]
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return path


def draft(dump: Path, out: Path, *more: str) -> int:
    words = ["draft", "tools=dump", f"tools.paths=[{dump}]", f"out={out}", *more]
    return main([*words, "clusters.threshold=0.5"])


def test_drafted_files_are_domains_like_any_other(
    dump: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "drafts"
    assert draft(dump, out) == 0
    [path] = out.glob("*.yaml")
    assert "9 of 9 tools" in capfd.readouterr().out
    assert main(["domains", f"check={path}", "samples=1"]) == 0
    assert "good. 9 tools" in capfd.readouterr().out
    run = tmp_path / "run"
    used = [f"tools.paths=[{path}]", f"tools.domains=[{path.stem}]", f"hydra.run.dir={run}"]
    finish(command(*used, "coding.share=0", "budget.trajectories=4", "execution=inline"))
    lines = (run / "dataset" / "train.jsonl").read_text(encoding="utf-8").splitlines()
    for line in map(json.loads, lines):
        assert set(line["meta"]["provenance"]) <= {"simulated", "injected"}


def test_same_words_same_bytes(dump: Path, tmp_path: Path) -> None:
    texts = []
    for name in ("a", "b"):
        assert draft(dump, tmp_path / name) == 0
        [path] = (tmp_path / name).glob("*.yaml")
        texts.append(path.read_bytes())
    assert texts[0] == texts[1]


def test_files_that_are_there_are_not_overwritten(
    dump: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert draft(dump, tmp_path / "drafts") == 0
    [path] = (tmp_path / "drafts").glob("*.yaml")
    path.write_text("mine")
    assert draft(dump, tmp_path / "drafts") == 1
    assert "overwrite=true" in capfd.readouterr().err
    assert path.read_text() == "mine"
    assert draft(dump, tmp_path / "drafts", "overwrite=true") == 0
    assert path.read_text() != "mine"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["cluster=nothing"], "cluster=nothing: there is no such cluster; there are tracker"),
        (["count=0"], "count: expected at least 1, got 0"),
        (["tools=declared", "tools.paths=[]"], "there is nothing to draft"),
    ],
)
def test_mistakes(
    words: list[str], why: str, dump: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert draft(dump, tmp_path / "drafts", *words) == 1
    assert why in capfd.readouterr().err
    assert not (tmp_path / "drafts").exists()


def rules(tool: str) -> Answer:
    rule = {
        "tool": tool,
        "check": "SELECT 1 FROM task WHERE task_id = :task_id AND priority <> 'high'",
        "error": "task {task_id} is too important",
    }
    return said(json.dumps({"rules": [rule], "wordings": []}))


def test_a_model_adds_rules(dump: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with serving(rules("delete_task")) as server:
        llm = ["llm=openai", f"llm.base_url={server.base_url}", "llm.model=m"]
        assert draft(dump, tmp_path / "drafts", *llm) == 0
    [path] = (tmp_path / "drafts").glob("*.yaml")
    text = path.read_text(encoding="utf-8")
    assert "is too important" in text
    assert "1 rules and wordings by m" in text
    assert main(["domains", f"check={path}", "samples=0"]) == 0
    assert "not taken" not in capfd.readouterr().out


def test_what_a_model_gets_wrong_is_named(
    dump: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with serving(rules("burn_task"), said("no idea")) as server:
        llm = ["llm=openai", f"llm.base_url={server.base_url}", "llm.model=m"]
        assert draft(dump, tmp_path / "drafts", *llm) == 0
    told = capfd.readouterr().out
    assert "there is no tool burn_task" in told
    assert "malformed answer" in told
