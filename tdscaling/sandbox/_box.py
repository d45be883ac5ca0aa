"""One running sandbox as the host sees it: a socket to its runner, and a way to end it.

Enters: requests. Leaves: replies, each before a deadline of the host's own, because the runner
shares a fate with code that nobody trusts. Sizes that the runner tells are not believed beyond
what was asked for.
"""

from __future__ import annotations

import json
import socket
import struct
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

_HEAD = struct.Struct(">II")
_STREAM = struct.Struct(">BxxxI")
_STDOUT = 1
_MOST_REPLY = 1 << 16
_MOST_SAID = 4096


class LostError(Exception):
    """The sandbox does not answer, or not in frames."""


class Channel:
    """Bytes to and from a runner.

    Args:
        link: connected both ways.
        multiplexed: whether what comes in is wrapped as engines wrap a container's streams.
        ahead: bytes that were read before.
    """

    def __init__(self, link: socket.socket, *, multiplexed: bool, ahead: bytes = b"") -> None:
        self._link, self._multiplexed = link, multiplexed
        self._raw, self._data = bytearray(ahead), bytearray()
        self.said = bytearray()
        """What came on standard error: only a broken runner says anything there."""

    def send(self, data: bytes, deadline: float) -> None:
        """Send all, or raise `LostError`."""
        try:
            self._link.settimeout(_left(deadline))
            self._link.sendall(data)
        except OSError as error:
            raise LostError(f"cannot be written to: {error}") from error

    def receive(self, size: int, deadline: float) -> bytes:
        """Exactly so many bytes, or raise `LostError`."""
        while len(self._data) < size:
            try:
                self._link.settimeout(_left(deadline))
                part = self._link.recv(1 << 18)
            except OSError as error:
                raise LostError(f"does not answer: {error}") from error
            if not part:
                raise LostError("ended")
            if self._multiplexed:
                self._raw += part
                self._unwrap()
            else:
                self._data += part
        data = bytes(self._data[:size])
        del self._data[:size]
        return data

    def _unwrap(self) -> None:
        while len(self._raw) >= _STREAM.size:
            stream, size = _STREAM.unpack_from(self._raw)
            if len(self._raw) < _STREAM.size + size:
                return
            data = self._raw[_STREAM.size : _STREAM.size + size]
            del self._raw[: _STREAM.size + size]
            if stream == _STDOUT:
                self._data += data
            else:
                self.said += data[: _MOST_SAID - len(self.said)]

    def close(self) -> None:
        """Close the socket; a runner ends when its input does."""
        self._link.close()


def _left(deadline: float) -> float:
    return max(deadline - time.monotonic(), 0.001)


@dataclass(slots=True, weakref_slot=True, eq=False)
class Box:
    """A sandbox that runs.

    `kill` ends it with all that is in it and may be called twice; `reason` tells what the backend
    knows of an unexpected end.
    """

    channel: Channel
    kill: Callable[[], None]
    reason: Callable[[], str] = field(default=lambda: "")

    def __post_init__(self) -> None:
        # A session that nobody closes ends when nobody holds it, or with this process.
        weakref.finalize(self, self.kill)

    def ask(
        self, request: dict[str, Any], blob: bytes = b"", *, most: int = 0, seconds: float
    ) -> tuple[dict[str, Any], bytes]:
        """Send a request and wait for its reply.

        Args:
            request: what to do.
            blob: bytes that go with it.
            most: bytes that may come with the reply.
            seconds: how long to wait for all of it.

        Raises:
            LostError: if no proper reply comes; the sandbox can only be killed then.
        """
        deadline = time.monotonic() + seconds
        data = json.dumps(request).encode()
        self.channel.send(_HEAD.pack(len(data), len(blob)) + data + blob, deadline)
        size, extra = _HEAD.unpack(self.channel.receive(_HEAD.size, deadline))
        if size > _MOST_REPLY or extra > most:
            raise LostError(f"answers with {size + extra} bytes")
        text = self.channel.receive(size, deadline)
        try:
            reply = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise LostError("answers with something else than JSON") from error
        if not isinstance(reply, dict):
            raise LostError("answers with something else than an object")
        return reply, self.channel.receive(extra, deadline)
