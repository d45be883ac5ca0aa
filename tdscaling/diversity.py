"""The figures of diversity by SQL over a ledger: the one definition in SQL.

Enters: a ledger. Leaves: the figures that `tdscaling.metrics` keeps while a run is under way, to
1e-9 the same; the dataset card and the report take theirs from here. SQL aggregates, so the cost
does not grow with the length of the conversations. Formulas, units and sources: `docs/metrics.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from tdscaling.coding.areas import AREAS
from tdscaling.store import Store

OVER = {
    "domain": "categories of the calls",
    "mode": "reasoning modes",
    "signature": "signatures",
    "voice": "voices of the user",
}
"""What entropies are taken over, and how people call it."""

_SPREADS = {
    "domain": "SELECT unnest(map_keys(spread)) AS kind, unnest(map_values(spread)) AS mass FROM"
    " (SELECT categories::MAP(VARCHAR, DOUBLE) AS spread FROM trajectories WHERE accepted)",
    "mode": "SELECT mode AS kind, 1.0::DOUBLE AS mass FROM trajectories WHERE accepted",
    "signature": "SELECT signature AS kind, 1.0::DOUBLE AS mass FROM trajectories WHERE accepted",
    "voice": "SELECT voice AS kind, 1.0::DOUBLE AS mass FROM trajectories"
    " WHERE accepted AND voice <> ''",
}
"""A row per accepted trajectory and kind, with the mass that the one gives the other."""

_ENTROPY = """WITH
    kinds AS (SELECT kind, fsum(mass) AS mass, count(*) AS times FROM ({spread}) WHERE mass > 0
        GROUP BY kind ORDER BY kind),
    total AS (SELECT fsum(mass) AS mass, count(*) AS support,
        count(*) FILTER (times = 1) AS once FROM kinds),
    whole AS (SELECT count(*) AS n FROM trajectories WHERE accepted),
    shares AS (SELECT kinds.mass / total.mass AS p FROM kinds, total),
    bits AS (SELECT greatest(coalesce(-fsum(p * log2(p)), 0.0), 0.0) AS bits FROM shares)
SELECT n, support, bits,
    CASE WHEN support > 0 THEN 2 ** bits ELSE 0.0 END AS effective,
    CASE WHEN support > 1 THEN bits / log2(support) ELSE 0.0 END AS evenness,
    CASE WHEN support > 0 THEN bits + (support - 1) / (2 * n * ln(2)) ELSE 0.0 END AS miller_madow,
    CASE WHEN n > 0 THEN once / n ELSE 0.0 END AS singletons
FROM total, whole, bits"""

_COUNTS = """SELECT count(*) AS attempted_total, count(*) FILTER (accepted) AS accepted_total,
    coalesce(avg(accepted::INT), 0.0) AS acceptance_rate,
    coalesce(fsum(complexity) FILTER (accepted), 0.0) AS complexity_total,
    coalesce(favg(complexity) FILTER (accepted), 0.0) AS complexity_mean,
    coalesce(favg(coalesce(complexity / nullif(calls, 0), 0)) FILTER (accepted), 0.0)
        AS complexity_per_call,
    coalesce(favg(calls) FILTER (accepted), 0.0) AS calls_mean,
    count(DISTINCT (category, mode, {bin})) FILTER (accepted) AS cells_covered,
    (SELECT count(DISTINCT tool) FROM actions JOIN trajectories USING (idx) WHERE accepted)
        AS tools_covered,
    (SELECT count(*) FROM ({pairs})) AS tool_pairs_covered,
    count(DISTINCT shape) FILTER (accepted AND shape <> '') AS shapes_covered
FROM trajectories"""

PAIRS = """SELECT DISTINCT u.tool AS producer, v.tool AS consumer
    FROM (SELECT idx, tool, unnest(sources) AS source FROM actions) v
    JOIN actions u ON u.idx = v.idx AND u.step = v.source
    JOIN trajectories t ON t.idx = v.idx WHERE t.accepted"""
"""Tools u -> v where an argument of a call of v took a value out of u's observation."""

_NOVELTY = """WITH
    kept AS (SELECT idx, round, category, mode, {bin} AS bin, signature FROM trajectories
        WHERE accepted),
    firsts AS (SELECT min_by(round, idx) AS round FROM kept GROUP BY category, mode, bin
        UNION ALL SELECT min_by(round, idx) FROM kept GROUP BY signature),
    lines AS (SELECT round, coalesce(length(line), 0) AS characters
        FROM kept LEFT JOIN documents USING (idx)),
    last AS (SELECT max(round) AS round FROM trajectories)
SELECT coalesce((SELECT sum(characters) FROM lines), 0)::BIGINT AS characters,
    (SELECT count(*) FROM firsts) AS new,
    coalesce((SELECT sum(characters) FROM lines SEMI JOIN last USING (round)), 0)::BIGINT
        AS last_characters,
    (SELECT count(*) FROM firsts SEMI JOIN last USING (round)) AS last_new"""

_CHARACTERS_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Entropy:
    """Shannon entropy of a distribution over kinds, with what is needed to judge it."""

    over: str
    """What the kinds are, in words."""
    n: int
    """N: accepted trajectories that it rests on."""
    support: int
    """K: kinds seen."""
    bits: float
    """H = -sum p log2 p, bits (Shannon 1948); 0 for one kind, log2(K) when uniform."""
    effective: float
    """2^H, 1 to K: as many equally frequent kinds would have the same entropy (Hill 1973)."""
    evenness: float
    """H / log2(K), 0 to 1 (Pielou 1966); 0 for a single kind."""
    miller_madow: float
    """H + (K - 1) / (2 N ln 2), bits (Miller 1955): corrects for kinds that N was too small for."""
    singletons: float
    """Kinds seen once over N, 0 to 1 (Good 1953): high where N is too small."""


