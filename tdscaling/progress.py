"""What a person sees while a run goes on.

Enters: counts and figures after each commit. Leaves: a progress bar on a terminal, plain lines
elsewhere, nothing where it is off.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

LINE_SECONDS = 5.0
"""Seconds between plain lines."""


class Display:
    """Shows how a run gets on; a context manager.

    Args:
        console: where to.
        goal: accepted trajectories to reach.
        done: accepted trajectories that an earlier start left behind.
    """

    def __init__(self, console: Console, goal: int, done: int) -> None:
        self._console = console
        self._goal = goal
        self._start = done
        self._began = time.monotonic()
        self._last_line = self._began
        self._bar = Progress(
            TextColumn("accepted"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[status]}"),
            TimeRemainingColumn(compact=True),
            console=console,
            transient=True,
        )
        self._task = self._bar.add_task("accepted", total=goal, completed=done, status="")

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def update(self, accepted: int, attempted: int, figures: Mapping[str, Any]) -> None:
        """Show the state after a commit."""
        now = time.monotonic()
        rate = (accepted - self._start) / max(now - self._began, 1e-6)
        status = (
            f"of {attempted} attempted, {rate:.1f}/s, H_domain "
            f"{float(figures['domain_entropy']):.2f}, H_mode {float(figures['mode_entropy']):.2f} bits"
        )
        if self._console.is_terminal:
            self._bar.update(self._task, completed=accepted, status=status)
        elif now - self._last_line >= LINE_SECONDS:
            self._last_line = now
            left = (self._goal - accepted) / rate if rate else 0.0
            self._console.print(
                f"accepted {accepted}/{self._goal} {status}, about {left:.0f} s left",
                soft_wrap=True,
                highlight=False,
            )
