"""Which process made a sandbox, and does it still live.

Enters: nothing, or a name found on a container or cgroup. Leaves: a name that no later process has,
since process ids come again; and whether what bears it is left over.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

_NAME = re.compile(r"([0-9a-f-]{36})\.(\d+)\.(\d+)\.(\d+)")


def name() -> str:
    """This process: boot, namespace of process ids, id, and when it started."""
    return f"{_place()}.{os.getpid()}.{_started(os.getpid())}"


def left_over(found: str) -> bool:
    """Whether a name's process has gone; of other machines' and namespaces' nothing is known."""
    match = _NAME.fullmatch(found)
    if not match or f"{match[1]}.{match[2]}" != _place():
        return False
    return _started(int(match[3])) != int(match[4])


def _place() -> str:
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    return f"{boot}.{os.stat('/proc/self/ns/pid').st_ino}"


def _started(pid: int) -> int:
    """The kernel's clock tick at which a process started; -1 if there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return -1
    state, *rest = text.rpartition(")")[2].split()
    return -1 if state in "ZX" else int(rest[18])
