"""Objects over a stream: how draws and outcomes travel between processes.

Enters and leaves: anything that pickles. Both ends are ours, on a socket that no one else can
reach, so unpickling is safe.
"""

from __future__ import annotations

import asyncio
import pickle
import socket
import struct
from typing import Any

_HEADER = struct.Struct("!Q")
_LIMIT = 2**20
"""Bytes read ahead; what is longer is read in parts."""

GONE = (asyncio.IncompleteReadError, ConnectionError)
"""What `receive` raises where the other end is gone, or has no more to say."""


async def connect(end: socket.socket) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A stream over one end of a pair of sockets."""
    return await asyncio.open_connection(sock=end, limit=_LIMIT)


def packed(message: object) -> bytes:
    """What `send` takes; made by itself where it can fail or is sent more than once."""
    return pickle.dumps(message, pickle.HIGHEST_PROTOCOL)


def send(stream: asyncio.StreamWriter, message: bytes) -> None:
    """Send what is packed, as soon as the other end takes it."""
    stream.write(_HEADER.pack(len(message)))
    stream.write(message)


async def receive(stream: asyncio.StreamReader) -> Any:
    """The next object.

    Raises:
        IncompleteReadError: if the other end is gone; `GONE` holds all that says so.
    """
    (size,) = _HEADER.unpack(await stream.readexactly(_HEADER.size))
    return pickle.loads(await stream.readexactly(size))
