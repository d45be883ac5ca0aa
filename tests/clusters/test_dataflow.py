"""Clusters are the connected parts of the data-flow graph; partners share a kind of value."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tdscaling.catalog import Catalog
from tdscaling.clusters.dataflow import DataFlowClusters
from tdscaling.declared.domain import Domain
from tdscaling.declared.load import load
from tdscaling.errors import DomainError
from tdscaling.schema import Cluster
from tests.bookshop import bookshop, changed, desk

BOTH = {"bookshop": bookshop(), "desk": desk()}


def build(min_tools: int, domains: dict[str, Domain]) -> tuple[Cluster, ...]:
    return DataFlowClusters(min_tools=min_tools).build(Catalog({}, domains))


def test_one_cluster_of_tied_tools() -> None:
    (cluster,) = build(3, BOTH)
    assert cluster.domain == "bookshop"
    assert cluster.category == "retail"
    assert [tool.name for tool in cluster.tools] == list(bookshop().tools)
    assert cluster.edges == bookshop().edges


def test_parts_that_nothing_ties_are_apart(tmp_path: Path) -> None:
    def change(data: dict[str, Any]) -> None:
        search = data["tools"]["search_books"]
        search["returns"] = "SELECT title, price FROM book WHERE title = :title ORDER BY price"
        search["item"], search["tell"] = "{price}", ["price"]

    domain = load(changed(tmp_path, change))
    large, small = build(1, {"bookshop": domain})
    assert len(large.tools) == 3
    assert [tool.name for tool in small.tools] == ["search_books"]
    assert small.edges == ()
    assert large.id != small.id
    assert [len(c.tools) for c in build(2, {"bookshop": domain})] == [3]


def test_partners_share_a_kind_of_value() -> None:
    partners = {cluster.domain: cluster.partners for cluster in build(1, BOTH)}
    # An order returns its buyer, a person; tickets are looked up by person and return none.
    assert partners == {"bookshop": ("desk",), "desk": ()}


def test_domains_with_a_tool_of_the_same_name_are_no_partners() -> None:
    (cluster,) = build(3, {"bookshop": bookshop(), "copy": load_as("copy")})[:1]
    assert cluster.partners == ()


def load_as(name: str) -> Domain:
    from dataclasses import replace

    return replace(bookshop(), name=name)


def test_id_follows_the_content(tmp_path: Path) -> None:
    other = load(changed(tmp_path, lambda data: data.update(about="Another shop.")))
    assert build(3, {"bookshop": other})[0].id != build(3, BOTH)[0].id
    assert build(3, {"bookshop": bookshop()})[0].id == build(3, BOTH)[0].id


def test_no_part_is_large_enough() -> None:
    with pytest.raises(
        DomainError, match=r"5 tools tied by data-flow.*clusters\.min_tools=(\d)"
    ) as no:
        build(5, BOTH)
    largest = re.findall(r"min_tools=(\d)", str(no.value))[0]
    assert build(int(largest), BOTH)
