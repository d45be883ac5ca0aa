"""Finds runs by globs and reads what a comparison needs of each.

Enters: globs. Leaves: one `Run` per readable ledger, and why the others were left out.
"""

from __future__ import annotations

import glob
import json
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tdscaling.errors import RunDirectoryError
from tdscaling.store import FILE, Store

Masses = dict[str, float]


@dataclass(frozen=True, slots=True)
class Run:
    """What is compared of one run; the lists go over accepted trajectories in index order."""

    name: str
    """Path of the run directory."""
    config: dict[str, Any]
    attempted: int
    tokens: int
    """Prompt and completion tokens of all attempts; 0 for scripted roles."""
    complexity: float
    """Mean cumulative action complexity."""
    tools_known: int
    """Tools in the clusters that the run could draw from; 0 if not stored."""
    domains: list[Masses]
    modes: list[Masses]
    signatures: list[Masses]
    voices: list[Masses]
    """Nothing where no voice is known."""
    cells: list[Masses]
    tools: list[Masses]
    complexities: list[float]
    """Cumulative action complexity of each."""
    spent: list[int]
    """Tokens of all attempts up to each; a quarter of the characters where no model counted."""

    @property
    def accepted(self) -> int:
        """N: accepted trajectories."""
        return len(self.modes)


def find(patterns: str | Sequence[str]) -> list[Path]:
    """Ledgers that globs name: files, run directories, or folders with runs anywhere below.

    Raises:
        RunDirectoryError: if one matches nothing, or nothing that is or holds a run.
    """
    named = [patterns] if isinstance(patterns, str) else patterns
    if not named:
        raise RunDirectoryError("runs=[]: expected runs. Type for example runs=[RUN_1,RUN_2]")
    files = {file.resolve(): file for pattern in named for file in _matching(pattern)}
    return sorted(files.values())


def _matching(pattern: str) -> list[Path]:
    # Of a list, the name of a run may have characters that a glob reads otherwise.
    itself = [Path(pattern)] if Path(pattern).exists() else []
    matches = itself or sorted(Path(match) for match in glob.glob(pattern, recursive=True))
    if not matches:
        raise RunDirectoryError(
            f"runs={pattern}: nothing matches, looking from {Path.cwd()}."
            " Type for example 'runs=outputs/*/*', 'runs=multirun/**' or runs=[RUN_1,RUN_2]"
        )
    held: list[Path] = []
    for match in matches:
        held += [match] if match.suffix == ".duckdb" else sorted(match.rglob(FILE))
    files = [path for path in held if path.is_file()]
    if not files:
        raise RunDirectoryError(
            f"runs={pattern}: {len(matches)} paths match, none is a run or holds one;"
            f" expected a file {FILE}"
        )
    return files


def read(files: Sequence[Path]) -> tuple[list[Run], list[str]]:
    """The runs that can be compared, and one paragraph for each that cannot."""
    runs, skipped = [], []
    for file in files:
        try:
            run = _read(file)
        except RunDirectoryError as error:
            skipped.append(str(error))
            continue
        if run.accepted:
            runs.append(run)
        else:
            skipped.append(f"{file} has no accepted trajectory among {run.attempted} attempts")
    return runs, skipped


def _read(file: Path) -> Run:
    store = Store.read(file)
    try:
        return _read_tables(store, str(file.parent))
    finally:
        store.close()


def _read_tables(store: Store, name: str) -> Run:
    config = store.config()
    rows = store.query(
        "SELECT t.idx, category, categories, mode, signature, voice, complexity, calls, tools,"
        " spent"
        " FROM (SELECT t.*, sum(CASE WHEN prompt_tokens + completion_tokens > 0"
        " THEN prompt_tokens + completion_tokens ELSE coalesce(length(line), 0) // 4 END)"
        " OVER (ORDER BY t.idx)::BIGINT AS spent"
        " FROM trajectories t LEFT JOIN documents d ON d.idx = t.idx) t LEFT JOIN"
        " (SELECT idx, list(DISTINCT tool ORDER BY tool) AS tools FROM actions GROUP BY idx) a"
        " ON a.idx = t.idx WHERE accepted ORDER BY t.idx"
    )
    totals = store.query(
        "SELECT count(*) AS attempted,"
        " coalesce(sum(prompt_tokens + completion_tokens), 0)::BIGINT AS tokens,"
        " coalesce(avg(complexity) FILTER (accepted), 0) AS complexity FROM trajectories"
    )[0]
    edges = config.get("metrics", {}).get("bins", [])
    return Run(
        name=name,
        config=config,
        attempted=totals["attempted"],
        tokens=totals["tokens"],
        complexity=totals["complexity"],
        tools_known=_tools_known(store),
        domains=[json.loads(row["categories"]) for row in rows],
        modes=[{row["mode"]: 1.0} for row in rows],
        signatures=[{row["signature"]: 1.0} for row in rows],
        voices=[{row["voice"]: 1.0} if row["voice"] else {} for row in rows],
        cells=[{_cell(row, edges): 1.0} for row in rows],
        tools=[dict.fromkeys(row["tools"] or (), 1.0) for row in rows],
        complexities=[row["complexity"] for row in rows],
        spent=[row["spent"] for row in rows],
    )


def _tools_known(store: Store) -> int:
    stored = store.query("SELECT tools FROM clusters")
    return len({tool["name"] for row in stored for tool in json.loads(row["tools"])})


def _cell(row: dict[str, Any], edges: Sequence[float]) -> str:
    per_call = row["complexity"] / row["calls"] if row["calls"] else 0.0
    return f"{row['category']}|{row['mode']}|{bisect_right(edges, per_call)}"
