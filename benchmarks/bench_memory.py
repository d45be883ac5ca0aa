"""Memory of a run that a model plays, over many conversations.

Claim checked: what the processes of a run hold does not grow with the number of conversations that
are behind them: clients, journal, graph and ledger forget what is written. The model is a local
server that answers at once; the whole product runs (`model_stub.py`).

    python benchmarks/bench_memory.py [CONVERSATIONS]
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from model_stub import begun, playing, serving, stats

POINTS = 10
"""How often memory is looked at."""


def resident(group: int) -> float:
    """Megabytes of the living processes of a group."""
    pages = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # ended while this was looking
        pages += (int(fields[2]) == group) * int(fields[21])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    words = ("execution=inline", "concurrency=32", "evolution=none", "graphs.user_turns=2")
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(0.0, 1) as address,
        playing(address, "long", folder, *words) as group,
    ):
        begun(address, ["long"])
        for point in range(1, POINTS + 1):
            while (told := stats(address, "long"))["conversations"] < point * size // POINTS:
                time.sleep(0.5)
            print(
                f"{told['conversations']:>7} conversations, {told['calls']:>7} calls: "
                f"{resident(group):6.1f} MB (load {os.getloadavg()[0]:.1f})",
                flush=True,
            )


if __name__ == "__main__":
    main()
