"""What an outcome is as rows of the ledger's tables, and back.

Enters: outcomes, rounds, decisions, clusters. Leaves: one dictionary per row, keyed by column; and
outcomes again, equal to what went in.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tdscaling.schema import (
    Action,
    Cluster,
    Decision,
    LlmCall,
    Outcome,
    Request,
    Service,
    Trace,
    Verdict,
    canonical,
)

Row = dict[str, Any]

_ROUND_COLUMNS = (
    "round",
    "attempted",
    "accepted",
    "domain_entropy",
    "mode_entropy",
    "signature_entropy",
    "complexity_mean",
    "novelty_per_ktok",
)


def cluster_row(cluster: Cluster) -> Row:
    """A row of `clusters`."""
    plain = json.loads(json.dumps(cluster, default=_plain))
    return {
        "id": cluster.id,
        "domain": cluster.domain,
        "category": cluster.category,
        "tools": canonical(plain["tools"]),
        "edges": canonical(plain["edges"]),
        "services": list(cluster.services),
    }


def service_row(service: Service) -> Row:
    """A row of `services`."""
    return {
        "name": service.name,
        "title": service.title,
        "category": service.category,
        "source": service.source,
        "licence": service.licence,
        "tools": len(service.tools),
    }


def _plain(value: Any) -> Row:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


def trajectory_row(outcome: Outcome) -> Row:
    """A row of `trajectories`."""
    trace, calls = outcome.trace, outcome.llm_calls
    return {
        "idx": outcome.index,
        "id": outcome.id,
        "round": outcome.round,
        "seed": outcome.seed,
        "category": outcome.category,
        "domain": outcome.domain,
        "cluster": outcome.request.cluster,
        "asked_operators": "+".join(outcome.request.operators),
        "asked_calls": outcome.request.calls,
        "parent": outcome.request.parent,
        "mode": trace.mode,
        "signature": trace.signature,
        "events": ">".join(trace.events),
        "complexity": trace.complexity,
        "calls": len(trace.actions),
        "turns": outcome.turns,
        "categories": json.dumps(outcome.categories, ensure_ascii=False),
        "blueprint": outcome.blueprint_id,
        "accepted": outcome.verdict.accepted,
        "reason": outcome.verdict.reason,
        "detail": outcome.verdict.detail,
        "prompt_tokens": sum(call.prompt_tokens for call in calls),
        "completion_tokens": sum(call.completion_tokens for call in calls),
        "cost_usd": sum(call.cost_usd for call in calls),
        "seconds": canonical(outcome.seconds),
        "shape": trace.shape,
        "voice": outcome.voice,
    }


def action_rows(outcome: Outcome) -> list[Row]:
    """Rows of `actions`."""
    key = {"idx": outcome.index, "trajectory_id": outcome.id}
    return [key | _plain(action) for action in outcome.trace.actions]


def llm_rows(outcome: Outcome) -> list[Row]:
    """Rows of `llm_calls`."""
    key = {"idx": outcome.index, "trajectory_id": outcome.id}
    return [key | _plain(call) for call in outcome.llm_calls]


def recording_rows(outcome: Outcome) -> list[Row]:
    """Rows of `recordings`."""
    key = {"idx": outcome.index, "trajectory_id": outcome.id}
    return [key | _plain(recording) for recording in outcome.recordings]


def document_row(outcome: Outcome) -> Row:
    """A row of `documents`."""
    return {
        "idx": outcome.index,
        "id": outcome.id,
        "accepted": outcome.verdict.accepted,
        "line": outcome.line,
    }


def round_row(figures: Mapping[str, Any]) -> Row:
    """A row of `rounds`; figures without a column of their own go to `figures`."""
    rest = {name: value for name, value in figures.items() if name not in _ROUND_COLUMNS}
    return {name: figures.get(name) for name in _ROUND_COLUMNS} | {"figures": canonical(rest)}


def decision_row(decision: Decision) -> Row:
    """A row of `steering`."""
    return _plain(decision)


def tokens_of(outcome: Outcome) -> int:
    """What an attempt cost: tokens that models counted, else a quarter of its characters."""
    counted = sum(call.prompt_tokens + call.completion_tokens for call in outcome.llm_calls)
    return counted or len(outcome.line) // 4


def paid_tokens_of(outcome: Outcome) -> int:
    """The same without what was found in a cache."""
    if not outcome.llm_calls:
        return tokens_of(outcome)
    paid = [call for call in outcome.llm_calls if not call.cached]
    return sum(call.prompt_tokens + call.completion_tokens for call in paid)


def outcome_of(row: Row, actions: Sequence[Row], calls: Sequence[Row], line: str) -> Outcome:
    """The outcome that a row of `trajectories` and its parts came from."""
    trace = Trace(
        events=_split(row["events"], ">"),
        signature=row["signature"],
        mode=row["mode"],
        actions=tuple(
            Action(**_fields(Action, action) | {"sources": tuple(action["sources"])})
            for action in actions
        ),
        complexity=row["complexity"],
        shape=row["shape"],
    )
    return Outcome(
        index=row["idx"],
        round=row["round"],
        id=row["id"],
        seed=row["seed"],
        request=Request(
            row["cluster"], _split(row["asked_operators"], "+"), row["asked_calls"], row["parent"]
        ),
        category=row["category"],
        domain=row["domain"],
        categories=json.loads(row["categories"]),
        verdict=Verdict(row["accepted"], row["reason"], row["detail"]),
        blueprint_id=row["blueprint"],
        trace=trace,
        turns=row["turns"],
        llm_calls=tuple(LlmCall(**_fields(LlmCall, call)) for call in calls),
        line=line,
        seconds=json.loads(row["seconds"]),
        voice=row["voice"],
    )


def _fields(kind: type, row: Row) -> Row:
    return {name: row[name] for name in kind.__dataclass_fields__}  # type: ignore[attr-defined]


def _split(text: str, by: str) -> tuple[Any, ...]:
    return tuple(text.split(by)) if text else ()
