"""OpenTelemetry and LangSmith: what they are sent, and that they cost nothing unless configured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tdscaling import tracing
from tests.openai_server import Answer, Body, dead_url, refused, said, serving
from tests.runs import NO_CODE, ROOT, SMALL

KEY = "sk-very-secret-0123456789"
MODEL = ("roles/judge=llm", "llm=openai", "llm.model=m", "llm.price_prompt=10.0", "llm.retries=0")
CODE = "import sys; from tdscaling.__main__ import main; code = main(sys.argv[1:]);"
Spans = list[dict[str, Any]]


@contextmanager
def collecting() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """A collector on loopback: its address, and the path and body of each request."""
    got: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            if self.headers.get("transfer-encoding") == "chunked":
                body = b"".join(iter(self._chunk, b""))
            else:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
            got.append((self.path, body))
            self._done(b"{}" if "json" in self.headers.get("content-type", "") else b"")

        do_PATCH = do_POST

        def do_GET(self) -> None:
            self._done(b"{}")

        def _chunk(self) -> bytes:
            size = int(self.rfile.readline(), 16)
            part = self.rfile.read(size)
            self.rfile.readline()
            return part

        def _done(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{http.server_address[1]}", got
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def some(body: Body) -> Answer:
    """A judge that accepts, rejects or fails."""
    size = len(json.dumps(body["messages"]))
    if size % 5 == 0:
        return refused(400, f"I cannot judge {body['messages'][0]['content']}")
    return said(json.dumps({"why": "as I see it", "accept": size % 3 > 0}))


def run(folder: Path, url: str, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """A run in a process of its own; it prints what it has imported of OpenTelemetry."""
    size = ("budget.attempts=8", f"hydra.run.dir={folder}")
    told = "print('imported', [n for n in sys.modules if n.startswith('opentelemetry.exporter')])"
    code = f"if __name__ == '__main__':\n    {CODE} {told}; sys.exit(code)"
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            code,
            *SMALL,
            *NO_CODE,
            *MODEL,
            *size,
            f"llm.base_url={url}",
            *words,
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OPENAI_API_KEY": KEY, **env},
        capture_output=True,
        text=True,
        timeout=120,
        cwd=folder.parent,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def spans_of(got: list[tuple[str, bytes]]) -> Spans:
    found = []
    for path, body in got:
        assert path == "/v1/traces"
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = {a.key: a.value.string_value for a in resource.resource.attributes}
            for span in [span for scope in resource.scope_spans for span in scope.spans]:
                values = {
                    a.key: getattr(a.value, a.value.WhichOneof("value")) for a in span.attributes
                }
                found.append(
                    {
                        "name": span.name,
                        "id": span.span_id,
                        "parent": span.parent_span_id,
                        "trace": span.trace_id,
                        "status": span.status.code,
                        "service": service["service.name"],
                        **values,
                    }
                )
    return found


@pytest.mark.parametrize("execution", ["inline", "processes"])
def test_spans_of_attempts_and_requests(execution: str, tmp_path: Path) -> None:
    with serving(some) as server, collecting() as (url, got):
        configured = {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "LANGSMITH_TRACING": "false"}
        run(tmp_path / "run", server.base_url, f"execution={execution}", **configured)
        asked = len(server.requests)
    spans = spans_of(got)
    attempts = {span["id"]: span for span in spans if span["name"] == "attempt"}
    requests = [span for span in spans if span["name"] == "chat m"]
    assert len(attempts) >= 8
    assert 0 < len(requests) == asked
    assert {span["service"] for span in spans} == {"tdscaling"}
    outcomes = [span["tdscaling.outcome"] for span in attempts.values()]
    assert {"accepted", "role_failed"} <= set(outcomes)
    for span in requests:
        attempt = attempts[span["parent"]]
        assert span["trace"] == attempt["trace"]
        assert span["gen_ai.conversation.id"] == attempt["gen_ai.conversation.id"]
        assert (span["gen_ai.operation.name"], span["tdscaling.role"]) == ("chat", "judge")
        if attempt["tdscaling.outcome"] == "role_failed":
            assert (span["error.type"], span["status"]) == ("status 400", 2)
        else:
            assert (span["gen_ai.usage.input_tokens"], span["status"]) == (100, 0)
            assert span["tdscaling.cost_usd"] == attempt["tdscaling.cost_usd"] > 0
    sent = b"".join(body for _, body in got)
    assert KEY.encode() not in sent
    for words in (b"as I see it", b"I cannot judge", b"gen_ai.input.messages"):
        assert words not in sent


def test_what_was_said_is_sent_where_the_conventions_variable_asks(tmp_path: Path) -> None:
    with serving(some) as server, collecting() as (url, got):
        run(
            tmp_path / "run",
            server.base_url,
            "execution=inline",
            OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"{url}/v1/traces",
            OTEL_SERVICE_NAME="mine",
            OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="true",
        )
    requests = [span for span in spans_of(got) if span["name"] == "chat m"]
    assert {span["service"] for span in requests} == {"mine"}
    replied = [json.loads(s["gen_ai.output.messages"]) for s in requests if not s["status"]]
    assert "as I see it" in replied[0][0]["parts"][0]["content"]
    asked = json.loads(requests[0]["gen_ai.input.messages"])
    assert [(message["role"], len(message["parts"])) for message in asked] == [("user", 1)]


@pytest.mark.parametrize(
    "env",
    [
        {},
        {"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"},
        {"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"},
    ],
)
def test_nothing_is_exported_where_nothing_is_configured(
    env: dict[str, str], tmp_path: Path
) -> None:
    script = (
        "import sys; from tdscaling import tracing\n"
        "with tracing.attempt('a') as a, tracing.request('m', 'a', 'user') as r:\n"
        "    r.said([], None); r.failed('x'); a.told(x=1)\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    alone = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
        capture_output=True,
        text=True,
        check=True,
    )
    assert alone.stdout == "[]\n"
    # LangGraph's own client imports parts of what is installed; nobody starts an exporter.
    with serving(some) as server:
        done = run(tmp_path / "run", server.base_url, "execution=inline", **env)
    assert "imported []" in done.stdout


def test_collector_that_is_gone_harms_nothing(tmp_path: Path) -> None:
    with serving(some) as server:
        plain, traced = tmp_path / "plain", tmp_path / "traced"
        run(plain, server.base_url, "execution=inline")
        url = dead_url().removesuffix("/v1")
        run(traced, server.base_url, "execution=inline", OTEL_EXPORTER_OTLP_ENDPOINT=url)
    dataset = Path("dataset") / "train.jsonl"
    assert (plain / dataset).read_bytes() == (traced / dataset).read_bytes()


def test_langsmith_sees_conversations_and_the_requests_within(tmp_path: Path) -> None:
    with serving(some) as server, collecting() as (url, got):
        run(
            tmp_path / "run",
            server.base_url,
            "execution=inline",
            LANGSMITH_TRACING="true",
            LANGSMITH_ENDPOINT=url,
            LANGSMITH_API_KEY="mine",
            LANGSMITH_DISABLE_RUN_COMPRESSION="true",
        )
        asked = len(server.requests)
    sent = b"".join(body for _, body in got)
    assert asked > 0
    assert sent.count(b'"name":"VerbatimChat"') >= asked
    assert b'"name":"LangGraph"' in sent
    assert b"as I see it" in sent
    assert KEY.encode() not in sent


def test_messages_take_the_form_of_the_conventions() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "7"},
    ]
    assert json.loads(tracing._messages(messages)) == [
        {
            "role": "assistant",
            "parts": [{"type": "tool_call", "name": "f", "arguments": "{}", "id": "c"}],
        },
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c", "response": "7"}]},
    ]
