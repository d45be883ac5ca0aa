"""A run that is killed again and again: what is paid twice, and whether the data is the same.

Claims checked: `kill -9` at 100 random moments of one run; no request is made twice but those in
flight at a kill, at most one per conversation under way; the data is, byte for byte, that of the
run that nobody disturbed.

    python benchmarks/bench_kills.py [KILLS] [CONVERSATIONS]
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench_models import command
from recorded_stub import asked, serving

LATENCY = 0.02
AT_ONCE = 8
SEED = 1
RUNS = ("calm", "killed")


def words(url: str) -> tuple[str, ...]:
    return (
        "roles/assistant=llm", "llm=openai", "llm.model=m", f"llm.base_url={url}/v1",
        "execution=inline", f"concurrency={AT_ONCE}",
    )  # fmt: skip


def killed(line: list[str], url: str, moment: float, out: Path) -> bool:
    """Start, kill some time after the first request; whether there was something to kill."""
    before = asked(url)["requests"]
    with (
        out.open("a") as told,
        subprocess.Popen(line, stdout=told, stderr=told, start_new_session=True) as process,
    ):
        while process.poll() is None and asked(url)["requests"] == before:
            time.sleep(0.01)
        time.sleep(moment)
        alive = process.poll() is None
        if alive:
            os.killpg(process.pid, signal.SIGKILL)
    return alive


def main() -> None:
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    size = int(sys.argv[2]) if len(sys.argv) > 2 else 400
    chance = random.Random(SEED)
    os.environ["OPENAI_API_KEY"] = "none"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # More than are played, for those that are under way when the last one is accepted.
        subprocess.run(
            command(folder / "recorded", size + 64), check=True, stdout=subprocess.DEVNULL
        )
        recorded = folder / "recorded" / "dataset" / "train.jsonl"
        with serving(recorded, LATENCY) as url:
            line = command(folder / "calm", size, *words(url))
            subprocess.run(line, check=True, stdout=subprocess.DEVNULL)
        with serving(recorded, LATENCY) as url:
            line, done = command(folder / "killed", size, *words(url)), 0
            for _ in range(kills):
                done += killed(line, url, chance.uniform(0.0, 0.5), folder / "out.txt")
            subprocess.run(line, check=True, stdout=subprocess.DEVNULL)
            told = asked(url)
        data = [(folder / run / "dataset" / "train.jsonl").read_bytes() for run in RUNS]
    print(f"{done} kills, {AT_ONCE} conversations at a time, load {os.getloadavg()[0]:.1f}")
    print(f"{told['requests']} requests, {told['again']} of them made before (claim: at most")
    print(f"{done * AT_ONCE}, those in flight); the data is the same: {data[0] == data[1]}")


if __name__ == "__main__":
    main()
