"""The endpoint against a local server: real HTTP, the real client."""

from __future__ import annotations

import asyncio
import json
import pickle
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tdscaling.errors import ConfigError, EndOfRun, EndpointError, RoleError
from tdscaling.llm import NoReply, Reply
from tdscaling.llm.openai import OpenAIEndpoint
from tdscaling.spending.account import Account
from tests.llm.endpoints import endpoint
from tests.openai_server import Answer, Server, dead_url, refused, said, serving

KEY = "sk-very-secret-0123456789"
HELLO = [{"role": "user", "content": "hello"}]


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    return KEY


def chat(to: OpenAIEndpoint, seed: str = "s", **more: Any) -> Reply:
    return asyncio.run(to.chat("user", HELLO, seed=seed, **more))


def failing(server: Server, **changed: Any) -> NoReply:
    with pytest.raises(NoReply) as caught:
        chat(endpoint(server.base_url, **changed))
    return caught.value


def test_reply_with_its_cost() -> None:
    with serving(said("hi")) as server:
        reply = chat(endpoint(server.base_url, price_prompt=2.0, price_completion=8.0))
    assert reply.message == {"role": "assistant", "content": "hi"}
    call = reply.call
    assert (call.role, call.model, call.error) == ("user", "m", None)
    assert (call.prompt_tokens, call.completion_tokens) == (100, 10)
    assert call.cost_usd == pytest.approx((100 * 2 + 10 * 8) / 1e6)
    assert call.latency_ms > 0


def test_settings_are_sent() -> None:
    with serving(said("hi")) as server:
        chat(endpoint(server.base_url, model="big", temperature=0.25, max_tokens=77))
        chat(endpoint(server.base_url, temperature=None))
    assert (
        server.requests[0].items()
        >= {"model": "big", "temperature": 0.25, "max_tokens": 77}.items()
    )
    assert "temperature" not in server.requests[1]


def test_seed_follows_from_the_conversations() -> None:
    with serving(said("hi")) as server:
        for seed in ("a", "a", "b"):
            chat(endpoint(server.base_url), seed)
        chat(endpoint(server.base_url, send_seed=False))
    first, again, other, none = (body.get("seed") for body in server.requests)
    assert first == again != other
    assert isinstance(first, int)
    assert none is None


def test_tokens_that_are_not_counted_are_estimated_and_marked() -> None:
    with serving(said("a reply of some words", usage=False)) as server:
        call = chat(endpoint(server.base_url)).call
    assert call.error == "tokens_estimated"
    assert call.prompt_tokens > 0
    assert call.completion_tokens > 0


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (refused(429, "slow down"), "status 429: slow down"),
        (refused(500, "broken"), "status 500: broken"),
        (refused(400, "context_length_exceeded"), "status 400"),
        (said("half a sen", finish="length"), "cut off: length"),
        (said("x", finish="content_filter"), "cut off: content_filter"),
        (said(None, refusal="I can't"), "refused to reply"),
        (said(None), "empty reply"),
        (said("  "), "empty reply"),
        (said("half a pair \ud83d"), "malformed reply: no JSON"),
        (Answer({"choices": []}), "malformed reply"),
        (Answer({"choices": None}), "malformed reply"),
        (Answer({"choices": [{"index": 0}]}), "malformed reply"),
        (Answer({}), "malformed reply"),
        (Answer("<html>busy</html>"), "malformed reply"),
    ],
)
def test_failed_request_is_a_reason_and_no_content(answer: Answer, reason: str) -> None:
    with serving(answer) as server:
        error = failing(server)
    assert isinstance(error, RoleError)
    assert reason in str(error)
    assert error.reason == "role_failed"
    assert len(error.calls) == 1
    assert reason in str(error.calls[0].error)
    assert pickle.loads(pickle.dumps(error)).calls == error.calls


def test_timeout() -> None:
    with serving(Answer({}, delay=1.0)) as server:
        started = time.monotonic()
        error = failing(server, timeout=0.2)
    assert "timeout" in str(error)
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(("status", "requests"), [(500, 2), (429, 2), (400, 1)])
def test_one_layer_retries(status: int, requests: int) -> None:
    with serving(refused(status, "no")) as server:
        failing(server, retries=1)
        assert len(server.requests) == requests


def test_retry_that_succeeds() -> None:
    with serving(refused(500, "no"), said("hi")) as server:
        assert chat(endpoint(server.base_url, retries=1)).message["content"] == "hi"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (refused(401, f"bad key {KEY}"), ("401", "llm.api_key_env", "***")),
        (refused(403, f"not for {KEY}"), ("403", "llm.api_key_env", "***")),
        (refused(404, "no model m"), ("404", "no model m", "llm.model=")),
        (refused(429, "pay first", code="insufficient_quota"), ("quota", "pay first")),
    ],
)
def test_endpoint_that_cannot_be_used(answer: Answer, words: tuple[str, ...], key: str) -> None:
    with serving(answer) as server, pytest.raises(EndpointError) as caught:
        chat(endpoint(server.base_url))
    text = str(caught.value)
    assert server.base_url in text
    assert all(word in text for word in words)
    assert "\n" not in text
    assert key not in text
    assert key not in repr(pickle.dumps(caught.value))


