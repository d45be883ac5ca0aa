"""Reads how the assistant got there off a conversation alone.

Enters: messages in OpenAI format; names of the tools that can write, where that is known; where
each observation came from. Leaves: a `Trace`. No blueprint is read, so foreign data is measured by
the same ruler. Definitions of every event: `docs/metrics.md`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby

from tdscaling.metrics._effects import seems_to_write, words_of
from tdscaling.metrics._flow import ValueFlow, leaves, observed_leaves
from tdscaling.metrics._inspection import Inspection
from tdscaling.metrics._messages import Call, turns
from tdscaling.metrics._words import asks, refuses, revises
from tdscaling.schema import Action, Message, Trace

PLAIN = frozenset({"call", "answer"})
"""Events that every task has; the others make the coarse mode."""

_CODE = re.compile(
    r"(?:^|[._/-])(?:(?:run|execute|exec|eval)_(?:\w+_)?"
    r"(?:code|python|bash|shell|sql|script|query|command)|(?:\w+_)?code_interpreter|"
    r"(?:i?python|bash|shell|sql|terminal)(?:_(?:repl|interpreter|exec|tool))?)$",
    re.IGNORECASE,
)

_WORD = re.compile(r"\w+")
SHARED_WORDS = 0.5
"""Share of the words of two pieces of code that they have in common, if one mends the other."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights of the cumulative action complexity; each at least 0, without unit."""

    alpha: float
    """Per argument bound to an earlier observation."""
    beta: float
    """Per level of depth in the data-flow graph."""
    gamma: float
    """Per recovery from an error."""


def read_trace(
    messages: Sequence[Message],
    writes: Collection[str] | None,
    provenance: Sequence[str],
    weights: Weights,
) -> Trace:
    """The trace of one conversation.

    Args:
        messages: in OpenAI format, see `_messages` for what else is understood.
        writes: names of tools that can change state; None where that is not known, then the tools'
            names tell.
        provenance: one entry per tool message, in order; missing entries count as unknown ("").
        weights: of the complexity.
    """
    reader = _Reader(None if writes is None else frozenset(writes))
    for turn in turns(messages, provenance):
        if turn.kind == "given":
            reader.given(turn.text)
        elif turn.kind == "user":
            reader.user(turn.text)
        elif turn.kind == "calls":
            reader.calls(turn.calls)
        else:
            reader.words(turn.text)
    return reader.trace(weights)


def shape_of(actions: Sequence[Action]) -> str:
    """Canonical form of the data-flow graph over calls; empty without calls.

    One letter per call in the order made (`w` if its tool can write, else `r`), then the sorted
    edges `u-v`: an argument of call v took a value out of u's observation. Two trajectories have
    one shape if and only if they have the same text: `rrw 0-2 1-2`. Tools' names do not enter.
    Source: this project; the idea of counting classes of call graphs is that of DIVE (2603.11076).
    """
    kinds = "".join("w" if action.writes else "r" for action in actions)
    edges = sorted((source, action.step) for action in actions for source in action.sources)
    return " ".join([kinds, *(f"{u}-{v}" for u, v in edges)])


