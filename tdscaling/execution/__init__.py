"""Stage `execution`: where attempts run.

Enters: draws. Leaves: their outcomes, in whatever order they are done. The result of an attempt
does not depend on where it runs.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from tdscaling.schema import Draw, Outcome


class Runner(Protocol):
    """What an execution runs: `tdscaling.attempt.Attempt` is one."""

    async def run(self, draw: Draw) -> Outcome:
        """Make one attempt."""
        ...


Submit = Callable[[Draw], Awaitable[Outcome]]


class Execution(Protocol):
    """Runs attempts."""

    def slots(self, concurrency: int) -> int:
        """How many draws to keep submitted at a time."""
        ...

    def start(self, runner: Runner, concurrency: int) -> AbstractAsyncContextManager[Submit]:
        """Make ready to run; yields the function that runs one draw.

        Args:
            runner: what runs it.
            concurrency: how many attempts may wait for the network at a time.
        """
        ...
