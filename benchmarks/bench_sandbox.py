"""Sandboxes: latency, throughput against `docker exec`, what 1,000 snippets leave, and a flood.

sudo python benchmarks/bench_sandbox.py                      bubblewrap
sudo python benchmarks/bench_sandbox.py --host unix:///PATH  Docker, too, and `docker exec`
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tdscaling.configuration import Invocation, compose
from tdscaling.sandbox import Language, Mode, _owner
from tdscaling.sandbox._sandbox import PooledSandbox
from tdscaling.sandbox.bubblewrap import BubblewrapSandbox
from tdscaling.sandbox.docker import DockerSandbox

KINDS: tuple[tuple[str, Language, Mode, str, float], ...] = (
    ("bash", "bash", "notebook", "echo hi", 5),
    ("Python by fork", "python", "fork", "print('hi')", 15),
    ("notebook", "python", "notebook", "print('hi')", 15),
    ("fresh Python", "python", "fresh", "print('hi')", 40),
    ("SQL", "sql", "notebook", "SELECT 1", 15),
)
"""What is run, and the milliseconds that its median should stay within."""

SNIPPET = "print(sum(range(1000)))"
POOL = 2
PAUSE = 0.02
"""Seconds between two snippets, in which a model would speak."""


def limits() -> dict[str, Any]:
    """The shipped defaults."""
    config = compose(Invocation("doctor", ())).bubblewrap
    return {
        key: value for key, value in config.items() if key not in ("_target_", "cache", "image")
    }


def latency(sandbox: PooledSandbox, times: int) -> None:
    with sandbox.open("latency") as session:
        for name, language, mode, code, within in KINDS:
            spent = []
            for _ in range(times + 3):
                time.sleep(PAUSE)
                started = time.perf_counter()
                result = session.run(code, language, mode=mode)
                spent.append(1000 * (time.perf_counter() - started))
                assert result.status == "ok", result
            spent = spent[3:]
            print(
                f"  {name:15} median {statistics.median(spent):6.1f} ms, best {min(spent):5.1f} ms"
                f" (claim: within {within:g} ms)"
            )


def throughput(work: list[Callable[[], object]], seconds: float) -> float:
    """Calls a second, one thread for each."""
    done, end = [0] * len(work), time.monotonic() + seconds

    def run(number: int) -> None:
        while time.monotonic() < end:
            work[number]()
            done[number] += 1

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(work))]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / (time.monotonic() - started)


def ours(sandbox: PooledSandbox, mode: Mode, seconds: float) -> float:
    sessions = [sandbox.open(f"{number}") for number in range(POOL)]
    rate = throughput(
        [lambda s=session: s.run(SNIPPET, "python", mode=mode) for session in sessions], seconds
    )
    for session in sessions:
        session.close()
    return rate


def by_exec(sandbox: DockerSandbox, seconds: float) -> float:
    """The same snippet by `docker exec` in containers that are kept."""
    client = sandbox.client()
    made = [
        client.containers.run(
            sandbox.image_id(), ["python3", "-c", "import time; time.sleep(600)"], detach=True,
            network_mode="none", user="65534:65534", read_only=True,
        )
        for _ in range(POOL)
    ]  # fmt: skip
    try:
        return throughput(
            [lambda c=box: c.exec_run(["python3", "-c", SNIPPET]) for box in made], seconds
        )
    finally:
        for box in made:
            box.remove(force=True)


def traces(sandbox: PooledSandbox) -> dict[str, int]:
    """What a sandbox could leave on the host."""
    mine = f"{_owner.name()}-*"
    folders = [*Path("/sys/fs/cgroup").glob("*/tdscaling"), Path("/sys/fs/cgroup/tdscaling")]
    found = {
        "processes": len([path for path in Path("/proc").iterdir() if path.name.isdigit()]),
        "own children": len(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()),
        "open files": len(os.listdir("/proc/self/fd")),
        "cgroups": sum(len(list(folder.glob(mine))) for folder in folders),
        "temporary files": len(os.listdir("/tmp")),
    }
    if isinstance(sandbox, DockerSandbox):
        found["containers"] = len(sandbox.client().api.containers(all=True))
    return found


def leftovers(sandbox: PooledSandbox, snippets: int) -> None:
    sandbox.close()
    if isinstance(sandbox, DockerSandbox):
        sandbox.client()
    before = traces(sandbox)
    done = 0
    while done < snippets:
        with sandbox.open(f"{done}") as session:
            for _ in range(50):
                session.run("echo x > f$RANDOM; (sleep 99 &)", "bash")
                session.run("open('g', 'w').write('x')", "python", mode="fork")
                done += 2
    sandbox.close()
    if isinstance(sandbox, DockerSandbox):
        sandbox.client()
    time.sleep(2)
    after = traces(sandbox)
    changes = {name: f"{before[name]} -> {after[name]}" for name in before}
    print(f"  {done} snippets: {changes}")


def flood(sandbox: PooledSandbox) -> None:
    """A gigabyte of output, in parts that each end as too much."""
    with sandbox.open("flood") as session:
        session.run("yes", "bash")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        total = 0
        while total < 1 << 30:
            result = session.run("yes | head -c 1073741824", "bash")
            assert result.status == "output_limit", result.status
            total += sandbox.limits.flood_mb << 20
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"  1 GB of output: peak memory of the host {before >> 10} -> {after >> 10} MB")


def measure(sandbox: PooledSandbox, times: int, snippets: int, seconds: float) -> None:
    print(f"{sandbox.name} (load {os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs)")
    started = time.perf_counter()
    sandbox.start().kill()
    print(f"  start and end, cold: {time.perf_counter() - started:.2f} s")
    latency(sandbox, times)
    fresh, fork = ours(sandbox, "fresh", seconds), ours(sandbox, "fork", seconds)
    print(f"  pool of {POOL}: {fresh:.0f} fresh Pythons a second, {fork:.0f} by fork")
    if isinstance(sandbox, DockerSandbox):
        other = by_exec(sandbox, seconds)
        print(
            f"  docker exec in the same run: {other:.0f} a second; ours is {fresh / other:.1f} "
            f"times that with fresh Pythons, {fork / other:.1f} times by fork (claim: 3 times)"
        )
    leftovers(sandbox, snippets)
    flood(sandbox)
    sandbox.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", help="an engine's socket, such as unix:///run/docker.sock")
    parser.add_argument("--cache", help="folder of the image")
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--snippets", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=5.0)
    asked = parser.parse_args()
    sandboxes: list[PooledSandbox] = [BubblewrapSandbox(cache=asked.cache, **limits())]
    if asked.host:
        sandboxes.append(DockerSandbox(image=None, host=asked.host, cache=asked.cache, **limits()))
    for sandbox in sandboxes:
        measure(sandbox, asked.times, asked.snippets, asked.seconds)


if __name__ == "__main__":
    main()
