"""Whole runs of the real command line, in this process or in one of its own."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from tdscaling.__main__ import main
from tdscaling.store import FILE, Store

ROOT = Path(__file__).resolve().parents[1]
SMALL = ("tools.domains=[airline,calendar]", "blueprints.worlds=2", "round_size=8")
"""Two domains with few worlds: half a second of warm-up instead of some."""
NO_CODE = ("coding.share=0", "sandbox=none")
TABLES = ("trajectories", "actions", "llm_calls", "documents", "rounds", "steering", "clusters")
PATIENCE = 90.0
"""Seconds after which a wait has failed."""


def here(folder: Path, *words: str, size: int = 24) -> int:
    """Run in this process, inline; returns the exit code."""
    return main(
        [
            *SMALL,
            *_without_code(words),
            f"budget.trajectories={size}",
            "execution=inline",
            f"hydra.run.dir={folder}",
            *words,
        ]
    )


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "tdscaling", *words]


def small(folder: Path, *words: str, size: int = 24) -> list[str]:
    """The command line of a small run."""
    size_ = f"budget.trajectories={size}"
    return command(*SMALL, *_without_code(words), size_, f"hydra.run.dir={folder}", *words)


def _without_code(words: Sequence[str]) -> tuple[str, ...]:
    """Runs that are not about code start no sandboxes, which take half a second each."""
    about_code = any(word.startswith(("coding.", "sandbox")) for word in words)
    return () if about_code else NO_CODE


def finish(
    line: Sequence[str],
    *,
    code: int = 0,
    folder: Path = ROOT,
    apart: bool = False,
    before: Callable[[], None] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command line to its end and check its exit code.

    Args:
        line: of `command`.
        code: that it must end with.
        folder: that it runs in.
        apart: whether in a process of its own, which takes two seconds longer to start.
        before: what is done in that process first; has it run apart.
    """
    if apart or before:
        done = subprocess.run(
            line,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            cwd=folder,
            env=_surroundings(),
            preexec_fn=before,
        )
    else:
        done = _finished_here(line, folder)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def _finished_here(line: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    said, complained = io.StringIO(), io.StringIO()
    with (
        chdir(folder),
        redirect_stdout(said),
        redirect_stderr(complained),
        _patience(),
    ):
        code = main(line[len(command()) :])
    return subprocess.CompletedProcess(line, code, said.getvalue(), complained.getvalue())


@contextmanager
def _patience() -> Iterator[None]:
    """Fail what does not end."""

    def fail(number: int, frame: object) -> None:
        raise TimeoutError(f"it did not end within {PATIENCE} s")

    before = signal.signal(signal.SIGALRM, fail)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def started(line: Sequence[str], folder: Path = ROOT) -> Iterator[subprocess.Popen[str]]:
    """A command line under way, as leader of a process group of its own like in a terminal."""
    process = subprocess.Popen(
        line,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env=_surroundings(),
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, 9)
        process.communicate(timeout=PATIENCE)


def _surroundings() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def refused(said: Any, *words: str) -> None:
    """One paragraph on stderr that holds the words, no traceback."""
    err = said.stderr if isinstance(said, subprocess.CompletedProcess) else said.err
    assert err.startswith("tdscaling: ")
    assert err.count("\n") == 1, err
    for word in words:
        assert word in err


def wait_until(condition: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"waited in vain: {what}"
        time.sleep(0.002)


def children(pid: int) -> list[int]:
    """Living processes that a process has started."""
    return [child for child, parent, state in _processes() if parent == pid and state != "Z"]


def alive(pids: Sequence[int]) -> list[int]:
    return [pid for pid, _, state in _processes() if pid in pids and state != "Z"]


def _processes() -> Iterator[tuple[int, int, str]]:
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = path.read_text().rsplit(")", 1)[1].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue  # ended while this was looking
        yield int(path.parent.name), int(parent), state


def data(folder: Path) -> bytes:
    return (folder / "dataset" / "train.jsonl").read_bytes()


def tables(folder: Path, *, timed: bool = False) -> dict[str, list[dict[str, Any]]]:
    """The rows of every table, measured seconds left out unless `timed`."""
    store = Store.read(folder / FILE)
    try:
        found = {name: store.query(f"SELECT * FROM {name} ORDER BY ALL") for name in TABLES}
    finally:
        store.close()
    for row in found["trajectories"] if not timed else ():
        del row["seconds"]
    return found


def same_run(one: Path, other: Path) -> None:
    """Same bytes of the dataset, same rows of the ledger."""
    assert data(one) == data(other)
    left, right = tables(one), tables(other)
    for name in TABLES:
        assert left[name] == right[name], name
    indices = [row["idx"] for row in left["trajectories"]]
    assert indices == list(range(len(indices)))
