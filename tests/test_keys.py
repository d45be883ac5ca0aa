"""A key that is in the environment is nowhere else: not in a file, not on the terminal."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.openai_server import Answer, Body, listed, refused, said, serving
from tests.runs import NO_CODE, ROOT, SMALL, command

KEY = "sk-very-secret-0123456789"
PART = KEY[3:14]
"""So much of it is too much."""
MODEL = ("roles/judge=llm", "llm=openai", "llm.model=m", "llm.retries=0", "budget.attempts=6")


def judge(body: Body) -> Answer:
    """Accepts, rejects, and fails with the key in its words."""
    size = len(json.dumps(body["messages"]))
    if size % 4 == 0:
        return refused(400, f"bad request by {KEY}")
    return said(json.dumps({"why": "as I see it", "accept": size % 3 > 0}))


def done(
    where: Path, *words: str, key_env: str = "OPENAI_API_KEY"
) -> subprocess.CompletedProcess[str]:
    """A command, whose output does not hold the key."""
    ended = subprocess.run(
        command(*words),
        env={**os.environ, "PYTHONPATH": str(ROOT), key_env: KEY},
        capture_output=True,
        text=True,
        timeout=120,
        cwd=where,
    )
    assert PART not in ended.stdout + ended.stderr
    return ended


def written(folder: Path) -> set[str]:
    """Names of all files below, none of which holds the key."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert [path for path in files if PART.encode() in path.read_bytes()] == []
    return {path.name for path in files}


@pytest.mark.parametrize("execution", ["inline", "processes"])
def test_whole_run_and_what_reads_it(execution: str, tmp_path: Path) -> None:
    with serving(judge, models=listed("m")) as server:
        url = f"llm.base_url={server.base_url}"
        made = (*SMALL, *NO_CODE, *MODEL, url, f"execution={execution}")
        run = (*made, "hydra.run.dir=run", "reply_cache=cache.sqlite")
        assert done(tmp_path, *run).returncode == 0
        assert done(tmp_path, *run).returncode == 0  # once more: it is continued
        assert done(tmp_path, "doctor", "need=skip", *MODEL[1:3], url).returncode == 0
        assert f"Bearer {KEY}" in set(server.keys)
    checked = done(tmp_path, "verify", "dataset=run", SMALL[0], *NO_CODE[1:])
    assert checked.returncode == 0, checked.stderr
    assert done(tmp_path, "report", "run_dir=run").returncode == 0
    found = written(tmp_path)
    assert {"run.duckdb", "train.jsonl", "report.html", "config.yaml", "overrides.yaml"} <= found
    assert {"replies.sqlite", "cache.sqlite", "hydra.yaml", "README.md"} <= found


@pytest.mark.parametrize("execution", ["inline", "processes"])
def test_key_that_is_refused_and_repeated(execution: str, tmp_path: Path) -> None:
    with serving(refused(401, f"Incorrect API key provided: {KEY}")) as server:
        url = f"llm.base_url={server.base_url}"
        ended = done(
            tmp_path, *SMALL, *NO_CODE, *MODEL, url, f"execution={execution}", "hydra.run.dir=run"
        )
    assert ended.returncode == 1
    assert "it refused the key" in ended.stderr
    written(tmp_path)


def test_sweep_with_a_preset(tmp_path: Path) -> None:
    with serving(judge) as server:
        words = ("roles/judge=llm", "llm=vllm", f"llm.base_url={server.base_url}", "llm.model=m")
        sweep = ("-m", "seed=1,2", "budget.attempts=2", "hydra.sweep.dir=sweep", "llm.retries=0")
        more = (*SMALL, *NO_CODE, *words, "execution=inline")
        ended = done(tmp_path, *sweep, *more, key_env="VLLM_API_KEY")
        assert ended.returncode == 0, ended.stderr
        assert set(server.keys) == {f"Bearer {KEY}"}
    assert {"multirun.yaml", "config.yaml", "replies.sqlite"} <= written(tmp_path)


@pytest.mark.parametrize(
    "word",
    [
        f"llm.api_key_env={KEY}",
        f"llm.api_key_env=[{KEY}]",
        f"llm.api_key={KEY}",
        f"+llm.api_key={KEY}",
        f"api_key={KEY}",
        f"llm.base_url=http://h/v1?key={KEY}",
        f"llm.base_url=http://{KEY}@h/v1",
    ],
)
def test_key_that_is_typed_is_refused_and_not_repeated(word: str, tmp_path: Path) -> None:
    for flags in ((), ("-m", "seed=1,2")):
        folders = ("hydra.run.dir=run", "hydra.sweep.dir=sweep")
        ended = done(tmp_path, *flags, "llm=openai", "llm.model=m", word, *folders)
        assert ended.returncode == 1
        assert ended.stderr.startswith("tdscaling: ")
    assert list(tmp_path.iterdir()) == []
