"""What is made in several threads at a time, from caches that none of them has filled yet."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from random import Random
from threading import Barrier
from typing import Any

import pytest

from tdscaling.coding._families import _snippets, repair, sql
from tdscaling.coding.areas import AREAS, CLOCK
from tdscaling.declared.rows import Generators

THREADS = 16


@pytest.fixture(autouse=True)
def often() -> Iterator[None]:
    """Threads take turns after a microsecond instead of five thousand."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def at_once(make: Callable[[str], Any], names: list[str]) -> dict[str, Any]:
    """What each name is made into, all threads starting at the same moment."""
    start = Barrier(THREADS)

    def chunk(first: int) -> list[tuple[str, Any]]:
        start.wait()
        return [(name, make(name)) for name in names[first::THREADS]]

    with ThreadPoolExecutor(THREADS) as threads:
        return {name: made for part in threads.map(chunk, range(THREADS)) for name, made in part}


def emptied() -> None:
    for cache in (sql.asked_questions, _snippets._wording, repair._modules):
        cache.cache_clear()


@pytest.mark.parametrize("area", ["sql_reporting", "code_repair", "data_analysis"])
def test_tasks_do_not_depend_on_who_comes_first(area: str) -> None:
    families = AREAS[area].families
    names = [f"{family}.{n}" for family in sorted(families) for n in range(300 // len(families))]

    def make(name: str) -> object:
        return families[name.partition(".")[0]](Random(f"{area}:{name}:task"))

    emptied()
    made = at_once(make, names)
    assert made == {name: make(name) for name in names}


@pytest.mark.parametrize("spec", ["person", "address", "company", "sentence"])
def test_rows_do_not_depend_on_other_threads(spec: str) -> None:
    def make(seed: str) -> list[Any]:
        generators = Generators(seed, CLOCK, None)
        return [generators.draw(spec, {}) for _ in range(40)]

    seeds = [str(n) for n in range(64)]
    assert at_once(make, seeds) == {seed: make(seed) for seed in seeds}
