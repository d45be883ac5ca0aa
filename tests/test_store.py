"""The ledger: what goes in comes out, one config per run, nothing committed is ever lost."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from tdscaling.errors import RunDirectoryError
from tdscaling.migrations import MIGRATIONS
from tdscaling.schema import (
    Action,
    Cluster,
    Decision,
    Edge,
    LlmCall,
    Outcome,
    Request,
    Tool,
    Trace,
    Verdict,
)
from tdscaling.store import FILE, Store, check_run_directory

CONFIG = {
    "seed": 1,
    "concurrency": 4,
    "budget": {"trajectories": 10, "tokens": None},
    "evolution": {"_target_": "x.Y", "exploration": 0.1},
    "llm": {"model": "m", "api_key": "sk-secret"},
}


def make_outcome(index: int, *, accepted: bool = True, line: str | None = None) -> Outcome:
    rng = random.Random(index)
    actions = tuple(
        Action(
            step=i,
            kind="chain" if i else "call",
            tool=f"tool_{i}",
            ok=rng.random() < 0.8,
            provenance="executed",
            depth=i,
            bound_args=i,
            writes=i % 2 == 1,
            sources=tuple(range(i)),
        )
        for i in range(rng.randrange(4))
    )
    return Outcome(
        index=index,
        round=index // 8,
        id=f"id{index}",
        seed=f"seed{index}",
        request=Request(
            "c1",
            ("extend", "revise") if index % 2 else (),
            1 + index % 5,
            f"p{index}" if index % 3 else None,
        ),
        category="travel",
        domain="airline",
        categories={"travel": 2 / 3, "bank": 1 / 3} if index % 3 else {},
        verdict=Verdict(True) if accepted else Verdict(False, "extra_write", "where\nexpected"),
        blueprint_id=f"b{index}" if index % 4 else "",
        trace=Trace(
            ("call", "chain", "answer"), "call>chain>answer", "chain", actions, 3.7, "rw 0-1"
        ),
        turns=2,
        llm_calls=(LlmCall("user", "m", 10, 5, 1.5, 0.01, True, None),) * (index % 3),
        line=json.dumps({"id": index, "text": "ø" * 50}) if line is None else line,
        seconds={"converse": 0.1 * index},
    )


def test_outcomes_come_back_equal_and_in_order(tmp_path: Path) -> None:
    path = tmp_path / FILE
    sent = [make_outcome(i, accepted=i % 3 != 0) for i in range(600)]
    sent[5] = make_outcome(5, accepted=False, line="")
    store = Store.open(path, CONFIG)
    for start in range(0, 600, 50):
        store.commit(sent[start : start + 50])
    assert list(store.outcomes()) == sent
    store.close()
    again = Store.open(path, CONFIG)
    assert list(again.outcomes()) == sent
    assert (again.next_index, again.accepted) == (600, sum(o.verdict.accepted for o in sent))
    assert list(again.lines()) == [o.line for o in sent if o.verdict.accepted]
    assert list(again.lines(None)) == [o.line for o in sent if o.line]
    rejected = [o.line for o in sent if o.line and not o.verdict.accepted]
    assert list(again.lines(accepted=False)) == rejected
    again.close()


def test_contract_columns_exist_and_are_filled(tmp_path: Path) -> None:
    store = Store.open(tmp_path / FILE, CONFIG)
    store.commit([make_outcome(i) for i in range(3)])
    trajectories = store.query(
        "SELECT id, round, seed, category, domain, cluster, mode, signature, complexity, calls,"
        " turns, accepted, reason, prompt_tokens, completion_tokens, cost_usd FROM trajectories"
    )
    assert trajectories[2]["prompt_tokens"] == 20
    assert trajectories[2]["calls"] == len(make_outcome(2).trace.actions)
    store.query(
        "SELECT trajectory_id, step, kind, tool, ok, provenance, depth, bound_args FROM actions"
    )
    calls = store.query(
        "SELECT trajectory_id, role, model, prompt_tokens, completion_tokens, latency_ms,"
        " cost_usd, cached, error FROM llm_calls"
    )
    assert [row["trajectory_id"] for row in calls] == ["id1", "id2", "id2"]
    store.close()


def test_a_round_stored_twice_is_stored_once(tmp_path: Path) -> None:
    store = Store.open(tmp_path / FILE, CONFIG)
    row = {"round": 0, "attempted": 8, "accepted": 6, "domain_entropy": 1.5, "mode_support": 3}
    store.commit([], [row], [Decision(0, "category", "travel", 0.5, "few")])
    store.commit([], [row | {"accepted": 7}], [Decision(0, "category", "bank", 0.5, "few")])
    rounds = store.query("SELECT round, attempted, accepted, domain_entropy, figures FROM rounds")
    assert len(rounds) == 1
    assert rounds[0]["accepted"] == 7
    assert json.loads(rounds[0]["figures"]) == {"mode_support": 3}
    assert [r["choice"] for r in store.query("SELECT choice FROM steering")] == ["bank"]
    store.close()


def test_clusters_are_stored_whole(tmp_path: Path) -> None:
    tool = Tool("book", "Books.", {"type": "object"}, "airline", "travel", ("id",), True)
    cluster = Cluster("c1", "airline", "travel", (tool,), (Edge("a", "b", "c", "d", "key"),))
    store = Store.open(tmp_path / FILE, CONFIG)
    store.put_clusters([cluster])
    store.put_clusters([cluster])
    rows = store.query("SELECT id, domain, category, tools, edges FROM clusters")
    assert len(rows) == 1
    assert json.loads(rows[0]["tools"])[0]["returns"] == ["id"]
    assert json.loads(rows[0]["edges"])[0]["slot"] == "d"
    store.close()


def test_indices_must_continue(tmp_path: Path) -> None:
    store = Store.open(tmp_path / FILE, CONFIG)
    with pytest.raises(ValueError, match="outcome 1 where 0"):
        store.commit([make_outcome(1)])
    store.close()


def test_a_failing_commit_leaves_nothing_behind(tmp_path: Path) -> None:
    store = Store.open(tmp_path / FILE, CONFIG)
    store.commit([make_outcome(0)])
    with pytest.raises(RunDirectoryError):
        store.commit([make_outcome(1)], [{"round": "not a number", "attempted": 1}])
    assert [o.index for o in store.outcomes()] == [0]
    store.commit([make_outcome(1)])
    assert store.next_index == 2
    store.close()


def test_another_config_is_refused_by_key_and_value(tmp_path: Path) -> None:
    path = tmp_path / FILE
    Store.open(path, CONFIG).close()
    other = CONFIG | {"seed": 2, "evolution": {"_target_": "x.Z", "exploration": 0.1}, "new": 1}
    with pytest.raises(RunDirectoryError) as caught:
        Store.open(path, other)
    message = str(caught.value)
    assert "seed was 1, now 2" in message
    assert 'evolution._target_ was "x.Y", now "x.Z"' in message
    assert "new was not set, now 1" in message
    assert "exploration" not in message
    assert "hydra.run.dir=" in message
    with pytest.raises(RunDirectoryError, match="seed was 1, now 2"):
        check_run_directory(tmp_path, other)


@pytest.mark.parametrize(
    "change",
    [
        {"concurrency": 64},
        {"llm": {"model": "m", "api_key": "sk-secret", "base_url": "http://moved/v1"}},
        {"execution": {"_target_": "p"}},
        {"export": {"formats": []}},
        {"report": {"trajectories": 5}},
        {"hydra": {"run": {"dir": "x"}}},
        {"seed": 1.0},
        {"budget": {"trajectories": 20, "tokens": None}},
        {"budget": {"trajectories": None, "tokens": None}},
        {"llm": {"model": "m", "api_key": "sk-other"}},
    ],
)
def test_what_does_not_decide_the_data_may_change(
    tmp_path: Path, change: dict[str, object]
) -> None:
    path = tmp_path / FILE
    Store.open(path, CONFIG).close()
    check_run_directory(tmp_path, CONFIG | change)
    Store.open(path, CONFIG | change).close()


@pytest.mark.parametrize(
    "budget", [{"trajectories": 9, "tokens": None}, {"trajectories": 10, "tokens": 5}]
)
def test_a_budget_may_not_shrink(tmp_path: Path, budget: dict[str, object]) -> None:
    path = tmp_path / FILE
    Store.open(path, CONFIG).close()
    with pytest.raises(RunDirectoryError, match="budget"):
        Store.open(path, CONFIG | {"budget": budget})


def test_a_raised_budget_is_what_is_stored_next(tmp_path: Path) -> None:
    path = tmp_path / FILE
    Store.open(path, CONFIG).close()
    Store.open(path, CONFIG | {"budget": {"trajectories": 20, "tokens": None}}).close()
    with pytest.raises(RunDirectoryError, match=r"budget\.trajectories was 20, now 10"):
        Store.open(path, CONFIG)


def test_no_secret_reaches_the_file(tmp_path: Path) -> None:
    store = Store.open(tmp_path / FILE, CONFIG)
    assert store.config()["llm"] == {"model": "m", "api_key": "***"}
    store.close()
    assert b"sk-secret" not in (tmp_path / FILE).read_bytes()


def test_checking_a_directory_creates_nothing(tmp_path: Path) -> None:
    check_run_directory(tmp_path / "none", CONFIG)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"not a database" * 1000])
def test_a_file_that_is_no_ledger_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / FILE
    path.write_bytes(content)
    with pytest.raises(RunDirectoryError, match=r"run\.duckdb"):
        Store.read(path)
    if content:
        with pytest.raises(RunDirectoryError, match="not a DuckDB file"):
            check_run_directory(tmp_path, CONFIG)


def test_a_database_of_something_else_is_refused(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / FILE)) as connection:
        connection.execute("CREATE TABLE x (a INTEGER)")
    with pytest.raises(RunDirectoryError, match="not a run"):
        Store.read(tmp_path / FILE)


def test_a_ledger_of_a_newer_release_is_refused(tmp_path: Path) -> None:
    path = tmp_path / FILE
    Store.open(path, CONFIG).close()
    with duckdb.connect(str(path)) as connection:
        connection.execute("INSERT INTO schema_version VALUES (?)", [len(MIGRATIONS) + 1])
    for action in (lambda: Store.read(path), lambda: Store.open(path, CONFIG)):
        with pytest.raises(RunDirectoryError, match="newer release"):
            action()


@pytest.mark.parametrize("opened", [lambda path: Store.open(path, CONFIG), Store.read])
def test_a_ledger_of_an_older_release_is_brought_up_to_date(
    tmp_path: Path, opened: Callable[[Path], Store]
) -> None:
    path = tmp_path / FILE
    with duckdb.connect(str(path)) as connection:
        connection.execute(MIGRATIONS[0])
        connection.execute("CREATE TABLE schema_version AS SELECT 1 AS version")
        connection.execute("INSERT INTO trajectories (idx, id, accepted) VALUES (0, 'a', true)")
    store = opened(path)
    assert store.accepted == 1
    assert store.query("SELECT shape FROM trajectories") == [{"shape": ""}]
    assert store.query("SELECT writes, sources FROM actions") == []
    store.close()


def test_a_missing_ledger_and_an_unwritable_place_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RunDirectoryError, match="no such file"):
        Store.read(tmp_path / FILE)
    (tmp_path / "file").write_text("")
    with pytest.raises(RunDirectoryError):
        Store.open(tmp_path / "file" / FILE, CONFIG)


WRITER = """
import sys
from pathlib import Path
from tdscaling.store import Store
from tests.test_store import CONFIG, make_outcome
store = Store.open(Path(sys.argv[1]), CONFIG)
index = store.next_index
while index < int(sys.argv[2]):
    store.commit([make_outcome(i, line="x" * 3000) for i in range(index, index + 16)])
    index += 16
    print(index, flush=True)
