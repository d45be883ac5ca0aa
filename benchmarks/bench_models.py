"""CPU time and throughput per call to a model: the whole product against a bare loop.

Claims checked, for conversations of about 20 calls with native tools that are played again from a
recorded run: per call, the whole product (graph, journal, ledger, blueprints, verification) takes
at most 0.6 times the CPU time of a bare LangGraph loop around plain ChatOpenAI (`bare_loop.py`)
that makes the same calls; at a latency of 50 ms and 32 at a time it makes at least 1.5 times its
calls a second. Both run one after the other, several times, so that both meet the same load.

    python benchmarks/bench_models.py [CONVERSATIONS] [TIMES]
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from model_stub import cpu_seconds
from recorded_stub import asked, serving

HERE = Path(__file__).parent
MANY = 32
"""Conversations side by side."""
SHAPE = (
    "blueprints.operators=[extend,branch,cross]", "blueprints.calls=[13,15]", "blueprints.depth=6",
    "blueprints.worlds=2", "coding.share=0", "sandbox=none", "seed=5", "evolution=none",
)  # fmt: skip


def command(folder: Path, size: int, *words: str) -> list[str]:
    return [
        sys.executable, "-m", "tdscaling", *SHAPE, f"budget.trajectories={size}",
        f"hydra.run.dir={folder}", "report.trajectories=0", *words,
    ]  # fmt: skip


def product(folder: Path, url: str, size: int, concurrency: int) -> dict[str, float]:
    """A run from its first call to its end: report and dataset included."""
    words = (
        "roles/assistant=llm", "llm=openai", "llm.model=m", f"llm.base_url={url}/v1",
        "execution=inline", f"concurrency={concurrency}",
    )  # fmt: skip
    before = asked(url)["calls"]
    surroundings = os.environ | {"OPENAI_API_KEY": "none"}
    with (
        open(f"{folder}.txt", "w", encoding="utf-8") as out,
        subprocess.Popen(
            command(folder, size, *words), stdout=out, stderr=out, env=surroundings,
            start_new_session=True,
        ) as process,
    ):  # fmt: skip
        while asked(url)["calls"] == before:
            time.sleep(0.01)
        began, cpu, last = time.monotonic(), cpu_seconds(process.pid), 0.0
        while process.poll() is None:
            last = cpu_seconds(process.pid) or last
            time.sleep(0.02)
        wall = time.monotonic() - began
    assert process.returncode == 0, Path(f"{folder}.txt").read_text(encoding="utf-8")
    return {"calls": asked(url)["calls"] - before, "cpu": last - cpu, "wall": wall}


def bare(dataset: Path, url: str, concurrency: int) -> dict[str, float]:
    line = [sys.executable, str(HERE / "bare_loop.py"), str(dataset), f"{url}/v1", str(concurrency)]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    told: dict[str, float] = json.loads(done.stdout)
    return told


def compare(folder: Path, played: Path, url: str, times: int, latency: float) -> None:
    size, cpu, rate = len(played.read_text(encoding="utf-8").splitlines()), [], []
    what = f"{1000 * latency:5.0f} ms, {MANY} at a time:"
    for number in range(times):
        ours = product(folder / f"{latency}-{number}", url, size, MANY)
        theirs = bare(played, url, MANY)
        each = [1000 * run["cpu"] / run["calls"] for run in (ours, theirs)]
        rates = [run["calls"] / run["wall"] for run in (ours, theirs)]
        cpu.append(each[0] / each[1])
        rate.append(rates[0] / rates[1])
        print(
            f"{what} {each[0]:.2f} ms CPU a call, bare {each[1]:.2f}; {rates[0]:.0f} calls/s, "
            f"bare {rates[1]:.0f}; load {os.getloadavg()[0]:.1f}"
        )
    found = f"{statistics.median(cpu):.2f} of the CPU time"
    print(f"{what} {found}, {statistics.median(rate):.2f} times the calls/s")


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 150
    times = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # More than are played, for those that are under way when the last one is accepted.
        whole = command(folder / "recorded", size + 2 * MANY)
        subprocess.run(whole, check=True, stdout=subprocess.DEVNULL)
        dataset = folder / "recorded" / "dataset" / "train.jsonl"
        texts = dataset.read_text(encoding="utf-8").splitlines()[:size]
        played = folder / "played.jsonl"
        played.write_text("\n".join(texts), encoding="utf-8")
        lines = [json.loads(text) for text in texts]
        calls = [sum(m["role"] == "assistant" for m in line["messages"]) for line in lines]
        print(f"{size} conversations of {statistics.mean(calls):.1f} calls")
        for latency in (0.0, 0.05):
            with serving(dataset, latency) as url:
                compare(folder, played, url, times, latency)


if __name__ == "__main__":
    main()
