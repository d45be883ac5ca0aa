"""A server that misbehaves in every way that servers do: bytes over a socket, on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.openai_server import Answer, Body, refused, said

Wire = asyncio.StreamWriter
Fault = Callable[[Wire], Awaitable[bool | None]]
"""Answers a request; true if the connection can be used again."""
MB = 1_000_000


@dataclass
class Misbehaving:
    """A running server."""

    port: int = 0
    scheme: str = "http"
    requests: int = 0
    sent: int = 0
    """Bytes that endless replies sent."""
    at_once: int = 0
    peak: int = 0
    """Most requests at a time."""
    bodies: list[Body] = field(default_factory=list)
    end: Callable[[], Any] = print
    """Closes all connections and the door; for faults."""

    @property
    def base_url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/v1"


def answered(answer: Answer, **headers: str) -> Fault:
    """A whole HTTP answer."""

    async def fault(wire: Wire) -> bool:
        await asyncio.sleep(answer.delay)
        body = answer.body if isinstance(answer.body, bytes | str) else json.dumps(answer.body)
        data = body if isinstance(body, bytes) else body.encode()
        wire.write(_head(answer.status, {"content-length": str(len(data)), **headers}) + data)
        return True

    return fault


def _head(status: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} X", "content-type: application/json"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def cut(share: float) -> Fault:
    """A body that ends before its end."""

    async def fault(wire: Wire) -> None:
        data = json.dumps(said("half a reply").body).encode()
        head = _head(200, {"content-length": str(len(data))})
        wire.write(head + data[: int(len(data) * share)])

    return fault


async def slammed(wire: Wire) -> None:
    """The connection is closed without a word."""


async def reset(wire: Wire) -> None:
    """The connection is reset."""
    wire.transport.abort()


async def silent(wire: Wire) -> None:
    """No answer, ever."""
    await asyncio.sleep(60)


async def trickle(wire: Wire) -> None:
    """A byte every 50 ms: each read is in time, the whole never is."""
    data = json.dumps(said("very slow").body).encode()
    wire.write(_head(200, {"content-length": str(len(data))}))
    for byte in data:
        wire.write(bytes([byte]))
        await wire.drain()
        await asyncio.sleep(0.05)


async def no_http(wire: Wire) -> None:
    """Another protocol."""
    wire.write(b"220 mail.example ESMTP\r\n")


def endless(server: Misbehaving) -> Fault:
    """A body without an announced length that never ends."""

    async def fault(wire: Wire) -> None:
        wire.write(_head(200, {"transfer-encoding": "chunked"}))
        start, part = b'{"choices": [{"message": {"content": "', b"x" * 65536
        for data in (start, *([part] * 16_000)):
            wire.write(b"%x\r\n%s\r\n" % (len(data), data))
            await wire.drain()
            server.sent += len(data)

    return fault


def usage(**counted: Any) -> Answer:
    """A good reply with odd figures."""
    reply = said("fine", usage=False)
    return Answer({**reply.body, "usage": counted})


def deep() -> Answer:
    """JSON that nests deeper than any reader likes."""
    return Answer('{"choices": ' + "[" * 100_000 + "]" * 100_000 + "}")


NO_REPLY: dict[str, tuple[Fault, str]] = {
    "429": (answered(refused(429, "slow down")), "status 429: slow down"),
    "500": (answered(refused(500, "oh no")), "status 500: oh no"),
    "503": (answered(Answer("<html>busy</html>", 503)), "status 503"),
    "400": (answered(refused(400, "too long")), "status 400: too long"),
    "cut_at_once": (cut(0.0), "connection lost"),
    "cut_in_the_middle": (cut(0.5), "connection lost"),
    "slammed": (slammed, "connection lost"),
    "reset": (reset, "connection lost"),
    "silent": (silent, "timeout"),
    "trickle": (trickle, "timeout"),
    "no_http": (no_http, "connection lost"),
    "empty_body": (answered(Answer("")), "malformed reply: no JSON"),
    "truncated_json": (answered(Answer('{"choices": [{"mess')), "malformed reply: no JSON"),
    "html": (answered(Answer("<html>hello</html>")), r"malformed reply: no JSON .*<html>hello"),
    "not_utf8": (answered(Answer(b'{"choices": "\xff\xfe"}')), "malformed reply: no JSON"),
    "array": (answered(Answer([])), "malformed reply: no JSON object"),
    "deep": (answered(deep()), "malformed reply"),
    "error_as_success": (
        answered(Answer({"error": {"message": "overloaded"}})),
        "malformed reply: no choices: .*overloaded",
    ),
    "no_choices": (answered(Answer({"choices": []})), "malformed reply: no choices"),
    "null_choice": (answered(Answer({"choices": [None]})), "malformed reply: no choices"),
    "no_message": (answered(Answer({"choices": [{}]})), "malformed reply: no message"),
    "null_content": (answered(said(None)), "empty reply"),
    "content_parts": (answered(said([{"type": "text"}])), "content is not text"),  # type: ignore[arg-type]
    "length": (answered(said("half a sen", finish="length")), "cut off: length"),
    "1_MB": (answered(said("x" * MB)), "longer than llm.max_reply_bytes=1000000"),
    "compressed": (answered(said("x"), content_encoding="gzip"), "compressed as 'gzip'"),
    "terminal_codes": (answered(refused(400, "\x1b[2Jgone\u202e")), r"400: \\x1b\[2Jgone\\u202e"),
}
"""Each fault after which there is no reply, and what its rejection says."""
SLOW = {"silent", "trickle"}
PASSES = {"429", "500", "503", "cut_at_once", "cut_in_the_middle", "slammed", "reset", *SLOW}
"""Faults after which the same request may succeed."""
ODD_USAGE: dict[str, Answer] = {
    "missing": said("fine", usage=False),
    "null": Answer({**said("fine", usage=False).body, "usage": None}),
    "text": Answer({**said("fine", usage=False).body, "usage": "many"}),
    "negative": usage(prompt_tokens=-5, completion_tokens=3),
    "huge": usage(prompt_tokens=10**30, completion_tokens=3),
    "fraction": usage(prompt_tokens=1.5, completion_tokens=3),
    "boolean": usage(prompt_tokens=True, completion_tokens=3),
    "words": usage(prompt_tokens="12", completion_tokens="3"),
}


@contextmanager
def misbehaving(
    answer: Callable[[Misbehaving, Body], Fault], tls: ssl.SSLContext | None = None
) -> Iterator[Misbehaving]:
    """Run a server in a thread of its own; `answer` is asked for each request."""
    server = Misbehaving(scheme="https" if tls else "http")
    ready, loop = threading.Event(), asyncio.new_event_loop()
    ended = asyncio.Event()

    server.end = ended.set

    async def serve() -> None:
        async with _listening(server, answer, tls):
            ready.set()
            await ended.wait()

    def work() -> None:
        with contextlib.closing(loop):
            loop.run_until_complete(serve())

    thread = threading.Thread(target=work)
    thread.start()
    assert ready.wait(10)
    try:
        yield server
    finally:
        with contextlib.suppress(RuntimeError):  # it has ended by itself
            loop.call_soon_threadsafe(ended.set)
        thread.join()


@asynccontextmanager
async def _listening(
    server: Misbehaving, answer: Callable[[Misbehaving, Body], Fault], tls: ssl.SSLContext | None
) -> AsyncIterator[None]:
    talks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, wire: Wire) -> None:
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                while await _exchange(server, answer, reader, wire):
                    await wire.drain()
                await wire.drain()
                wire.close()
                await wire.wait_closed()
        finally:
            wire.transport.abort()

    def begin(reader: asyncio.StreamReader, wire: Wire) -> None:
        task = asyncio.ensure_future(talk(reader, wire))
        talks.add(task)
        task.add_done_callback(talks.discard)

    listening = await asyncio.start_server(begin, "127.0.0.1", 0, ssl=tls, backlog=512)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield
    finally:
        listening.close()
        for task in list(talks):
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
        await asyncio.sleep(0.01)


async def _exchange(
    server: Misbehaving,
    answer: Callable[[Misbehaving, Body], Fault],
    reader: asyncio.StreamReader,
    wire: Wire,
) -> bool:
    if await reader.readexactly(4) != b"POST":
        wire.write(_head(400, {"content-length": "0"}))
        return False
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = int(head.split("content-length:")[1].split("\r\n")[0])
    body: Body = json.loads(await reader.readexactly(length))
    server.requests += 1
    server.bodies.append(body)
    server.at_once += 1
    server.peak = max(server.peak, server.at_once)
    try:
        return bool(await answer(server, body)(wire))
    finally:
        server.at_once -= 1
