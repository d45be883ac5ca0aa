"""What a run left behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb


def lines(folder: Path) -> list[dict[str, Any]]:
    text = (folder / "dataset" / "train.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def rows(folder: Path, query: str, *values: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(folder / "run.duckdb"), read_only=True) as ledger:
        return ledger.execute(query, values).fetchall()