@pytest.mark.parametrize("status", [200, 400])
def test_key_in_words_that_are_shortened_is_not_shown(status: int, key: str) -> None:
    for before in range(160, 320, 6):
        with serving(Answer(f"{'x' * before}{key}{'y' * 400}", status)) as server:
            text = str(failing(server))
        assert key[:5] not in text


@pytest.mark.parametrize(
    "answer", [said(f"the key is {KEY}"), said(calls=[("book", json.dumps({"note": KEY}))])]
)
def test_reply_that_repeats_the_key_is_none(answer: Answer, key: str) -> None:
    with serving(answer) as server:
        error = failing(server)
    assert "repeats the key" in str(error)
    assert key not in repr(error.calls)


def test_a_short_key_is_a_word_like_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "EMPTY")
    with serving(said("the list is EMPTY")) as server:
        assert chat(endpoint(server.base_url)).message["content"] == "the list is EMPTY"


def test_nothing_is_tried_again_once_time_is_up(tmp_path: Path) -> None:
    account = Account(tmp_path / "replies.sqlite", deadline=time.time() + 0.5)
    with serving(replace(refused(500, "no"), delay=0.7)) as server, account.charged("t"):
        with pytest.raises(EndOfRun, match="wall clock"):
            chat(endpoint(server.base_url, retries=5, backoff=0.0))
        assert len(server.requests) == 1


@pytest.mark.parametrize("retries", [0, 1])
def test_dead_endpoint(retries: int) -> None:
    url = dead_url()
    with pytest.raises(EndpointError, match=r"cannot be reached .*llm\.base_url=URL") as caught:
        chat(endpoint(url, retries=retries))
    assert url in str(caught.value)


def test_host_that_does_not_exist() -> None:
    with pytest.raises(EndpointError, match=r"no-such-host\.invalid.* cannot be reached"):
        chat(endpoint("http://no-such-host.invalid/v1"))


def test_key_is_sent_and_kept_nowhere(key: str) -> None:
    with serving(said("hi")) as server:
        used = endpoint(server.base_url)
        chat(used)
        chat(endpoint(server.base_url, api_key_env=None))
    assert server.keys == [f"Bearer {key}", "Bearer none"]
    assert key not in repr(used)
    assert key.encode() not in pickle.dumps(used)
    assert key not in repr(vars(used))


def test_used_endpoint_works_in_another_process_and_loop() -> None:
    with serving(said("hi")) as server:
        used = endpoint(server.base_url)
        chat(used)
        chat(used)
        assert chat(pickle.loads(pickle.dumps(used))).message["content"] == "hi"
    assert len(server.requests) == 3


def test_many_requests_share_a_client() -> None:
    async def many(to: OpenAIEndpoint) -> list[Reply]:
        return await asyncio.gather(*(to.chat("user", HELLO, seed=str(n)) for n in range(20)))

    with serving(said("hi")) as server:
        replies = asyncio.run(many(endpoint(server.base_url)))
    assert [reply.message["content"] for reply in replies] == ["hi"] * 20


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"base_url": "localhost:8000/v1"}, r"llm\.base_url: expected http://HOST:PORT/v1"),
        ({"temperature": 3.0}, r"llm\.temperature: expected 0 to 2, got 3\.0"),
        ({"max_tokens": 0}, r"llm\.max_tokens"),
        ({"timeout": 0.0}, r"llm\.timeout"),
        ({"retries": -1}, r"llm\.retries"),
        ({"max_reply_bytes": 0}, r"llm\.max_reply_bytes: expected at least 1, got 0"),
        ({"backoff": -0.1}, r"llm\.backoff: "),
        ({"backoff": 5.0, "backoff_max": 4.0}, r"llm\.backoff_max: expected at least llm\.backoff"),
        ({"retry_after_max": -1.0}, r"llm\.retry_after_max"),
        ({"max_concurrency": 0}, r"llm\.max_concurrency: expected at least 1, or null, got 0"),
        ({"price_prompt": -1.0}, r"llm\.price_prompt"),
        ({"price_completion": -1.0}, r"llm\.price_completion"),
    ],
)
def test_unusable_setting_is_refused(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        endpoint(**{"base_url": None, **changed})


def test_url_with_a_password_is_refused_without_repeating_it() -> None:
    with pytest.raises(ConfigError, match="must not hold") as caught:
        endpoint("http://me:hunter2@host/v1")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("typed", [KEY, "gsk_abc", "", "A B", "KEY=x", "K" * 65, "Ä", "KEY\n"])
def test_key_in_place_of_its_variable_is_refused_without_repeating_it(typed: str) -> None:
    with pytest.raises(ConfigError, match=r"llm\.api_key_env: expected the name") as caught:
        endpoint("http://127.0.0.1:9/v1", api_key_env=typed)
    assert KEY not in str(caught.value)
    assert "gsk_abc" not in str(caught.value)


def test_role_needs_a_model_and_openai_a_key(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"llm\.model=NAME"):
        endpoint("http://127.0.0.1:9/v1", model=None).require("user")
    endpoint(None).require("user")
    monkeypatch.delenv("OPENAI_API_KEY")
    endpoint("http://127.0.0.1:9/v1").require("user")
    with pytest.raises(ConfigError, match="OPENAI_API_KEY is not set"):
        endpoint(None).require("user")
