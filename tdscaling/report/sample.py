"""Which trajectories the report embeds, and in what shape.

Enters: a ledger. Leaves: some hundreds of trajectories for the viewer. All of a large run would
make a page that no browser opens, so a sample is spread: rejected ones round-robin over reasons,
accepted ones over category and mode, within each over complexity bins, first come first.
"""

from __future__ import annotations

import json
from typing import Any

from tdscaling.diversity import bin_sql, complexity_edges
from tdscaling.schema import canonical
from tdscaling.store import Store

_SPREAD = """
WITH kinds AS (
    SELECT idx, accepted, {bin} AS bin,
        CASE WHEN accepted THEN category || '|' || mode ELSE reason END AS kind
    FROM trajectories),
within AS (
    SELECT *, row_number() OVER (PARTITION BY accepted, kind, bin ORDER BY idx) AS nth FROM kinds),
turns AS (
    SELECT *, row_number() OVER (PARTITION BY accepted, kind ORDER BY nth, idx) AS turn FROM within)
SELECT idx FROM turns WHERE accepted = ? ORDER BY turn, idx LIMIT ?
"""

_COLUMNS = """idx, id, round, category, domain, mode, signature, asked_operators, complexity, calls,
    turns, accepted, reason, detail"""


def choose(store: Store, most: int) -> list[int]:
    """Indices of at most `most` trajectories; at most a third of them rejected unless room is left.

    Accepted ones take the room that rejected ones leave, and the other way round.
    """
    sql = _SPREAD.format(bin=bin_sql(complexity_edges(store)))
    rejected = store.next_index - store.accepted
    room = max(min(rejected, most // 3), most - store.accepted)
    found = store.query(sql, [False, room])
    found += store.query(sql, [True, most - len(found)])
    return sorted(row["idx"] for row in found)


def note(shown: int, attempted: int, accepted: int) -> str:
    """What the page says about the sample."""
    whole = f"{attempted:,} attempted trajectories, {accepted:,} accepted"
    if shown == attempted:
        return f"All {whole}."
    return (
        f"{shown:,} of {whole}: spread over categories, modes, complexities and reasons of "
        "rejection, so rare kinds are over-represented. All of them are in run.duckdb."
    )


class ToolTable:
    """Tool definitions stored once, since every conversation offers many of the same."""

    def __init__(self) -> None:
        """Start empty."""
        self.definitions: list[Any] = []
        self._places: dict[str, int] = {}

    def places(self, tools: list[dict[str, Any]]) -> list[int]:
        """Positions of these tools in `definitions`, added where they are new."""
        found = []
        for tool in tools:
            definition = tool.get("function", tool)
            key = canonical(definition)
            if key not in self._places:
                self._places[key] = len(self.definitions)
                self.definitions.append(definition)
            found.append(self._places[key])
        return found


def _shaped(row: dict[str, Any], line: str | None, tools: ToolTable) -> dict[str, Any]:
    shaped = {**row, "operators": [o for o in row.pop("asked_operators").split("+") if o]}
    shaped.pop("asked_operators", None)
    shaped["complexity"] = round(row["complexity"], 2)
    data = json.loads(line) if line else {}
    meta = data.get("meta", {})
    plan = meta.get("blueprint") or None
    if plan:
        # The dry run observed nearly what the conversation did: half the page for nothing.
        steps = [{k: v for k, v in s.items() if k != "observation"} for s in plan.get("plan", [])]
        plan = {**plan, "plan": steps}
    return {
        **shaped,
        "messages": data.get("messages", []),
        "tools": tools.places(data.get("tools", [])),
        "provenance": meta.get("provenance", []),
        "roles": meta.get("roles", {}),
        "blueprint": plan,
    }


def embedded(store: Store, most: int, tools: ToolTable) -> list[dict[str, Any]]:
    """The chosen trajectories in index order, tools given as places in `tools`."""
    chosen = choose(store, most)
    where = "WHERE idx IN (SELECT unnest(?::BIGINT[]))"
    rows = store.query(f"SELECT {_COLUMNS} FROM trajectories {where} ORDER BY idx", [chosen])
    lines = {
        row["idx"]: row["line"]
        for row in store.query(f"SELECT idx, line FROM documents {where}", [chosen])
    }
    return [_shaped(row, lines.get(row["idx"]), tools) for row in rows]