"""


def start_writer(path: Path, end: int, before: str = "") -> subprocess.Popen[str]:
    root = Path(__file__).parents[1]
    return subprocess.Popen(
        [sys.executable, "-c", before + WRITER, str(path), str(end)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(root)},
    )


def test_kill_9_loses_no_committed_outcome(tmp_path: Path) -> None:
    path = tmp_path / FILE
    rng = random.Random(0)
    told = 0
    for _ in range(4):
        with start_writer(path, 10**6) as process:
            assert process.stdout
            for _ in range(rng.randrange(5, 30)):
                told = int(process.stdout.readline())
            time.sleep(rng.random() * 0.02)
            process.send_signal(signal.SIGKILL)
            told = max([told, *map(int, process.stdout.read().split())])
        reader = Store.read(path)
        found = list(reader.outcomes())
        reader.close()
        assert len(found) >= told
        assert len(found) % 16 == 0
        assert [o.index for o in found] == list(range(len(found)))
        assert found[-1] == make_outcome(len(found) - 1, line="x" * 3000)


def test_a_ledger_in_use_is_refused_and_named(tmp_path: Path) -> None:
    path = tmp_path / FILE
    with start_writer(path, 10**6) as process:
        assert process.stdout
        process.stdout.readline()
        for action in (
            lambda: Store.open(path, CONFIG),
            lambda: Store.read(path),
            lambda: check_run_directory(tmp_path, CONFIG),
        ):
            with pytest.raises(RunDirectoryError, match="in use by another process"):
                action()
        process.kill()


def test_a_full_disk_ends_in_one_paragraph_and_keeps_what_was_committed(tmp_path: Path) -> None:
    path = tmp_path / FILE
    limit = (
        "import resource, signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, 1_500_000))\n"
    )
    with start_writer(path, 10**6, limit) as process:
        out, err = process.communicate(timeout=120)
    assert process.returncode == 1
    last = err.strip().splitlines()[-1]
    assert "RunDirectoryError" in last
    assert "What was committed before stays" in last
    reader = Store.open(path, CONFIG)
    assert len(list(reader.outcomes())) >= int(out.split()[-1])
    reader.close()


def test_a_view_in_a_ledger_reads_no_other_file(tmp_path: Path) -> None:
    """A ledger that came with a dataset is a stranger's."""
    secret = tmp_path / "secret.txt"
    secret.write_text("secret", encoding="utf-8")
    file = tmp_path / FILE
    Store.open(file, CONFIG).close()
    connection = duckdb.connect(str(file))
    connection.execute(f"CREATE VIEW peek AS SELECT content FROM read_text('{secret}')")
    connection.close()
    store = Store.read(file)
    try:
        with pytest.raises(RunDirectoryError):
            store.query("SELECT * FROM peek")
    finally:
        store.close()
