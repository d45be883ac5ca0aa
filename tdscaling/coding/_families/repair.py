"""Bugs to be found and mended.

A family is a kind of bug. The workspace holds a module with one bug and its tests, of which one
fails; hidden tests ask for more and decide. Names vary, so that the same module is seldom the same
text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from textwrap import indent

import yaml

from tdscaling.coding import observed
from tdscaling.coding._families._snippets import bash
from tdscaling.coding.mutate import Mutation, mutations
from tdscaling.coding.task import Hidden, Question, Run, Task

FOLDER = Path(__file__).parent.parent / "modules"
_TESTS = """import unittest
from datetime import date

import {module} as m


class {name}(unittest.TestCase):
{body}

if __name__ == "__main__":
    unittest.main()
"""


@dataclass(frozen=True, slots=True)
class Module:
    """A working module and its tests."""

    name: str
    about: str
    """What it does, after `which`."""
    source: str
    tests: str
    hidden: str


@cache
def _modules() -> tuple[Mapping[str, object], ...]:
    return tuple(yaml.safe_load(path.read_text("utf-8")) | {"name": path.stem}
                 for path in sorted(FOLDER.glob("*.yaml")))  # fmt: skip


def module(random: Random) -> Module:
    """One of the modules, under names of its own."""
    file = random.choice(_modules())
    names = {old: random.choice(new) for old, new in file["names"].items()}  # type: ignore[attr-defined]
    pattern = re.compile(rf"\b({'|'.join(names)})\b")

    def renamed(text: object) -> str:
        return pattern.sub(lambda found: names[found[0]], str(text))

    texts = {key: renamed(file[key]) for key in ("source", "tests", "hidden")}
    return Module(names[str(file["name"])], str(file["about"]), **texts)


def edit_between(before: str, after: str) -> tuple[str, str]:
    """The lines that differ, with as many around as make them unique in `before`."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    while True:
        was, now = old[start : len(old) - end], new[start : len(new) - end]
        text = "".join(was)
        if text.strip() and before.count(text) == 1:
            return text, "".join(now)
        start, end = max(0, start - 1), max(0, end - 1)


def _edit(path: str, before: str, after: str) -> Run:
    old, new = edit_between(before, after)
    return Run("edit_file", {"path": path, "old": old, "new": new})


def _look(random: Random, path: str, function: str) -> Run:
    return random.choice(
        (bash(f"cat {path}"), bash(f"cat -n {path}"), bash(f"grep -n 'def ' {path} && cat {path}"),
         bash(f"grep -n -A 14 'def {function}' {path} && cat {path}"))
    )  # fmt: skip


def repaired(random: Random, one: Module, bug: Mutation) -> Task:
    """The task of mending one bug."""
    path, broken = f"{one.name}.py", bug.applied(one.source)
    tests = f"test_{one.name}.py"
    run = random.choice(
        ("python3 -m unittest", f"python3 {tests}", f"python3 -m unittest {tests[:-3]}")
    )
    failing, passing = bash(run, fails=True), bash(run)
    look = _look(random, path, bug.function)
    mend = _edit(path, broken, one.source)
    slips = []
    for other in bug.others:
        tried = bug.applied(one.source, other)
        wrong, right = _edit(path, broken, tried), _edit(path, tried, one.source)
        slips.append((failing, look, wrong, failing, right, passing))
    body = indent(one.tests, "    ")
    hidden = observed.program(one.name, body, indent(one.hidden, "    "))
    name = one.name.title().replace("_", "")
    words = {"path": path, "tests": tests, "function": bug.function, "about": one.about}
    question = Question(
        requests=tuple(text.format(**words) for text in _REQUESTS),
        runs=(failing, look, mend, passing),
        slips=tuple(slips),
        hidden=Hidden("returns", hidden, outputs=(path,), files={path: one.source.encode()}),
        answers=tuple(text.format(**words) for text in _ANSWERS),
    )
    files = {path: broken, tests: _TESTS.format(module=one.name, name=f"{name}Test", body=body)}
    return Task({file: text.encode() for file, text in files.items()}, (question,))


_REQUESTS = (
    "The tests in {tests} fail. Please find the bug in {path} and fix it.",
    "{path}, which {about}, has a bug: running {tests} shows a failure. Can you repair {path} "
    "without touching the tests?",
    "Something is wrong in {path}. {tests} used to pass; make it pass again by mending {path}.",
    "I broke {path} with my last change. Please look at what {tests} says and repair it.",
)
_ANSWERS = (
    "I found the bug in `{function}` of {path} and fixed it; the tests pass now.",
    "The mistake was in `{function}` in {path}. It is mended, and {tests} passes.",
    "{path} is repaired: `{function}` was wrong. All tests of {tests} pass again.",
    "Done. `{function}` in {path} had the bug; after the change the whole of {tests} passes.",
)


def _family(kind: str) -> Callable[[Random], Task]:
    def make(random: Random) -> Task:
        while True:  # every kind occurs in several modules
            one = module(random)
            bugs = [bug for bug in mutations(one.source) if bug.kind == kind]
            if bugs:
                return repaired(random, one, random.choice(bugs))

    return make


KINDS = ("comparison", "operator", "off by one", "swapped arguments", "missing branch",
         "missing statement")  # fmt: skip
FAMILIES: dict[str, Callable[[Random], Task]] = {
    kind.replace(" ", "_"): _family(kind) for kind in KINDS
}
