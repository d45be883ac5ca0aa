"""Speed and memory of the ledger.

Claims checked: binding columns beats binding rows; the cost of a commit and the memory of the
process stay flat as the run grows; a run is read back in bounded memory.

    python benchmarks/bench_store.py [outcomes]
"""

from __future__ import annotations

import random
import resource
import sys
import tempfile
import time
from collections import deque
from pathlib import Path

import duckdb

from tdscaling.schema import Action, Outcome, Request, Trace, Verdict
from tdscaling.store import FILE, Store

BATCH = 32
ROWS = 320
WORDS = [f"word{i}" for i in random.Random(0).sample(range(10**6), 4000)]


def outcome(index: int) -> Outcome:
    rng = random.Random(index)
    actions = tuple(Action(i, "chain", "tool", True, "executed", i, 1) for i in range(5))
    return Outcome(
        index=index,
        round=index // 64,
        id=f"{index:016x}",
        seed=f"{index:016x}",
        request=Request("cluster", ("revise",), 5),
        category="travel",
        domain="airline",
        categories={"travel": 1.0},
        verdict=Verdict(True),
        blueprint_id=f"{index:016x}",
        trace=Trace(("call",) * 5, "call", "chain", actions, 9.5),
        turns=2,
        line=" ".join(rng.choices(WORDS, k=1000)),
    )


def megabytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def compare_inserts() -> None:
    rows = [(i, "x" * 20, 0.5 * i, True) for i in range(ROWS)]
    connection = duckdb.connect(":memory:")
    connection.execute("CREATE TABLE t (a BIGINT, b VARCHAR, c DOUBLE, d BOOLEAN)")

    def by_row() -> None:
        connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", rows)

    def by_column() -> None:
        connection.execute(
            "INSERT INTO t SELECT unnest(?::BIGINT[]), unnest(?::VARCHAR[]),"
            " unnest(?::DOUBLE[]), unnest(?::BOOLEAN[])",
            [list(column) for column in zip(*rows, strict=True)],
        )

    seconds = {}
    for insert in (by_row, by_column):
        insert()
        start = time.perf_counter()
        for _ in range(5):
            insert()
        seconds[insert.__name__] = (time.perf_counter() - start) / 5
        print(f"{insert.__name__:10} {ROWS / seconds[insert.__name__]:12,.0f} rows/s")
    print(f"ratio      {seconds['by_row'] / seconds['by_column']:12.1f}")


def grow(path: Path, count: int) -> None:
    store = Store.open(path, {"seed": 1})
    print(f"{'outcomes':>10} {'ms/outcome':>12} {'slowest ms':>12} {'peak MB':>8}")
    for tenth in range(10):
        spent, slowest = 0.0, 0.0
        for start in range(tenth * count // 10, (tenth + 1) * count // 10, BATCH):
            start = store.next_index
            batch = [outcome(i) for i in range(start, start + BATCH)]
            begun = time.perf_counter()
            store.commit(batch)
            took = time.perf_counter() - begun
            spent, slowest = spent + took, max(slowest, took)
        each = 1000 * spent / (count / 10)
        print(f"{store.next_index:10} {each:12.3f} {1000 * slowest:12.1f} {megabytes():8}")
    begun = time.perf_counter()
    deque(store.outcomes(), maxlen=0)
    took = time.perf_counter() - begun
    print(f"outcomes() {1000 * took / store.next_index:.3f} ms/outcome, peak {megabytes()} MB")
    store.close()
    print(f"file {path.stat().st_size / 1e6:.0f} MB")


def main() -> None:
    compare_inserts()
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    with tempfile.TemporaryDirectory() as folder:
        grow(Path(folder) / FILE, count)


if __name__ == "__main__":
    main()
