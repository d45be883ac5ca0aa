"""What a sandbox may use.

Enters: knobs of `conf/sandbox/_limits.yaml`. Leaves: checked limits in the units that kernels use.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, TypedDict

from tdscaling.errors import ConfigError

MB = 1 << 20
SHARED_MB = 16
"""Size of /dev/shm, which parts of a program share."""
SPARE_KB = 128
"""How much longer than a snippet a program of ours may be."""


class Knobs(TypedDict):
    """The arguments that every backend takes."""

    seconds: float
    memory_mb: int
    pids: int
    cpus: float
    workspace_mb: int
    files: int
    output_kb: int
    flood_mb: int
    code_kb: int
    file_mb: int
    clock: str
    pool: int


_RANGES: dict[str, tuple[float, float]] = {
    "seconds": (0.1, 3600),
    "memory_mb": (64, 1 << 20),
    "pids": (8, 4096),
    "cpus": (0.1, 1024),
    "workspace_mb": (1, 1 << 16),
    "files": (64, 1 << 24),
    "output_kb": (1, 16384),
    "flood_mb": (1, 1 << 16),
    "code_kb": (1, 65536),
    "file_mb": (1, 128),
    "pool": (0, 256),
}


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one session, checked; see `conf/sandbox/_limits.yaml` for each."""

    seconds: float
    memory_mb: int
    pids: int
    cpus: float
    workspace_mb: int
    files: int
    output_kb: int
    flood_mb: int
    code_kb: int
    file_mb: int
    clock: str
    pool: int

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise ConfigError(f"sandbox.{name}: expected {low:g} to {high:g}, got {value:g}")
        least = 2 * self.workspace_mb + SHARED_MB + 64
        if self.memory_mb < least:
            raise ConfigError(
                f"sandbox.memory_mb: files in /workspace and /tmp are memory, too: with "
                f"workspace_mb={self.workspace_mb} expected {least} or more, got {self.memory_mb}"
            )
        self.epoch()

    def epoch(self) -> str:
        """The clock's start in seconds since 1970."""
        try:
            moment = datetime.fromisoformat(self.clock)
        except ValueError:
            raise ConfigError(
                f"sandbox.clock: expected a moment such as 2026-01-01T00:00:00Z, got {self.clock!r}"
            ) from None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return str(int(moment.timestamp()))

    def mounts(self) -> dict[str, str]:
        """Folders that can be written, with the options of their tmpfs."""
        small = f"size={self.code_kb + 2 * SPARE_KB}k,nr_inodes=64"
        each = f"size={self.workspace_mb}m,nr_inodes={self.files}"
        return {
            "/workspace": f"{each},mode=1777",
            "/tmp": f"{each},mode=1777",
            "/dev/shm": f"size={SHARED_MB}m,nr_inodes={self.files},mode=1777",
            "/opt/tdscaling": f"{small},mode=1777",
        }

    def inside(self, *, processes: int, address_space: int) -> dict[str, int]:
        """What the runner sets for each process; 0 is no limit."""
        return {
            "workspace_bytes": self.workspace_mb * MB,
            "processes": processes,
            "kept": self.pids * 3 // 4,  # threads and dead children of a notebook
            "address_space": address_space,
        }

    def recorded(self) -> dict[str, Any]:
        """The limits that can change a result; how many wait in the pool can't."""
        return {name: value for name, value in asdict(self).items() if name != "pool"}
