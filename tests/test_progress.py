"""What a run shows: a bar on a terminal, plain lines elsewhere, 80 columns at most."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import termios
import time
from pathlib import Path

from rich.console import Console

from tdscaling.progress import LINE_SECONDS, Display, State
from tests.runs import PATIENCE, ROOT, small

FIGURES = {"domain_entropy": 4.6312, "mode_entropy": 10.54}


def state() -> State:
    return 49_990, 55_012, FIGURES


def test_bar_on_a_terminal(tmp_path: Path) -> None:
    """In a real pseudo terminal of 80 columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    surroundings = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm"}
    surroundings.pop("COLUMNS", None)
    process = subprocess.Popen(
        small(tmp_path, "execution=inline", size=60),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=ROOT,
        env=surroundings,
    )
    os.close(theirs)
    screen = read(ours)
    assert process.wait(PATIENCE) == 0
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen)
    shown = [line for line in re.split(r"[\r\n]+", plain) if "tried" in line]
    assert shown
    assert all(len(line) <= 80 for line in shown)
    status = r"━+.* \d+/60 of \d+ tried, [\d.]+/s, H_dom [\d.]+ H_mode [\d.]+, \d+:\d\d left"
    assert re.search(status, "\n".join(shown))
    assert "accepted    60 of" in plain


def read(terminal: int) -> str:
    parts = []
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # the other side is closed
            break
        if not part:
            break
        parts.append(part)
    os.close(terminal)
    return b"".join(parts).decode()


def test_plain_lines_are_rare_and_fit() -> None:
    out = io.StringIO()
    began = time.monotonic()
    with Display(Console(file=out, width=80), 50_000, 49_000) as display:
        while time.monotonic() - began < LINE_SECONDS + 0.5:
            display.update(state)
            time.sleep(0.02)
    (line,) = out.getvalue().splitlines()
    assert re.fullmatch(
        r"49990/50000 of 55012 tried, [\d.]+/s, H_dom 4.63 H_mode 10.54, \d+:\d\d left", line
    )
    assert len(line) <= 80


def test_nothing_is_shown_of_a_quick_run() -> None:
    out = io.StringIO()
    with Display(Console(file=out), 10, 0) as display:
        display.update(state)
    assert out.getvalue() == ""


def test_words_of_its_own_are_not_markup() -> None:
    out = io.StringIO()
    with Display(Console(file=out), 10, 0) as display:
        display.say("tools.domains=[airline]")
    assert out.getvalue() == "tools.domains=[airline]\n"
