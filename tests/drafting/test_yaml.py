"""Drafts as files: they read like written ones, and come back as they were."""

from __future__ import annotations

from pathlib import Path

import pytest

from tdscaling.catalog import Skipped
from tdscaling.declared.load import load
from tdscaling.drafting import sketch, written
from tdscaling.schema import Cluster
from tests.schemas import tracker, weather


@pytest.mark.parametrize("of", [tracker(), weather()], ids=["tracker", "weather"])
def test_round_trip(of: Cluster, tmp_path: Path) -> None:
    made, domain = sketch(of)
    path = tmp_path / f"{of.domain}.yaml"
    path.write_text(written(made.file, "t", made.left_out, "r"), encoding="utf-8")
    again = load(path)
    assert again.file == domain.file
    assert again.digest == domain.digest
    assert again.provenance == "simulated"


def test_it_reads_well() -> None:
    made, _ = sketch(tracker())
    text = written(made.file, "Tracker", [Skipped("x.y", "it is\n odd: # {}")], "no model")
    lines = text.splitlines()
    assert lines[0] == "# Drafted from the schemas of Tracker; no model."
    assert "# Left out: x.y: it is odd:" in text
    assert "tables: |-" in lines
    assert '  CREATE TABLE "task" (' in lines
    assert max(map(len, lines)) < 500
    assert "&id" not in text
    assert "\\n" not in text
