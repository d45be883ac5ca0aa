"""Whole runs whose roles are played over HTTP."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.llm.outcomes import lines, rows
from tests.openai_server import Answer, Body, dead_url, refused, said, serving
from tests.oracle import oracle, spoken

ROOT = Path(__file__).resolve().parents[2]
KEY = "sk-very-secret-0123456789"
SMALL = ("budget.trajectories=3", "round_size=4", "tools.domains=[airline]", "seed=5")
ALL = ("roles/user=llm", "roles/assistant=llm", "roles/judge=llm", "llm=openai", "llm.model=m")


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tdscaling", *SMALL, f"hydra.run.dir={folder}", *words],
        cwd=ROOT,
        env=os.environ | {"OPENAI_API_KEY": KEY},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What the scripted roles do with the same seed."""
    folder = tmp_path_factory.mktemp("scripted")
    done = run(folder, "execution=inline")
    assert done.returncode == 0, done.stderr
    return lines(folder)


def check_ledger(folder: Path, line: dict[str, Any]) -> None:
    """One row per request: each message, the user's wish to stop, the verdict."""
    query = "SELECT role, count(*) FROM llm_calls WHERE trajectory_id = ? GROUP BY role"
    calls = dict(rows(folder, query, line["id"]))
    roles = [message["role"] for message in line["messages"]]
    expected = {"user": roles.count("user") + 1, "assistant": roles.count("assistant"), "judge": 1}
    assert calls == expected
    costs = "SELECT prompt_tokens, completion_tokens, cost_usd FROM trajectories WHERE id = ?"
    requests = sum(expected.values())
    cost = pytest.approx(100 * requests * 10 / 1e6)
    assert rows(folder, costs, line["id"]) == [(100 * requests, 10 * requests, cost)]


@pytest.mark.parametrize("execution", ["inline", "processes"])
def test_models_play_every_role(
    execution: str, recorded: list[dict[str, Any]], tmp_path: Path
) -> None:
    with serving(oracle(recorded)) as server:
        url = f"llm.base_url={server.base_url}"
        done = run(tmp_path, *ALL, url, "llm.price_prompt=10.0", f"execution={execution}")
    assert done.returncode == 0, done.stderr
    found = lines(tmp_path)
    assert [spoken(line["messages"]) for line in found] == [
        spoken(line["messages"]) for line in recorded
    ]
    roles = {"user": "llm:m", "assistant": "llm:m", "judge": "llm:m"}
    assert [line["meta"]["roles"] for line in found] == [roles] * len(recorded)
    for line in found:
        check_ledger(tmp_path, line)
    assert set(server.keys) == {f"Bearer {KEY}"}
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert kept
    assert [path for path in kept if KEY.encode() in path.read_bytes()] == []


@pytest.mark.parametrize("execution", ["inline", "processes"])
def test_dead_endpoint_ends_the_run(execution: str, tmp_path: Path) -> None:
    url = dead_url()
    words = (*ALL, f"llm.base_url={url}", "llm.retries=0", f"execution={execution}")
    done = run(tmp_path, *words)
    assert done.returncode == 1
    assert f"tdscaling: the model m at {url}: it cannot be reached" in done.stderr
    assert "llm.base_url=URL" in done.stderr
    assert "Traceback" not in done.stderr
    train = tmp_path / "dataset" / "train.jsonl"
    assert not train.exists() or train.read_text() == ""


def test_refused_key_is_not_shown(tmp_path: Path) -> None:
    with serving(refused(401, f"bad key {KEY}")) as server:
        done = run(tmp_path, *ALL, f"llm.base_url={server.base_url}")
    assert done.returncode == 1
    assert "401: bad key ***" in done.stderr
    assert KEY not in done.stdout + done.stderr


def test_failing_requests_are_rejections_with_their_reason(tmp_path: Path) -> None:
    with serving(refused(400, "too long")) as server:
        words = ("roles/assistant=llm", "llm=openai", "llm.model=m", "budget.attempts=4")
        done = run(tmp_path, *words, f"llm.base_url={server.base_url}", "llm.retries=0")
    assert done.returncode in (0, 1), done.stderr
    reasons = rows(tmp_path, "SELECT DISTINCT reason FROM trajectories WHERE NOT accepted")
    assert ("role_failed",) in reasons
    assert rows(tmp_path, "SELECT count(*) FROM trajectories WHERE accepted") == [(0,)]


def test_role_without_a_model_is_refused(tmp_path: Path) -> None:
    done = run(tmp_path, "roles/user=llm")
    assert done.returncode == 1
    assert "type llm=openai llm.base_url=http://HOST:PORT/v1 llm.model=NAME" in done.stderr


def test_role_with_an_endpoint_of_its_own(tmp_path: Path) -> None:
    with serving(refused(404, "not here")) as server:
        words = ("roles/user=llm", "+llm@roles.user.llm=openai", "roles.user.llm.model=own")
        done = run(tmp_path, *words, f"roles.user.llm.base_url={server.base_url}")
    assert done.returncode == 1
    assert "the model own at" in done.stderr
    assert {body["model"] for body in server.requests} == {"own"}


def test_narrated_run(tmp_path: Path) -> None:
    def answer(body: Body) -> Answer:
        text = body["messages"][0]["content"].split("The assistant's reply: ")[1]
        text = text.split("\n\nYour last version")[0]
        # Some answers lose their figures each time, and keep the scripted words.
        return said("Done." if len(text) % 2 else f"Gladly! {text}")

    with serving(answer) as server:
        words = ("roles/assistant=narrated", "llm=openai", "llm.model=m")
        done = run(tmp_path, *words, f"llm.base_url={server.base_url}")
    assert done.returncode == 0, done.stderr
    found = lines(tmp_path)
    names = [line["meta"]["roles"]["assistant"].removeprefix("narrated:m (") for line in found]
    worded = [[int(number) for number in name.rstrip(")").split(" of ")] for name in names]
    words_said = [m["content"] or "" for line in found for m in line["messages"]]
    gladly = sum(text.startswith("Gladly! ") for text in words_said)
    assert gladly > 0
    assert sum(kept for kept, _ in worded) == gladly
    fallen = "SELECT count(*) FROM llm_calls JOIN trajectories ON id = trajectory_id WHERE accepted"
    assert rows(tmp_path, f"{fallen} AND error = 'fell_back'") == [(sum(a - k for k, a in worded),)]
    used = "SELECT count(*) FROM llm_calls JOIN trajectories ON id = trajectory_id WHERE accepted"
    assert rows(tmp_path, f"{used} AND error IS NULL") == [(gladly,)]
    fell_back = rows(tmp_path, f"{used} AND error = 'fell_back'")
    assert rows(tmp_path, f"{used} AND error = 'not_used'") == [(2 * fell_back[0][0],)]
    assert "Done." not in words_said
