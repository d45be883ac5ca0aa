"""Runs whose models cost money: nothing is paid twice, nothing beyond a cap, nothing is lost."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.openai_server import Answer, Body, Server, dead_url, serving
from tests.oracle import oracle
from tests.runs import NO_CODE, command, data, finish, started

SMALL = (
    *NO_CODE,
    "tools.domains=[airline,calendar]",
    "blueprints.worlds=2",
    "round_size=8",
    "seed=5",
    "evolution=none",
)
PLAYED = ("roles/user=llm", "roles/assistant=llm", "roles/judge=llm", "llm=openai", "llm.model=m")
SIZE = 8
AT_ONCE = 4
PRICE = "llm.price_completion=1000.0"
EACH = 10 * 1000.0 / 1e6
"""USD of a reply of 10 tokens."""


def line(folder: Path, *words: str) -> list[str]:
    return command(
        *SMALL, f"budget.trajectories={SIZE}", "execution=inline", *words, f"hydra.run.dir={folder}"
    )


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What the scripted roles do with the same seed."""
    folder = tmp_path_factory.mktemp("scripted")
    finish(line(folder))
    text = (folder / "dataset" / "train.jsonl").read_text(encoding="utf-8")
    return [json.loads(row) for row in text.splitlines()]


@contextmanager
def model(recorded: list[dict[str, Any]], delay: float = 0.0) -> Iterator[Server]:
    answer = oracle(recorded)
    with serving(lambda body: replace(answer(body), delay=delay)) as server:
        yield server


