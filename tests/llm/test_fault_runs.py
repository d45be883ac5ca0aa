"""Faults under whole runs: right lines, rejections with their reason, and nothing invented."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tdscaling.schema import canonical, digest
from tests import runs
from tests.llm.misbehaving import (
    NO_REPLY,
    ODD_USAGE,
    PASSES,
    Fault,
    Misbehaving,
    answered,
    endless,
    misbehaving,
    silent,
    trickle,
)
from tests.llm.outcomes import lines, rows
from tests.openai_server import Answer, Body, dead_url, said
from tests.oracle import oracle, spoken

ATTEMPTS = 10
ALL = ("roles/user=llm", "roles/assistant=llm", "roles/judge=llm", "llm=openai", "llm.model=m")
QUICK = ("llm.retries=0", "llm.backoff=0.0", "llm.timeout=20.0")
DRAWS = ("round_size=10", "tools.domains=[airline]", "blueprints.worlds=1")
OTHER = "('role_failed', 'blueprint_failed')"
TOOL_FAULTS: dict[str, tuple[list[tuple[str, str]], str]] = {
    "truncated_arguments": ([("PLACE", '{"id": "AB')], "malformed_call"),
    "arguments_are_no_object": ([("PLACE", "[1, 2]")], "malformed_call"),
    "not_json": ([("PLACE", "id=AB12")], "malformed_call"),
    "tool_not_offered": ([("launch_rockets", "{}")], "malformed_call|wrong_tool"),
}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What the scripted roles do with the same draws."""
    folder = tmp_path_factory.mktemp("scripted")
    assert run(folder, "llm=none", *_scripted()) == 0
    return lines(folder)


def _scripted() -> tuple[str, ...]:
    return tuple(f"roles/{role}=scripted" for role in ("user", "assistant", "judge"))


def run(folder: Path, *words: str) -> int:
    quick = () if "llm=none" in words else (*ALL, *QUICK)
    attempts = f"budget.attempts={ATTEMPTS}"
    return runs.here(folder, *DRAWS, attempts, *quick, *words, size=ATTEMPTS)


def now_and_then(
    recorded: list[dict[str, Any]], fault: Callable[[Misbehaving, Body], Fault]
) -> Callable[[Misbehaving, Body], Fault]:
    """The recorded replies, but a fault for each call that every second conversation wants."""
    right = oracle(recorded)
    wanted = [
        spoken(line["messages"][:n])
        for line in recorded[1::2]
        for n, message in enumerate(line["messages"])
        if message.get("tool_calls")
    ]

    def answer(server: Misbehaving, body: Body) -> Fault:
        if "tools" in body and spoken(body["messages"]) in wanted:
            return fault(server, body)
        return answered(_whatever_happens(right, body))

    return answer


def _whatever_happens(right: Callable[[Body], Answer], body: Body) -> Answer:
    """Where the recorded model knows no further words, since a call of its own went wrong."""
    answer = right(body)
    return answer if answer.status == 200 else said("I am afraid I could not do that.")


