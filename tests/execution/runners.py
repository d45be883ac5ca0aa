"""Runners that tests of `execution` send to where attempts run."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

from tdscaling.errors import EndpointError
from tdscaling.llm import NoReply
from tdscaling.schema import Draw, LlmCall, Outcome, Request, Trace, Verdict

REQUEST = Request("c", (), 1)


def draw(index: int) -> Draw:
    return Draw(index, 0, f"seed-{index}", REQUEST)


class Echo:
    """Gives each draw's seed back, and tells which process it ran in."""

    def __init__(self, extra: str) -> None:
        self.extra = extra

    async def run(self, draw: Draw) -> Outcome:
        return Outcome(
            index=draw.index,
            round=0,
            id=str(os.getpid()),
            seed=draw.seed,
            request=draw.request,
            category=self.extra,
            domain="",
            categories={},
            verdict=Verdict(True),
            blueprint_id="",
            trace=Trace((), "", "", (), 0.0),
            turns=0,
        )


class Dying(Echo):
    """Dies as a process does that the kernel ends."""

    async def run(self, draw: Draw) -> Outcome:
        os._exit(9)


class Refusing(Echo):
    async def run(self, draw: Draw) -> Outcome:
        raise EndpointError("llm: no such model")


class Unloadable(Echo):
    """Pickles, but cannot be loaded again."""

    def __reduce__(self) -> Any:
        return (_explode, ())


def _explode() -> Any:
    raise ImportError("no such module here")


def same(one: Outcome, other: Outcome) -> bool:
    return replace(one, id="") == replace(other, id="")


class Slow(Echo):
    """Takes a minute for every draw but the first."""

    async def run(self, draw: Draw) -> Outcome:
        """As `Echo`, later."""
        if draw.index:
            await asyncio.sleep(60)
        return await super().run(draw)


class Bulky(Echo):
    """Its outcomes are larger than what a pipe takes at a time."""

    async def run(self, draw: Draw) -> Outcome:
        """As `Echo`, with a long line."""
        return replace(await super().run(draw), line="x" * 3_000_000)


class Meeting(Echo):
    """Each attempt waits until as many have begun as there are to meet."""

    def __init__(self, many: int) -> None:
        super().__init__("")
        self.many, self.begun = many, 0

    async def run(self, draw: Draw) -> Outcome:
        """As `Echo`, once all are there."""
        self.begun += 1
        while self.begun < self.many:
            await asyncio.sleep(0.01)
        return await super().run(draw)


class Counting(Echo):
    """Tells how many attempts were under way beside its own, at most."""

    def __init__(self, seconds: float) -> None:
        super().__init__("")
        self.seconds, self.running = seconds, 0

    async def run(self, draw: Draw) -> Outcome:
        """As `Echo`, the number as its turns."""
        self.running += 1
        most = 0
        for _ in range(50):
            await asyncio.sleep(self.seconds)
            most = max(most, self.running)
        self.running -= 1
        return replace(await super().run(draw), turns=most)


class Odd(Exception):
    """Pickles, but cannot be made again of what was pickled."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"{one} and {other}")


class Failing(Echo):
    """Fails with what it was given."""

    def __init__(self, kind: str) -> None:
        super().__init__("")
        self.kind = kind

    async def run(self, draw: Draw) -> Outcome:
        """An error, or an outcome that cannot travel."""
        if self.kind == "odd":
            raise Odd("this", "that")
        if self.kind == "lambda":
            raise ValueError(lambda: 0)
        if self.kind == "calls":
            raise NoReply("timed out", [LlmCall("user", "m", 1, 2, 3.0, 4.0)])
        return replace(await super().run(draw), turns=lambda: 0)  # type: ignore[arg-type]


class Mortal(Echo):
    """The third draw ends its process, once the first two are done."""

    async def run(self, draw: Draw) -> Outcome:
        """As `Echo`."""
        if draw.index == 2:
            await asyncio.sleep(0.5)
            os.kill(os.getpid(), signal.SIGKILL)
        return await super().run(draw)


class Told(Echo):
    """Writes down that it was cancelled."""

    async def run(self, draw: Draw) -> Outcome:
        """Waits for a minute in the folder that it was given."""
        folder = Path(self.extra)
        try:
            (folder / "begun").touch()
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            (folder / "cancelled").touch()
            raise
        return await super().run(draw)