def entropy(store: Store, over: str) -> Entropy:
    """Entropy over one of `OVER`."""
    return Entropy(OVER[over], **store.query(_ENTROPY.format(spread=_SPREADS[over]))[0])


@dataclass(frozen=True, slots=True)
class CodingShare:
    """How much of a run is about code."""

    draws: int
    drawn: float
    """Share of the draws that are coding tasks or asked for `compute`, 0 to 1."""
    accepted: float
    """Share of the accepted trajectories in which code was run for that, 0 to 1."""


def coding_share(store: Store) -> CodingShare:
    """The measured share of coding tasks."""
    areas = ", ".join(f"'{name}'" for name in AREAS)
    about = (
        f"(list_has_any(string_split(domain, '+'), [{areas}])"
        " OR list_contains(string_split(asked_operators, '+'), 'compute'))"
    )
    row = store.query(
        f"SELECT count(*) AS draws, count(*) FILTER ({about}) AS coding,"
        f" count(*) FILTER (accepted) AS accepted,"
        f" count(*) FILTER (accepted AND {about}) AS coding_accepted FROM trajectories"
    )[0]
    return CodingShare(
        row["coding"],
        row["coding"] / max(row["draws"], 1),
        row["coding_accepted"] / max(row["accepted"], 1),
    )


_WORDS = """SELECT count(*) FILTER (author = 'model') AS by_model, count(*) AS texts FROM (SELECT
    unnest(json_extract_string(line, '$.meta.blueprint.authors.*')) AS author
    FROM documents WHERE accepted)"""
_LANGUAGES = """SELECT json_extract_string(line, '$.meta.voice.language') AS language, count(*) AS n
    FROM documents WHERE accepted GROUP BY 1 HAVING language IS NOT NULL ORDER BY 2 DESC, 1"""


@dataclass(frozen=True, slots=True)
class Words:
    """Who found the words of blueprints, over the accepted trajectories."""

    by_model: int
    """Texts in a model's words."""
    texts: int
    """Texts that a model was asked for; in the others the template's words stand."""


def found_words(store: Store) -> Words:
    """How many texts of blueprints are in a model's words; nothing where none was asked."""
    asked = store.query("SELECT 1 FROM llm_calls WHERE role = 'composer' LIMIT 1")
    return Words(**store.query(_WORDS)[0]) if asked else Words(0, 0)


def languages(store: Store) -> list[dict[str, Any]]:
    """Rows of `language` and `n`, the accepted trajectories whose user was to write in it."""
    voiced = store.query("SELECT 1 FROM trajectories WHERE accepted AND voice <> '' LIMIT 1")
    return store.query(_LANGUAGES) if voiced else []


def figures(store: Store) -> dict[str, Any]:
    """All figures of the ledger, keyed as in the table `rounds`."""
    bins = bin_sql(complexity_edges(store))
    found: dict[str, Any] = store.query(_COUNTS.format(bin=bins, pairs=PAIRS))[0]
    for over in OVER:
        values = asdict(entropy(store, over))
        names = {"bits": "entropy", "singletons": "singleton_share"}
        for name in ("support", "bits", "effective", "evenness", "miller_madow", "singletons"):
            found[f"{over}_{names.get(name, name)}"] = values[name]
    novelty = store.query(_NOVELTY.format(bin=bins))[0]
    return found | {
        "dataset_tokens": novelty["characters"] // _CHARACTERS_PER_TOKEN,
        "novelty_per_ktok": _per_ktok(novelty["last_new"], novelty["last_characters"]),
        "novelty_per_ktok_total": _per_ktok(novelty["new"], novelty["characters"]),
    }


def masses_sql(over: str) -> str:
    """SQL for the kinds of one of `OVER` with their masses: columns `kind` and `mass`."""
    return f"SELECT kind, fsum(mass) AS mass FROM ({_SPREADS[over]}) GROUP BY kind ORDER BY kind"


def complexity_edges(store: Store) -> tuple[float, ...]:
    """Edges of the run's complexity bins, complexity per call; none where its metrics have none."""
    metrics = store.config().get("metrics") or {}
    return tuple(float(edge) for edge in metrics.get("bins") or ())


def bin_sql(edges: Sequence[float]) -> str:
    """SQL for the complexity bin of a trajectory: the number of edges it reaches."""
    per_call = "coalesce(complexity / nullif(calls, 0), 0)"
    reached = (f"({per_call} >= {edge!r}::DOUBLE)::INT" for edge in edges)
    return "(" + " + ".join(["0", *reached]) + ")"


def bin_names(edges: Sequence[float]) -> list[str]:
    """The range of each complexity bin in words."""
    if not edges:
        return ["any"]
    between = [f"{low:g} to {high:g}" for low, high in pairwise(edges)]
    return [f"below {edges[0]:g}", *between, f"{edges[-1]:g} and more"]


def _per_ktok(new: int, characters: int) -> float:
    """New cells and signatures per 1,000 estimated tokens, from 0."""
    return 1000 * new * _CHARACTERS_PER_TOKEN / characters if characters else 0.0
