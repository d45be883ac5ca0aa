"""Attempts in this process, as coroutines.

Fits roles played by a model: conversations wait for the network side by side.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tdscaling.execution import Runner, Submit


class InlineExecution:
    """Runs attempts in this process."""

    def slots(self, concurrency: int) -> int:
        """As many as asked for."""
        return concurrency

    @asynccontextmanager
    async def start(self, runner: Runner, concurrency: int) -> AsyncIterator[Submit]:
        """Nothing to make ready; whoever submits keeps to the slots."""
        yield runner.run
