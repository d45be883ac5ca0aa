"""A server at an address: streamable HTTP, with a bound on what is read.

Enters: an entry with `url`. Leaves: the message streams of the SDK's transport.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from mcp.client.streamable_http import streamable_http_client

from tdscaling.live._pipes import Incoming, Outgoing
from tdscaling.live.entry import Entry


class TooLarge(httpx.StreamError):
    """A response has more bytes than its server may send."""


class _Bounded(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream, cap: int) -> None:
        self._stream, self._cap = stream, cap

    async def __aiter__(self) -> AsyncIterator[bytes]:
        seen = 0
        async for piece in self._stream:
            seen += len(piece)
            if seen > self._cap:
                raise TooLarge(f"a response had more than {self._cap} bytes")
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()


class _Transport(httpx.AsyncHTTPTransport):
    """Counts bytes, and takes no proxy or netrc from the environment."""

    def __init__(self, cap: int) -> None:
        super().__init__()
        self._cap = cap

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        if isinstance(response.stream, httpx.AsyncByteStream):
            response.stream = _Bounded(response.stream, self._cap)
        return response


@asynccontextmanager
async def transport(entry: Entry) -> AsyncIterator[tuple[Incoming, Outgoing]]:
    """Streams of messages; the connection is closed on leaving."""
    client = httpx.AsyncClient(
        headers=entry.headers,
        timeout=httpx.Timeout(entry.start_seconds, read=entry.call_seconds),
        transport=_Transport(entry.output_bytes),
        trust_env=False,
    )
    async with client, streamable_http_client(entry.url or "", http_client=client) as streams:
        yield streams[0], streams[1]
