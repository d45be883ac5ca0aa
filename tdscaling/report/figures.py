"""What the page shows besides the viewer.

Enters: a ledger. Leaves: values for the template (tiles, plots, tables) and the data of the
cluster graphs and steering decisions.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from tdscaling.diversity import bin_names, bin_sql, complexity_edges
from tdscaling.export._summary import Summary, summarise
from tdscaling.report.charts import bars, column_plot, level, line_plot, short
from tdscaling.report.clustermap import drawing
from tdscaling.schema import Cluster, Edge, Tool
from tdscaling.store import Store

MODES_SHOWN = 18
"""Rows of the table of cells; rarer modes share one row."""
CLUSTERS_SHOWN = 60
"""Cluster graphs on the page, those with most attempts."""
DECISIONS_SHOWN = 4000
"""Rows of steering on the page; rounds are thinned out beyond."""

Row = dict[str, Any]


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.0f}%" if whole else "none"


def _tiles(summary: Summary) -> list[Row]:
    domain, mode, signature = summary.entropies[:3]
    coverage, complexity = summary.coverage, summary.complexity
    mean, per_call = complexity["mean"] or 0.0, complexity["per_call"] or 0.0
    tokens = sum(row["prompt_tokens"] + row["completion_tokens"] for row in summary.models)
    cost = sum(row["cost_usd"] for row in summary.models)
    tiles = [
        (
            "Accepted",
            f"{summary.accepted:,}",
            f"of {summary.attempted:,} attempted, {_share(summary.accepted, summary.attempted)}",
        ),
        (
            "Effective categories",
            f"{domain.effective if domain.n else 0:.1f}",
            f"of {domain.support} seen, {domain.bits:.2f} bits",
        ),
        (
            "Effective modes",
            f"{mode.effective if mode.n else 0:.1f}",
            f"of {mode.support} seen, {mode.bits:.2f} bits",
        ),
        ("Signatures", f"{signature.support:,}", f"{signature.bits:.2f} bits"),
        ("Action complexity", f"{mean:.1f}", f"mean; {per_call:.2f} per call"),
        (
            "Tools used",
            _share(coverage["tools_used"], coverage["tools_offered"]),
            f"{coverage['tools_used']} of {coverage['tools_offered']} on offer",
        ),
        ("Cells filled", f"{coverage['cells']:,}", "category, mode and complexity"),
        (
            "Model tokens",
            f"{tokens:,}",
            f"{cost:,.2f} USD" if summary.models else "no model called",
        ),
    ]
    return [dict(zip(("name", "value", "context"), tile, strict=True)) for tile in tiles]


def _facts(summary: Summary) -> list[tuple[str, str]]:
    facts = [
        ("seed", str(summary.config.get("seed", "unknown"))),
        ("config", summary.config_digest),
        ("TDScaling", summary.release),
    ]
    players: dict[str, list[str]] = defaultdict(list)
    for row in summary.roles:
        players[row["role"]].append(row["player"])
    return facts + [(role, ", ".join(names)) for role, names in players.items()]


def _rounds(store: Store) -> Row:
    rows = store.query("SELECT * FROM rounds ORDER BY round")
    numbers = [row["round"] for row in rows]

    def column(name: str) -> list[float]:
        return [row[name] or 0.0 for row in rows]

    return {
        "entropy_plot": line_plot(
            numbers,
            {
                "domain": column("domain_entropy"),
                "mode": column("mode_entropy"),
                "signature": column("signature_entropy"),
            },
            "Domain, mode and signature entropy after each round, in bits",
        ),
        "yield_plot": line_plot(
            numbers,
            {
                "attempted": list(accumulate(column("attempted"))),
                "accepted": list(accumulate(column("accepted"))),
            },
            "Trajectories attempted and accepted up to each round",
        ),
    }


ENTROPY_COLUMNS = (
    "N",
    "kinds",
    "H, bits",
    "effective number",
    "Miller-Madow, bits",
    "evenness",
    "seen once",
)


def _entropy_rows(summary: Summary) -> list[tuple[str, list[str]]]:
    return [
        (
            e.over,
            [
                f"{e.n:,}",
                f"{e.support:,}",
                f"{e.bits:.3f}",
                f"{e.effective:.1f}",
                f"{e.miller_madow:.3f}",
                f"{e.evenness:.2f}",
                f"{100 * e.singletons:.0f}%",
            ],
        )
        for e in summary.entropies
    ]


def _group(
    name: str, columns: Sequence[str], rows: Sequence[tuple[str, Row]], *, selects: bool
) -> Row:
    # A row that many kinds share would outshine all others: it is counted but not shaded.
    plain = {title for title, _ in rows if title.startswith("(")}
    most = max((n for title, row in rows if title not in plain for n in row.values()), default=1)
    return {
        "name": name,
        "selects": selects,
        "rows": [
            {
                "name": title,
                "selects": title not in plain,
                "total": sum(counts.values()),
                "cells": [
                    {
                        "column": column,
                        "count": counts.get(column, 0),
                        "level": 0 if title in plain else level(counts.get(column, 0), most),
                    }
                    for column in columns
                ],
            }
            for title, counts in rows
        ],
    }


def grid(store: Store, summary: Summary) -> Row | None:
    """The table of cells: modes and complexity bins by category; None if nothing was accepted."""
    edges = complexity_edges(store)
    counts = store.query(
        f"SELECT category, mode, {bin_sql(edges)} AS bin, count(*) AS n"
        " FROM trajectories WHERE accepted GROUP BY ALL ORDER BY ALL"
    )
    if not counts:
        return None
    columns = sorted({row["category"] for row in counts})
    shown = [row["mode"] for row in summary.modes[:MODES_SHOWN]]
    rest = len(summary.modes) - len(shown)
    others = f"({rest} rarer modes)"
    by_mode: dict[str, Row] = {mode: defaultdict(int) for mode in shown}
    by_bin: list[Row] = [defaultdict(int) for _ in bin_names(edges)]
    for row in counts:
        mode = row["mode"] if row["mode"] in by_mode else others
        by_mode.setdefault(mode, defaultdict(int))[row["category"]] += row["n"]
        by_bin[row["bin"]][row["category"]] += row["n"]
    bins = list(zip(bin_names(edges), by_bin, strict=True))
    return {
        "caption": "Counts; shades grow with the square root within each part.",
        "columns": columns,
        "groups": [
            _group("Reasoning mode", columns, list(by_mode.items()), selects=True),
            _group("Action complexity per call", columns, bins, selects=False),
        ],
        "folded": f"{rest} rarer modes share the last row of their part." if rest > 0 else "",
    }


def _outcomes(store: Store, summary: Summary) -> Row:
    rejected = summary.attempted - summary.accepted
    calls = store.query(
        "SELECT calls, count(*) FILTER (accepted) AS a, count(*) FILTER (NOT accepted) AS r"
        " FROM trajectories GROUP BY 1 ORDER BY 1"
    )
    observed = sum(row["n"] for row in summary.provenance)
    return {
        "rejections": bars(
            [
                (row["reason"], row["n"], f"{row['n']:,} ({_share(row['n'], rejected)})")
                for row in summary.reasons
            ]
        ),
        "rejection_caption": f"{rejected:,} of {summary.attempted:,} attempts.",
        "calls_plot": column_plot(
            {row["calls"]: (row["a"], row["r"]) for row in calls},
            "Trajectories by number of tool calls, accepted and rejected",
            "tool calls",
        ),
        "provenance": bars(
            [
                (row["provenance"], row["n"], f"{row['n']:,} ({_share(row['n'], observed)})")
                for row in summary.provenance
            ]
        ),
        "operators": bars(
            [
                (
                    row["operator"] or "none",
                    row["accepted"],
                    f"{short(row['accepted'])} of {short(row['attempted'])}",
                )
                for row in summary.operators
            ]
        ),
    }


def values(store: Store, title: str) -> Row:
    """Everything that the template itself shows."""
    summary = summarise(store)
    return {
        "title": title,
        "facts": _facts(summary),
        "tiles": _tiles(summary),
        **_rounds(store),
        "entropy_columns": ENTROPY_COLUMNS,
        "entropy_rows": _entropy_rows(summary),
        "grid": grid(store, summary),
        "alarms": store.query("SELECT * FROM alarms ORDER BY round, rowid"),
        **_outcomes(store, summary),
        "footer": f"Written by TDScaling {summary.release} from run.duckdb, config "
        f"{summary.config_digest}. The page loads nothing from elsewhere.",
    }


def _cluster(row: Row) -> Cluster:
    tools = tuple(
        Tool(**{**tool, "returns": tuple(tool["returns"])}) for tool in json.loads(row["tools"])
    )
    edges = tuple(Edge(**edge) for edge in json.loads(row["edges"]))
    return Cluster(row["id"], row["domain"], row["category"], tools, edges)


def clusters(store: Store) -> tuple[list[Row], str]:
    """Cluster graphs for the page, most attempted first, and a note where some are left out."""
    rows = store.query(
        "SELECT c.*, (SELECT count(*) FROM trajectories t WHERE t.cluster = c.id) AS attempted,"
        " (SELECT count(*) FROM trajectories t WHERE t.cluster = c.id AND accepted) AS accepted"
        " FROM clusters c ORDER BY attempted DESC, category, domain, id"
    )
    shown = rows[:CLUSTERS_SHOWN]
    shown.sort(key=lambda row: (row["category"], row["domain"], row["id"]))
    drawn = [drawing(_cluster(row), row["attempted"], row["accepted"]) for row in shown]
    left = len(rows) - len(shown)
    return drawn, f"The {len(shown)} most attempted clusters of {len(rows)}." if left else ""


def steering(store: Store) -> tuple[list[Row], str]:
    """Decisions for the page, and a note where rounds are left out."""
    total = store.query("SELECT count(*) AS n FROM steering")[0]["n"]
    stride = -(-total // DECISIONS_SHOWN) or 1
    rows = store.query(
        "SELECT round, factor, choice, weight, why FROM steering WHERE round % ? = 0"
        " ORDER BY round, rowid",
        [stride],
    )
    return rows, f"Every {stride}th round is shown; all are in run.duckdb." if stride > 1 else ""
