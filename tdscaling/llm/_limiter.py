"""How many requests an endpoint gets at a time.

Enters: the outcome of each request. Leaves: leave to send the next. All roles of a process that
use the same model at the same address share one limiter per event loop.

TCP's congestion control with requests in place of packets: slow start, additive increase,
multiplicative decrease at most once per round trip (Reno, RFC 5681); no growth by those who do
not use what they have (RFC 7661); and, since servers queue rather than drop, growth ends where
more requests at a time bring no more replies per second, as in BBR's startup (Cardwell et al.,
ACM Queue 14(5), 2016).
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Mapping
from weakref import WeakKeyDictionary

START = 32
"""Requests at a time in the first round trip: two doublings lead to 128."""
STEP = 1.25
"""Growth of the limit after which it must have been worth it."""
WORTH = 0.5
"""Share of that growth by which the replies per second must have risen."""
STRIKES = 2
"""Rounds without that in a row: one may have had other reasons."""
CUT_EARLY, CUT = 0.5, 0.7
"""What an overload leaves of the limit: in slow start, which overshoots by up to 2, and after."""

_limiters: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, Limiter]] = WeakKeyDictionary()


class Limiter:
    """Leave to send requests to one endpoint.

    Args:
        most: requests at a time; None for no upper limit.
        adaptive: whether to find out how many it likes; else it gets `most` at once.
    """

    def __init__(self, most: int | None, *, adaptive: bool) -> None:
        self.in_flight = 0
        """Requests on their way."""
        self._most: float = most or math.inf
        self._adaptive = adaptive
        self._limit: float = min(START, self._most) if adaptive else self._most
        self._slow_start = True
        self._cuts = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._closed_until = 0.0
        self._last_good: tuple[int, float] | None = None
        """Most requests at a time in a round, and its replies per second."""
        self._strikes = 0
        self._begin_round()

    @property
    def limit(self) -> int:
        """Requests at a time, at least 1; 0 for any number."""
        return 0 if math.isinf(self._limit) else math.ceil(self._limit)

    def also(self, most: int | None, *, adaptive: bool) -> None:
        """Another role joins: the tightest of all wishes holds."""
        self._most = min(self._most, most or math.inf)
        if adaptive and not self._adaptive:
            self._limit = min(START, self._limit)
        self._adaptive = self._adaptive or adaptive
        self._limit = min(self._limit, self._most)

    async def acquire(self) -> int:
        """Wait for leave to send one request. What it returns goes to `release`."""
        if self._waiting or not self._open():
            leave = asyncio.get_running_loop().create_future()
            self._waiting.append(leave)
            try:
                await leave
            except asyncio.CancelledError:
                if leave.done() and not leave.cancelled():
                    self.in_flight -= 1
                    self._admit()
                raise
        else:
            self._go()
        return self._cuts

    def release(self, leave: int, *, replied: bool, overloaded: bool) -> None:
        """The request is over.

        Args:
            leave: of `acquire`.
            replied: whether a reply came, good or bad.
            overloaded: whether the endpoint had too much to do.
        """
        self.in_flight -= 1
        if self._adaptive:
            if overloaded and leave == self._cuts:
                # Requests sent before the last cut tell nothing of the limit after it.
                self._slow_down(self._limit * (CUT_EARLY if self._slow_start else CUT))
            elif replied:
                self._learn()
        self._admit()

    def pause(self, seconds: float) -> None:
        """Nobody sends anything for this time."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        if until > self._closed_until:
            self._closed_until = until
            loop.call_at(until, self._reopen, until)

    def _reopen(self, until: float) -> None:
        if until == self._closed_until:
            self._closed_until = 0.0
            self._admit()

    def _learn(self) -> None:
        self._replies += 1
        if self._peak * 2 >= self._limit:
            step = 1 if self._slow_start else 1 / self._limit
            self._limit = min(self._limit + step, self._most)
        if self._replies >= self._round:
            self._judge(self._replies / max(time.monotonic() - self._began, 1e-9))
            self._begin_round()

    def _judge(self, rate: float) -> None:
        """At the end of a round trip: was the growth worth it?"""
        before, rate_before = self._last_good or (0, 0.0)
        if self._peak < before / STEP or not before:  # another load: nothing to compare with
            self._last_good, self._strikes = (self._peak, rate), 0
        elif self._peak >= before * STEP:
            if rate >= rate_before * (1 + WORTH * (self._peak / before - 1)):
                self._last_good, self._strikes = (self._peak, rate), 0
            elif (strikes := self._strikes + 1) < STRIKES:
                self._strikes = strikes
            else:
                self._slow_down(before)

    def _slow_down(self, limit: float) -> None:
        self._limit = max(1.0, limit)
        self._slow_start = False
        self._cuts += 1
        self._last_good, self._strikes = None, 0
        self._begin_round()

    def _begin_round(self) -> None:
        self._round = self._limit
        self._replies = 0
        self._peak = self.in_flight
        self._began = time.monotonic()

    def _open(self) -> bool:
        return not self._closed_until and self.in_flight < self._limit

    def _go(self) -> None:
        self.in_flight += 1
        self._peak = max(self._peak, self.in_flight)

    def _admit(self) -> None:
        while self._waiting and self._open():
            leave = self._waiting.popleft()
            if not leave.done():
                self._go()
                leave.set_result(None)


def limiter_of(endpoint: str, most: int | None, *, adaptive: bool) -> Limiter:
    """The limiter of an endpoint in the running event loop."""
    here = _limiters.setdefault(asyncio.get_running_loop(), {})
    found = here.get(endpoint)
    if found is None:
        found = here[endpoint] = Limiter(most, adaptive=adaptive)
    else:
        found.also(most, adaptive=adaptive)
    return found


def limits() -> Mapping[str, tuple[int, int]]:
    """Per endpoint of this process, the limit (0 for none) and the requests on their way."""
    found: dict[str, tuple[int, int]] = {}
    for here in list(_limiters.values()):
        for endpoint, limiter in list(here.items()):
            limit, in_flight = found.get(endpoint, (0, 0))
            found[endpoint] = (limit + limiter.limit, in_flight + limiter.in_flight)
    return found
