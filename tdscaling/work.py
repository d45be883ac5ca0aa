"""Attempts under way: as many side by side as there are slots, none waiting for another.

Enters: draws as they are decided. Leaves: outcomes, to the rounds that commit them in order. A
failure that ends the run is raised once everything before it has had its say: what was paid for is
kept, and nothing depends on which conversation failed first.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Iterator

from tdscaling.attempt import Attempt
from tdscaling.errors import EndOfRun, RepliesEnd
from tdscaling.execution import Execution
from tdscaling.progress import Display
from tdscaling.rounds import Rounds
from tdscaling.schema import Outcome
from tdscaling.spending.account import TIME_IS_UP, Account

LOOK_SECONDS = 1.0
"""How often somebody looks whether time is up, and at what the display says."""

HELD_UP = 0.2
"""Share of the places that stand empty for steering's sake from which on the user is told."""
HELD_UP_SECONDS = 60.0
"""How long a run has gone on before that is judged."""

Running = dict[asyncio.Future[Outcome], int]
"""Attempts under way and their index."""


async def work(
    rounds: Rounds, attempt: Attempt, execution: Execution, concurrency: int, display: Display
) -> bool:
    """Run attempts until the budget is spent or the user interrupts; True where they did.

    Raises:
        TdscalingError: what ended the run, once the attempts before it are committed.
    """
    stopping, slots = asyncio.Event(), execution.slots(concurrency)
    failed: dict[int, BaseException] = {}
    attempt.account.forget_gauges()
    places = Places(slots)
    with _draining(stopping, display):
        async with execution.start(attempt, concurrency) as submit:
            running: Running = {}
            try:
                while not rounds.done:
                    last = stopping.is_set() or bool(failed) or attempt.account.late
                    for draw in rounds.draws(slots - len(running), last):
                        running[asyncio.ensure_future(submit(draw))] = draw.index
                    if not running:
                        break
                    places.look(slots - len(running) if rounds.held_up else 0)
                    done, _ = await asyncio.wait(
                        running, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED
                    )
                    failed |= _take(rounds, {task: running.pop(task) for task in done})
                    _tell(rounds, display)
                    # Where no model is asked it is this machine that is slow.
                    if places.dear and attempt.account.journal.exists():
                        places.tell(display)
            finally:
                for task in running:
                    task.cancel()
                await asyncio.gather(*running, return_exceptions=True)
                rounds.flush()
                rounds.settle(attempt.account.spent())
    if not rounds.done:
        _end(rounds, failed, attempt.account)
    return stopping.is_set()


class Places:
    """How many places stand empty because steering waits for slow conversations.

    Args:
        slots: places in all.
        clock: seconds since any moment.
    """

    def __init__(self, slots: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._slots, self._empty, self._lost, self._clock = slots, 0, 0.0, clock
        self._began = self._looked = clock()
        self._told = False

    def look(self, empty: int) -> None:
        """So many stand empty from now on."""
        now = self._clock()
        self._lost += self._empty * (now - self._looked)
        self._empty, self._looked = empty, now

    @property
    def dear(self) -> bool:
        """Whether that costs much, and nobody was told."""
        return (
            not self._told
            and self._looked >= self._began + HELD_UP_SECONDS
            and self._share >= HELD_UP
        )

    @property
    def _share(self) -> float:
        return self._lost / (self._slots * (self._looked - self._began))

    def tell(self, display: Display) -> None:
        """Say it; once is enough."""
        self._told = True
        display.say(
            f"{self._share:.0%} of the {self._slots} places stand empty,"
            " because steering waits for slow conversations: a new run with a larger lag would"
            " lose less (docs/evolution.md)"
        )


def _take(rounds: Rounds, done: Running) -> dict[int, BaseException]:
    """Commit what succeeded; what failed, by index."""
    failed = {index: error for task, index in done.items() if (error := task.exception())}
    rounds.take(task.result() for task, index in done.items() if index not in failed)
    return failed


def _tell(rounds: Rounds, display: Display) -> None:
    for alarm in rounds.alarms:
        display.say(f"alarm in round {alarm.round}: {alarm.message}")
    rounds.alarms.clear()
    display.update(rounds.state)


def _end(rounds: Rounds, failed: dict[int, BaseException], account: Account) -> None:
    """Settle why no more was drawn: the failure that kept the next outcome from its turn."""
    if failed:
        first = failed[min(failed)]
        if not isinstance(first, EndOfRun):
            raise first
        rounds.end(str(first), raisable=not isinstance(first, RepliesEnd))
    elif account.late:
        rounds.end(TIME_IS_UP, raisable=True)


@contextlib.contextmanager
def _draining(stopping: asyncio.Event, display: Display) -> Iterator[None]:
    """The first Ctrl-C lets the conversations in flight finish, the second cancels them."""
    loop = asyncio.get_running_loop()
    main = asyncio.current_task()

    def interrupt() -> None:
        if stopping.is_set() and main is not None:
            main.cancel()
        else:
            display.say("Interrupted: finishing what is under way; Ctrl-C again cancels it.")
        stopping.set()

    loop.add_signal_handler(signal.SIGINT, interrupt)
    try:
        yield
    except asyncio.CancelledError:
        if not stopping.is_set():
            raise
    finally:
        loop.remove_signal_handler(signal.SIGINT)
