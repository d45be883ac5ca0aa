"""Surroundings that every test shares: no tracing, no proxy for local servers, no display."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]
LONG = 300

os.environ["LANGSMITH_TRACING"] = "false"
os.environ["MPLBACKEND"] = "Agg"
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"
for key in list(os.environ):
    if key in ("OPENAI_API_KEY", "OPENAI_BASE_URL") or key.startswith("OTEL_"):
        del os.environ[key]

# A shared machine is slow at times; an example that takes long is no defect.
settings.register_profile("tdscaling", deadline=None)
settings.load_profile("tdscaling")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the files that come near the limit of `test_tree.py`."""
    for folder in ("tdscaling", "graphs", "tests", "benchmarks"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            lines = len(path.read_text(encoding="utf-8").splitlines())
            if lines > LONG:
                terminalreporter.write_line(f"long: {path.relative_to(ROOT)} has {lines} lines")
