"""What a conversation leaves behind: observations, verdict, trace, the rows of the ledger."""

from __future__ import annotations

from dataclasses import dataclass, field

from tdscaling.schema.steering import Request
from tdscaling.schema.words import Message, Provenance, Reason, Stop


@dataclass(frozen=True, slots=True)
class Observation:
    """Result of one tool call."""

    content: str
    """What the assistant sees: JSON text."""
    ok: bool
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Verdict:
    """Accepted, or rejected with one reason."""

    accepted: bool
    reason: Reason | None = None
    detail: str = ""
    """Where, expected, got: for people."""


@dataclass(frozen=True, slots=True)
class LlmCall:
    """One request to a model: a row of the table `llm_calls`."""

    role: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    latency_ms: float
    cost_usd: float
    cached: bool = False
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """One tool call of a trajectory as the trace reader saw it: a row of the table `actions`."""

    step: int
    """Position among the trajectory's calls, from 0."""
    kind: str
    """Trace event of the call, see `tdscaling.metrics`."""
    tool: str
    ok: bool
    provenance: str
    depth: int
    """Depth in the data-flow graph of the calls made, 0 for a call that needs no observation."""
    bound_args: int
    """Arguments whose value came out of an earlier observation."""
    writes: bool = False
    """Whether the tool can change state."""
    sources: tuple[int, ...] = ()
    """Steps whose observations the bound values were first seen in, ascending."""


@dataclass(frozen=True, slots=True)
class Trace:
    """What the trace reader reads off one trajectory."""

    events: tuple[str, ...]
    signature: str
    """Run-collapsed events joined by `>`."""
    mode: str
    """Sorted set of the special events joined by `+`; `direct` if there is none."""
    actions: tuple[Action, ...]
    complexity: float
    """Cumulative action complexity, see `tdscaling.metrics`; 0 without calls."""
    shape: str = ""
    """Data-flow graph of the calls, see `docs/metrics.md`; empty without calls."""


@dataclass(frozen=True, slots=True)
class Recording:
    """What a server answered once, or the state it was in: a row of the table `recordings`."""

    domain: str
    key: str
    """Digest of the domain, of its world, and of all calls up to this one."""
    tool: str
    """Empty where nothing was called yet."""
    ok: bool
    content: str
    changes: str | None = None
    """State changes after the call as JSON text; None where nobody asked for them."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one attempt leaves behind: the ledger's rows and the dataset's line."""

    index: int
    round: int
    id: str
    seed: str
    request: Request
    category: str
    domain: str
    categories: dict[str, float]
    """Mass over the categories of the calls made; sums to 1, `{}` without calls."""
    verdict: Verdict
    blueprint_id: str
    """Empty where no blueprint could be made."""
    trace: Trace
    turns: int
    """User messages."""
    llm_calls: tuple[LlmCall, ...] = ()
    line: str = ""
    """The trajectory as one JSON line without newline; empty where there was no conversation."""
    seconds: dict[str, float] = field(default_factory=dict)
    """CPU time per stage (`blueprint`, `converse`, `verify`, `measure`); never part of the data."""
    voice: str = ""
    """Persona, style and language of the user; empty where there is none."""
    recordings: tuple[Recording, ...] = ()
    """What servers answered in the course of it; empty where none was called."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """One conversation as it was played."""

    messages: tuple[Message, ...]
    provenance: tuple[Provenance, ...]
    """One entry per tool message."""
    stop: Stop
    failure: Verdict | None = None
    """The rejection where a role or the environment failed."""
    llm_calls: tuple[LlmCall, ...] = ()
