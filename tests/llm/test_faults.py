"""Every fault of a server, over the real client: a reason each, and no content."""

from __future__ import annotations

import asyncio
import ssl
import time
import tracemalloc
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from tdscaling.errors import EndpointError
from tdscaling.llm import NoReply, Reply, _client
from tests.llm.certificates import self_signed
from tests.llm.endpoints import endpoint
from tests.llm.misbehaving import (
    NO_REPLY,
    ODD_USAGE,
    PASSES,
    SLOW,
    Fault,
    Misbehaving,
    answered,
    endless,
    misbehaving,
)
from tests.openai_server import Answer, Body, refused, said

assert _client, "imported here, so that no test measures how long that takes"
HELLO = [{"role": "user", "content": "hello"}]
SHORT = {"timeout": 10.0, "backoff": 0.0, "backoff_max": 0.01}


def chat(base_url: str, **changed: Any) -> Reply:
    to = endpoint(base_url, **{**SHORT, **changed})
    return asyncio.run(to.chat("user", HELLO, seed="s"))


def patience(name: str) -> float:
    """Seconds: short where only waiting shows the fault."""
    return 1.5 if name in SLOW else 10.0


def always(fault: Fault) -> Any:
    return lambda server, body: fault


def in_turn(*faults: Fault) -> Any:
    """One fault after the other, the last one for ever."""

    def answer(server: Misbehaving, body: Body) -> Fault:
        return faults[min(server.requests, len(faults)) - 1]

    return answer


@pytest.mark.parametrize("name", NO_REPLY)
def test_fault_is_a_reason_and_no_content(name: str) -> None:
    fault, reason = NO_REPLY[name]
    with misbehaving(always(fault)) as server, pytest.raises(NoReply, match=reason) as caught:
        chat(server.base_url, timeout=patience(name))
    assert len(caught.value.calls) == 1
    assert caught.value.calls[0].cost_usd == 0
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("name", NO_REPLY)
def test_what_may_pass_is_tried_again_and_nothing_else(name: str) -> None:
    with misbehaving(in_turn(NO_REPLY[name][0], answered(said("hi")))) as server:
        if name in PASSES:
            reply = chat(server.base_url, retries=1, timeout=patience(name))
            assert reply.message["content"] == "hi"
            assert server.requests == 2
        else:
            with pytest.raises(NoReply):
                chat(server.base_url, retries=3)
            assert server.requests == 1


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
def test_statuses_that_are_tried_again(status: int) -> None:
    no = answered(refused(status, "no"))
    with misbehaving(in_turn(no, no, answered(said("hi")))) as server:
        assert chat(server.base_url, retries=2).message["content"] == "hi"


@pytest.mark.parametrize("name", ODD_USAGE)
def test_odd_usage_is_estimated(name: str) -> None:
    with misbehaving(always(answered(ODD_USAGE[name]))) as server:
        reply = chat(server.base_url, price_prompt=1.0)
    assert reply.message["content"] == "fine"
    assert reply.call.error == "tokens_estimated"
    assert 0 < reply.call.prompt_tokens < 100
    assert 0 < reply.call.cost_usd < 1


def test_endless_reply_is_not_read_to_its_end() -> None:
    def answer(server: Misbehaving, body: Body) -> Fault:
        return endless(server)

    tracemalloc.start()
    with misbehaving(answer) as server, pytest.raises(NoReply, match="longer than"):
        chat(server.base_url, timeout=20.0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert server.sent < 30e6  # what sockets and buffers swallowed
    assert peak < 60e6


def test_endless_error_is_not_read_to_its_end() -> None:
    with (
        misbehaving(always(answered(Answer("x" * 3_000_000, 500)))) as server,
        pytest.raises(NoReply, match="longer than"),
    ):
        chat(server.base_url)


def test_trickle_ends_at_the_deadline() -> None:
    with misbehaving(always(NO_REPLY["trickle"][0])) as server:
        started = time.monotonic()
        with pytest.raises(NoReply, match="timeout"):
            chat(server.base_url, timeout=0.4)
        assert time.monotonic() - started < 3


def in_seconds(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        ({"retry_after": "1"}, 1.0, 8.0),
        ({"retry_after": "0.7"}, 0.7, 8.0),
        ({"retry_after_ms": "700"}, 0.7, 8.0),
        ({"retry_after": "60"}, 1.5, 8.0),
        ({"retry_after": "date"}, 0.9, 8.0),
        ({"retry_after": "-5"}, 0.0, 1.4),
        ({"retry_after": "nan"}, 0.0, 1.4),
        ({"retry_after": "soon"}, 0.0, 1.4),
        ({"retry_after": in_seconds(-1000)}, 0.0, 1.4),
    ],
)
def test_retry_after_is_honoured_up_to_a_cap(
    headers: dict[str, str], least: float, most: float
) -> None:
    if headers.get("retry_after") == "date":  # by the server's clock, which is years behind
        then = datetime(2020, 1, 1, tzinfo=UTC)
        later = then + timedelta(seconds=1)
        headers = {"date": format_datetime(then), "retry_after": format_datetime(later)}
    busy = answered(refused(429, "slow down"), **headers)
    with misbehaving(in_turn(busy, answered(said("hi")))) as server:
        started = time.monotonic()
        chat(server.base_url, retries=1, retry_after_max=1.5)
        assert least <= time.monotonic() - started < most


def test_backoff_grows_and_is_capped() -> None:
    with misbehaving(always(answered(refused(500, "no")))) as server:
        started = time.monotonic()
        with pytest.raises(NoReply):
            chat(server.base_url, retries=6, backoff=0.05, backoff_max=0.1)
        assert server.requests == 7
        assert time.monotonic() - started < 2  # uncapped, up to 3.2 s


@pytest.mark.parametrize("retries", [0, 2])
def test_plain_http_on_https(retries: int) -> None:
    with misbehaving(always(answered(said("hi")))) as server:
        url = server.base_url.replace("http:", "https:")
        with pytest.raises(EndpointError, match=r"cannot be reached .*llm\.base_url=http://"):
            chat(url, retries=retries)


def test_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    with misbehaving(always(answered(said("hi"))), tls=self_signed(tmp_path)) as server:
        with pytest.raises(EndpointError, match=r"CERTIFICATE_VERIFY_FAILED.*SSL_CERT_FILE"):
            chat(server.base_url, retries=5, backoff=5.0, backoff_max=9.0)
        assert server.requests == 0


def test_certificate_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with misbehaving(always(answered(said("hi"))), tls=self_signed(tmp_path)) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
        assert chat(server.base_url, timeout=5.0).message["content"] == "hi"


def test_https_on_plain_http(tmp_path: Path) -> None:
    tls: ssl.SSLContext = self_signed(tmp_path)
    with misbehaving(always(answered(said("hi"))), tls=tls) as server:
        url = server.base_url.replace("https:", "http:")
        with pytest.raises(NoReply, match="connection lost"):
            chat(url)


def test_host_that_has_no_address() -> None:
    with pytest.raises(EndpointError, match=r"no-such-host\.invalid.* cannot be reached"):
        chat("http://no-such-host.invalid/v1", retries=1, timeout=20.0)
