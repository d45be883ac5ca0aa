"""Runs inside the sandbox: what the runner can be sure of about other processes.

Enters: `/proc` of the sandbox. Leaves: who is alive, dead or stopped, and whether anyone
came. Standard library only.
"""

from __future__ import annotations

import contextlib
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    Standstill = tuple[tuple[str, bytes, bytes], ...]
    """Every thread of a process that is stopped: its number, and how often it had to wait its turn
    of its own will and not. Equal ones at two moments: it was stopped all the time between."""

THREADS = 17
"""Place of their number behind the name in `/proc/PID/stat`."""


def reap() -> dict[int, int]:
    """Collect the dead, with their exit codes as a shell has them."""
    dead: dict[int, int] = {}
    while True:
        try:
            pid, code = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return dead
        if pid == 0:
            return dead
        dead[pid] = 128 + os.WTERMSIG(code) if os.WIFSIGNALED(code) else os.WEXITSTATUS(code)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def dead(pid: int) -> bool:
    """Whether a process is gone, or has ended and only waits to be asked for.

    One whose first thread has ended is listed like that, too, while its others go on.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # What follows a name in parentheses, which may hold anything.
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return True
    return fields[0] in (b"Z", b"X") and int(fields[THREADS]) <= 1


def halted(pid: int) -> Standstill | None:
    """The threads of a process if all of them are stopped."""
    still = []
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{thread}/status", "rb") as file:
                # No other line starts like these: a name is one line.
                lines = dict(line.split(b":", 1) for line in file)
        except OSError:
            continue  # it has ended
        if lines[b"State"].split()[0] not in (b"T", b"Z", b"X"):
            return None
        turns = [lines.get(b"%svoluntary_ctxt_switches" % kind, b"") for kind in (b"", b"non")]
        still.append((thread, turns[0], turns[1]))
    return tuple(still)


def newest_process() -> bytes:
    """The number that a process or thread got last, here inside."""
    with open("/proc/loadavg", "rb") as file:
        return file.read().split()[-1]


def deliver() -> None:
    """Wait until the signals that the deaths seen so far cause have arrived.

    A process is listed as dead a moment before its parent is told, and the teller holds the lock
    that a signal to all, even one that is none, has to wait for (Linux, `exit_notify`).
    """
    with contextlib.suppress(OSError):  # nobody is left
        os.kill(-1, 0)