def check(folder: Path, recorded: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """All that was accepted was recorded; returns the reasons and details of the rest."""
    known = [spoken(line["messages"]) for line in recorded]
    accepted = [spoken(line["messages"]) for line in lines(folder)]
    assert [found for found in accepted if found not in known] == []
    assert rows(folder, "SELECT count(*) FROM trajectories WHERE accepted") == [(len(accepted),)]
    found = rows(folder, "SELECT reason, detail FROM trajectories WHERE NOT accepted")
    assert len(accepted) + len(found) == ATTEMPTS
    assert accepted
    # Blueprints are drawn without a model: some draws have none, with or without faults.
    return [(str(why), str(detail)) for why, detail in found if why != "blueprint_failed"]


@pytest.mark.parametrize("name", NO_REPLY)
def test_fault_is_a_rejection_with_its_reason(
    name: str, recorded: list[dict[str, Any]], tmp_path: Path
) -> None:
    fault, words = NO_REPLY[name]
    slow = ("llm.timeout=2.0",) if fault in (silent, trickle) else ()
    with misbehaving(now_and_then(recorded, lambda server, body: fault)) as server:
        assert run(tmp_path, f"llm.base_url={server.base_url}", *slow) == 0
    rejected = check(tmp_path, recorded)
    assert rejected
    assert {reason for reason, _ in rejected} == {"role_failed"}
    assert [detail for _, detail in rejected if not re.search(words, detail)] == []


@pytest.mark.parametrize("name", TOOL_FAULTS)
def test_fault_in_a_call_is_found_by_verification(
    name: str, recorded: list[dict[str, Any]], tmp_path: Path
) -> None:
    calls, reason = TOOL_FAULTS[name]

    def fault(server: Misbehaving, body: Body) -> Fault:
        offered = body["tools"][0]["function"]["name"]
        return answered(said(calls=[(n.replace("PLACE", offered), text) for n, text in calls]))

    with misbehaving(now_and_then(recorded, fault)) as server:
        assert run(tmp_path, f"llm.base_url={server.base_url}") == 0
    rejected = check(tmp_path, recorded)
    assert rejected
    assert [found for found, _ in rejected if not re.fullmatch(reason, found)] == []


def test_odd_usage_costs_no_trajectory(recorded: list[dict[str, Any]], tmp_path: Path) -> None:
    right, names = oracle(recorded), Counter[str]()

    def answer(server: Misbehaving, body: Body) -> Fault:
        name = list(ODD_USAGE)[int(digest(body["messages"]), 16) % len(ODD_USAGE)]
        names[name] += 1
        reply = right(body)
        return answered(Answer({**reply.body, "usage": ODD_USAGE[name].body.get("usage")}))

    with misbehaving(answer) as server:
        assert run(tmp_path, f"llm.base_url={server.base_url}", "llm.price_prompt=1.0") == 0
    assert names.keys() == ODD_USAGE.keys()
    assert check(tmp_path, recorded) == []
    counted = "min(prompt_tokens) > 0, max(prompt_tokens) < 1e5, min(cost_usd) >= 0"
    assert rows(tmp_path, f"SELECT {counted} FROM llm_calls") == [(True, True, True)]
    assert rows(tmp_path, "SELECT DISTINCT error FROM llm_calls") == [("tokens_estimated",)]


@pytest.mark.parametrize("seed", [1, 2])
def test_all_at_once(seed: int, recorded: list[dict[str, Any]], tmp_path: Path) -> None:
    """One request in four meets a fault at random, and most of these may be tried again."""
    right, asked, met = oracle(recorded), Counter[str](), Counter[str]()

    def answer(server: Misbehaving, body: Body) -> Fault:
        request = canonical(body["messages"])
        asked[request] += 1
        draw = random.Random(f"{seed}:{request}:{asked[request]}")
        if draw.random() > 0.25:
            return answered(right(body))
        name = draw.choice([*NO_REPLY, "endless"] if draw.random() < 0.2 else sorted(PASSES))
        met[name] += 1
        return endless(server) if name == "endless" else NO_REPLY[name][0]

    with misbehaving(answer) as server:
        words = ("llm.retries=3", "llm.timeout=2.0", "llm.retry_after_max=0.1")
        assert run(tmp_path, f"llm.base_url={server.base_url}", *words) in (0, 1)
    assert len(met) > 8
    assert met.total() > 15
    known = [spoken(line["messages"]) for line in recorded]
    train = tmp_path / "dataset" / "train.jsonl"
    found = lines(tmp_path) if train.exists() else []
    assert [line for line in found if spoken(line["messages"]) not in known] == []
    count = "SELECT count(*) FROM trajectories WHERE"
    assert rows(tmp_path, f"{count} accepted") == [(len(found),)]
    assert rows(tmp_path, f"{count} NOT accepted AND reason NOT IN {OTHER}") == [(0,)]
    assert rows(tmp_path, f"{count} NOT accepted AND detail = ''") == [(0,)]


def test_endpoint_that_dies_ends_the_run(
    recorded: list[dict[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    right = oracle(recorded)

    def answer(server: Misbehaving, body: Body) -> Fault:
        if server.requests == 40:
            server.end()
        return answered(right(body))

    with misbehaving(answer) as server:
        words = (f"llm.base_url={server.base_url}", "llm.retries=1", "concurrency=1")
        assert run(tmp_path, *words) == 1
    told = capsys.readouterr().err
    assert f"the model m at {server.base_url}: it cannot be reached" in told
    kept = rows(tmp_path, "SELECT count(*) FROM trajectories WHERE accepted")[0][0]
    assert 0 < kept < len(recorded)
    with misbehaving(lambda server, body: answered(right(body))) as server:
        assert run(tmp_path, f"llm.base_url={server.base_url}") == 0
    found, known = lines(tmp_path), [spoken(line["messages"]) for line in recorded]
    assert [spoken(line["messages"]) for line in found] == known


@pytest.mark.parametrize("url", ["dead", "http://no-such-host.invalid/v1"])
def test_endpoint_that_is_not_there_ends_the_run(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = dead_url() if url == "dead" else url
    assert run(tmp_path, f"llm.base_url={url}", "llm.retries=1") == 1
    assert f"the model m at {url}: it cannot be reached" in capsys.readouterr().err
    train = tmp_path / "dataset" / "train.jsonl"
    assert not train.exists() or train.read_text() == ""
    assert rows(tmp_path, "SELECT count(*) FROM trajectories") == [(0,)]
