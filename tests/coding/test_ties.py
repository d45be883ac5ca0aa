"""Answers are no matter of chance: tables have no ties, or words say who comes first."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import replace
from datetime import date
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
import yaml

from tdscaling.coding._families._databases import SHOP
from tdscaling.coding._families._tables import THEMES, Table
from tdscaling.coding._families.analysis import FAMILIES, TiedError, top_group
from tdscaling.coding._families.repair import KINDS
from tdscaling.coding._families.sql import _tied, asked_questions
from tdscaling.coding.areas import AREAS, CLOCK, TASKS
from tdscaling.coding.task import Hidden, Run, Task
from tdscaling.roles.assistant.scripted import mends
from tdscaling.schema import Step
from tests.coding.workspaces import CONF, area

SEEDS = 300


def rows(task: Task) -> list[dict[str, str]]:
    ((_, data),) = task.files.items()
    return list(csv.DictReader(io.StringIO(data.decode())))


def found(pattern: str, task: Task, number: int = 0) -> re.Match[str]:
    match = re.search(pattern, task.questions[number].runs[-1].arguments["code"])
    assert match
    return match


def test_the_longest_gap_is_one() -> None:
    for seed in range(SEEDS):
        task = area("data_analysis").task(f"longest_gap.{seed}")
        match = found(r'fromisoformat\(row\["(\w+)"\]\).* if row\["(\w+)"\] == "([^"]+)"', task)
        day, group, wanted = match.groups()
        days = sorted(date.fromisoformat(r[day]) for r in rows(task) if r[group] == wanted)
        gaps = [later - earlier for earlier, later in pairwise(days)]
        assert gaps.count(max(gaps)) == 1, seed


def test_rankings_have_no_ties() -> None:
    for seed in range(SEEDS):
        task = area("data_analysis").task(f"ranking.{seed}")
        group, count = found(r'totals\[row\["(\w+)"\]\] \+= int\(row\["(\w+)"\]', task).groups()
        number = int(found(r"\)\[:(\d)\]", task)[1])
        totals: Counter[str] = Counter()
        for row in rows(task):
            totals[row[group]] += int(row[count])
        first = [value for _, value in totals.most_common(number + 1)]
        assert len(set(first)) == len(first), seed


def test_the_largest_total_is_one_in_exact_numbers() -> None:
    for seed in range(SEEDS):
        task = area("data_analysis").task(f"top_group.{seed}")
        group, measure = found(r'totals\[row\["(\w+)"\]\] = .*float\(row\["(\w+)"\]', task).groups()
        totals: Counter[str] = Counter()
        for row in rows(task):
            totals[row[group]] += Fraction(row[measure])  # type: ignore[assignment]
        (_, first), (_, second) = totals.most_common(2)
        assert first > second, seed


def test_tied_tables_are_not_asked_about() -> None:
    theme = THEMES[0]
    names = (theme.group[0], theme.measure[0])
    columns = (theme.id, theme.date, *names, theme.kind[0], theme.count[0])

    def of(*parts: tuple[str, str]) -> Table:
        made = [{**dict.fromkeys(columns, "1"), **dict(zip(names, p, strict=True))} for p in parts]
        return Table(theme, tuple(made))

    # As floats, 0.10 + 0.20 is more than 0.30.
    with pytest.raises(TiedError):
        top_group(Random(1), of(("A", "0.10"), ("B", "0.30"), ("A", "0.20")))
    top_group(Random(1), of(("A", "0.10"), ("B", "0.31"), ("A", "0.20")))


def test_the_largest_of_nested_lists_is_one_in_exact_numbers() -> None:
    for seed in range(SEEDS):
        task = area("data_analysis").task(f"nested.{seed}")
        ((_, data),) = task.files.items()
        (entries,) = json.loads(data, parse_float=Fraction).values()
        pattern = r'line\["(\w+)"\] \* line\["(\w+)"\] for line in entry\["(\w+)"\]'
        amount, times, inner = found(pattern, task).groups()
        flag, wanted = found(r'if entry\["(\w+)"\] == "(\w+)"', task).groups()
        totals = sorted(sum(line[amount] * line[times] for line in entry[inner])
                        for entry in entries if entry[flag] == wanted)  # fmt: skip
        assert totals[-1] > totals[-2], seed


def test_rows_in_an_order_have_no_ties_where_no_words_decide_them() -> None:
    (asked,) = [a for a in asked_questions() if a.ordered and "LIMIT" not in a.query]
    for seed in range(60):
        task = area("sql_reporting").task(f"{asked.family}.{seed}")
        for question in task.questions:
            if "ROUND(TOTAL(x), 2)" in question.hidden.code:
                with closing(sqlite3.connect(":memory:")) as connection:
                    connection.deserialize(task.files["data.db"])
                    totals = [row[-1] for row in connection.execute(question.hidden.code)]
                assert len(set(totals)) == len(totals) > 1, seed


def test_tied_databases_are_not_asked_about() -> None:
    (asked,) = [a for a in asked_questions() if a.ordered and "LIMIT" not in a.query]
    question = replace(
        area("sql_reporting").task(f"{asked.family}.1").questions[0],
        hidden=Hidden("rows", asked.hidden.replace("{p}", "placed"), ordered=True),
    )
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(SHOP)
        connection.executescript("""
            INSERT INTO product VALUES (1, 'rake', 'garden', 0.1), (2, 'wok', 'kitchen', 0.3),
                                       (3, 'hose', 'garden', 0.2);
            INSERT INTO orders VALUES (7, 1, '2024-01-01', 'placed');
            INSERT INTO order_line VALUES (7, 1, 1), (7, 2, 1), (7, 3, 1);
        """)
        connection.commit()
        assert _tied(connection.serialize(), asked, question)
        connection.execute("UPDATE product SET unit_price = 0.31 WHERE product_id = 2")
        connection.commit()
        assert not _tied(connection.serialize(), asked, question)


def test_queries_that_cut_say_who_comes_first() -> None:
    cut = [asked for asked in asked_questions() if "LIMIT" in asked.query]
    assert {"by_month", "ranking", "dates"} <= {asked.family for asked in cut}
    for asked in cut:
        for text in asked.requests:
            assert re.search(r"\bties?\b", text), text


def test_gaps_are_not_called_days_without_entries() -> None:
    assert "longest_gap" in FAMILIES
    for seed in range(30):
        for text in area("data_analysis").task(f"longest_gap.{seed}").questions[0].requests:
            assert "without" not in text
            assert "consecutive" in text


def test_clock_of_the_sandbox_is_that_of_the_conversation() -> None:
    limits = yaml.safe_load((Path(CONF) / "sandbox" / "_limits.yaml").read_text())
    assert limits["clock"] == CLOCK.replace(" ", "T") + ":00Z"


def step(run: Run) -> Step:
    purpose = "lookup" if run.fails else "goal"
    given = {name: {"text": text} for name, text in run.arguments.items()}
    return Step("d", run.tool, given, 0, 0, purpose, "refused" if run.fails else "ok")


def test_only_code_of_its_own_is_corrected() -> None:
    """A test run that was to fail is no mistake of the assistant's."""
    for kind in KINDS:
        for seed in range(40):
            question = area("code_repair").task(f"{kind.replace(' ', '_')}.{seed}").questions[0]
            for runs in (question.runs, *question.slips):
                assert not any(mends(step(b), step(a)) for a, b in pairwise(runs)), runs
    for name in TASKS:
        for family in () if name == "code_repair" else AREAS[name].families:
            for seed in range(5):
                for slip in area(name).task(f"{family}.{seed}").questions[0].slips:
                    assert mends(step(slip[-1]), step(slip[-2])), slip