@pytest.fixture(scope="module")
def paid(recorded: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("paid")
    with model(recorded) as server:
        finish(line(folder, *PLAYED, f"llm.base_url={server.base_url}", PRICE))
    return folder


def asked(server: Server) -> Counter[str]:
    return Counter(json.dumps(body, sort_keys=True) for body in server.requests)


def ledger(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(folder / "run.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def accepted(folder: Path) -> list[bytes]:
    return data(folder).splitlines()


@pytest.mark.parametrize("execution", ["inline", "processes"])
def test_a_killed_run_goes_on_inside_its_conversations(
    execution: str, recorded: list[dict[str, Any]], paid: Path, tmp_path: Path
) -> None:
    """Killed four times: whatever was answered is not asked again."""
    kills, at_once, chance = 4, AT_ONCE, random.Random(execution)
    with model(recorded, delay=0.03) as server:
        words = line(
            tmp_path, *PLAYED, f"llm.base_url={server.base_url}", PRICE, f"concurrency={at_once}",
            f"execution={execution}", *(["execution.workers=2"] * (execution == "processes")),
        )  # fmt: skip
        for _ in range(kills):
            before = len(server.requests)
            with started(words) as process:
                while len(server.requests) < before + chance.randint(3, 20):
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        process.wait(0.02)
                        break
                kill(process)
        finish(words)
    again = sum(count - 1 for count in asked(server).values())
    in_flight = at_once if execution == "inline" else 8
    assert again <= kills * in_flight
    assert data(tmp_path) == data(paid)
    calls, dollars = ledger(tmp_path, "SELECT sum(calls), sum(cost_usd) FROM spending")[0]
    assert calls <= len(asked(server)) <= calls + (kills + 1) * in_flight
    replies = ledger(tmp_path, "SELECT count(*) FROM llm_calls WHERE error IS NULL")[0][0]
    assert dollars >= replies * EACH > 0


def kill(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_replies_of_a_run_make_it_again_without_a_model(paid: Path, tmp_path: Path) -> None:
    words = (*PLAYED[:3], "llm=replay", f"llm.run={paid}")
    finish(line(tmp_path, *words))
    for file in sorted((paid / "dataset").iterdir()):
        assert (tmp_path / "dataset" / file.name).read_bytes() == file.read_bytes(), file.name
    assert not (tmp_path / "replies.sqlite").exists()


def test_settings_of_the_endpoint_may_be_typed_again(paid: Path, tmp_path: Path) -> None:
    words = (*PLAYED[:3], "llm=replay", "llm.model=m", PRICE, f"llm.run={paid}")
    finish(line(tmp_path, *words))
    assert data(tmp_path) == data(paid)


def test_a_run_without_its_replies_is_not_continued(paid: Path, tmp_path: Path) -> None:
    """Caps would start anew, and everything would be paid again."""
    shutil.copytree(paid, tmp_path / "run")
    (tmp_path / "run" / "replies.sqlite").unlink()
    words = (*PLAYED, f"llm.base_url={dead_url()}", PRICE)
    done = finish(line(tmp_path / "run", *words), code=1)
    assert "expected the replies to at least" in done.stderr
    assert "To go on" not in done.stdout


def test_a_runs_own_replies_are_no_shared_ones(paid: Path, tmp_path: Path) -> None:
    shared = f"reply_cache={paid / 'replies.sqlite'}"
    before = (paid / "replies.sqlite").read_bytes()
    words = (*PLAYED, f"llm.base_url={dead_url()}", PRICE, shared)
    done = finish(line(tmp_path, *words), code=1)
    assert "expected a file of replies that runs share" in done.stderr
    assert (paid / "replies.sqlite").read_bytes() == before


def test_a_replay_with_another_config_is_refused(paid: Path, tmp_path: Path) -> None:
    words = (*PLAYED[:3], "llm=replay", f"llm.run={paid}", "seed=6")
    done = finish(line(tmp_path, *words), code=1)
    assert "seed was 5, now 6" in done.stderr
    assert "overrides.yaml" in done.stderr


def test_a_replay_ends_where_the_replies_end(
    recorded: list[dict[str, Any]], paid: Path, tmp_path: Path
) -> None:
    short = tmp_path / "short"
    with model(recorded) as server:
        words = (
            *PLAYED,
            f"llm.base_url={server.base_url}",
            PRICE,
            f"budget.dollars={110 * EACH}",
            f"concurrency={AT_ONCE}",
        )
        finish(line(short, *words))
    again = tmp_path / "again"
    done = finish(line(again, *PLAYED[:3], "llm=replay", f"llm.run={short}"))
    assert "holds no reply to the next request" in " ".join(done.stdout.split())
    assert accepted(again) == accepted(short)


@pytest.mark.parametrize(
    ("cap", "role", "most", "execution"),
    [
        (f"budget.dollars={80 * EACH}", None, 80, "inline"),
        ("+budget.roles.user.completion_tokens=350", "user", 35, "processes"),
    ],
)
def test_a_cap_is_exceeded_by_what_is_in_flight_at_most(
    cap: str, role: str | None, most: int, execution: str, recorded: list[dict[str, Any]],
    paid: Path, tmp_path: Path,
) -> None:  # fmt: skip
    at_once = AT_ONCE
    with model(recorded, delay=0.01) as server:
        words = (*PLAYED, f"llm.base_url={server.base_url}", PRICE, f"concurrency={at_once}")
        done = finish(line(tmp_path, *words, cap, f"execution={execution}"))
        assert cap.lstrip("+").split("=")[0] in " ".join(done.stdout.split())
        assert "To go on" in done.stdout
        where = f"WHERE role = '{role}'" if role else ""
        sums = "sum(calls - failed), sum(completion_tokens), sum(cost_usd)"
        calls, tokens, dollars = ledger(tmp_path, f"SELECT {sums} FROM spending {where}")[0]
        in_flight = at_once if execution == "inline" else 8
        assert most <= calls <= most + in_flight
        assert tokens == 10 * calls
        assert dollars == pytest.approx(EACH * calls)
        kept = accepted(tmp_path)
        assert kept == accepted(paid)[: len(kept)]
        assert 0 < len(kept) < SIZE
        # With a higher cap it goes on where it was cut, and pays for nothing again.
        raised = cap.split("=")[0]
        finish(line(tmp_path, *words, f"{raised}=1000000", f"execution={execution}"))
    assert data(tmp_path) == data(paid)
    assert max(asked(server).values()) == 1  # what was answered


def test_a_summary_says_what_the_money_bought(paid: Path, tmp_path: Path) -> None:
    done = finish(line(tmp_path, *PLAYED[:3], "llm=replay", f"llm.run={paid}"))
    assert "models" not in done.stdout  # a replay costs nothing
    told = finish(line(paid, *PLAYED, f"llm.base_url={dead_url()}", PRICE)).stdout
    dollars = ledger(paid, "SELECT sum(cost_usd) FROM spending")[0][0]
    assert "per accepted trajectory" in " ".join(told.split())
    assert f"{dollars / SIZE:.4f} USD" in " ".join(told.split())


def test_time_is_a_cap(recorded: list[dict[str, Any]], paid: Path, tmp_path: Path) -> None:
    answer, delays = oracle(recorded), [0.5]
    with serving(lambda body: replace(answer(body), delay=sum(delays))) as server:
        words = line(tmp_path, *PLAYED, f"llm.base_url={server.base_url}", PRICE, "concurrency=1")
        done = finish([*words, "budget.seconds=3"], code=1)
        assert "nothing was accepted before the run ended: the wall clock" in done.stderr
        assert len(server.requests) <= 7
        delays.clear()
        finish(words)
    assert data(tmp_path) == data(paid)


def test_a_cap_that_buys_nothing_is_an_error(
    recorded: list[dict[str, Any]], tmp_path: Path
) -> None:
    with model(recorded) as server:
        words = (*PLAYED, f"llm.base_url={server.base_url}", PRICE, f"budget.dollars={EACH}")
        done = finish(line(tmp_path, *words), code=1)
    assert "nothing was accepted before the run ended" in done.stderr
    assert not (tmp_path / "dataset").exists()


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("budget.dollars=0", "budget.dollars: expected null or above 0"),
        ("budget.dollars=much", "budget.dollars: expected float or null"),
        ("budget.prompt_tokens=0", "budget.prompt_tokens: expected null or at least 1"),
        ("budget.seconds=-1", "budget.seconds: expected null or at least 1"),
        ("+budget.roles.user.dollars=-2", "budget.roles.user.dollars: expected null or above 0"),
        ("+budget.roles.user.money=2", "budget.roles.user.money: there is no such key"),
        (
            "+budget.roles.asistant.tokens=1",
            "budget.roles.asistant: there is no role of that name to cap; nearest first: assistant",
        ),
    ],
)
def test_caps_out_of_range_are_refused(word: str, told: str, tmp_path: Path) -> None:
    assert told in finish(line(tmp_path, word), code=1).stderr


TWO = ("roles/judge=llm", "roles/assistant=llm", "llm=openai", "llm.model=m")
TWO += ("llm.base_url=http://127.0.0.1:9/v1", "llm.retries=0")
OWN = ("+llm@roles.judge.llm=vllm", "roles.judge.llm.model=n")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            (*TWO, "budget.dollars=1"),
            "budget.dollars: it would never be reached, since no model that plays (assistant,"
            " judge) has a price: type llm.price_prompt=USD and llm.price_completion=USD",
        ),
        (
            (*TWO, *OWN, "llm.price_prompt=1.0", "+budget.roles.judge.dollars=1"),
            "budget.roles.judge.dollars: it would never be reached, since no model that plays"
            " (judge) has a price: type roles.judge.llm.price_prompt=USD",
        ),
    ],
)
def test_a_cap_of_dollars_needs_a_price(words: tuple[str, ...], told: str, tmp_path: Path) -> None:
    done = finish(line(tmp_path, *words), code=1)
    assert told in done.stderr
    assert not (tmp_path / "run.duckdb").exists()


