"""Figures of a run, read off its ledger.

Enters: a ledger. Leaves: counts, shares and entropies that the dataset card and the report show.
SQL aggregates, so that the cost does not grow with the length of the conversations. Every list is
in a fixed order: the card is byte-identical for the same ledger.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tdscaling.schema import canonical
from tdscaling.store import Store

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entropy:
    """Shannon entropy of a distribution over kinds, with what is needed to judge it."""

    over: str
    n: int
    """Accepted trajectories that it rests on."""
    support: int
    """Kinds seen."""
    bits: float
    """H, bits; 0 for one kind, log2(support) when uniform."""
    singletons: float
    """Share of the trajectories whose kind was seen once, 0 to 1: high where N is too small."""

    @property
    def effective(self) -> float:
        """2^H: as many equally frequent kinds would have the same entropy."""
        return 2**self.bits

    @property
    def evenness(self) -> float:
        """H / log2(support), 0 to 1; 0 for a single kind."""
        return self.bits / math.log2(self.support) if self.support > 1 else 0.0

    @property
    def miller_madow(self) -> float:
        """H + (K - 1) / (2 N ln 2), bits: corrects for kinds that N was too small to see."""
        return self.bits + (self.support - 1) / (2 * self.n * math.log(2)) if self.n else 0.0


@dataclass(frozen=True, slots=True)
class Summary:
    """What the card and the report say about a run; lists of rows keyed by column."""

    attempted: int
    accepted: int
    entropies: tuple[Entropy, ...]
    """Over categories, modes and signatures, in this order."""
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
    models: list[Row]
    """role, model, n, prompt_tokens, completion_tokens, cost_usd: all attempts"""
    complexity: Row
    """mean, median, p90, per_call, calls (mean), turns (mean): accepted trajectories"""
    coverage: Row
    """tools_used, tools_offered, clusters_used, clusters_offered, cells"""
    config: dict[str, Any]
    config_digest: str
    release: str


def entropy(over: str, masses: Sequence[float], touched: Sequence[int], n: int) -> Entropy:
    """Entropy of masses; `touched` counts the trajectories behind each of them."""
    kinds = sorted(mass for mass in masses if mass > 0)
    total = sum(kinds)
    bits = -sum(mass / total * math.log2(mass / total) for mass in kinds)
    once = sum(times == 1 for times in touched)
    return Entropy(over, n, len(kinds), max(0.0, bits), once / n if n else 0.0)


def complexity_edges(store: Store) -> tuple[float, ...]:
    """Edges of the run's complexity bins, complexity per call; none where its metrics have none."""
    metrics = store.config().get("metrics") or {}
    return tuple(float(edge) for edge in metrics.get("bins") or ())


def bin_sql(edges: Sequence[float]) -> str:
    """SQL for the complexity bin of a trajectory: the number of edges it reaches."""
    per_call = "coalesce(complexity / nullif(calls, 0), 0)"
    return "(" + " + ".join(["0", *(f"({per_call} >= {edge!r})::INT" for edge in edges)]) + ")"


def bin_names(edges: Sequence[float]) -> list[str]:
    """The range of each complexity bin in words."""
    if not edges:
        return ["any"]
    between = [f"{low:g} to {high:g}" for low, high in pairwise(edges)]
    return [f"below {edges[0]:g}", *between, f"{edges[-1]:g} and more"]


_REASONS = """SELECT coalesce(reason, 'unknown') AS reason, count(*) AS n FROM trajectories
    WHERE NOT accepted GROUP BY 1 ORDER BY n DESC, 1"""
_DOMAINS = """SELECT string_split(domain, '+')[1] AS domain, category, count(*) AS attempted,
    count(*) FILTER (accepted) AS accepted,
    count(*) FILTER (accepted AND contains(domain, '+')) AS crossed
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
_ROLES = """SELECT (line::JSON)->'$.meta.roles' AS roles, count(*) AS n FROM documents
    WHERE accepted GROUP BY 1 ORDER BY 1"""
_COMPLEXITY = """SELECT avg(complexity) AS mean, median(complexity) AS median,
    quantile_cont(complexity, 0.9) AS p90,
    avg(coalesce(complexity / nullif(calls, 0), 0)) AS per_call,
    avg(calls) AS calls, avg(turns) AS turns FROM trajectories WHERE accepted"""
_COVERAGE = """SELECT count(DISTINCT cluster) AS clusters_used,
    count(DISTINCT (category, mode, {bin})) AS cells,
    (SELECT count(DISTINCT tool) FROM actions JOIN trajectories USING (idx) WHERE accepted)
        AS tools_used FROM trajectories WHERE accepted"""


def _masses(store: Store) -> tuple[Counter[str], Counter[str]]:
    """Mass of each category over accepted trajectories, and the trajectories that touch it."""
    masses: Counter[str] = Counter()
    touched: Counter[str] = Counter()
    for row in store.query(
        "SELECT categories, count(*) AS n FROM trajectories WHERE accepted GROUP BY 1 ORDER BY 1"
    ):
        for category, mass in json.loads(row["categories"] or "{}").items():
            masses[category] += mass * row["n"]
            touched[category] += row["n"]
    return masses, touched


def _entropy_of(store: Store, over: str, column: str) -> Entropy:
    sql = f"SELECT count(*) AS n FROM trajectories WHERE accepted GROUP BY {column}"
    counts = [row["n"] for row in store.query(sql)]
    return entropy(over, counts, counts, store.accepted)


def _coverage(store: Store) -> Row:
    offered = store.query("SELECT id, tools FROM clusters")
    names = {tool["name"] for row in offered for tool in json.loads(row["tools"])}
    found = store.query(_COVERAGE.format(bin=bin_sql(complexity_edges(store))))[0]
    return {**found, "tools_offered": len(names), "clusters_offered": len(offered)}


def _players(store: Store) -> list[Row]:
    """Who played each role, counted."""
    played: Counter[tuple[str, str]] = Counter()
    for row in store.query(_ROLES):
        for role, player in (json.loads(row["roles"]) if row["roles"] else {}).items():
            name = player if isinstance(player, str) else canonical(player)
            played[role, name] += row["n"]
    return [
        {"role": role, "player": player, "n": n} for (role, player), n in sorted(played.items())
    ]


def summarise(store: Store) -> Summary:
    """All figures of a run."""
    masses, touched = _masses(store)
    total, n = sum(masses.values()) or 1.0, store.accepted
    categories = {row["category"]: row for row in store.query(_CATEGORIES)}
    for category in masses.keys() - categories.keys():  # reached only by crossing into it
        categories[category] = {"category": category, "attempted": 0, "accepted": 0}
    about = store.query("SELECT digest, version FROM config")
    return Summary(
        attempted=store.next_index,
        accepted=n,
        entropies=(
            entropy("categories of the calls", [*masses.values()], [*touched.values()], n),
            _entropy_of(store, "reasoning modes", "mode"),
            _entropy_of(store, "signatures", "signature"),
        ),
        reasons=store.query(_REASONS),
        categories=[
            {**row, "share": masses[name] / total} for name, row in sorted(categories.items())
        ],
        domains=store.query(_DOMAINS),
        modes=store.query(_MODES),
        operators=store.query(_OPERATORS),
        provenance=store.query(_PROVENANCE),
        roles=_players(store),
        models=store.query(_MODELS),
        complexity=store.query(_COMPLEXITY)[0],
        coverage=_coverage(store),
        config=store.config(),
        config_digest=about[0]["digest"],
        release=about[0]["version"],
    )
