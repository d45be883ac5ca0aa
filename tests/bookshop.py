"""The domains of `tests/fixtures/domains`, and copies of them with something changed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tdscaling.declared.domain import Domain
from tdscaling.declared.load import load
from tdscaling.declared.world import SqlSession, World

FOLDER = Path(__file__).parent / "fixtures" / "domains"
BOOKSHOP = FOLDER / "bookshop.yaml"


@cache
def bookshop() -> Domain:
    return load(BOOKSHOP)


@cache
def desk() -> Domain:
    return load(FOLDER / "desk.yaml")


def session(seed: str = "1") -> SqlSession:
    return World(bookshop(), seed).open()


def changed(folder: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """A copy of the bookshop's file after `change` was called with its data."""
    data = yaml.safe_load(BOOKSHOP.read_text(encoding="utf-8"))
    change(data)
    path = folder / "bookshop.yaml"
    path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    return path


def some(state: SqlSession, query: str) -> Any:
    """First value of the first row of a query."""
    return state.table(query)[0][0]
