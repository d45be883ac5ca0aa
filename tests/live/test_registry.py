"""Every server of the registry, installed and called for real.

They are installed once into the checkout's ignored `.cache`; a run in between finds them there.
"""

from __future__ import annotations

import concurrent.futures
import json
from pathlib import Path
from typing import Any

import pytest

from tdscaling.__main__ import main
from tdscaling.live.discover import Discovered, discover, launch
from tdscaling.live.entry import read
from tdscaling.live.registry import registry
from tdscaling.tools._entries import tool
from tests.live_parts import ROOT

HOME = ROOT / ".cache" / "servers"
WORKS: dict[str, set[str]] = {
    "filesystem": {"read_text_file", "write_file", "search_files", "move_file"},
    "git": {"git_status", "git_add", "git_commit", "git_log", "git_create_branch"},
    "kanban": {"new_item", "list_items", "set_status", "add_tag", "delete_item"},
    "memory": {"create_entities", "search_nodes", "read_graph"},
    "retail": {"search", "get_product_details", "add_to_cart", "place_order"},
    "sqlite": {"read_query", "write_query", "list_tables", "describe_table"},
    "taskmanager": {"list_requests", "get_next_task", "mark_task_done", "request_planning"},
    "time": {"get_current_time", "convert_time"},
}
WRITES = {
    "filesystem": "write_file", "git": "git_commit", "kanban": "new_item",
    "memory": "create_entities", "retail": "add_to_cart", "sqlite": "write_query",
    "taskmanager": "request_planning",
}  # fmt: skip
FLOW = {
    "filesystem": ("search_files", "read_text_file"),
    "kanban": ("list_items", "set_status"),
    "retail": ("search", "add_to_cart"),
    "sqlite": ("list_tables", "describe_table"),
    "taskmanager": ("list_requests", "get_next_task"),
}


@pytest.fixture(scope="module")
def installed() -> Path:
    names = sorted(registry())
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        done = pool.map(lambda name: _install(name), names)
    assert not [name for name, code in zip(names, done, strict=True) if code]
    return HOME


def _install(name: str) -> int:
    from rich.console import Console

    from tdscaling.servers import _installed

    return int(not _installed(Console(quiet=True), read(registry()[name]), HOME))


@pytest.fixture(scope="module")
def found(installed: Path) -> dict[str, Discovered]:
    return {
        name: discover(launch(read(path), installed, 0), tool) for name, path in registry().items()
    }


def test_the_registry_is_known_here() -> None:
    assert registry().keys() == WORKS.keys()


@pytest.mark.parametrize("name", sorted(WORKS))
def test_its_tools_work_and_repeat(found: dict[str, Discovered], name: str) -> None:
    one = found[name]
    assert WORKS[name] <= one.domain.tools.keys(), one.skipped
    # Whatever says something else each time cannot be part of a conversation that repeats.
    assert not [why for _, why in one.skipped if "something else each time" in why]
    writing = {spec.name for spec in one.domain.tools.values() if spec.writes}
    assert WRITES.get(name) in writing | {None}
    flow = {(edge.producer, edge.consumer) for edge in one.domain.edges}
    assert name not in FLOW or FLOW[name] in flow


def test_a_run_over_two_of_them(installed: Path, tmp_path: Path) -> None:
    words = (
        "tools=mcp", "tools.servers=[kanban,time]", f"tools.home={installed}",
        "blueprints.worlds=2", "budget.trajectories=2", "round_size=4", "coding.share=0",
        "sandbox=none", "execution=inline", f"hydra.run.dir={tmp_path}",
    )  # fmt: skip
    assert main([*words]) == 0
    lines = (tmp_path / "dataset" / "train.jsonl").read_text().splitlines()
    found: list[dict[str, Any]] = [json.loads(line) for line in lines]
    assert len(found) >= 2
    assert all(set(line["meta"]["provenance"]) <= {"executed", "injected"} for line in found)
