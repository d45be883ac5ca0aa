"""Why a conversation ended in another state than its blueprint.

Enters: a case whose replay held, and the state it ended in. Leaves: which deviation from the gold
calls explains the difference.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tdscaling.coding.domain import CodeDomain
from tdscaling.llm._text import value_in
from tdscaling.schema import Reason, canonical
from tdscaling.verification import Case


def difference(case: Case, changes: dict[str, Any]) -> tuple[Reason, str]:
    """The reason for a difference in the final state."""
    unmet = _unmet_check(case, changes)
    if unmet:
        return unmet
    writes = {tool.name for tool in case.tools if tool.writes}
    gold = Counter(
        (step.tool, canonical(step.gold))
        for step in case.blueprint.plan
        if step.tool in writes and step.expect == "ok"
    )
    made = Counter(call for call, ok in calls_made(case) if call[0] in writes and ok)
    missing, extra = list((gold - made).elements()), list((made - gold).elements())
    where = _where(case.blueprint.final_state, changes)
    if missing and extra:
        same = [
            pair for pair in ((m, e) for m in missing for e in extra) if pair[0][0] == pair[1][0]
        ]
        if same:
            wanted, got = same[0]
            return "wrong_argument", f"{wanted[0]}: expected {wanted[1]}, got {got[1]}; {where}"
        return "wrong_tool", f"expected {_call(missing[0])}, got {_call(extra[0])}; {where}"
    if missing:
        return "missing_step", f"expected {_call(missing[0])}, which was not made; {where}"
    if extra:
        return "extra_write", f"{_call(extra[0])} is not in the plan; {where}"
    return "wrong_argument", f"the same writes in another order end in another state; {where}"


def _unmet_check(case: Case, changes: dict[str, Any]) -> tuple[Reason, str] | None:
    """What a hidden check does not hold for done, whichever calls tried."""
    for name, domain in case.domains.items():
        wanted = case.blueprint.final_state.get(f"{name}.check", {}).get("changed", {})
        got = changes.get(f"{name}.check", {}).get("changed", {})
        if isinstance(domain, CodeDomain) and wanted.keys() - got.keys():
            unmet = min(wanted.keys() - got.keys())
            return "check_failed", f"{name}: the hidden check of {unmet} does not pass"
    return None


def calls_made(case: Case) -> list[tuple[tuple[str, str], bool]]:
    """All calls as (tool, canonical arguments), each with whether it succeeded."""
    results = {
        message["tool_call_id"]: str(message["content"])
        for message in case.transcript.messages
        if message["role"] == "tool"
    }
    return [
        ((call["function"]["name"], _arguments(call)), not _is_error(results.get(call["id"], "")))
        for message in case.transcript.messages
        for call in message.get("tool_calls") or ()
    ]


def observed(case: Case) -> Iterator[tuple[str, str]]:
    """All results as (tool, content)."""
    names: dict[str, str] = {}
    for message in case.transcript.messages:
        for call in message.get("tool_calls") or ():
            names[call["id"]] = call["function"]["name"]
        if message["role"] == "tool":
            yield names[message["tool_call_id"]], str(message["content"])


def _arguments(call: dict[str, Any]) -> str:
    text = call["function"]["arguments"]
    try:
        return canonical(value_in(text))
    except ValueError:
        return str(text)


def _is_error(content: str) -> bool:
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        return True
    return isinstance(data, dict) and set(data) == {"error"}


def _call(call: tuple[str, str]) -> str:
    return f"{call[0]}({call[1]})"


def _where(expected: dict[str, Any], got: dict[str, Any]) -> str:
    tables = [t for t in sorted(expected | got) if expected.get(t) != got.get(t)]
    return "state differs in " + ", ".join(
        f"{table}: expected {_cut(expected.get(table))}, got {_cut(got.get(table))}"
        for table in tables[:2]
    )


def _cut(value: object) -> str:
    text = canonical(value) if value else "no change"
    return text if len(text) <= 200 else f"{text[:197]}..."
