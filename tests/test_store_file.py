"""The ledger's engine: little memory, and more for as long as a query needs it."""

from __future__ import annotations

import random
from pathlib import Path

import duckdb
import pytest

from tdscaling.store_file import connect, rows

LINES, CHARACTERS = 2048, 70_000
"""As many as are decompressed at a time, and so long that they need more than the engine has."""


def test_long_conversations_are_read(tmp_path: Path) -> None:
    chance, file = random.Random(1), tmp_path / "run.duckdb"
    with connect(file, read_only=False) as ledger:
        ledger.execute("CREATE TABLE documents (idx BIGINT, line VARCHAR)")
        for start in range(0, LINES, 128):
            told = [chance.randbytes(CHARACTERS // 2).hex() for _ in range(128)]
            ledger.executemany("INSERT INTO documents VALUES (?, ?)", list(enumerate(told, start)))
    with connect(file, read_only=True) as ledger:
        usual = ledger.execute("SELECT current_setting('memory_limit')").fetchone()
        whole = "SELECT sum(length(line)) AS n FROM documents"
        with pytest.raises(duckdb.OutOfMemoryException):
            ledger.execute(whole).fetchall()
        assert rows(ledger, whole) == [{"n": LINES * CHARACTERS}]
        page = rows(ledger, "SELECT * FROM documents WHERE idx >= ? AND idx < ?", [100, 102])
        assert [(row["idx"], len(row["line"])) for row in page] == [
            (n, CHARACTERS) for n in (100, 101)
        ]
        assert ledger.execute("SELECT current_setting('memory_limit')").fetchone() == usual
