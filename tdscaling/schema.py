"""Frozen types that the stages exchange.

Leaves: the vocabulary of the product. Every type is plain data that pickles, so an attempt can run
in this process, in a worker process or on another machine.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Operator = Literal["extend", "branch", "withhold", "perturb", "revise", "cross", "refuse"]
"""A change to a blueprint that makes it rarer."""

Provenance = Literal["executed", "simulated", "injected", "replayed"]
"""Where an observation came from."""

Reason = Literal[
    "blueprint_failed",
    "duplicate",
    "role_failed",
    "environment_failed",
    "malformed_message",
    "malformed_call",
    "endless_loop",
    "early_stop",
    "invented_observation",
    "wrong_tool",
    "wrong_argument",
    "missing_step",
    "extra_write",
    "answer_not_told",
    "ungrounded_argument",
    "invented_id",
    "invented_amount",
    "invented_status",
    "judge_rejected",
]
"""The closed list of reasons for a rejection; `docs/verification.md` explains each."""

Message = dict[str, Any]
"""One chat message in OpenAI format."""


def canonical(value: object) -> str:
    """JSON with sorted keys and no spaces: the form that digests and comparisons use."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(value: object, length: int = 16) -> str:
    """The first `length` hex digits of the SHA-256 of the canonical JSON of `value`."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:length]


@dataclass(frozen=True, slots=True)
class Tool:
    """Something that an assistant can call."""

    name: str
    description: str
    parameters: dict[str, Any]
    """JSON Schema of the arguments; always an object."""
    domain: str
    """Name of the service it belongs to."""
    category: str
    """Label of the business area of that service."""
    returns: tuple[str, ...] = ()
    """Fields of the result, where they are known."""
    writes: bool = False
    """Whether a call can change state."""

    def openai(self) -> dict[str, Any]:
        """The tool in the format of the OpenAI `tools` parameter."""
        return {
            "type": "function",
            "function": {
                "name": self.name,
                "description": self.description,
                "parameters": self.parameters,
            },
        }


@dataclass(frozen=True, slots=True)
class Edge:
    """Data-flow: a field of the producer's result is what the consumer's parameter needs."""

    producer: str
    consumer: str
    column: str
    """Field of the producer's result."""
    slot: str
    """Parameter of the consumer."""
    kind: Literal["key", "value"]
    """`key` where the field identifies a row; `value` where both merely mean the same thing."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Business cluster: tools of one service tied by data-flow."""

    id: str
    """Digest of its content."""
    domain: str
    category: str
    tools: tuple[Tool, ...]
    edges: tuple[Edge, ...]
    partners: tuple[str, ...] = ()
    """Domains that `cross` can join, over a shared kind of value."""


@dataclass(frozen=True, slots=True)
class Menu:
    """What an evolution can choose from."""

    clusters: tuple[Cluster, ...]
    operators: tuple[tuple[Operator, ...], ...]
    """Combinations of operators on offer; the empty one is the plain blueprint."""
    calls: tuple[int, ...]
    """Numbers of tool calls that a plan may aim at, ascending, each at least 1."""


@dataclass(frozen=True, slots=True)
class Request:
    """What one draw asks for."""

    cluster: str
    """Id of the cluster."""
    operators: tuple[Operator, ...]
    calls: int
    """Number of gold tool calls to aim at, at least 1."""
    parent: str | None = None
    """Id of the accepted blueprint to mutate; None for a fresh one."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One reason for what a round draws: a row of the table `steering`."""

    round: int
    factor: str
    """What was weighted, such as `category`, `operators` or `calls`; `phase` for the schedule's."""
    choice: str
    weight: float
    """Probability of the choice, 0 to 1."""
    why: str


@dataclass(frozen=True, slots=True)
class Steering:
    """What an evolution decides for one round."""

    requests: tuple[Request, ...]
    decisions: tuple[Decision, ...] = ()


