"""Runs inside the sandbox: what the runner closes for good before any snippet.

Enters: nothing but the kernel's calls. Leaves: no capability, no way to new ones, a filter of
system calls; and how often memory ran out. Standard library only.
"""

from __future__ import annotations

import ctypes
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_PR_SET_SECCOMP, _PR_CAPBSET_DROP, _PR_CAP_AMBIENT = 22, 24, 47
_PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 4, 38
_READ_ONLY, _NOSUID, _NODEV, _NOEXEC, _REMOUNT, _BIND = 1, 2, 4, 8, 32, 4096
_CLOSED = ("/proc/sys", "/proc/sysrq-trigger", "/proc/bus", "/proc/fs", "/proc/irq")
"""Made read-only, as engines do."""
_COVERED = ("/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/latency_stats")
"""Cannot be read: they tell of the host."""
_OOM = (
    ("/sys/fs/cgroup/memory.events", "oom_kill"),
    ("/sys/fs/cgroup/memory/memory.oom_control", "oom_kill"),
)

libc = ctypes.CDLL(None, use_errno=True)


def close(mounts: list[list[str]], filter_program: bytes) -> None:
    """Mount what can be written, then give up every right to do so again."""
    for place, options in mounts:
        call("mount", b"tmpfs", place.encode(), b"tmpfs", _NOSUID | _NODEV, options.encode())
    if mounts:
        _narrow_proc()
    drop_capabilities()
    call("prctl", _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    set_dumpable(False)
    install_filter(filter_program)


def _narrow_proc() -> None:
    for place in filter(os.path.exists, _CLOSED):
        name = place.encode()
        call("mount", name, name, None, _BIND, None)
        flags = _BIND | _REMOUNT | _READ_ONLY | _NOSUID | _NODEV | _NOEXEC
        call("mount", None, name, None, flags, None)
    for place in filter(os.path.exists, _COVERED):
        call("mount", b"/dev/null", place.encode(), None, _BIND, None)


def set_dumpable(on: bool) -> None:
    """Whether other processes of this user may look into this one."""
    call("prctl", _PR_SET_DUMPABLE, int(on), 0, 0, 0)


def oom_kills() -> int:
    """How often the kernel killed for lack of memory here; 0 where it is not told."""
    for path, field in _OOM:
        try:
            with open(path, encoding="utf-8") as file:
                for line in file:
                    name, _, count = line.partition(" ")
                    if name == field:
                        return int(count)
        except OSError:
            continue
    return 0


def call(name: str, *arguments: Any) -> None:
    if getattr(libc, name)(*arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name} {arguments[:2]}: {os.strerror(code)}")


def drop_capabilities() -> None:
    """Give up every capability for good; without any there is nothing to do."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    data = (ctypes.c_uint32 * 6)()
    call("capget", header, data)
    if any(data):
        for number in range(64):
            if libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0) != 0:
                break
    libc.prctl(_PR_CAP_AMBIENT, 4, 0, 0, 0)  # 4: clear all
    call("capset", header, (ctypes.c_uint32 * 6)())


def install_filter(program: bytes) -> None:
    """Have the kernel refuse system calls from now on, here and in all that is started."""

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))

    code = ctypes.create_string_buffer(program, len(program))
    made = Program(len(program) // 8, ctypes.addressof(code))
    call("prctl", _PR_SET_SECCOMP, 2, ctypes.byref(made), 0, 0)
