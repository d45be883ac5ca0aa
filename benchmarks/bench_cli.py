"""How quickly the command line answers: help, a mistake, a composed config, a tiny run.

python benchmarks/bench_cli.py
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time

WORDS = {
    "--help": ["--help"],
    "misspelt override": ["budget.trajektories=5"],
    "value of a wrong type": ["seed=abc"],
    "unknown domain": ["tools.domains=[airlines]"],
    "--cfg job": ["--cfg", "job"],
    "one trajectory": ["execution=inline", "tools.domains=[calendar]", "budget.trajectories=1"],
}


def main() -> None:
    print(f"load {os.getloadavg()[0]:.1f}; best of 3")
    print(f"{'typed':24} {'wall s':>7} {'CPU s':>7}")
    with tempfile.TemporaryDirectory() as folder:
        surroundings = {**os.environ, "PYTHONPATH": os.getcwd()}
        for name, words in WORDS.items():
            walls, cpus = [], []
            for number in range(3):
                before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
                subprocess.run(
                    [sys.executable, "-m", "tdscaling", *words, *_directory(words, folder, number)],
                    capture_output=True,
                    cwd=folder,
                    env=surroundings,
                )
                walls.append(time.perf_counter() - begun)
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
                cpus.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
            print(f"{name:24} {min(walls):7.2f} {min(cpus):7.2f}")


def _directory(words: list[str], folder: str, number: int) -> list[str]:
    return [] if words[0].startswith("--") else [f"hydra.run.dir={folder}/{number}"]


if __name__ == "__main__":
    main()