@dataclass(frozen=True, slots=True)
class Draw:
    """One attempt to be made: everything its result may depend on besides the config."""

    index: int
    """Position in the run, from 0; outcomes are committed in this order."""
    round: int
    seed: str
    """Digest of (run seed, index); each use derives a stream of its own from it."""
    request: Request
    parent: Blueprint | None = None
    """The blueprint that the request names as parent."""


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a plan."""

    domain: str
    tool: str
    arguments: dict[str, dict[str, Any]]
    """How each argument is bound: `{"fact": name}` takes what the user said;
    `{"step": i, "column": c, "pick": p}` takes field c of a row of step i's observation, where p is
    `"first"` or `{"column": d, "fact": name}` (the row whose d equals that fact)."""
    turn: int
    """The user turn that it serves, from 0."""
    batch: int
    """Calls with the same batch are made in one assistant message; counts up from 0."""
    purpose: Literal["goal", "lookup"]
    expect: Literal["ok", "refused"]
    gold: dict[str, Any] = field(default_factory=dict)
    """Arguments as bound in the dry run."""
    observation: str = ""
    """What the dry run observed."""


@dataclass(frozen=True, slots=True)
class UserTurn:
    """What the user brings up in one turn."""

    request: str
    """The wish in plain words, without tool names."""
    facts: tuple[str, ...]
    """Facts that the words give away."""
    withheld: tuple[tuple[str, str, str], ...] = ()
    """(fact, question that asks for it, words that tell it): told only when asked."""
    revises: tuple[str, ...] = ()
    """Facts of earlier turns that this turn replaces."""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> UserTurn:
        """Inverse of `asdict`."""
        tuples = {name: tuple(data[name]) for name in ("facts", "revises")}
        return cls(**{**data, **tuples, "withheld": tuple(map(tuple, data["withheld"]))})


@dataclass(frozen=True, slots=True)
class Answer:
    """What the assistant must have said by the end of a user turn."""

    turn: int
    step: int
    """Index into the plan of the call whose result it reports."""
    values: tuple[str, ...]
    """Values that must appear in the assistant's words; numbers match as numbers."""
    refusal: str | None = None
    """The refusal that must be explained, as the tool worded it."""


@dataclass(frozen=True, slots=True)
class Injection:
    """An error put in the place of a tool's real result, and marked as such."""

    tool: str
    nth: int
    """Which call of that tool fails, counting from 0."""
    error: str


@dataclass(frozen=True, slots=True)
class Blueprint:
    """The contract of one trajectory, made and dry-run before it."""

    id: str
    """Digest of what decides the trajectory: worlds, plan, facts, turns, injections."""
    cluster: str
    domain: str
    """Service; two joined by `+` where the blueprint crosses them."""
    category: str
    operators: tuple[Operator, ...]
    worlds: dict[str, str]
    """Seed of each domain's initial state."""
    goal: str
    facts: dict[str, Any]
    """What the user knows."""
    turns: tuple[UserTurn, ...]
    plan: tuple[Step, ...]
    injections: tuple[Injection, ...]
    final_state: dict[str, Any]
    """Expected changes per `domain.table`, see `tdscaling.declared.state`; `{}` for none."""
    answers: tuple[Answer, ...]
    parent: str | None = None
    """Id of the blueprint that it was mutated from."""

    def to_json(self) -> dict[str, Any]:
        """The blueprint as plain JSON data, the form stored in `meta.blueprint`."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Blueprint:
        """Inverse of `to_json`.

        Raises:
            KeyError, TypeError: if the data does not have the shape of a blueprint.
        """
        fields = dict(data)
        fields["operators"] = tuple(fields["operators"])
        fields["turns"] = tuple(UserTurn.from_json(turn) for turn in fields["turns"])
        fields["plan"] = tuple(Step(**step) for step in fields["plan"])
        fields["injections"] = tuple(Injection(**item) for item in fields["injections"])
        fields["answers"] = tuple(
            Answer(**{**item, "values": tuple(item["values"])}) for item in fields["answers"]
        )
        return cls(**fields)


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


Stop = Literal["done", "silent", "turns", "steps", "repeats", "failed"]
"""How a conversation ended: user done; assistant silent; too many user turns; too many assistant
messages in a turn; one call over and over; a role or the environment failed."""


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
