"""Questions to a database, in SQL.

A family is a form of query (join and group, anti-join, ranking, having, dates, shares), asked of
one of several databases. The hidden query goes another way; what counts is the set of rows, and
their order only where the question names one.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from random import Random

import yaml

from tdscaling.coding._families import _databases as db
from tdscaling.coding.task import Hidden, Question, Run, Task

SECOND_SHARE = 0.35
"""Probability of a second question to the same database."""
DATABASE = "data.db"
"""File that SQL runs on."""
SCHEMA = "SELECT sql FROM sqlite_master WHERE type = 'table'"
_MAKE = {"shop": db.shop, "library": db.library, "staff": db.staff}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to one database, see `wording/sql_reporting.yaml`; `{p}` is its parameter."""

    database: str
    family: str
    options: tuple[str, ...]
    query: str
    hidden: str
    wrong: tuple[tuple[str, str], ...]
    requests: tuple[str, ...]
    answers: tuple[str, ...]
    ordered: bool = False


@cache
def asked_questions() -> tuple[Asked, ...]:
    """All questions."""
    path = Path(__file__).parent.parent / "wording" / "sql_reporting.yaml"
    several = ("options", "wrong", "requests", "answers")
    return tuple(
        Asked(**entry | {key: tuple(entry[key]) for key in several})
        for entry in yaml.safe_load(path.read_text(encoding="utf-8"))
    )  # fmt: skip


def query_run(query: str, *, fails: bool = False) -> Run:
    """A call of `run_sql`."""
    return Run("run_sql", {"query": query}, fails)


def _question(random: Random, asked: Asked, *, first: bool) -> Question:
    value = random.choice(asked.options)

    def filled(text: str) -> str:
        return text.replace("{p}", value)

    gold = filled(asked.query)
    look = (query_run(SCHEMA),) if first else ()
    file = f"the {asked.database} database"
    opening = random.choice((f"In {file}: ", f"From {file}: ", f"A question on {file}. "))
    return Question(
        requests=tuple(opening + filled(text) for text in asked.requests),
        runs=(*look, query_run(gold)),
        slips=tuple(
            (*look, query_run(gold.replace(right, wrong), fails=True), query_run(gold))
            for right, wrong in asked.wrong
        ),
        hidden=Hidden("rows", filled(asked.hidden), ordered=asked.ordered),
        answers=tuple(filled(text) for text in asked.answers),
    )


def _tied(data: bytes, asked: Asked, question: Question) -> bool:
    """Whether rows that are asked for in an order share what orders them: their last column."""
    if not asked.ordered or "LIMIT" in asked.query:  # then the words say who comes first
        return False
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        connection.deserialize(data)
        keys = [row[-1] for row in connection.execute(question.hidden.code)]
    return len(set(keys)) < len(keys)


def _family(name: str) -> Callable[[Random], Task]:
    def make(random: Random) -> Task:
        members = [asked for asked in asked_questions() if asked.family == name]
        while True:  # few databases have ties
            chosen = [random.choice(members)]
            data = _MAKE[chosen[0].database](random)
            questions = [_question(random, chosen[0], first=True)]
            if random.random() < SECOND_SHARE:
                others = [
                    a
                    for a in asked_questions()
                    # Equal, not the same: threads that fill the cache at once have one each.
                    if a.database == chosen[0].database and a != chosen[0]
                ]
                chosen.append(random.choice(others))
                questions.append(_question(random, chosen[1], first=False))
            if not any(map(partial(_tied, data), chosen, questions)):
                return Task({DATABASE: data}, tuple(questions))

    return make


FAMILIES: dict[str, Callable[[Random], Task]] = {
    name: _family(name)
    for name in ("anti_join", "by_month", "dates", "having", "join_group", "ranking", "share")
}
