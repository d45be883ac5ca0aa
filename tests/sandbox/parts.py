"""Backends with small limits, what runs attacks on them, and what they may leave behind."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import Any

from tdscaling.errors import SandboxError
from tdscaling.sandbox import Session
from tdscaling.sandbox._limits import Knobs
from tdscaling.sandbox._sandbox import PooledSandbox
from tdscaling.sandbox.bubblewrap import BubblewrapSandbox
from tdscaling.sandbox.docker import DockerSandbox
from tests.sandbox.attack import Attack
from tests.sandbox.attacks import ATTACKS

LIMITS: Knobs = {
    "seconds": 15.0, "memory_mb": 256, "pids": 40, "cpus": 1.0, "workspace_mb": 32, "files": 512,
    "output_kb": 64, "flood_mb": 4, "code_kb": 1024, "file_mb": 8,
    "clock": "2026-01-01T00:00:00Z", "pool": 0,
}  # fmt: skip


SLOW_SECONDS = 8.0
"""What no five snippets take, not even on a busy machine, unless one of them waits for ever."""


def bubblewrap_sandbox(cache: Path | None, **changed: Any) -> BubblewrapSandbox:
    return BubblewrapSandbox(cache=str(cache) if cache else None, **{**LIMITS, **changed})


def docker_sandbox(
    cache: Path | None, host: str, image: str | None = None, **changed: Any
) -> DockerSandbox:
    folder = str(cache) if cache else None
    return DockerSandbox(image=image, host=host, cache=folder, **{**LIMITS, **changed})


def survivors(sandbox: PooledSandbox, attacks: list[Attack] = ATTACKS) -> list[str]:
    """The attacks that did not fail, or after which nothing works, each with the reason.

    A limit that the probe does not see enforced on this machine is not expected to hold; the
    session has to live all the same.
    """
    enforced = {finding.limit for finding in sandbox.probe() if finding.enforced}
    amiss = []
    for attack in attacks:
        with sandbox.open("attack") as session:
            session.run("x = 1", "python")  # so that there is a notebook that stands still
            result = session.run(
                attack.code, attack.language, mode=attack.mode, seconds=attack.seconds
            )
            reason = attack.failed(result)
            after = _after(session)
        if reason and (not attack.limit or attack.limit in enforced):
            amiss.append(f"{attack.name}: {reason[:500]}")
        if after:
            amiss.append(f"{attack.name}: then {after}")
    return amiss


def _after(session: Session) -> str:
    """What does not work any more after an attack; empty if all does."""
    started = time.monotonic()
    bash = session.run("echo lives", "bash")
    if (bash.status, bash.exit_code, bash.stdout) != ("ok", 0, "lives\n"):
        return str(bash)
    for _ in range(2):
        note = session.run("print(6 * 7)\nraise SystemExit(3)", "python")
        if (note.status, note.exit_code, note.stdout) != ("ok", 3, "42\n"):
            return str(note)
    fresh = session.run("print(6 * 7)", "python", mode="fresh")
    if (fresh.exit_code, fresh.stdout) != (0, "42\n"):
        return str(fresh)
    sql = session.run("SELECT 6 * 7", "sql")  # its database may be anything by now
    if sql.status != "ok" or (sql.exit_code == 0) != sql.stdout.endswith("42\n"):
        return str(sql)
    with contextlib.suppress(SandboxError):
        session.get("after")
    session.put("after", b"file")
    if session.get("after") != b"file":
        return "another file"
    spent = time.monotonic() - started
    return f"took {spent} s" if spent > SLOW_SECONDS else ""


def cgroups() -> set[str]:
    """Cgroups that bubblewrap's sandboxes have."""
    found = set()
    for parent in (*Path("/sys/fs/cgroup").glob("*/tdscaling"), Path("/sys/fs/cgroup/tdscaling")):
        found |= (
            {path.name for path in parent.glob("*") if path.is_dir()} if parent.is_dir() else set()
        )
    return found


def runners(of: int | None = None) -> list[int]:
    """Processes whose command line holds the runner: of a parent's family, or all."""
    found = []
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            try:
                words = (path / "cmdline").read_bytes()
            except OSError:
                continue
            if b"tdscaling.sandbox" in words and b"_inside_runner" in words:
                found.append(int(path.name))
    return [pid for pid in found if pid != os.getpid()]
