"""What a person sees while a run goes on.

Enters: counts and figures as they come. Leaves: a bar on a terminal, plain lines elsewhere; both
fit 80 columns.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from tdscaling.spending.account import Account, total

LINE_SECONDS = 5.0
"""Seconds between plain lines, at least."""
BAR_SECONDS = 0.2
"""Seconds between states of the bar, at least."""
WINDOW_SECONDS = 30.0
"""The rate is that of this long: workers that were still starting do not count for ever."""

State = tuple[int, int, Mapping[str, Any]]
"""Accepted, attempted, figures of the metrics."""


class Display:
    """Shows how a run gets on; a context manager.

    Args:
        console: where to.
        goal: accepted trajectories to reach.
        done: accepted trajectories that an earlier start left behind.
        account: tells what models cost; None where none can be asked.
    """

    def __init__(
        self, console: Console, goal: int, done: int, account: Account | None = None
    ) -> None:
        self._console = console
        self._goal = goal
        self._account = account
        self._shown = time.monotonic()
        self._seen = deque([(self._shown, done)])
        self._paid: deque[tuple[float, int, int]] = deque()
        self._bar = Progress(
            BarColumn(bar_width=8),
            TextColumn("{task.fields[status]}"),
            console=console,
            transient=True,
        )
        self._task = self._bar.add_task("", total=goal, completed=done, status="starting")

    def __enter__(self) -> Self:
        paid = total(self._account.spent() if self._account else ())
        self._paid.append(
            (time.monotonic(), paid.calls, paid.prompt_tokens + paid.completion_tokens)
        )
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._console.is_terminal:
            self._bar.stop()

    def say(self, words: str) -> None:
        """A line of its own, above the bar."""
        self._console.print(words, highlight=False, markup=False)

    def update(self, state: Callable[[], State]) -> None:
        """Show the state, unless the last one was shown just now."""
        now = time.monotonic()
        if now - self._shown < (BAR_SECONDS if self._console.is_terminal else LINE_SECONDS):
            return
        self._shown = now
        accepted, attempted, figures = state()
        status = self._status(now, accepted, attempted, figures)
        models = self._models(now)
        if models:
            status += f"\n{models}"
        if self._console.is_terminal:
            self._bar.update(self._task, completed=accepted, status=status)
        else:
            self.say(status)

    def _status(self, now: float, accepted: int, attempted: int, figures: Mapping[str, Any]) -> str:
        self._seen.append((now, accepted))
        while self._seen[1][0] < now - WINDOW_SECONDS:
            self._seen.popleft()
        began, before = self._seen[0]
        rate = (accepted - before) / max(now - began, 1e-6)
        left = f", {_clock((self._goal - accepted) / rate)} left" if rate else ""
        domain, mode = float(figures["domain_entropy"]), float(figures["mode_entropy"])
        return (
            f"{accepted}/{self._goal} of {attempted} tried, {rate:.1f}/s, "
            f"H_dom {domain:.2f} H_mode {mode:.2f}{left}"
        )

    def _models(self, now: float) -> str:
        """What models have done so far; empty before the first reply."""
        rows = self._account.spent() if self._account else ()
        if not rows or self._account is None:
            return ""
        paid = total(rows)
        tokens = paid.prompt_tokens + paid.completion_tokens
        self._paid.append((now, paid.calls, tokens))
        while len(self._paid) > 2 and self._paid[1][0] < now - WINDOW_SECONDS:
            self._paid.popleft()
        began, calls, before = self._paid[0]
        span = max(now - began, 1e-6)
        shown = (
            f"models: {(paid.calls - calls) / span:.1f} calls/s, {(tokens - before) / span:.0f} "
            f"tok/s, {paid.cost_usd:.2f} USD, {paid.failed} failed"
        )
        gauges = self._account.gauges().values()
        busy, capacity = sum(b for _, b in gauges), sum(c for c, _ in gauges)
        return f"{shown}, {busy}/{capacity} at a time" if capacity else shown


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
