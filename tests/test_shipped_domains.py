"""What every shipped domain keeps to, and what they cover together."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from tdscaling.catalog import Catalog
from tdscaling.clusters.dataflow import DataFlowClusters
from tdscaling.declared.compile import open_schema
from tdscaling.declared.domain import Domain
from tdscaling.declared.load import load, rule_problems
from tdscaling.declared.world import World
from tdscaling.tools.declared import SHIPPED

FILES = sorted(SHIPPED.glob("*.yaml"))
each = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


@cache
def domain(path: Path) -> Domain:
    return load(path)


@each
def test_size(path: Path) -> None:
    assert len(domain(path).tools) >= 8
    assert len(domain(path).tables) >= 3
    assert any(tool.writes for tool in domain(path).tools.values())
    assert any(not tool.writes for tool in domain(path).tools.values())


@each
def test_every_rule_can_refuse(path: Path) -> None:
    assert list(rule_problems(domain(path))) == []


@each
def test_tables_refer_to_each_other(path: Path) -> None:
    connection = open_schema(domain(path).file.tables)
    found = [
        target
        for table in domain(path).tables
        for (target,) in connection.execute(
            'SELECT "table" FROM pragma_foreign_key_list(?)', (table,)
        )
    ]
    connection.close()
    assert found


@each
def test_status_machine_is_moved_by_a_tool_and_seeded_in_several_states(path: Path) -> None:
    found = domain(path)
    assert len(found.statuses) >= 2
    updates = [e for tool in found.tools.values() for e in tool.file.effects]
    moved = [e for e in updates if any(f"'{status}'" in e for status in found.statuses)]
    assert moved
    world = World(found, "1")
    seeded = {value for rows in world.tables.values() for row in rows for value in row}
    assert len(seeded & found.statuses) >= 2


@each
def test_all_tools_are_one_cluster(path: Path) -> None:
    (cluster,) = DataFlowClusters(min_tools=1).build(Catalog({}, {path.stem: domain(path)}))
    assert len(cluster.tools) == len(domain(path).tools)


@each
def test_words(path: Path) -> None:
    for tool in domain(path).tools.values():
        for intent in (*tool.file.intents, *tool.file.context):
            assert not any(
                re.search(rf"\b{name}\b", intent) for name in domain(path).tools if "_" in name
            ), f"{intent!r} names a tool"
        for answer in tool.file.answers:
            assert "?" not in answer, f"{answer!r} asks instead of answering"
        assert len(set(tool.file.intents)) == len(tool.file.intents)


@each
def test_rows_are_the_same_for_the_same_seed(path: Path) -> None:
    assert World(domain(path), "7").tables == World(domain(path), "7").tables


def test_breadth() -> None:
    found = [domain(path) for path in FILES]
    assert len(found) >= 20
    assert len({one.file.category for one in found}) >= 16


def test_no_two_domains_have_a_tool_of_the_same_name() -> None:
    names = Counter(name for path in FILES for name in domain(path).tools)
    assert [name for name, count in names.items() if count > 1] == []


def test_every_domain_can_be_crossed() -> None:
    clusters = DataFlowClusters(min_tools=1).build(
        Catalog({}, {path.stem: domain(path) for path in FILES})
    )
    assert [cluster.domain for cluster in clusters if not cluster.partners] == []


def test_a_rental_that_is_over_is_not_said_to_be_due() -> None:
    tools = domain(SHIPPED / "car_rental.yaml").tools
    assert not any("due" in text for text in tools["get_rental_reservation"].file.answers)
    rules = tools["cancel_car_reservation"].file.requires
    about = [rule.error for rule in rules if "<> 'returned'" in rule.check]
    assert about == ["the car of reservation {reservation_id} came back before"]


def test_a_hold_that_waits_for_nobody_has_no_place_in_the_queue() -> None:
    session = World(domain(SHIPPED / "library.yaml"), "1").open()
    held = session.table("SELECT hold_id, hold_status FROM hold ORDER BY hold_id")
    assert {status for _, status in held} > {"queued"}
    for hold, status in held:
        (row,) = session.execute("get_hold", {"hold_id": hold}).rows
        assert (row["queue_position"] == "none") == (status != "queued")
