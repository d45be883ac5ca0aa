"""How many requests an endpoint gets at a time, without an endpoint."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from weakref import WeakKeyDictionary

import pytest

from tdscaling.llm._limiter import START, Limiter, limiter_of, limits
from tests.llm.endpoints import endpoint
from tests.llm.misbehaving import Fault, Misbehaving, answered, misbehaving
from tests.openai_server import Answer, Body, refused, said

TRIP = 0.1
"""Seconds of a round trip."""


async def ask(
    limiter: Limiter, seconds: float, *, overloaded: bool = False, places: int = 10_000
) -> int:
    """One request to a server with some places, before which others wait; how many there were."""
    leave = await limiter.acquire()
    server, in_flight = _servers.setdefault(limiter, asyncio.Semaphore(places)), limiter.in_flight
    async with server:
        await asyncio.sleep(seconds)
    limiter.release(leave, replied=not overloaded, overloaded=overloaded)
    return in_flight


_servers: WeakKeyDictionary[Limiter, asyncio.Semaphore] = WeakKeyDictionary()


async def work(
    limiter: Limiter, conversations: int, lasts: float, until: float, **more: int
) -> None:
    """Conversations of which each asks again and again."""

    async def talk() -> None:
        while time.monotonic() < until:
            await ask(limiter, lasts, **more)  # type: ignore[arg-type]

    await asyncio.gather(*(talk() for _ in range(conversations)))


def test_slow_start_reaches_128_in_three_round_trips() -> None:
    async def grow() -> tuple[int, int]:
        limiter = Limiter(None, adaptive=True)
        talking = asyncio.ensure_future(work(limiter, 128, 1.0, time.monotonic() + 3.4))
        await asyncio.sleep(0.5)
        start = limiter.in_flight
        await asyncio.sleep(3.0)
        reached = limiter.in_flight
        await talking
        return start, reached

    assert asyncio.run(grow()) == (START, 128)


def test_no_growth_without_use() -> None:
    async def few() -> int:
        limiter = Limiter(None, adaptive=True)
        await work(limiter, 4, 0.002, time.monotonic() + 0.5)
        return limiter.limit

    assert asyncio.run(few()) == START


def test_growth_ends_where_it_brings_nothing() -> None:
    """A server that works on 40 at a time: whatever is more waits there instead of here."""

    async def queueing() -> tuple[int, int]:
        limiter = Limiter(None, adaptive=True)
        await work(limiter, 1000, TRIP, time.monotonic() + 3.0, places=40)
        free = Limiter(None, adaptive=True)
        await work(free, 1000, TRIP, time.monotonic() + 1.5)
        return limiter.limit, free.limit

    limit, free = asyncio.run(queueing())
    assert 20 <= limit <= 160
    assert free >= 500


def test_overload_cuts_once_per_round_trip() -> None:
    async def storm() -> list[int]:
        limiter = Limiter(None, adaptive=True)
        seen = [limiter.limit]
        for _ in range(3):
            await asyncio.gather(*(ask(limiter, 0.01, overloaded=True) for _ in range(8)))
            seen.append(limiter.limit)
        for _ in range(60):
            await ask(limiter, 0, overloaded=True)
        return [*seen, limiter.limit]

    assert asyncio.run(storm()) == [32, 16, 12, 8, 1]


def test_growth_after_a_cut_is_one_per_round_trip() -> None:
    async def recover() -> tuple[int, int]:
        limiter = Limiter(None, adaptive=True)
        await ask(limiter, 0, overloaded=True)
        cut = limiter.limit
        for _ in range(4):
            await asyncio.gather(*(ask(limiter, 0.005) for _ in range(limiter.limit)))
        return cut, limiter.limit

    cut, later = asyncio.run(recover())
    assert cut == 16
    assert 18 <= later <= 21


@pytest.mark.parametrize("adaptive", [True, False])
def test_limit_of_the_user_holds(adaptive: bool) -> None:
    async def most() -> int:
        limiter = Limiter(5, adaptive=adaptive)
        return max(await asyncio.gather(*(ask(limiter, 0.01) for _ in range(50))))

    assert asyncio.run(most()) == 5


def test_without_any_limit_all_go_at_once() -> None:
    async def all_at_once() -> int:
        limiter = Limiter(None, adaptive=False)
        asking = [asyncio.ensure_future(ask(limiter, 0.05)) for _ in range(500)]
        await asyncio.sleep(0.02)
        in_flight = limiter.in_flight
        assert limiter.limit == 0
        await asyncio.gather(*asking)
        return in_flight

    assert asyncio.run(all_at_once()) == 500


def test_pause_holds_everybody() -> None:
    async def paused() -> float:
        limiter = Limiter(None, adaptive=True)
        limiter.pause(0.3)
        limiter.pause(0.1)
        started = time.monotonic()
        await asyncio.gather(*(ask(limiter, 0) for _ in range(50)))
        return time.monotonic() - started

    assert 0.29 <= asyncio.run(paused()) < 2


@pytest.mark.parametrize("waits", [True, False])
def test_who_gives_up_gives_back(waits: bool) -> None:
    async def give_up() -> int:
        limiter = Limiter(1, adaptive=False)
        held = await limiter.acquire()
        waiting = asyncio.ensure_future(limiter.acquire())
        await asyncio.sleep(0)
        if waits:
            waiting.cancel()
        limiter.release(held, replied=True, overloaded=False)
        waiting.cancel()  # after leave was given, where it was still waiting
        await asyncio.gather(waiting, return_exceptions=True)
        await asyncio.wait_for(limiter.acquire(), 1)
        return limiter.in_flight

    assert asyncio.run(give_up()) == 1


def test_one_limiter_per_endpoint_and_the_tightest_wish_holds() -> None:
    async def shared() -> tuple[bool, bool, int, int]:
        first = limiter_of("m at a", None, adaptive=True)
        second = limiter_of("m at a", 7, adaptive=True)
        other = limiter_of("n at a", None, adaptive=False)
        leave = await first.acquire()
        shown = limits()["m at a"]
        first.release(leave, replied=True, overloaded=False)
        return first is second, other is first, *shown

    assert asyncio.run(shared()) == (True, False, 7, 1)


def busy_above(most: int) -> Callable[[Misbehaving, Body], Fault]:
    """A server that refuses what is more than it takes at a time."""

    def answer(server: Misbehaving, body: Body) -> Fault:
        if server.at_once > most:
            return answered(refused(429, "slow down"))
        return answered(Answer(said("hi").body, delay=0.05))

    return answer


def test_refusals_teach_the_limit() -> None:
    async def many(base_url: str) -> tuple[int, int]:
        to = endpoint(base_url, retries=8, backoff=0.05, backoff_max=0.5)
        asking = (to.chat("user", [], seed=str(n)) for n in range(300))
        replies = await asyncio.gather(*asking)
        return len(replies), limits()[f"m at {base_url}"][0]

    with misbehaving(busy_above(10)) as server:
        done, limit = asyncio.run(many(server.base_url))
        refusals = server.requests - done
    assert done == 300
    assert limit <= 20
    assert refusals < 150


def test_256_connections_at_once() -> None:
    async def many(base_url: str) -> int:
        to = endpoint(base_url, adaptive_concurrency=False)
        asking = (to.chat("user", [], seed=str(n)) for n in range(256))
        return len(await asyncio.gather(*asking))

    slow = answered(Answer(said("hi").body, delay=2.0))
    with misbehaving(lambda server, body: slow) as server:
        assert asyncio.run(many(server.base_url)) == 256
    assert server.peak == 256
