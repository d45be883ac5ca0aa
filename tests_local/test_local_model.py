"""A whole run with a small real model on the CPU: `make test-local`.

Not part of `make test`, which needs no weights and tests `llm=local` with a library that has no
model inside.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tdscaling.blueprints._refer import spoken

ROOT = Path(__file__).resolve().parents[1]
ACCEPTED = 12
MINUTES = 10
# Short conversations, and no persona: so small a model copies what it is told to be.
WORDS = (
    *("blueprints=composed", "roles/assistant=narrated", "llm=local", "seed=3"),
    *("tools.domains=[airline,bank,library]", f"budget.trajectories={ACCEPTED}", "round_size=6"),
    *("sandbox=none", "coding.share=0", "execution=inline", "concurrency=4"),
    *("blueprints.max_operators=1", "blueprints.calls=[1,3]"),
    *("blueprints.versions=5", "roles.assistant.tries=6"),
    *("blueprints.voices.personas=[]", "blueprints.voices.styles=[]"),
)


def tdscaling(*words: str) -> None:
    run = [sys.executable, "-m", "tdscaling", *words]
    env = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "100"}
    subprocess.run(run, cwd=ROOT, env=env, check=True)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder, started = tmp_path_factory.mktemp("local"), time.monotonic()
    before = os.getloadavg()[0]
    tdscaling(*WORDS, f"hydra.run.dir={folder}")
    minutes = (time.monotonic() - started) / 60
    train = folder / "dataset" / "train.jsonl"
    tdscaling("verify", f"dataset={train}")
    lines = [json.loads(line) for line in train.read_text(encoding="utf-8").splitlines()]
    tell(folder, lines, minutes)
    print(f"load {before:.1f} before and {os.getloadavg()[0]:.1f} after")
    assert minutes < MINUTES
    return lines


def tell(folder: Path, lines: list[dict[str, Any]], minutes: float) -> None:
    user, assistant = by_model(lines)
    with duckdb.connect(str(folder / "run.duckdb"), read_only=True) as ledger:
        tokens = ledger.execute("SELECT sum(completion_tokens) FROM llm_calls").fetchall()[0][0]
    print(f"\n{len(lines)} accepted in {minutes:.1f} minutes, {tokens / minutes / 60:.0f} tokens/s")
    print(f"user's texts by the model: {user[0]} of {user[1]}; answers: {assistant[0]} of", end=" ")
    print(assistant[1])
    for line in lines:
        print(f"{line['id']}: {line['meta']['roles']}")
        for message in line["messages"][1:]:
            if message["role"] != "tool" and message["content"]:
                print(f"    {message['role']}: {message['content']}")


def by_model(lines: list[dict[str, Any]]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Texts in the model's words and all that it was asked for, of users and assistants."""
    authors = [who for line in lines for who in line["meta"]["blueprint"]["authors"].values()]
    told = [line["meta"]["roles"]["assistant"].rpartition("(")[2].rstrip(")") for line in lines]
    counted = [[int(number) for number in one.split(" of ")] for one in told]
    kept, asked = (sum(column) for column in zip(*counted, strict=True))
    return (authors.count("model"), len(authors)), (kept, asked)


def test_enough_is_accepted_and_both_sides_speak_by_the_model(found: list[dict[str, Any]]) -> None:
    assert len(found) == ACCEPTED
    (user, _), (assistant, _) = by_model(found)
    assert user >= 1
    assert assistant >= 1


def test_all_facts_are_kept(found: list[dict[str, Any]]) -> None:
    for line in found:
        blueprint, messages = line["meta"]["blueprint"], line["messages"]
        user = " ".join(m["content"] for m in messages if m["role"] == "user").lower()
        both = user + " ".join(m["content"] or "" for m in messages if m["role"] == "assistant")
        for step in blueprint["plan"]:
            for bound in step["arguments"].values():
                value = blueprint["facts"].get(bound.get("fact"))
                if value is not None and not isinstance(value, bool):
                    assert spoken(value).lower() in both.lower(), (line["id"], value)
        said = " ".join(m["content"] or "" for m in messages if m["role"] == "assistant")
        for answer in blueprint["answers"]:
            for value in answer["values"]:  # a status is told in plain words
                assert value in said or value.replace("_", " ") in said, (line["id"], value)


def test_what_fell_back_is_labelled(found: list[dict[str, Any]]) -> None:
    for line in found:
        authors = list(line["meta"]["blueprint"]["authors"].values())
        label = f"({authors.count('model')} of {len(authors)})"
        assert line["meta"]["roles"]["user"].endswith(label)
        assert line["meta"]["roles"]["assistant"].startswith("narrated:SmolLM2-135M-Instruct")
