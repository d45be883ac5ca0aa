"""What ordinary snippets do works in spite of all limits, on both backends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tdscaling.sandbox._sandbox import PooledSandbox
from tests.sandbox.parts import bubblewrap_sandbox

PROGRAMS = {
    "an event loop": ("python", "import asyncio\nasyncio.run(asyncio.sleep(0.01, 'slept'))"),
    "a program of its own": (
        "bash", "printf '#!/bin/bash\\necho ran\\n' > own && chmod +x own && ./own",
    ),
    "child processes": (
        "python", "import subprocess\nsubprocess.run(['echo', 'x'], capture_output=True).stdout",
    ),
    "parallel processes": (
        "python",
        "import multiprocessing as m\n"
        "with m.get_context('fork').Pool(2) as pool:\n    print(pool.map(abs, [-1, -2]))",
    ),
    "threads": (
        "python",
        "from concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(4) as pool:\n    print(sum(pool.map(abs, range(9))))",
    ),
    "temporary files": ("python", "import tempfile\ntempfile.NamedTemporaryFile().write(b'x')"),
    "a pipeline": ("bash", "seq 9 | sort -rn | awk '{s += $1} END {print s}' | tee out | wc -l"),
    "a named pipe": ("bash", "mkfifo p; (echo through > p &) ; cat p"),
    "process substitution": ("bash", "diff <(echo a) <(echo a) && echo same"),
    "archives": ("bash", "mkdir d && echo x > d/f && tar czf d.tgz d && tar tzf d.tgz | wc -l"),
    "copies": ("bash", "echo x > f; cp -a f g; mv g h; ln -s h i; cat i; touch -d 2020-01-01 f"),
    "SQLite's shell": ("bash", "sqlite3 data.db 'CREATE TABLE t(a); SELECT count(*) FROM t'"),
    "a trigger in SQL": (
        "sql",
        "CREATE TABLE t (a); CREATE TABLE log (n);\n"
        "CREATE TRIGGER w AFTER INSERT ON t BEGIN INSERT INTO log VALUES (1); SELECT 2; END;\n"
        "INSERT INTO t VALUES (1); SELECT count(*) FROM log;",
    ),
    "data classes that are pickled": (
        "python",
        "import dataclasses, datetime, pickle\n@dataclasses.dataclass\nclass A:\n    x: object\n"
        "pickle.loads(pickle.dumps(A(datetime.datetime.now()))).x.year",
    ),
    "dates": (
        "python",
        "from datetime import date, datetime, timedelta, timezone\n"
        "class Mine(datetime): pass\n"
        "assert isinstance(Mine.now(), Mine) and not isinstance(datetime.now(), Mine)\n"
        "assert isinstance(date.today(), date) and not isinstance(date.today(), datetime)\n"
        "assert datetime.now(timezone.utc).tzinfo and date.today() + timedelta(1) > date.today()\n"
        "datetime.fromisoformat('2026-01-02T03:04:05').isoformat()",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_runs(sandbox: PooledSandbox, name: str) -> None:
    language: Any
    language, code = PROGRAMS[name]
    with sandbox.open("7") as session:
        result = session.run(code, language)
    assert (result.status, result.exit_code, result.stderr) == ("ok", 0, "")
    assert result.stdout


def test_example_of_the_docs_runs(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    docs = Path(__file__).resolve().parents[2] / "docs" / "sandbox.md"
    code = docs.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    assert ".bubblewrap\n" in code
    bubblewrap_sandbox(cache).image()
    names: dict[str, Any] = {}
    exec(code.replace(".bubblewrap\n", f".bubblewrap\nconfig.cache = {str(cache)!r}\n"), names)
    assert capsys.readouterr().out.strip() == "ok 0 55"


def test_bash_that_waited_is_like_one_that_did_not(sandbox: PooledSandbox) -> None:
    look = 'echo "$SECONDS $RANDOM $- $0 $LINENO $REPLY"; env | sort; ls /proc/self/fd; bash -c env'
    with sandbox.open("7") as session:
        found = []
        for before in ("python", "bash", "bash", "sql"):
            session.run({"python": "1", "bash": "true", "sql": "SELECT 1"}[before], before)
            result = session.run(look, "bash")
            assert result.status == "ok", result
            found.append(result.stdout)
    assert "BASH_ENV" in found[0]
    assert "WAIT" not in found[0]
    assert found == [found[0]] * 4


def test_bash_that_waits_reads_nothing_planted(sandbox: PooledSandbox) -> None:
    plant = "echo 'echo planted | tee -a /workspace/left' > /opt/tdscaling/bashrc"
    with sandbox.open("8") as session:
        session.run(plant, "bash")
        assert session.run("cat left", "bash").stdout == ""
        session.run(plant, "bash")
        assert "FileNotFoundError" in session.run("open('left')", "python", mode="fork").stderr
