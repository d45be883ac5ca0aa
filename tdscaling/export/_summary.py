"""Figures of a run, read off its ledger.

Enters: a ledger. Leaves: counts, shares and entropies that the dataset card and the report show.
SQL aggregates, so that the cost does not grow with the length of the conversations. Every list is
in a fixed order: the card is byte-identical for the same ledger.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from tdscaling import diversity
from tdscaling.schema import canonical
from tdscaling.store import Store

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Summary:
    """What the card and the report say about a run; lists of rows keyed by column."""

    attempted: int
    accepted: int
    entropies: tuple[diversity.Entropy, ...]
    """Over categories, modes and signatures, in this order; over voices where there are any."""
    reasons: list[Row]
    """reason, n"""
    categories: list[Row]
    """category, attempted, accepted, share of the calls"""
    domains: list[Row]
    """domain, category, attempted, accepted, crossed: accepted ones that join another domain"""
    modes: list[Row]
    """mode, accepted"""
    operators: list[Row]
    """operator (empty for none), attempted, accepted; one with several counts for each"""
    provenance: list[Row]
    """provenance, n: tool calls of accepted trajectories"""
    roles: list[Row]
    """role, player, n: accepted trajectories"""
    words: diversity.Words
    """Who found the words of blueprints"""
    languages: list[Row]
    """language, n: accepted trajectories whose user was to write in it"""
    models: list[Row]
    """role, model, n, prompt_tokens, completion_tokens, cost_usd: all attempts"""
    complexity: Row
    """mean, median, p90, per_call, calls (mean), turns (mean): accepted trajectories"""
    coverage: Row
    """tools_used, tools_offered, clusters_used, clusters_offered, cells, tool_pairs, shapes,
    coding (share of the accepted that are about code, 0 to 1)"""
    licences: list[Row]
    """service, licence (empty where its source states none), tools: services that were used"""
    config: dict[str, Any]
    config_digest: str
    release: str


_REASONS = """SELECT coalesce(reason, 'unknown') AS reason, count(*) AS n FROM trajectories
    WHERE NOT accepted GROUP BY 1 ORDER BY n DESC, 1"""
_DOMAINS = """SELECT string_split(domain, '+')[1] AS domain, category, count(*) AS attempted,
    count(*) FILTER (accepted) AS accepted,
    count(*) FILTER (accepted AND contains(replace(domain, '+calculations', ''), '+')) AS crossed
    FROM trajectories GROUP BY 1, 2 ORDER BY category, 1"""
_MODES = """SELECT mode, count(*) AS accepted FROM trajectories WHERE accepted
    GROUP BY 1 ORDER BY 2 DESC, 1"""
_OPERATORS = """SELECT operator, count(*) AS attempted, count(*) FILTER (accepted) AS accepted
    FROM (SELECT unnest(string_split(asked_operators, '+')) AS operator, accepted FROM trajectories)
    GROUP BY 1 ORDER BY 2 DESC, 1"""
_CATEGORIES = """SELECT category, count(*) AS attempted, count(*) FILTER (accepted) AS accepted
    FROM trajectories GROUP BY 1 ORDER BY 1"""
_PROVENANCE = """SELECT provenance, count(*) AS n FROM actions JOIN trajectories USING (idx)
    WHERE accepted GROUP BY 1 ORDER BY 2 DESC, 1"""
_MODELS = """SELECT role, model, count(*) AS n, sum(prompt_tokens)::BIGINT AS prompt_tokens,
    sum(completion_tokens)::BIGINT AS completion_tokens, sum(cost_usd) AS cost_usd
    FROM llm_calls GROUP BY 1, 2 ORDER BY 1, 2"""
_ROLES = """SELECT json_extract_string(line, '$.meta.roles') AS roles, count(*) AS n FROM documents
    WHERE accepted GROUP BY 1 ORDER BY 1"""
_LICENCES = """SELECT coalesce(nullif(title, ''), name) AS service, licence, tools FROM services
    WHERE name IN (SELECT unnest(string_split(domain, '+')) FROM trajectories WHERE accepted)
    OR name IN (SELECT unnest(services) FROM clusters
        WHERE id IN (SELECT cluster FROM trajectories WHERE accepted))
    ORDER BY 1"""
_COMPLEXITY = """SELECT median(complexity) AS median, quantile_cont(complexity, 0.9) AS p90,
    avg(turns) AS turns FROM trajectories WHERE accepted"""

_COUNTED = re.compile(r" \(\d+ of \d+\)$")
"""How many words of one blueprint a model found; all of them are counted in `words`."""


def _coverage(store: Store, figures: Row) -> Row:
    offered = store.query("SELECT id, tools FROM clusters")
    names = {tool["name"] for row in offered for tool in json.loads(row["tools"])}
    used = store.query(
        "SELECT count(DISTINCT cluster) AS clusters_used FROM trajectories WHERE accepted"
    )[0]
    return {
        **used,
        "cells": figures["cells_covered"],
        "tools_used": figures["tools_covered"],
        "tool_pairs": figures["tool_pairs_covered"],
        "shapes": figures["shapes_covered"],
        "tools_offered": len(names),
        "clusters_offered": len(offered),
        "coding": diversity.coding_share(store).accepted,
    }


def _entropies(store: Store, figures: Row) -> tuple[diversity.Entropy, ...]:
    shown = [over for over in diversity.OVER if over != "voice" or figures["voice_support"]]
    return tuple(diversity.entropy(store, over) for over in shown)


def _players(store: Store) -> list[Row]:
    """Who played each role, counted."""
    played: Counter[tuple[str, str]] = Counter()
    for row in store.query(_ROLES):
        for role, player in (json.loads(row["roles"]) if row["roles"] else {}).items():
            name = player if isinstance(player, str) else canonical(player)
            played[role, _COUNTED.sub("", name)] += row["n"]
    return [
        {"role": role, "player": player, "n": n} for (role, player), n in sorted(played.items())
    ]


def summarise(store: Store) -> Summary:
    """All figures of a run."""
    masses = {row["kind"]: row["mass"] for row in store.query(diversity.masses_sql("domain"))}
    total = sum(masses.values()) or 1.0
    figures = diversity.figures(store)
    categories = {row["category"]: row for row in store.query(_CATEGORIES)}
    for category in masses.keys() - categories.keys():  # reached only by crossing into it
        categories[category] = {"category": category, "attempted": 0, "accepted": 0}
    about = store.query("SELECT digest, version FROM config")
    return Summary(
        attempted=store.next_index,
        accepted=store.accepted,
        entropies=_entropies(store, figures),
        reasons=store.query(_REASONS),
        categories=[
            {**row, "share": masses.get(name, 0.0) / total}
            for name, row in sorted(categories.items())
        ],
        domains=store.query(_DOMAINS),
        modes=store.query(_MODES),
        operators=store.query(_OPERATORS),
        provenance=store.query(_PROVENANCE),
        roles=_players(store),
        words=diversity.found_words(store),
        languages=diversity.languages(store),
        models=store.query(_MODELS),
        complexity={
            **store.query(_COMPLEXITY)[0],
            "mean": figures["complexity_mean"],
            "per_call": figures["complexity_per_call"],
            "calls": figures["calls_mean"],
        },
        coverage=_coverage(store, figures),
        licences=store.query(_LICENCES),
        config=store.config(),
        config_digest=about[0]["digest"],
        release=about[0]["version"],
    )
