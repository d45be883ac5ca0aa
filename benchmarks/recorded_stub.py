"""A model's server that plays recorded conversations again: raw asyncio, in a process of its own.

What the assistant said in a dataset is what this server answers to the same messages, after a
given time. Requests that are in no recorded conversation are refused with status 400.

    python benchmarks/recorded_stub.py TRAIN_JSONL LATENCY_SECONDS
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import orjson
from stub_server import running, serve

Messages = Sequence[Mapping[str, Any]]


def key(messages: Messages) -> bytes:
    """What tells one point of a conversation from all others."""
    told = [[message["role"], message.get("content") or ""] for message in messages]
    return hashlib.blake2b(orjson.dumps(told), digest_size=16).digest()


def replies(dataset: Path) -> dict[bytes, dict[str, Any]]:
    """The assistant's message to each beginning of a conversation."""
    found: dict[bytes, dict[str, Any]] = {}
    for line in dataset.read_text(encoding="utf-8").splitlines():
        messages = json.loads(line)["messages"]
        for at, message in enumerate(messages):
            if message["role"] == "assistant":
                found[key(messages[:at])] = message
    return found


def completion(message: Mapping[str, Any], size: int) -> bytes:
    finish = "tool_calls" if message.get("tool_calls") else "stop"
    usage = {"prompt_tokens": size // 4, "completion_tokens": 30, "total_tokens": size // 4 + 30}
    choices = [{"index": 0, "message": message, "finish_reason": finish}]
    done = {"id": "c", "object": "chat.completion", "created": 0, "model": "m"}
    return orjson.dumps({**done, "choices": choices, "usage": usage})


async def play(dataset: Path, latency: float) -> None:
    """Serve for ever."""
    known = replies(dataset)
    served = {"requests": 0, "again": 0, "calls": 0, "refused": 0}
    seen: set[bytes] = set()

    async def respond(_: str, body: bytes) -> tuple[int, bytes]:
        if not body:
            return 200, orjson.dumps(served)
        whole = hashlib.blake2b(body, digest_size=16).digest()
        served["requests"] += 1
        served["again"] += whole in seen
        seen.add(whole)
        message = known.get(key(orjson.loads(body)["messages"]))
        if message is None:
            served["refused"] += 1
            return 400, b'{"error": {"message": "no such conversation"}}'
        if latency:
            await asyncio.sleep(latency)
        served["calls"] += 1
        return 200, completion(message, len(body))

    await serve(respond)


def serving(dataset: Path, latency: float) -> AbstractContextManager[str]:
    """A server in a process of its own; yields its address."""
    return running(__file__, dataset, latency)


def asked(address: str) -> dict[str, int]:
    """What a server has counted: requests, those made before, those answered and refused."""
    with urllib.request.urlopen(f"{address}/stats", timeout=60) as response:
        told: dict[str, int] = json.load(response)
    return told


if __name__ == "__main__":
    asyncio.run(play(Path(sys.argv[1]), float(sys.argv[2])))
