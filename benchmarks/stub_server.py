"""What all stand-ins for a model's server share: HTTP in raw asyncio, in a process of its own."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

Answer = Callable[[str, bytes], Awaitable[tuple[int, bytes]]]
"""From the first part of a path and a body, to a status and a body."""
_LENGTH = "content-length:"


async def serve(answer: Answer) -> None:
    """Serve for ever; the port is the first line on stdout."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                name = head.split()[1].split("/")[1]
                lines = head.lower().split("\r\n")
                size = next((int(line[15:]) for line in lines if line[:15] == _LENGTH), 0)
                status, text = await answer(name, await reader.readexactly(size))
                told = f"content-type: application/json\r\ncontent-length: {len(text)}"
                writer.write(f"HTTP/1.1 {status} X\r\n{told}\r\n\r\n".encode() + text)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, limit=2**20, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def running(file: str, *words: object) -> Iterator[str]:
    """A stand-in in a process of its own; yields its address."""
    line = [sys.executable, file, *map(str, words)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.kill()
