"""What an attack is.

A snippet says `BROKEN` where it got what it must not get, and `held` at its end, so that one which
did not run is not taken for one that failed.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from tdscaling.sandbox import Language, Mode, Result, Status

START = """\
import ctypes, errno, os, signal, socket, subprocess, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
def broken(*words):
    print("BROKEN", *words, flush=True)
def refused(work, *words):
    try:
        got = work()
    except (OSError, PermissionError, subprocess.SubprocessError):
        return
    broken(*words, repr(got)[:80])
"""


@dataclass(frozen=True)
class Attack:
    """One snippet, and how it must end."""

    name: str
    code: str
    language: Language = "python"
    mode: Mode = "fork"
    status: tuple[Status, ...] = ("ok",)
    seconds: float = 10.0
    limit: str = ""
    """The probe's name of a limit that not every machine can enforce."""

    def failed(self, result: Result) -> str:
        """Why this attack did not fail; empty if it did."""
        if "BROKEN" in result.stdout:
            return result.stdout
        if result.status not in self.status:
            return f"ended as {result}"
        if result.status == "ok" and "held" not in result.stdout:
            return f"did not run to its end: {result}"
        return ""


def python(name: str, code: str, *status: Status, seconds: float = 10.0, limit: str = "") -> Attack:
    """An attack in Python; without a status it must run to its end."""
    text = f"{START}{textwrap.dedent(code)}\nprint('held')\n"
    return Attack(name, text, status=status or ("ok",), seconds=seconds, limit=limit)


def bash(name: str, code: str, *status: Status, seconds: float = 10.0) -> Attack:
    """An attack in bash."""
    text = f"{textwrap.dedent(code)}\necho held\n"
    return Attack(name, text, "bash", status=status or ("ok",), seconds=seconds)
