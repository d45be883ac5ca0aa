"""What one run may spend on models, and where it keeps their replies.

Enters: the caps of a run. Leaves: whether one more request may be made, and the replies that were
paid before. It travels with the runner of attempts into other processes; each opens the journal by
itself, and all of them see the same sums. A request is refused once a cap is reached, so a cap is
exceeded by what is in flight at that moment and by no more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from pathlib import Path

from tdscaling.errors import EndOfRun, RunDirectoryError
from tdscaling.spending.journal import Entry, Journal, Replies, Spent, cached_call

Gauges = Mapping[str, tuple[int, int]]
"""How many requests an endpoint takes at a time, and how many are on their way, by name."""
GAUGE_SECONDS = 0.5
"""How often a process tells its gauges."""
TIME_IS_UP = "the wall clock of budget.seconds is up"
ALL = ""
"""Key of the caps that hold for all roles together."""


@dataclass(frozen=True, slots=True)
class Caps:
    """Hard limits of what models may cost; None for no limit."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    tokens: int | None = None
    """Prompt and completion together."""
    dollars: float | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """What one run may spend, and where it keeps what it paid for."""

    journal: Path
    """File of the run's own replies; made with the first one."""
    cache: Path | None = None
    """File of replies that runs share; None for none."""
    caps: Mapping[str, Caps] = field(default_factory=dict)
    """By role; `ALL` for all of them together."""
    deadline: float | None = None
    """Seconds since the epoch after which no request is made."""

    @property
    def late(self) -> bool:
        """Whether time is up."""
        return self.deadline is not None and time.time() >= self.deadline

    @contextmanager
    def charged(self, trajectory: str) -> Iterator[None]:
        """Requests made within belong to a trajectory of this run."""
        token = _charged.set((self, trajectory))
        try:
            yield
        finally:
            _charged.reset(token)

    def admit(self, role: str) -> None:
        """Refuse a request for which nothing is left.

        Raises:
            EndOfRun: naming the cap.
        """
        if self.late:
            raise EndOfRun(TIME_IS_UP)
        if not self.caps:
            return
        spent = opened(self.journal).spent()
        for name, caps in self.caps.items():
            if name in (ALL, role):
                _check(name, caps, [row for row in spent if name in (ALL, row.role)])

    def find(self, key: str) -> Entry | None:
        """What this run was answered before."""
        return opened(self.journal).find(key)

    async def keep(self, key: str, entry: Entry, gauges: Callable[[], Gauges] = dict) -> None:
        """Keep an answer of this run before it is used.

        Args:
            key: of the request.
            entry: what it came to.
            gauges: tells how many requests endpoints take at a time and are busy with, by name;
                asked once in a while.
        """
        told: list[tuple[str, int, int]] = []
        if time.monotonic() > _told.get(self.journal, 0.0) + GAUGE_SECONDS:
            _told[self.journal] = time.monotonic()
            told = [(name, *gauge) for name, gauge in gauges().items()]
        await opened(self.journal).put(key, entry, told)

    def find_shared(self, key: str) -> Entry | None:
        """What any run that shares the cache was answered before, as a call that cost nothing."""
        found = opened(self.cache, shared=True).find(key) if self.cache else None
        return replace(found, call=cached_call(found.call)) if found else None

    async def share(self, key: str, entry: Entry) -> None:
        """Let other runs have an answer; failures are not shared."""
        if self.cache and entry.message is not None:
            await opened(self.cache, shared=True).put(key, replace(entry, trajectory=""))

    def check(self, calls: int) -> None:
        """Refuse to go on without the replies that were paid.

        Args:
            calls: requests that the ledger knows of.

        Raises:
            RunDirectoryError: if the journal knows of fewer, or one of the files is none.
        """
        found = sum(row.calls for row in self.spent())
        if found < calls:
            raise RunDirectoryError(
                f"{self.journal}: expected the replies to at least {calls} requests that this run"
                f" has made, got {found}: the file is gone or not this run's, and without it caps"
                " would not hold and replies would be paid again. Bring it back, or start a new"
                " run: hydra.run.dir=outputs/ANOTHER"
            )
        if self.cache:
            opened(self.cache, shared=True)

    def spent(self) -> tuple[Spent, ...]:
        """What was paid so far, by all starts and processes of this run."""
        return opened(self.journal).spent() if self.journal.exists() else ()

    def gauges(self) -> Gauges:
        """What all processes told last, summed."""
        return opened(self.journal).gauges() if self.journal.exists() else {}

    def forget_gauges(self) -> None:
        """Processes of an earlier start are gone."""
        if self.journal.exists():
            opened(self.journal).forget_gauges()


def charged() -> tuple[Account, str] | None:
    """The account and the trajectory that requests are charged to, if any."""
    return _charged.get()


def check_time() -> None:
    """Refuse a request of a run whose time is up.

    Raises:
        EndOfRun: saying so.
    """
    at = charged()
    if at is not None and at[0].late:
        raise EndOfRun(TIME_IS_UP)


def opened(path: Path, *, shared: bool = False) -> Journal:
    """The journal of a file, opened once per process.

    Raises:
        RunDirectoryError: if the file is none, or not of that kind.
    """
    with _lock:
        if (path, shared) not in _journals:
            _journals[path, shared] = Journal(path, shared=shared)
        return _journals[path, shared]


def recorded(path: Path) -> Replies:
    """What the journal of another run holds, opened once per process.

    Raises:
        RunDirectoryError: if the file is none, or cannot be read.
    """
    with _lock:
        if path not in _recorded:
            _recorded[path] = Replies(path)
        return _recorded[path]


def close_all() -> None:
    """Close every journal that this process has opened."""
    with _lock:
        for replies in (*_journals.values(), *_recorded.values()):
            replies.close()
        _journals.clear()
        _recorded.clear()


def total(rows: Sequence[Spent]) -> Spent:
    """The sums of all rows."""
    return Spent(
        "",
        "",
        sum(row.calls for row in rows),
        sum(row.failed for row in rows),
        sum(row.cached for row in rows),
        sum(row.prompt_tokens for row in rows),
        sum(row.completion_tokens for row in rows),
        sum(row.cost_usd for row in rows),
    )


_charged: ContextVar[tuple[Account, str] | None] = ContextVar("charged", default=None)
_journals: dict[tuple[Path, bool], Journal] = {}
_recorded: dict[Path, Replies] = {}
_told: dict[Path, float] = {}
"""When gauges were told last."""
_lock = threading.Lock()


def _check(name: str, caps: Caps, spent: Sequence[Spent]) -> None:
    whole = total(spent)
    counted = {
        "prompt_tokens": whole.prompt_tokens,
        "completion_tokens": whole.completion_tokens,
        "tokens": whole.prompt_tokens + whole.completion_tokens,
        "dollars": whole.cost_usd,
    }
    for what, so_far in counted.items():
        cap = getattr(caps, what)
        if cap is not None and so_far >= cap:
            key = f"budget.roles.{name}.{what}" if name else f"budget.{what}"
            told = f"{so_far:.4f}" if what == "dollars" else str(so_far)
            raise EndOfRun(f"{told} of {key}={cap} spent")
