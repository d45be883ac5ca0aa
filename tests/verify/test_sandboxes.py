"""What is said of sandboxes other than the one here."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from tdscaling.verify import SHOWN_SANDBOXES, Report
from tdscaling.verify._line import Checked


@pytest.mark.parametrize("more", [0, 2])
def test_those_that_are_not_shown_are_counted(
    more: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text("{}\n")
    report = Report(path, Console(soft_wrap=True, highlight=False))
    for n in range(SHOWN_SANDBOXES + more):
        report.take(Checked(n, 1, f"line {n}", f"b{n}", None, f"c{n}", elsewhere=f"image {n}"))
    assert report.close() == 0
    said = capsys.readouterr().out
    assert said.count("ran in another sandbox") == SHOWN_SANDBOXES
    assert ("... and in 2 more sandboxes that differ from the one here" in said) == (more == 2)
