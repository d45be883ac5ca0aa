"""The figures of diversity: entropies, complexity, coverage, novelty.

Enters: outcomes in index order. Leaves: figures over the *accepted* ones; rejected attempts count
in the acceptance rate only. Every update is O(events of the outcome).
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import Any

from tdscaling.errors import ConfigError
from tdscaling.metrics._entropy import Compensated, EntropyCounter
from tdscaling.metrics._trace import Weights, read_trace
from tdscaling.schema import Message, Outcome, Trace

CHARACTERS_PER_TOKEN = 4
"""Estimate of tokens from characters of the dataset's lines: the same for every run, whoever wrote
the words, so that novelty per token compares between runs."""

Cell = tuple[str, str, int]
"""(category, coarse mode, complexity bin)."""


class DiversityMetrics:
    """Figures of `docs/metrics.md`.

    Args:
        alpha: weight of bound arguments in the complexity, at least 0.
        beta: weight of depth, at least 0.
        gamma: weight of a recovery, at least 0.
        bins: ascending edges of the complexity bins, in complexity per call.
    """

    def __init__(self, *, alpha: float, beta: float, gamma: float, bins: Sequence[float]) -> None:
        _check(alpha=alpha, beta=beta, gamma=gamma, bins=bins)
        self._weights = Weights(alpha, beta, gamma)
        self._bins = tuple(bins)
        self._domain = EntropyCounter()
        self._mode = EntropyCounter()
        self._signature = EntropyCounter()
        self._voice = EntropyCounter()
        self._cells: Counter[Cell] = Counter()
        self._tools: set[str] = set()
        self._pairs: set[tuple[str, str]] = set()
        self._shapes: set[str] = set()
        self._attempted = 0
        self._accepted = 0
        self._calls = 0
        self._characters = 0
        self._complexity = Compensated()
        self._per_call = Compensated()
        self._novel = 0
        self._round = _RoundNovelty()

    @property
    def cells(self) -> Mapping[Cell, int]:
        """Accepted trajectories per (category, mode, complexity bin)."""
        return self._cells

    def read(
        self,
        messages: Sequence[Message],
        writes: Collection[str] | None,
        provenance: Sequence[str],
    ) -> Trace:
        """The trace of one conversation, see `tdscaling.metrics.Metrics.read`."""
        return read_trace(messages, writes, provenance, self._weights)

    def observe(self, outcome: Outcome) -> None:
        """Count one committed outcome."""
        self._attempted += 1
        self._round.enter(outcome.round)
        if outcome.verdict.accepted:
            self._count(outcome)

    def figures(self) -> dict[str, Any]:
        """All figures over what was observed so far; keys and units in `docs/metrics.md`."""
        accepted = self._accepted
        return {
            "attempted_total": self._attempted,
            "accepted_total": accepted,
            "acceptance_rate": _ratio(accepted, self._attempted),
            **self._domain.figures("domain"),
            **self._mode.figures("mode"),
            **self._signature.figures("signature"),
            **self._voice.figures("voice"),
            "complexity_total": self._complexity.value,
            "complexity_mean": _ratio(self._complexity.value, accepted),
            "complexity_per_call": _ratio(self._per_call.value, accepted),
            "calls_mean": _ratio(self._calls, accepted),
            "cells_covered": len(self._cells),
            "tools_covered": len(self._tools),
            "tool_pairs_covered": len(self._pairs),
            "shapes_covered": len(self._shapes),
            "dataset_tokens": self._characters // CHARACTERS_PER_TOKEN,
            "novelty_per_ktok": self._round.per_ktok,
            "novelty_per_ktok_total": _per_ktok(self._novel, self._characters),
        }

    def _count(self, outcome: Outcome) -> None:
        trace = outcome.trace
        per_call = complexity_per_call(trace)
        cell = (outcome.category, trace.mode, bisect_right(self._bins, per_call))
        new = int(cell not in self._cells)
        self._cells[cell] += 1
        self._domain.add(outcome.categories)
        self._mode.add({trace.mode: 1})
        new += self._signature.add({trace.signature: 1})
        self._voice.add({outcome.voice: 1} if outcome.voice else {})
        self._tools.update(action.tool for action in trace.actions)
        self._pairs.update(tool_pairs(trace))
        if trace.shape:
            self._shapes.add(trace.shape)
        self._accepted += 1
        self._calls += len(trace.actions)
        self._complexity.add(trace.complexity)
        self._per_call.add(per_call)
        self._novel += new
        self._characters += len(outcome.line)
        self._round.add(new, len(outcome.line))


class _RoundNovelty:
    """New cells and signatures of the round observed last."""

    def __init__(self) -> None:
        self._round = -1
        self._new = self._characters = 0

    def enter(self, round_: int) -> None:
        if round_ != self._round:
            self._round, self._new, self._characters = round_, 0, 0

    def add(self, new: int, characters: int) -> None:
        self._new += new
        self._characters += characters

    @property
    def per_ktok(self) -> float:
        return _per_ktok(self._new, self._characters)


def tool_pairs(trace: Trace) -> set[tuple[str, str]]:
    """Pairs (u, v) of tools where an argument of a call of v took a value out of u's observation.

    The producer is the call that showed the value first. Source: this project.
    """
    tools = [action.tool for action in trace.actions]
    return {(tools[u], action.tool) for action in trace.actions for u in action.sources}


def complexity_per_call(trace: Trace) -> float:
    """Cumulative action complexity divided by the number of calls; 0 without calls, else >= 1."""
    return _ratio(trace.complexity, len(trace.actions))


def _per_ktok(new: int, characters: int) -> float:
    return _ratio(1000 * new * CHARACTERS_PER_TOKEN, characters)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _check(*, bins: Sequence[float], **weights: float) -> None:
    for name, value in weights.items():
        if value < 0:
            raise ConfigError(
                f"metrics.{name}: expected 0 or more, got {value}."
                f" Type for example metrics.{name}=1"
            )
    if not bins or any(high <= low for low, high in pairwise(bins)):
        raise ConfigError(
            f"metrics.bins: expected one or more ascending edges, got {list(bins)}."
            " Type for example 'metrics.bins=[1.5,2.5]'"
        )
