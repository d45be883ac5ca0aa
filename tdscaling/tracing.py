"""OpenTelemetry spans, for those who have configured it.

Enters: attempts and requests to models. Leaves: a span for each, by the names of OpenTelemetry's
conventions for generative AI. Where nothing is configured, nothing of OpenTelemetry is imported and
a span is a null object. What was said is not part of a span unless the conventions' own variable
asks for it.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Tracer

CONFIGURED = (
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_TRACES_EXPORTER",
)
"""Any of these turns spans on."""
CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
SPAN_CONTENT = ("true", "span_only", "span_and_event")
"""Its values that put what was said into spans."""
NEEDED = ("opentelemetry", "opentelemetry.sdk")
"""What must be there, each looked for only where those before it are."""
INSTALL = "pip install 'tdscaling[otel]'"
NAME = "tdscaling"
SPAN, CALL = "INTERNAL", "CLIENT"
"""Kinds of spans: work of one's own, and a request to somebody else."""
Value = str | bool | int | float


class Span(Protocol):
    """What an attempt or a request adds to its span."""

    def told(self, **values: Value) -> None:
        """Note attributes; `_` in a name stands for the dots of the conventions."""
        ...

    def said(self, sent: Sequence[Mapping[str, Any]], reply: Mapping[str, Any] | None) -> None:
        """Note messages, where that is asked for."""
        ...

    def failed(self, reason: str) -> None:
        """Note what kind of failure it was."""
        ...


class _Nothing:
    """A span where nobody looks."""

    def told(self, **values: Value) -> None:
        """Note nothing."""

    def said(self, sent: Sequence[Mapping[str, Any]], reply: Mapping[str, Any] | None) -> None:
        """Note nothing."""

    def failed(self, reason: str) -> None:
        """Note nothing."""


_NOTHING = _Nothing()


def wanted() -> bool:
    """Whether the user has configured OpenTelemetry."""
    exporters = os.environ.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    off = os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    return not off and exporters != "none" and any(os.environ.get(name) for name in CONFIGURED)


def missing() -> bool:
    """Whether OpenTelemetry is configured and not installed."""
    return wanted() and not _installed()


@contextmanager
def attempt(trajectory: str, **values: Value) -> Iterator[Span]:
    """The span of one attempt; those of its requests lie within."""
    tracer = _tracer()
    if tracer is None:
        yield _NOTHING
        return
    with _started(tracer, "attempt", SPAN) as watched:
        watched.told(gen_ai_conversation_id=trajectory, **values)
        yield watched


@contextmanager
def request(model: str, trajectory: str, role: str) -> Iterator[Span]:
    """The span of one request to a model."""
    tracer = _tracer()
    if tracer is None:
        yield _NOTHING
        return
    with _started(tracer, f"chat {model}", CALL) as watched:
        watched.told(
            gen_ai_operation_name="chat",
            gen_ai_provider_name="openai",
            gen_ai_request_model=model,
            gen_ai_conversation_id=trajectory,
            tdscaling_role=role,
        )
        yield watched


@contextmanager
def _started(tracer: Tracer, name: str, kind: str) -> Iterator[_Watched]:
    from opentelemetry.trace import SpanKind

    # An error's own words are left out: they may repeat what was said.
    with tracer.start_as_current_span(
        name, kind=SpanKind[kind], record_exception=False, set_status_on_exception=False
    ) as span:
        watched = _Watched(span)
        try:
            yield watched
        except BaseException as error:
            watched.failed(type(error).__name__)
            raise


class _Watched:
    """A span that is exported."""

    def __init__(self, span: Any) -> None:
        self._span = span

    def told(self, **values: Value) -> None:
        for name, value in values.items():
            self._span.set_attribute(_NAMES.get(name, name), value)

    def said(self, sent: Sequence[Mapping[str, Any]], reply: Mapping[str, Any] | None) -> None:
        if os.environ.get(CAPTURE, "").strip().lower() in SPAN_CONTENT:
            self._span.set_attribute("gen_ai.input.messages", _messages(sent))
            if reply is not None:
                self._span.set_attribute("gen_ai.output.messages", _messages([reply]))

    def failed(self, reason: str) -> None:
        from opentelemetry.trace import StatusCode

        # Its first words: the rest may repeat what was said, and there would be too many kinds.
        self._span.set_attribute("error.type", reason.partition(":")[0])
        self._span.set_status(StatusCode.ERROR)


_NAMES = {
    "gen_ai_conversation_id": "gen_ai.conversation.id",
    "gen_ai_operation_name": "gen_ai.operation.name",
    "gen_ai_provider_name": "gen_ai.provider.name",
    "gen_ai_request_model": "gen_ai.request.model",
    "gen_ai_usage_input_tokens": "gen_ai.usage.input_tokens",
    "gen_ai_usage_output_tokens": "gen_ai.usage.output_tokens",
    "tdscaling_role": "tdscaling.role",
    "tdscaling_round": "tdscaling.round",
    "tdscaling_cluster": "tdscaling.cluster",
    "tdscaling_outcome": "tdscaling.outcome",
    "tdscaling_requests": "tdscaling.requests",
    "tdscaling_cost_usd": "tdscaling.cost_usd",
}
"""Keywords as attributes are called."""


def _messages(messages: Sequence[Mapping[str, Any]]) -> str:
    """Messages in the form of the conventions."""
    return json.dumps([{"role": m["role"], "parts": _parts(m)} for m in messages])


def _parts(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    text = message.get("content")
    if message["role"] == "tool":
        return [{"type": "tool_call_response", "id": message["tool_call_id"], "response": text}]
    parts: list[dict[str, Any]] = [{"type": "text", "content": text}] if text else []
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        parts.append({"type": "tool_call", **(call.get("function") or {}), "id": call.get("id")})
    return parts


def _installed() -> bool:
    return all(importlib.util.find_spec(name) is not None for name in NEEDED)


@functools.cache
def _tracer() -> Tracer | None:
    """The tracer of this process; None where nobody looks."""
    if not wanted() or not _installed():
        return None
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider

    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        trace.set_tracer_provider(_provider())
    return trace.get_tracer(NAME)


def _provider() -> Any:
    """What the variables describe; it exports what is left when the process ends."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    named = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": NAME}
    provider = TracerProvider(resource=Resource.create(named))
    for exporter in _exporters():
        provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def _exporters() -> Iterator[SpanExporter]:
    from importlib.metadata import entry_points

    protocol = os.environ.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or os.environ.get(
        "OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"
    )
    otlp = "otlp_proto_grpc" if protocol == "grpc" else "otlp_proto_http"
    for word in (os.environ.get("OTEL_TRACES_EXPORTER") or "otlp").split(","):
        name = otlp if word.strip() == "otlp" else word.strip()
        for found in entry_points(group="opentelemetry_traces_exporter", name=name):
            yield found.load()()