@pytest.mark.parametrize(
    "words",
    [
        (*TWO, *OWN, "llm.price_completion=1.0", "budget.dollars=1"),
        (*TWO, "llm.price_prompt=1.0", "+budget.roles.judge.dollars=1"),
        (*TWO, "+budget.roles.composer.dollars=1"),
    ],
)
def test_a_cap_of_dollars_where_some_model_has_a_price(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    """It is the endpoint that ends these runs."""
    done = finish(line(tmp_path, *words), code=1)
    assert "cannot be reached" in done.stderr


def test_a_cap_of_dollars_without_models_is_none(tmp_path: Path) -> None:
    finish(line(tmp_path, "budget.dollars=1", "+budget.roles.judge.dollars=1"))


def test_a_replay_keeps_the_caps_of_its_run(paid: Path, tmp_path: Path) -> None:
    words = (*PLAYED[:3], "llm=replay", f"llm.run={paid}", "budget.dollars=9")
    finish(line(tmp_path, *words))
    assert data(tmp_path) == data(paid)


def test_what_came_before_a_dead_endpoint_is_kept(
    recorded: list[dict[str, Any]], paid: Path, tmp_path: Path
) -> None:
    answer, count = oracle(recorded), iter(range(10**6))

    def breaks(body: Body) -> Answer:
        late = next(count) >= 80
        return Answer({"error": {"message": "no such key"}}, 401) if late else answer(body)

    with serving(breaks) as server:
        words = (*PLAYED, f"llm.base_url={server.base_url}", "concurrency=3")
        done = finish(line(tmp_path, *words), code=1)
    assert "refused the key" in done.stderr
    assert "To go on" in done.stdout
    stored = ledger(tmp_path, "SELECT line FROM documents WHERE accepted ORDER BY idx")
    assert 0 < len(stored) < SIZE
    assert [row.encode() for (row,) in stored] == accepted(paid)[: len(stored)]


def test_runs_share_replies_where_asked(
    recorded: list[dict[str, Any]], paid: Path, tmp_path: Path
) -> None:
    shared = f"reply_cache={tmp_path / 'shared.sqlite'}"
    with model(recorded) as server:
        words = (
            *PLAYED,
            f"llm.base_url={server.base_url}",
            PRICE,
            shared,
            f"concurrency={AT_ONCE}",
        )
        finish(line(tmp_path / "one", *words))
        first = len(server.requests)
        finish(line(tmp_path / "two", *words))
    failed = ledger(tmp_path / "two", "SELECT sum(failed), sum(cost_usd) FROM spending")[0]
    # Failures are not shared, and the last ones under way are cut off when the run ends.
    assert len(server.requests) - first <= failed[0] + AT_ONCE
    assert failed[1] == 0
    assert data(tmp_path / "two") == data(tmp_path / "one") == data(paid)
