"""What the runner takes for proof that a process stands still, on real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tdscaling.sandbox._inside_processes import dead, halted, newest_process

if TYPE_CHECKING:
    from tdscaling.sandbox._inside_processes import Standstill

WORKER = """
import os, signal
while True:
    print(flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)
"""
NAMED = """
import sys
open("/proc/self/comm", "w").write("x\\nState:\\tT")
print(flush=True)
sys.stdin.read()
"""


@pytest.fixture
def worker() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", WORKER], stdout=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()


def once_stopped(process: subprocess.Popen[bytes]) -> Standstill:
    assert process.stdout
    process.stdout.readline()
    os.waitid(os.P_PID, process.pid, os.WSTOPPED)
    still = halted(process.pid)
    assert still
    return still


def test_one_that_ran_and_stopped_again_is_told_from_one_that_stood_still(
    worker: subprocess.Popen[bytes],
) -> None:
    before = once_stopped(worker)
    assert [thread for thread, *_ in before] == [str(worker.pid)]
    assert halted(worker.pid) == before
    worker.send_signal(signal.SIGCONT)
    assert once_stopped(worker) != before


def test_one_that_runs_does_not_stand_still() -> None:
    assert halted(os.getpid()) is None


def test_name_of_a_thread_is_no_line_of_its_state() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", NAMED], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stdin
        process.stdout.readline()
        assert "State:" in Path(f"/proc/{process.pid}/comm").read_text()
        assert halted(process.pid) is None
        process.stdin.close()


def test_somebody_new_is_seen_even_when_gone_again() -> None:
    before = newest_process()
    subprocess.run(["true"], check=True)
    assert newest_process() != before


def test_unasked_for_is_dead_and_its_parent_is_not() -> None:
    process = subprocess.Popen(["true"])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert dead(process.pid)
    process.wait()
    assert dead(process.pid)
    assert not dead(os.getpid())
