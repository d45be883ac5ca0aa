"""What there is to do with code: areas, their families and the tools that they offer.

Enters: names of areas and a sandbox. Leaves: a domain for each, and its cluster. A further area is
`calculations`: no task of its own, only Python for figures over what other tools returned.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from tdscaling.coding._families import analysis, files, repair, sql
from tdscaling.coding.task import Task
from tdscaling.declared.definition import DomainFile

Family = Callable[[Random], Task]

CLOCK = "2025-01-01 09:00"
CALCULATIONS = "calculations"
"""The area that the operator `compute` crosses into."""
_NEVER = ("run it", "execute it", "try it")
"""Tool files need words; those of a coding task belong to its question."""


@dataclass(frozen=True, slots=True)
class Area:
    """One area."""

    category: str
    about: str
    tools: tuple[str, ...]
    families: Mapping[str, Family]


AREAS: dict[str, Area] = {
    "data_analysis": Area(
        "data_analysis",
        "A sandbox holds the user's files; answer questions about them by running code.",
        ("run_python", "run_bash"),
        {**analysis.FAMILIES, **files.FAMILIES},
    ),
    "sql_reporting": Area(
        "sql_reporting",
        "A sandbox holds a SQLite database; answer questions about it with queries.",
        ("run_sql", "run_python"),
        sql.FAMILIES,
    ),
    "code_repair": Area(
        "code_repair",
        "A sandbox holds a small Python project; find and mend what its tests complain about.",
        ("run_bash", "run_python", "edit_file"),
        repair.FAMILIES,
    ),
    CALCULATIONS: Area(
        CALCULATIONS,
        "Work figures out by running Python in a sandbox, not in your head.",
        ("run_python",),
        {"figure": lambda random: Task({}, ())},
    ),
}
TASKS = tuple(name for name in AREAS if name != CALCULATIONS)
"""Areas that have tasks of their own."""


def _text(description: str, media: str | None = None) -> dict[str, object]:
    schema: dict[str, object] = {"type": "string", "description": description, "minLength": 1}
    return schema | ({"contentMediaType": media} if media else {})


PYTHON, SHELL, SQL, PLAIN = "text/x-python", "application/x-sh", "application/sql", "text/plain"
WRITTEN = frozenset({PYTHON, SHELL, SQL, PLAIN})
"""Media types of arguments that an assistant writes itself: they need not be said or observed."""

TOOLS: dict[str, dict[str, object]] = {
    "run_python": {
        "description": "Run Python in the workspace. Variables and files are kept between calls; "
        "print what you want to see. Standard library only, no network.",
        "parameters": {"code": _text("Python code.", PYTHON)},
    },
    "run_bash": {
        "description": "Run a bash command in the workspace. Files are kept between calls; no "
        "network.",
        "parameters": {"command": _text("The command line.", SHELL)},
    },
    "run_sql": {
        "description": "Run SQL on the SQLite database data.db. Rows come back as text, a header "
        "first, columns separated by `|`.",
        "parameters": {"query": _text("One or more SQL statements.", SQL)},
    },
    "edit_file": {
        "description": "Replace a text that occurs exactly once in a file of the workspace.",
        "parameters": {
            "path": _text("Path of the file, relative to the workspace."),
            "old": _text("The text to be replaced, with lines around it to be unique.", PLAIN),
            "new": {**_text("The text to put in its place.", PLAIN), "minLength": 0},
        },
    },
}  # fmt: skip


def definition(name: str) -> DomainFile:
    """An area as a domain file."""
    area = AREAS[name]
    words = {"intents": _NEVER, "answers": _NEVER}
    return DomainFile.model_validate(
        {
            "category": area.category,
            "about": area.about,
            "clock": CLOCK,
            "tools": {tool: {**TOOLS[tool], **words} for tool in area.tools},
        }
    )


def worlds(name: str) -> Sequence[str]:
    """Names of an area's families; a world is `family.number`."""
    return sorted(AREAS[name].families)
