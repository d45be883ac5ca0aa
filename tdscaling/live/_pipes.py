"""The pipes of a server's process, as the message streams that the SDK's session works with.

Enters: a process. Leaves: two streams of JSON-RPC messages. The SDK's own transport reads a line of
any length into memory and passes variables of this process on; what a server prints here is read
in pieces of bounded size, and what is no message is left out.
"""

from __future__ import annotations

import asyncio
from collections import deque

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp import types
from mcp.shared.message import SessionMessage
from pydantic import ValidationError

Incoming = MemoryObjectReceiveStream[SessionMessage | Exception]
Outgoing = MemoryObjectSendStream[SessionMessage]

KEPT = 2000
"""Bytes of what a server said on stderr that are kept for messages to people."""


class Pipes:
    """Reads and writes messages.

    Args:
        process: with pipes on stdin, stdout and stderr.
        cap: bytes that one message, and all that is no message, may have.
    """

    def __init__(self, process: asyncio.subprocess.Process, cap: int) -> None:
        self._process = process
        self._cap = cap
        self._junk = 0
        self._stderr: deque[bytes] = deque()
        self.broken = ""
        """Why nothing more is read, where that is not the process's own end."""
        self._into, self.incoming = anyio.create_memory_object_stream[SessionMessage | Exception](0)
        self.outgoing, self._out_of = anyio.create_memory_object_stream[SessionMessage](0)
        self._tasks = [
            asyncio.ensure_future(work()) for work in (self._read, self._write, self._drain)
        ]

    @property
    def last_words(self) -> str:
        """The end of what the server said on stderr."""
        text = b"".join(self._stderr)[-KEPT:].decode(errors="replace").strip()
        return " | ".join(text.splitlines()[-3:])

    async def close(self) -> None:
        """Stop reading and writing."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for stream in (self._into, self.incoming, self.outgoing, self._out_of):
            stream.close()

    async def _read(self) -> None:
        stdout = self._process.stdout
        if stdout is None:
            raise RuntimeError("the process has no pipe on stdout")
        try:
            while line := await _line(stdout):
                message = _message(line)
                if message is None:
                    self._junk += len(line)
                    if self._junk > self._cap:
                        self.broken = f"printed more than {self._cap} bytes that are no messages"
                        return
                else:
                    await self._into.send(SessionMessage(message))
        except asyncio.LimitOverrunError:
            self.broken = f"sent more than {self._cap} bytes without an end of line"
        except (anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
            return  # the session is closing
        finally:
            self._into.close()

    async def _write(self) -> None:
        stdin = self._process.stdin
        if stdin is None:
            raise RuntimeError("the process has no pipe on stdin")
        try:
            async for item in self._out_of:
                text = item.message.model_dump_json(by_alias=True, exclude_none=True)
                stdin.write(text.encode() + b"\n")
                await stdin.drain()
        except (anyio.ClosedResourceError, OSError):
            return  # the reader notices that the process is gone, and says so
        finally:
            self._out_of.close()

    async def _drain(self) -> None:
        stderr = self._process.stderr
        if stderr is None:
            return
        size = 0
        while piece := await stderr.read(65536):
            self._stderr.append(piece[-KEPT:])
            size += len(self._stderr[-1])
            while size - len(self._stderr[0]) >= KEPT:
                size -= len(self._stderr.popleft())


async def _line(stdout: asyncio.StreamReader) -> bytes:
    try:
        return await stdout.readuntil(b"\n")
    except asyncio.IncompleteReadError as end:
        return end.partial


def _message(line: bytes) -> types.JSONRPCMessage | None:
    if not line.lstrip().startswith(b"{"):
        return None
    try:
        return types.JSONRPCMessage.model_validate_json(line)
    except (ValidationError, RecursionError, ValueError):
        return None
