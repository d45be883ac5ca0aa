"""What a coding task is.

Leaves: plain data, made by a family out of a random stream: files, questions in words, the code
that answers them, and what decides whether an answer is right. Nothing of it is believed: code and
hidden solution are both executed before a conversation is planned on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Run:
    """One call of a plan."""

    tool: str
    arguments: Mapping[str, str]
    fails: bool = False
    """Whether it must end in an error: a failing test, a slip that is mended in the next call."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """What decides whether a question was answered; the assistant never sees it."""

    kind: Literal["prints", "rows", "passes", "returns"]
    """`prints`: a Python program that prints what the last call must print.
    `rows`: a query whose result set one of the assistant's queries must have.
    `passes`: a Python program that prints `passed` in the workspace that was left behind.
    `returns`: a Python program that says the same of `outputs` as of the working `files`, see
    `tdscaling/coding/observed.py`."""
    code: str
    ordered: bool = False
    """For `rows`: whether the order of the rows was asked for."""
    outputs: tuple[str, ...] = ()
    """For `passes` and `returns`: files that are taken over from the assistant's workspace."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """For `passes`: files that are put in place for it; for `returns`: those that work."""


@dataclass(frozen=True, slots=True)
class Question:
    """One wish of the user."""

    requests: tuple[str, ...]
    """Ways to put it, at least 3."""
    runs: tuple[Run, ...]
    """Calls that answer it; the last one's output is what the user hears of."""
    slips: tuple[tuple[Run, ...], ...]
    """The same with a mistake made and mended: sequences to take in place of `runs`."""
    hidden: Hidden
    answers: tuple[str, ...]
    """Ways to report it, at least 3. The last call prints lines `label: value`, or a table: `{0}`
    is the first line's value (the table's first cell), `{items}` all lines (rows)."""
    names: bool = False
    """Whether the labels must be told as well."""


@dataclass(frozen=True, slots=True)
class Task:
    """A workspace, and what a user wants to know of it or done in it."""

    files: Mapping[str, bytes]
    questions: tuple[Question, ...]
    """At least 1; each is a user turn."""
