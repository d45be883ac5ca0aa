"""A stand-in for a model's server: raw asyncio, in a process of its own.

Every conversation is answered alike: some calls of the first tool after each of the user's
messages, no two with the same arguments, then a sentence. The first part of a path names a run, so
one server serves several runs and counts for each: `/NAME/v1/chat/completions`, and `/NAME/stats`
for what it counted. In a run whose name ends in `-slow` one conversation in 50 takes `SLOW` seconds
a call.

    python benchmarks/model_stub.py LATENCY_SECONDS CALLS
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from stub_server import running, serve

SLOW = 10.0
ONE_IN = 50
SIMPLE = {"integer": 1, "number": 1.0, "boolean": True, "array": [], "object": {}}


class Run:
    """What the server knows of one run."""

    def __init__(self) -> None:
        self.calls = self.conversations = self.under_way = self.peak = 0
        self.slow: set[str] = set()


def reply(
    messages: list[dict[str, Any]], tools: list[dict[str, Any]], calls: int
) -> dict[str, Any]:
    last = max(i for i, message in enumerate(messages) if message["role"] == "user")
    since = sum(message["role"] == "assistant" for message in messages[last:])
    if not tools or since >= calls:
        return {"role": "assistant", "content": "Here is what I found; all of it is done."}
    tool = tools[0]["function"]
    known = tool["parameters"].get("properties", {})
    needed = tool["parameters"].get("required", [])
    other = f"a{len(messages)}"
    arguments = {name: SIMPLE.get(known[name].get("type"), other) for name in needed}
    call = {"name": tool["name"], "arguments": json.dumps(arguments)}
    asked = [{"id": f"call_{len(messages)}", "type": "function", "function": call}]
    return {"role": "assistant", "content": None, "tool_calls": asked}


async def answer(run: Run, slow: bool, latency: float, calls: int, body: bytes) -> bytes:
    """One completion, after its time."""
    request = json.loads(body)
    messages = request["messages"]
    opening = json.dumps([m["content"] for m in messages if m["role"] in ("system", "user")][:2])
    if not any(message["role"] == "assistant" for message in messages):
        run.conversations += 1
        if slow and run.conversations % ONE_IN == 0:
            run.slow.add(opening)
    run.under_way += 1
    run.peak = max(run.peak, run.under_way)
    await asyncio.sleep(SLOW if opening in run.slow else latency)
    run.under_way -= 1
    run.calls += 1
    message = reply(messages, request.get("tools", []), calls)
    finish = "tool_calls" if "tool_calls" in message else "stop"
    usage = {"prompt_tokens": len(body) // 4, "completion_tokens": 12, "total_tokens": 12}
    choices = [{"index": 0, "message": message, "finish_reason": finish}]
    done = {"id": "c", "object": "chat.completion", "created": 0, "model": "m"}
    return json.dumps({**done, "choices": choices, "usage": usage}).encode()


async def play(latency: float, calls: int) -> None:
    """Serve for ever."""
    runs: defaultdict[str, Run] = defaultdict(Run)

    async def respond(name: str, body: bytes) -> tuple[int, bytes]:
        run = runs[name]
        if body:
            return 200, await answer(run, name.endswith("-slow"), latency, calls, body)
        told = {k: v for k, v in vars(run).items() if k != "slow"}
        return 200, json.dumps(told | {"slow": len(run.slow)}).encode()

    await serve(respond)


def serving(latency: float, calls: int = 2) -> AbstractContextManager[str]:
    """A server in a process of its own; yields its address."""
    return running(__file__, latency, calls)


def stats(address: str, name: str) -> dict[str, int]:
    """What the server counted for a run."""
    with urllib.request.urlopen(f"{address}/{name}/stats", timeout=60) as response:
        told: dict[str, int] = json.load(response)
    return told


@contextmanager
def playing(address: str, name: str, folder: str, *words: str) -> Iterator[int]:
    """A run of the command line whose assistant is the server, without an end of its own.

    Yields the number of its process group.
    """
    line = [
        *(sys.executable, "-m", "tdscaling", "roles/assistant=llm", "llm=openai", "llm.model=m"),
        *(f"llm.base_url={address}/{name}/v1", f"hydra.run.dir={folder}/{name}"),
        *("budget.trajectories=1000000", "budget.patience=1000000", "coding.share=0"),
        *("sandbox=none", *words),
    ]
    surroundings = os.environ | {"OPENAI_API_KEY": "none"}
    with (
        open(f"{folder}/{name}.txt", "w", encoding="utf-8") as out,
        subprocess.Popen(
            line, stdout=out, stderr=out, env=surroundings, start_new_session=True
        ) as process,
    ):
        try:
            yield process.pid
            assert process.poll() is None, f"{name} ended: {out.name}"
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def cpu_seconds(group: int) -> float:
    """CPU time of the living processes of a group."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # ended while this was looking
        ticks += (int(fields[2]) == group) * (int(fields[11]) + int(fields[12]))
    return ticks / os.sysconf("SC_CLK_TCK")


def begun(address: str, names: Sequence[str]) -> None:
    """Wait until all runs have made a call."""
    while any(stats(address, name)["calls"] < 1 for name in names):
        time.sleep(0.2)


def rates(address: str, names: Sequence[str], seconds: float) -> dict[str, float]:
    """Calls per second of runs under way, for so many seconds from now."""
    before, began = {name: stats(address, name)["calls"] for name in names}, time.monotonic()
    time.sleep(seconds)
    spent = time.monotonic() - began
    return {name: (stats(address, name)["calls"] - before[name]) / spent for name in names}


if __name__ == "__main__":
    asyncio.run(play(float(sys.argv[1]), int(sys.argv[2])))
