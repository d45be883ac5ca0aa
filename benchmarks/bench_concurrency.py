"""Calls per second when a model takes its time, against what waiting alone would allow.

Claim checked: with a model that answers after 1 s, a run makes at least 0.9 of `concurrency` calls
a second: at 128 in one process, at 256 with `execution=processes`. The whole product runs (graph,
tools, verification, journal, ledger) against a local server that answers the same to everybody.

CPU time is printed as well: on a machine that others use, the run gets less of it than it needs.

    python benchmarks/bench_concurrency.py
"""

from __future__ import annotations

import os
import tempfile
import time

from model_stub import begun, cpu_seconds, playing, rates, serving, stats

LATENCY = 1.0
CALLS = 6
"""Calls of tools after each of the user's messages."""
SHAPES = (("inline", 128), ("processes", 256))
WARM, SECONDS = 20.0, 25.0


def main() -> None:
    cores = len(os.sched_getaffinity(0))
    print(f"{cores} cores; a model that takes {LATENCY} s; {SECONDS:.0f} s after {WARM:.0f} s")
    print(f"{'execution':>10} {'concurrency':>11} {'calls/s':>8} {'ideal':>6} {'ratio':>6} load")
    with tempfile.TemporaryDirectory() as folder, serving(LATENCY, CALLS) as address:
        for execution, many in SHAPES:
            window = f"lag={2 + 2 * many // 32}"
            words = (f"execution={execution}", f"concurrency={many}", window)
            with playing(address, execution, folder, *words) as group:
                begun(address, [execution])
                time.sleep(WARM)
                spent = cpu_seconds(group)
                rate = rates(address, [execution], SECONDS)[execution]
                spent, told = cpu_seconds(group) - spent, stats(address, execution)
            ideal = many / LATENCY
            figures = f"{rate:>8.1f} {ideal:>6.0f} {rate / ideal:>6.2f} {os.getloadavg()[0]:.1f}"
            print(f"{execution:>10} {many:>11} {figures}")
            each = told["calls"] / max(1, told["conversations"])
            cost = f"{1000 * spent / (rate * SECONDS):.1f} ms CPU a call"
            cores_had = f"{spent / SECONDS:.2f} cores of CPU time"
            print(f"{'':>10} {each:.1f} calls a conversation, at most {told['peak']} at a time;")
            print(f"{'':>10} {cost}, {cores_had}")


if __name__ == "__main__":
    main()
