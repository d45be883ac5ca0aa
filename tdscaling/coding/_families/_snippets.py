"""Pieces of code that the families put together.

Leaves: ways to read files, hidden solutions that go another way than the code they check, slips
that people make and Python or SQLite refuses.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

import yaml

from tdscaling.coding.task import Hidden, Run

_SOLUTION = """
import csv, json, sqlite3
db = sqlite3.connect(":memory:")
for table, file in {files}:
    with open(file, newline="", encoding="utf-8") as text:
        rows = json.load(text) if file.endswith(".json") else list(csv.DictReader(text))
    names = list(rows[0])
    db.execute(f"CREATE TABLE {{table}} (" + ", ".join(f'"{{name}}"' for name in names) + ")")
    db.executemany(f"INSERT INTO {{table}} VALUES (" + ",".join("?" * len(names)) + ")",
                   [[row[name] for name in names] for row in rows])
for label, value in db.execute({query}):
    print(f"{{label}}: {{value:.2f}}" if isinstance(value, float) else f"{{label}}: {{value}}")
"""


@dataclass(frozen=True, slots=True)
class Words:
    """How a question is asked and reported."""

    requests: tuple[str, ...]
    answers: tuple[str, ...]


@cache
def _wording(file: str) -> dict[str, dict[str, list[str]]]:
    path = Path(__file__).parent.parent / "wording" / f"{file}.yaml"
    found: dict[str, dict[str, list[str]]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def words(family: str, area: str = "data_analysis", /, **names: object) -> Words:
    """The words of a family, names filled in."""
    held = _wording(area)[family]
    requests, answers = (
        tuple(text.format(**names) for text in held[kind]) for kind in ("requests", "answers")
    )
    return Words(requests, answers)


def solved_by(query: str, files: Sequence[tuple[str, str]]) -> Hidden:
    """A hidden solution in SQL over files of flat rows; the query yields label and value."""
    return Hidden("prints", _SOLUTION.format(files=list(files), query=json.dumps(query)).strip())


def python(code: str, *, fails: bool = False) -> Run:
    """A call of `run_python`."""
    return Run("run_python", {"code": code.strip("\n") + "\n"}, fails)


def bash(command: str, *, fails: bool = False) -> Run:
    """A call of `run_bash`."""
    return Run("run_bash", {"command": command}, fails)


def look(random: Random, file: str) -> tuple[Run, ...]:
    """How somebody looks at a file before computing over it; sometimes not at all."""
    ways = (
        bash(f"head -n {random.randint(3, 6)} {file}"),
        bash(f"ls && head -n 3 {file}"),
        bash(f"wc -l {file} && head -n {random.randint(2, 4)} {file}"),
        python(f"with open({file!r}) as text:\n    for _ in range(3):\n        print(next(text))"),
    )
    return (random.choice(ways),) if random.random() < 0.75 else ()


def rows_of(random: Random, file: str) -> str:
    """Code that reads a CSV file into `rows`, in one of several styles."""
    return random.choice(
        (
            f'import csv\n\nwith open("{file}", newline="") as handle:\n'
            "    rows = list(csv.DictReader(handle))\n",
            "import csv\nfrom pathlib import Path\n\n"
            f'rows = list(csv.DictReader(Path("{file}").read_text().splitlines()))\n',
            f'import csv\n\nrows = []\nwith open("{file}", encoding="utf-8") as source:\n'
            "    for record in csv.DictReader(source):\n        rows.append(record)\n",
        )
    )


def slips_of(
    before: tuple[Run, ...], code: str, *changes: tuple[str, str]
) -> tuple[tuple[Run, ...], ...]:
    """Calls with one thing wrong, read and mended: a sequence per change that applies."""
    return tuple(
        (*before, python(code.replace(right, wrong), fails=True), python(code))
        for right, wrong in changes
        if code.replace(right, wrong) != code
    )
