"""A small OpenAI-compatible server on loopback: real HTTP, scripted replies, recorded requests."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Body = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What goes over the wire."""

    body: Any
    """JSON data, or text to be sent as it is."""
    status: int = 200
    delay: float = 0.0
    """Seconds before it is sent."""


@dataclass
class Server:
    """A running server."""

    base_url: str
    requests: list[Body] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    """What each request sent as its authorization."""

    @property
    def sent(self) -> str:
        """All bodies as one text."""
        return json.dumps(self.requests, ensure_ascii=False)


def said(
    content: str | None = None,
    *,
    calls: list[tuple[str, str]] | None = None,
    finish: str = "stop",
    usage: bool = True,
    **more: Any,
) -> Answer:
    """A completion; each call is (tool, arguments as text)."""
    message: Body = {"role": "assistant", "content": content, **more}
    if calls:
        message["tool_calls"] = [
            # Every call has the same id, as some servers have it.
            {"id": "call_0", "type": "function", "function": {"name": name, "arguments": text}}
            for name, text in calls
        ]
    body: Body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 0,
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
    }
    if usage:
        body["usage"] = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    return Answer(body)


def listed(*names: str) -> Answer:
    """A list of models."""
    return Answer({"object": "list", "data": [{"id": name, "object": "model"} for name in names]})


def refused(status: int, message: str, **more: Any) -> Answer:
    """An error in OpenAI's form."""
    return Answer({"error": {"message": message, "type": "error", **more}}, status)


@contextmanager
def serving(
    *script: Answer | Callable[[Body], Answer], models: Answer | None = None
) -> Iterator[Server]:
    """Run a server that gives the answers of a script in turn, the last one for ever.

    A function in the script makes its answer from the request's body. `models` is what it says of
    its models.
    """
    turns = itertools.chain(script, itertools.repeat(script[-1]))
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            with lock:
                server.requests.append(body)
                server.keys.append(self.headers.get("authorization", ""))
                turn = next(turns)
                answer = turn if isinstance(turn, Answer) else turn(body)
            self._send(answer)

        def do_GET(self) -> None:
            server.keys.append(self.headers.get("authorization", ""))
            self._send(models or refused(404, "no such path"))

        def _send(self, answer: Answer) -> None:
            time.sleep(answer.delay)
            text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
            self.send_response(answer.status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that hangs up early is part of the tests."""

    http = Quiet(("127.0.0.1", 0), Handler)
    server = Server(f"http://127.0.0.1:{http.server_address[1]}/v1")
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def dead_url() -> str:
    """Address of a server that is gone."""
    with serving(said("")) as server:
        return server.base_url
