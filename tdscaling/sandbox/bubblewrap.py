"""Sandboxes by bubblewrap: namespaces that any user may make, and no daemon.

Enters: limits. Leaves: sandboxes that are one process tree each, in a root folder made of this
machine's own packages. They end with this process. As root, everything is started as uid 65534:
root within a namespace of its own would still be the host's root to files that are not in it.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Unpack

from tdscaling.errors import SandboxError
from tdscaling.sandbox import _bootstrap, _cgroups, _image, _owner
from tdscaling.sandbox._box import Box, Channel
from tdscaling.sandbox._cgroups import Cgroup
from tdscaling.sandbox._image_state import Image
from tdscaling.sandbox._limits import MB, Knobs
from tdscaling.sandbox._sandbox import PooledSandbox

UID = 65534
DEVICES = ("null", "zero", "full", "random", "urandom")
END_SECONDS = 5.0
MARK = "bwrap-of-"
"""What a sandbox that does not run yet is called on the host, before the name of its owner."""

_numbers = itertools.count()


class BubblewrapSandbox(PooledSandbox):
    """Starts sandboxes with the program `bwrap`.

    Args:
        cache: folder of the image; None for a place that fits the user.
        limits: see `conf/sandbox/_limits.yaml`.
    """

    name = "bubblewrap"
    remedy = (
        "bubblewrap needs user namespaces: on Ubuntu 24.04 and later type `sysctl -w "
        "kernel.apparmor_restrict_unprivileged_userns=0`, in a container add `--security-opt "
        "seccomp=unconfined`, or choose sandbox=docker"
    )

    def __init__(self, *, cache: str | None, **limits: Unpack[Knobs]) -> None:
        super().__init__(**limits)
        self.cache = Path(cache) if cache else None

    def _settle(self) -> None:
        super()._settle()
        self._image: Image | None = None
        self._imaging = threading.Lock()
        # bwrap dies with the thread that started it, so one thread starts them all.
        self._spawner = ThreadPoolExecutor(1, "sandbox-spawner")

    def image(self) -> Image:
        """The root folder, made at first use."""
        with self._imaging:
            if self._image is None:
                self._image = _image.build(self.cache, say=_say)
                _check_open(self._image.root)
            return self._image

    def clear(self) -> None:
        """Remove cgroups of processes that were killed, and sandboxes that had not begun to run.

        Those that run end with their process, but bwrap asks for that only late in its start.
        """
        _cgroups.clear()
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                told = path.read_bytes().partition(b"\0")[0].decode(errors="replace")
                if told.startswith(MARK) and _owner.left_over(told.removeprefix(MARK)):
                    os.kill(int(path.parent.name), signal.SIGKILL)

    def describe(self) -> dict[str, Any]:
        """What a trajectory records."""
        return {
            "backend": self.name,
            "image": "built",
            "digest": self.image().digest,
            "cgroup": bool(_cgroups.parents()),
            "limits": self.limits.recorded(),
        }

    def start(self) -> Box:
        """Start one.

        Raises:
            SandboxError: with the fix.
        """
        bwrap = shutil.which("bwrap", path=f"{os.environ.get('PATH', '')}:/usr/bin:/bin")
        if not bwrap:
            raise SandboxError(
                "sandbox=bubblewrap: there is no program bwrap; type: apt-get install bubblewrap"
            )
        root = self.image().root
        group = _cgroups.make(next(_numbers), self.limits)
        try:
            box = self._box(bwrap, root, group)
        except BaseException:
            if group:
                group.remove()
            raise
        return self.prepare(
            box,
            mounts=True,
            processes=self.limits.pids,
            address_space=0 if group else self.limits.memory_mb * MB,
        )

    def _box(self, bwrap: str, root: Path, group: Cgroup | None) -> Box:
        ours, theirs = socket.socketpair()
        told, tell = os.pipe()
        arguments = [f"{MARK}{_owner.name()}", *_arguments(root, group, tell), *_command()]
        try:
            process = self._spawner.submit(_spawn, bwrap, arguments, theirs, tell).result()
        except OSError as error:
            os.close(told)
            ours.close()
            raise SandboxError(f"sandbox=bubblewrap: cannot start {bwrap}: {error}") from error
        finally:
            theirs.close()
            os.close(tell)
        with os.fdopen(told, "rb") as file:
            inner = _inner(file.read())
        # The runner starts nothing before it was asked something: no process escapes the cgroup.
        if group and inner:
            with contextlib.suppress(ProcessLookupError):
                group.add(inner)
        return Box(
            Channel(ours, multiplexed=False),
            kill=_killer(process, inner, ours, group),
            reason=lambda: _last_words(process),
        )


def _say(line: str) -> None:
    print(line, file=sys.stderr)  # noqa: T201 the first start takes long, and should say why


def _is_root() -> bool:
    """Whether this is a root that can and must become another user.

    In a namespace that maps no other user, root is nobody special on the host.
    """
    mapped = [line.split() for line in Path("/proc/self/uid_map").read_text("utf-8").splitlines()]
    other = any(int(first) <= UID < int(first) + int(count) for first, _, count in mapped)
    return os.geteuid() == 0 and other


def _check_open(root: Path) -> None:
    """As root everything runs as another user, who must be able to enter."""
    if _is_root():
        for folder in (root, *root.parents):
            if not folder.stat().st_mode & 0o001:
                raise SandboxError(
                    f"sandbox=bubblewrap: uid {UID} cannot enter {folder}, where the image is; "
                    "choose another folder with sandbox.cache=PATH"
                )


def _arguments(root: Path, group: Cgroup | None, tell: int) -> list[str]:
    """Everything is new and empty but a read-only root. No pseudo-terminals: `--dev` has them."""
    words = [
        "--unshare-all", "--unshare-user", "--uid", str(UID), "--gid", str(UID),
        "--hostname", "sandbox", "--new-session", "--die-with-parent", "--as-pid-1",
        "--info-fd", str(tell), "--clearenv", "--cap-drop", "ALL",
        # To mount folders with a limited number of files, which bwrap can't; then given up.
        "--cap-add", "CAP_SYS_ADMIN", "--cap-add", "CAP_SETPCAP",
        "--ro-bind", str(root), "/", "--proc", "/proc", "--size", "65536", "--tmpfs", "/dev",
        "--dir", "/dev/shm",
        "--symlink", "/proc/self/fd", "/dev/fd", "--symlink", "/proc/self/fd/0", "/dev/stdin",
        "--symlink", "/proc/self/fd/1", "/dev/stdout", "--symlink", "/proc/self/fd/2",
        "/dev/stderr",
    ]  # fmt: skip
    for name in DEVICES:
        words += ["--dev-bind", f"/dev/{name}", f"/dev/{name}"]
    if group:
        for name, folder in group.shown().items():
            words += ["--ro-bind", str(folder), f"/sys/fs/cgroup{name}"]
    words += ["--remount-ro", "/dev", "--chdir", "/"]
    for name, value in _bootstrap.ENVIRONMENT.items():
        words += ["--setenv", name, value]
    return words


def _command() -> list[str]:
    return ["--", "/usr/bin/python3", *_bootstrap.FLAGS, _bootstrap.program()]


def _spawn(
    bwrap: str, arguments: list[str], link: socket.socket, tell: int
) -> subprocess.Popen[bytes]:
    root = _is_root()
    # What the inner end reads and writes is one socket.
    return subprocess.Popen(
        arguments, executable=bwrap, stdin=link.fileno(), stdout=link.fileno(),
        stderr=subprocess.PIPE, pass_fds=[tell], cwd="/", env={}, start_new_session=True,
        user=UID if root else None, group=UID if root else None,
        extra_groups=[] if root else None,
    )  # fmt: skip


def _inner(told: bytes) -> int:
    """The runner's process id on the host; 0 if there is none."""
    try:
        return int(json.loads(told)["child-pid"])
    except (ValueError, KeyError, TypeError):
        return 0


def _killer(
    process: subprocess.Popen[bytes], inner: int, link: socket.socket, group: Cgroup | None
) -> Callable[[], None]:
    """Ends the whole tree: its PID 1 takes all others with it."""
    once = threading.Lock()
    handle = -1
    if inner:
        with contextlib.suppress(OSError):
            handle = os.pidfd_open(inner)

    def kill() -> None:
        if not once.acquire(blocking=False):
            return
        link.close()
        if handle >= 0:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
            os.close(handle)
        else:
            process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(END_SECONDS)
        if process.returncode is None:
            process.kill()
            process.wait()
        if process.stderr:
            process.stderr.close()
        if group:
            group.remove()

    return kill


def _last_words(process: subprocess.Popen[bytes]) -> str:
    """What bwrap or the runner complained about, if it ended."""
    try:
        process.wait(1.0)
    except subprocess.TimeoutExpired:
        return ""
    said = process.stderr.read(4096) if process.stderr and not process.stderr.closed else b""
    return said.decode(errors="replace").strip()[-500:]
