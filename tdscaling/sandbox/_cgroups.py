"""Cgroups of bubblewrap's sandboxes: memory, processes and CPU of all processes together.

Enters: limits. Leaves: a cgroup per sandbox, in either version of cgroups, where this process may
make one: root may, and a user whose session has been delegated one. Where it may not there is
none, and the probe says so.
"""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from tdscaling.sandbox import _owner
from tdscaling.sandbox._limits import MB, Limits

ROOT = Path("/sys/fs/cgroup")
PARENT = "tdscaling"
PERIOD = 100_000
"""Microseconds over which CPU time is counted."""
REMOVE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Cgroup:
    """One sandbox's cgroup: a folder for each controller, in version 2 the same one."""

    folders: dict[str, Path]

    def add(self, pid: int) -> None:
        """Have a process, and all it will start, counted here."""
        for folder in set(self.folders.values()):
            (folder / "cgroup.procs").write_text(str(pid), encoding="utf-8")

    def shown(self) -> dict[str, Path]:
        """Where to show it below `/sys/fs/cgroup`, as engines do: the runner counts kills there."""
        if len(set(self.folders.values())) == 1:
            return {"": self.folders["memory"]}
        return {
            f"/{name}": path for name, path in self.folders.items() if name in ("memory", "cpu")
        }

    def remove(self) -> None:
        """Kill what is in it, and remove it."""
        for folder in set(self.folders.values()):
            _remove(folder)


def parents() -> dict[str, Path]:
    """Where cgroups can be made, by controller; empty where they can't."""
    found = _version_2() if (ROOT / "cgroup.controllers").exists() else _version_1()
    return found if "memory" in found else {}


def _version_1() -> dict[str, Path]:
    found = {}
    for controller in ("memory", "pids", "cpu"):
        place = ROOT / controller
        if os.access(place, os.W_OK) and (place / "cgroup.procs").exists():
            found[controller] = place / PARENT
    return found


def _version_2() -> dict[str, Path]:
    """The root, or the outermost cgroup of this process that was delegated to its user."""
    own = Path("/proc/self/cgroup").read_text(encoding="utf-8").rpartition("::")[2].strip()
    way = ROOT / own.lstrip("/")
    places = [place for place in [*reversed(way.parents), way] if place.is_relative_to(ROOT)]
    for place in places:
        try:
            if os.access(place / "cgroup.procs", os.W_OK) and os.access(place, os.W_OK):
                return _delegated(place)
        except OSError:
            continue  # busy with processes of its own: a cgroup further in may not be
    return {}


def _delegated(place: Path) -> dict[str, Path]:
    parent = place / PARENT
    for folder in (place, parent):
        folder.mkdir(exist_ok=True)
        there = (folder / "cgroup.controllers").read_text(encoding="utf-8").split()
        wanted = [name for name in ("memory", "pids", "cpu") if name in there]
        switch = folder / "cgroup.subtree_control"
        if not set(wanted) <= set(switch.read_text(encoding="utf-8").split()):
            switch.write_text(" ".join(f"+{name}" for name in wanted), encoding="utf-8")
    return dict.fromkeys(wanted, parent)


def make(number: int, limits: Limits) -> Cgroup | None:
    """A cgroup with the limits set; None where there can't be any."""
    name = f"{_owner.name()}-{number}"
    group = Cgroup({key: parent / name for key, parent in parents().items()})
    if not group.folders:
        return None
    try:
        for folder in set(group.folders.values()):
            folder.mkdir(parents=True)
        _limit(group, limits)
    except OSError:
        group.remove()
        return None
    return group


def _limit(group: Cgroup, limits: Limits) -> None:
    memory, quota = limits.memory_mb * MB, int(limits.cpus * PERIOD)
    settings = {
        "memory": ("memory.max", "memory.limit_in_bytes", str(memory)),
        "pids": ("pids.max", "pids.max", str(limits.pids)),
        "cpu": ("cpu.max", "cpu.cfs_quota_us", f"{quota} {PERIOD}"),
    }
    for controller, folder in group.folders.items():
        new, old, value = settings[controller]
        second = (folder / new).exists()
        if controller == "cpu" and not second:
            (folder / "cpu.cfs_period_us").write_text(str(PERIOD), encoding="utf-8")
            value = str(quota)
        (folder / (new if second else old)).write_text(value, encoding="utf-8")
    swap = {"memory.swap.max": "0", "memory.memsw.limit_in_bytes": str(memory)}
    for name, value in swap.items():
        if (group.folders["memory"] / name).exists():
            (group.folders["memory"] / name).write_text(value, encoding="utf-8")


def clear() -> None:
    """Remove cgroups, and kill what is in them, whose process was killed."""
    for parent in set(parents().values()):
        for folder in parent.iterdir() if parent.is_dir() else ():
            if folder.is_dir() and _owner.left_over(folder.name.rpartition("-")[0]):
                _remove(folder)


def _remove(folder: Path) -> None:
    deadline = time.monotonic() + REMOVE_SECONDS
    while folder.exists():
        try:
            for pid in (folder / "cgroup.procs").read_text(encoding="utf-8").split():
                os.kill(int(pid), signal.SIGKILL)
            folder.rmdir()
        except (OSError, ValueError):
            if time.monotonic() > deadline:
                return  # the next start tries again
            time.sleep(0.002)
