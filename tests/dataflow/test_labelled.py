"""Inferred edges against pairs that people labelled."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from tdscaling.dataflow import infer
from tdscaling.tools.dump import DumpTools

FOLDER = Path(__file__).parent
SURE = 0.75
Pair = tuple[str, str, str, str]


@cache
def truth() -> dict[Pair, dict[str, Any]]:
    rows = map(json.loads, (FOLDER / "labelled.jsonl").read_text().splitlines())
    return {(r["service"], r["producer"], r["consumer"], r["slot"]): r for r in rows}


@cache
def found() -> dict[Pair, float]:
    catalog = DumpTools(paths=[str(FOLDER / "services.jsonl")], services=[]).load()
    assert not catalog.skipped
    return {
        (name, edge.producer, edge.consumer, edge.slot): edge.score
        for name, service in catalog.services.items()
        for edge in infer(service)
    }


def test_labels_are_many_and_of_both_kinds() -> None:
    edges = sum(row["is_edge"] for row in truth().values())
    assert len(truth()) >= 150
    assert len({pair[0] for pair in truth()}) >= 10
    assert edges >= 100
    assert len(truth()) - edges >= 100


def test_labels_name_tools_and_parameters() -> None:
    lines = map(json.loads, (FOLDER / "services.jsonl").read_text().splitlines())
    tools = {(s["server"], t["name"]): t["inputSchema"] for s in lines for t in s["tools"]}
    for service, producer, consumer, slot in truth():
        assert (service, producer) in tools
        assert slot in tools[service, consumer]["properties"]


def test_sure_edges_are_right() -> None:
    """A pair that nobody labelled counts as wrong."""
    sure = [pair for pair, score in found().items() if score >= SURE]
    right = [pair for pair in sure if pair in truth() and truth()[pair]["is_edge"]]
    assert len(right) >= 0.95 * len(sure)


def test_most_edges_are_found() -> None:
    edges = [pair for pair, row in truth().items() if row["is_edge"]]
    assert sum(found().get(pair, 0) >= SURE for pair in edges) >= 0.75 * len(edges)
    assert sum(pair in found() for pair in edges) >= 0.9 * len(edges)
