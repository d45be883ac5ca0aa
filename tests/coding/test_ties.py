"""Answers are no matter of chance: tables have no ties, or words say who comes first."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from datetime import date
from itertools import pairwise
from pathlib import Path

import yaml

from tdscaling.coding._families.analysis import FAMILIES
from tdscaling.coding._families.repair import KINDS
from tdscaling.coding._families.sql import asked_questions
from tdscaling.coding.areas import AREAS, CLOCK, TASKS
from tdscaling.coding.task import Run, Task
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
