"""Runners that tests of `execution` send to where attempts run."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from typing import Any

from tdscaling.errors import EndpointError
from tdscaling.schema import Draw, Outcome, Request, Trace, Verdict

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