class _Reader:
    """What is known so far of one conversation."""

    def __init__(self, writes: frozenset[str] | None) -> None:
        self._known_writes = writes
        self._flow = ValueFlow()
        self._events: list[str] = []
        self._calls: list[tuple[str, Call]] = []
        self._failed: list[Call] = []
        self._written: set[str] = set()
        self._done = False
        self._user_turns = 0
        self._inspection = Inspection()

    def given(self, text: str) -> None:
        self._flow.hear(text)

    def user(self, text: str) -> None:
        # An error the assistant has answered for is over, unless it asked the user how to go on.
        if self._events and self._events[-1] != "ask":
            self._failed.clear()
        self._user_turns += 1
        if self._user_turns > 1 and revises(text):
            self._events.append("revise")
        self._written.clear()
        self._done = False
        self._inspection.user(text)
        self._flow.hear(text)

    def words(self, text: str) -> None:
        if not self._user_turns or not text.strip():
            return  # a greeting answers nobody
        if asks(text):
            self._events.append("ask")
        else:
            settled = self._done and not self._failed
            self._events.append("refuse" if refuses(text, settled) else "answer")

    def calls(self, batch: Sequence[Call]) -> None:
        if len(batch) > 1:
            self._events.append("parallel")
        for call in batch:
            binding = self._flow.bind(call.arguments, code=_runs_code(call.tool))
            call.bound, call.depth, call.sources = binding.bound, binding.depth, binding.sources
            call.writes = self._writes(call.tool)
            looks = not call.ok and _runs_code(call.tool) and self._inspection.holds(call)
            call.ok |= looks
        for call in batch:
            self._count(call)
        for call in batch:
            self._inspection.see(call, code=_runs_code(call.tool))
            self._learn(call)

    def trace(self, weights: Weights) -> Trace:
        special = sorted(set(self._events) - PLAIN)
        actions = tuple(_action(kind, call) for kind, call in self._calls)
        return Trace(
            events=tuple(self._events),
            signature=">".join(event for event, _ in groupby(self._events)),
            mode="+".join(special) or "direct",
            actions=actions,
            complexity=sum(_complexity(call, weights) for _, call in self._calls),
            shape=shape_of(actions),
        )

    def _writes(self, tool: str) -> bool:
        if self._known_writes is not None:
            return tool in self._known_writes
        return not _runs_code(tool) and seems_to_write(tool)

    def _count(self, call: Call) -> None:
        call.step = len(self._calls)
        call.recovered = call.ok and self._recovers(call)
        kind = self._kind(call)
        self._events.append(kind)
        if not call.ok:
            self._events.append("error")
        self._calls.append((kind, call))

    def _kind(self, call: Call) -> str:
        if call.recovered:
            return "recover"
        if _runs_code(call.tool):
            return "code"
        if not call.writes and self._written & set(leaves(call.arguments)):
            return "verify"
        return "chain" if call.bound else "call"

    def _recovers(self, call: Call) -> bool:
        """Whether the call mends an open error; the errors it settles are closed either way."""
        if _runs_code(call.tool):
            return self._mends_code(call)
        same = [failed for failed in self._failed if failed.tool == call.tool]
        if same:
            self._failed = [failed for failed in self._failed if failed.tool != call.tool]
            return not any(call.same_arguments(failed) for failed in same)
        alike = [failed for failed in self._failed if _stands_in(call, failed)]
        self._failed = [failed for failed in self._failed if failed not in alike]
        return bool(alike)

    def _mends_code(self, call: Call) -> bool:
        """Whether code is a mended form of code that failed, or the same after a change."""
        same = [f for f in self._failed if f.tool == call.tool and _resembles(call, f)]
        self._failed = [failed for failed in self._failed if failed not in same]
        return bool(same) and not any(
            call.same_arguments(failed) and not failed.outdated for failed in same
        )

    def _learn(self, call: Call) -> None:
        self._flow.use(call.arguments)
        if not call.ok:
            self._failed.append(call)
            return
        self._flow.see(call.content, call.depth, call.step)
        if call.writes:
            for failed in self._failed:
                failed.outdated = True
            self._done = True
            self._written.update(leaves(call.arguments))
            self._written.update(observed_leaves(call.content))


def _complexity(call: Call, weights: Weights) -> float:
    """`1 + alpha * bound_args + beta * depth + gamma * recovery`, without unit, 1 or more."""
    return (
        1 + weights.alpha * call.bound + weights.beta * call.depth + weights.gamma * call.recovered
    )


def _action(kind: str, call: Call) -> Action:
    return Action(
        step=call.step,
        kind=kind,
        tool=call.tool,
        ok=call.ok,
        provenance=call.provenance,
        depth=call.depth,
        bound_args=call.bound,
        writes=call.writes,
        sources=call.sources,
    )


def _stands_in(call: Call, failed: Call) -> bool:
    """Whether another tool does what the failed one should have done."""
    if call.writes != failed.writes:
        return False
    if call.writes:  # a refused change and a cancellation concern one booking, yet differ
        return words_of(call.tool)[:1] == words_of(failed.tool)[:1]
    shared = set(leaves(call.arguments)) & set(leaves(failed.arguments))
    return bool(shared or _nouns(call.tool) & _nouns(failed.tool))


def _resembles(call: Call, failed: Call) -> bool:
    """Whether two pieces of code share half of their words: a shell serves many purposes."""
    one, other = (set(_WORD.findall(str([*c.arguments.values()]))) for c in (call, failed))
    return len(one & other) >= SHARED_WORDS * len(one | other)


def _runs_code(tool: str) -> bool:
    """Whether a tool's name ends in running code; OpenAI allows 64 characters of it."""
    return bool(_CODE.search(tool[-64:]))


def _nouns(tool: str) -> set[str]:
    """Words of a tool's name after its verb, singular: what it is about."""
    return {word.rstrip("s") for word in words_of(tool)[1:] if len(word) > 2}
