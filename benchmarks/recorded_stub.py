"""A model's server that plays recorded conversations again: raw asyncio, in a process of its own.

What the assistant said in a dataset is what this server answers to the same messages, after a
given time. Requests that are in no recorded conversation are refused with status 400.

    python benchmarks/recorded_stub.py TRAIN_JSONL LATENCY_SECONDS
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

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


async def serve(dataset: Path, latency: float) -> None:
    """Serve for ever; the port is the first line on stdout."""
    known = replies(dataset)
    served = {"requests": 0, "again": 0, "calls": 0, "refused": 0}
    seen: set[bytes] = set()

    async def answer(body: bytes) -> tuple[int, bytes]:
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

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower().decode("latin-1")
                sizes = [line[15:] for line in head.split("\r\n") if line[:15] == "content-length:"]
                status, text = await answer(await reader.readexactly(int((sizes or ["0"])[0])))
                head = f"content-type: application/json\r\ncontent-length: {len(text)}"
                writer.write(f"HTTP/1.1 {status} X\r\n{head}\r\n\r\n".encode() + text)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, limit=2**20, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def serving(dataset: Path, latency: float) -> Iterator[str]:
    """A server in a process of its own; yields its address."""
    line = [sys.executable, __file__, str(dataset), str(latency)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.kill()


def asked(address: str) -> dict[str, int]:
    """What a server has counted: requests, those made before, those answered and refused."""
    with urllib.request.urlopen(f"{address}/stats", timeout=60) as response:
        told: dict[str, int] = json.load(response)
    return told


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), float(sys.argv[2])))
