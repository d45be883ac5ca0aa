"""Sessions: state, languages, files, bad input, determinism and event loops, on both backends."""

from __future__ import annotations

import asyncio
import pickle
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tdscaling.errors import ConfigError, SandboxError
from tdscaling.sandbox import LANGUAGES, Mode, Session
from tdscaling.sandbox._limits import Limits
from tdscaling.sandbox._sandbox import PooledSandbox
from tests.sandbox.parts import LIMITS

MODES: tuple[Mode, ...] = ("notebook", "fork", "fresh")


@pytest.fixture
def session(sandbox: PooledSandbox) -> Iterator[Session]:
    with sandbox.open("7") as opened:
        yield opened


def said(session: Session, code: str, language: Any = "python", **more: Any) -> str:
    result = session.run(code, language, **more)
    assert (result.status, result.exit_code) == ("ok", 0), result
    return result.stdout


def test_python_keeps_its_variables_and_shows_a_last_value(session: Session) -> None:
    assert said(session, "import math\nx = 20") == ""
    assert said(session, "def twice(n):\n    return 2 * n\ntwice(x) + 2") == "42\n"
    assert said(session, "print(x, math.pi > 3, __name__)") == "20 True __main__\n"


def test_other_modes_see_files_but_no_variables(session: Session) -> None:
    said(session, "x = 1\nopen('a.txt', 'w').write('kept')")
    for mode in ("fork", "fresh"):
        assert said(session, "print(open('a.txt').read(), 'x' in globals())", mode=mode) == (
            "kept False\n"
        )
    assert said(session, "print(x)") == "1\n"


def test_bash_keeps_files_and_starts_in_the_workspace(session: Session) -> None:
    said(session, "mkdir -p d && cd d && y=1 && echo hello > f", "bash")
    assert said(session, 'pwd; echo "y=$y"; cat d/f', "bash") == "/workspace\ny=\nhello\n"


def test_sql_keeps_its_database_and_shows_rows(session: Session) -> None:
    said(session, "CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 'x;y'), (NULL, x'00ff')", "sql")
    assert said(session, "SELECT * FROM t; SELECT count(*) AS n FROM t;", "sql") == (
        "a|b\n1|x;y\nNULL|x'00ff'\nn\n2\n"
    )
    python = (
        "import sqlite3; print(sqlite3.connect('data.db').execute('select a from t').fetchone())"
    )
    assert said(session, python) == "(1,)\n"
    bad = session.run("SELECT * FROM nowhere", "sql")
    assert (bad.exit_code, bad.stderr) == (1, "Error: no such table: nowhere\n")


def test_traceback_starts_at_the_snippet(session: Session) -> None:
    result = session.run("def f():\n    return 1 / 0\nf()", "python")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[:3] == [
        "Traceback (most recent call last):",
        '  File "<snippet>", line 3, in <module>',
        "    f()",
    ]
    assert session.run("if", "python").stderr.rstrip().endswith("SyntaxError: invalid syntax")


@pytest.mark.parametrize(
    ("code", "expected"),
    [("raise SystemExit(3)", 3), ("exit(4)", 4), ("import os; os._exit(5)", 5),
     ("import os; os.kill(os.getpid(), 9)", 137), ("raise SystemExit('why')", 1)],
)  # fmt: skip
def test_exit_codes_are_told(session: Session, code: str, expected: int) -> None:
    result = session.run(code, "python")
    assert (result.status, result.exit_code) == ("ok", expected)
    assert said(session, "print(1)") == "1\n"


def test_timeout_keeps_what_was_said_and_the_files(session: Session) -> None:
    said(session, "x = 1\nopen('f', 'w').write('kept')")
    result = session.run("print('so far')\nwhile True: pass", "python", seconds=0.5)
    assert (result.status, result.exit_code, result.stdout) == ("timeout", None, "so far\n")
    assert result.state_lost
    assert 0.4 < result.seconds < 5
    assert said(session, "print(open('f').read(), 'x' in globals())") == "kept False\n"
    slow = session.run("sleep 9", "bash", seconds=0.3)
    assert (slow.status, slow.state_lost) == ("timeout", False)


def test_output_is_cut_and_a_flood_is_ended(session: Session) -> None:
    long = session.run("print('x' * 100_000)\nprint('end')", "python")
    assert (long.status, long.truncated, len(long.stdout)) == ("ok", True, 64 << 10)
    flood = session.run("yes", "bash")
    assert (flood.status, flood.truncated, len(flood.stdout)) == ("output_limit", True, 64 << 10)
    assert said(session, "echo on", "bash") == "on\n"


def test_streams_are_apart_and_odd_bytes_are_replaced(session: Session) -> None:
    result = session.run(r"printf 'a\377b'; echo err >&2", "bash")
    assert (result.stdout, result.stderr) == ("a\N{REPLACEMENT CHARACTER}b", "err\n")


AWAY = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True:
            open("tick", "w").write(str(time.monotonic()))
    os._exit(0)
while not os.path.exists("tick") or not os.path.getsize("tick"):
    pass
"""
OTHERS = """
import os
found = [p for p in os.listdir("/proc") if p.isdigit() and int(p) not in (1, os.getpid())]
states = [open(f"/proc/{p}/stat").read().rpartition(")")[2].split()[0] for p in found]
sorted(state for state in states if state != "Z")
"""


@pytest.mark.parametrize("mode", MODES)
def test_processes_that_left_their_session_end_with_their_snippet(
    session: Session, mode: Mode
) -> None:
    said(session, "(while :; do date > tock; done) & nohup sleep 100 >/dev/null 2>&1 &", "bash")
    said(session, AWAY, mode=mode)
    first = session.get("tick")
    time.sleep(0.2)
    assert session.get("tick") == first
    kept = ["T"] if mode == "notebook" else []
    assert said(session, OTHERS, mode="fork") == f"{kept}\n"


def test_background_thread_sleeps_between_snippets(session: Session) -> None:
    said(session, """
import threading, time
beats = 0
def beat():
    global beats
    while True:
        beats += 1
threading.Thread(target=beat, daemon=True).start()
""")  # fmt: skip
    before = int(said(session, "print(beats)"))
    said(session, "sleep 0.5", "bash")
    assert said(session, "echo 1; cat /proc/[0-9]*/stat | grep -c ' T '", "bash") == "1\n1\n"
    assert int(said(session, "print(beats)")) >= before


@pytest.mark.parametrize(
    ("code", "why"),
    [("", "empty"), (" \n\t", "empty"), ("print(1)\0", "null bytes"), (b"\xff\xfe", "not UTF-8"),
     ("x = '\ud800'", "not UTF-8"), ("#" * (10 << 20), "10485760 bytes, 1048576 are allowed")],
    ids=["nothing", "blank", "null", "bytes", "surrogate", "10 MB"],
)  # fmt: skip
@pytest.mark.parametrize("language", LANGUAGES)
def test_bad_input_is_refused_and_the_session_lives(
    session: Session, language: Any, code: str | bytes, why: str
) -> None:
    result = session.run(code, language)
    assert (result.status, result.exit_code) == ("refused", None)
    assert why in result.stderr
    assert said(session, "echo lives", "bash") == "lives\n"


def test_unknown_language_mode_and_time_are_refused(session: Session) -> None:
    unknown: Any = "ruby"
    assert "python, bash, sql" in session.run("x", unknown).stderr
    assert "notebook, fork, fresh" in session.run("x", "python", mode=unknown).stderr
    for seconds in (float("nan"), float("inf"), 0.0, -1.0):
        result = session.run("x", "bash", seconds=seconds)
        assert (result.status, "positive number" in result.stderr) == ("refused", True)


def test_snippet_of_the_longest_allowed_length_runs(session: Session) -> None:
    most = LIMITS["code_kb"] << 10
    for language, code in (("python", "print(1)#"), ("bash", "echo 1 #"), ("sql", "SELECT 1 --")):
        assert "1" in said(session, code + "x" * (most - len(code)), language)


def test_files_go_in_and_out(session: Session) -> None:
    data = bytes(range(256)) * 999
    session.put("deep/in/data.bin", data)
    assert said(session, "wc -c < deep/in/data.bin", "bash") == f"{len(data)}\n"
    assert session.get("deep/in/data.bin") == data
    session.put("deep/in/data.bin", b"")
    assert session.get("deep/in/data.bin") == b""


@pytest.mark.parametrize(
    "path", ["", "/etc/passwd", "../x", "a/../../x", "a//b", ".", "a/\0", "\ud800", "x/\udc00"]
)
def test_path_out_of_the_workspace_is_refused(session: Session, path: str) -> None:
    with pytest.raises(SandboxError, match="a path within the workspace"):
        session.get(path)
    with pytest.raises(SandboxError, match="a path within the workspace"):
        session.put(path, b"")


PLANTED = {
    "link": "ln -s /etc/passwd link",
    "there/passwd": "ln -s /etc there",
    "pipe": "mkfifo pipe",
    "folder": "mkdir folder",
    "huge": "truncate -s 20M huge",
    "missing": "true",
    "null": "ln -s /dev/zero null",
}


@pytest.mark.parametrize("path", PLANTED)
def test_planted_file_is_not_read(session: Session, path: str) -> None:
    said(session, PLANTED[path], "bash")
    with pytest.raises(SandboxError, match="get"):
        session.get(path)
    assert said(session, "echo lives", "bash") == "lives\n"


def test_planted_link_is_not_written_through(session: Session) -> None:
    said(session, "echo mine > kept; ln -s kept name; ln -s /tmp there; ln -s kept .x.part", "bash")
    session.put("name", b"new")
    session.put("x", b"x")
    with pytest.raises(SandboxError, match="put"):
        session.put("there/file", b"x")
    assert said(session, "cat kept; test -L name || echo file", "bash") == "mine\nfile\n"


def test_full_workspace_is_told_and_large_files_are_refused(session: Session) -> None:
    with pytest.raises(SandboxError, match=r"8388608 are allowed; type for example sandbox\.file"):
        session.put("large", bytes((8 << 20) + 1))
    said(session, "dd if=/dev/zero of=a bs=1M count=40 2>/dev/null; true", "bash")
    with pytest.raises(SandboxError, match="No space left"):
        session.put("b", bytes(4 << 20))
    assert said(session, "rm a; ls -A", "bash") == ""


def test_sessions_see_nothing_of_each_other(sandbox: PooledSandbox) -> None:
    with sandbox.open("a") as one, sandbox.open("b") as two:
        said(one, "secret = 1\nopen('/dev/shm/s', 'w').write('s')\nopen('f', 'w').write('s')")
        said(one, "echo s > /tmp/s; (sleep 50 &)", "bash")
        seen = said(two, "ls -A /workspace /tmp /dev/shm; ls /proc | grep -c '^[0-9]'", "bash")
        assert "s\n" not in seen.replace("/dev/shm:", "").replace("/workspace:", "")
        assert said(two, "print('secret' in globals())") == "False\n"
        one.run("kill -9 -1", "bash")
        assert said(two, "echo lives", "bash") == "lives\n"


CHANCE = """
import datetime, random, time, uuid, os, tempfile
print(datetime.datetime.now(), datetime.date.today(), repr(datetime.datetime.now()), time.time())
print(random.random(), random.Random().random(), uuid.uuid4(), os.urandom(4).hex())
print({"a", "b", "c"}, hash("x"), time.strftime("%Y %Z"), os.environ["SOURCE_DATE_EPOCH"])
print(isinstance(datetime.datetime.now(), datetime.date), datetime.datetime(2020, 1, 2).date())
"""


@pytest.mark.parametrize("mode", MODES)
def test_python_says_the_same_for_the_same_seed(sandbox: PooledSandbox, mode: Mode) -> None:
    def once(seed: str) -> str:
        with sandbox.open(seed) as session:
            return said(session, CHANCE, mode=mode) + said(session, "echo $RANDOM", "bash")

    first = once("1")
    assert first == once("1") != once("2")
    assert "2026-01-01 00:00:00.00" in first
    assert "datetime.datetime(2026, 1, 1, 0, 0" in first
    assert "True 2020-01-02" in first


def test_seed_is_not_told(sandbox: PooledSandbox) -> None:
    with sandbox.open("mend \ud800 the report") as session:
        assert "mend" not in said(session, "env", "bash")


def test_clock_moves_so_that_waiting_ends(session: Session) -> None:
    code = "import time\nend = time.time() + 5\nwhile time.time() < end: pass\nprint('over')"
    assert said(session, code, seconds=5.0) == "over\n"
    assert said(session, "a = time.time(); time.sleep(0.25); print(time.time() - a)")[:4] == "0.25"


def test_python_of_bash_has_the_same_clock(session: Session) -> None:
    code = (
        "python3 -c 'import datetime; print(datetime.date.today())'; python3 -c 'print({*\"ab\"})'"
    )
    assert said(session, code, "bash").splitlines()[0] == "2026-01-01"


async def _conversations(sandbox: PooledSandbox) -> tuple[float, list[str]]:
    """One conversation runs for a second, twelve others say something meanwhile."""
    started = time.monotonic()
    async with sandbox.session("slow") as slow:
        waiting = asyncio.create_task(slow.run("sleep 4; echo slow", "bash"))

        async def quick(number: int) -> str:
            async with sandbox.session(f"{number}") as session:
                await session.put("f", b"x")
                assert await session.get("f") == b"x"
                return (await session.run(f"echo {number}", "bash")).stdout.strip()

        answers = await asyncio.gather(*(quick(number) for number in range(3)))
        between = time.monotonic() - started
        assert (await waiting).stdout == "slow\n"
    return between, answers


def test_conversation_that_waits_holds_up_no_other(sandbox: PooledSandbox) -> None:
    async def ticking() -> tuple[int, list[str]]:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.01)
                ticks += 1

        task = asyncio.create_task(tick())
        _, answers = await _conversations(sandbox)
        task.cancel()
        return ticks, answers

    ticks, answers = asyncio.run(ticking())
    assert answers == ["0", "1", "2"]
    assert ticks > 50


def test_cancelled_conversation_ends_its_sandbox(sandbox: PooledSandbox) -> None:
    async def cancelled() -> bool:
        async with sandbox.session("c") as session:
            task = asyncio.create_task(session.run("sleep 30", "bash"))
            await asyncio.sleep(0.3)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        return session.lost

    started = time.monotonic()
    assert asyncio.run(cancelled())
    assert time.monotonic() - started < 15


def test_lost_sandbox_is_told_and_a_successor_works(sandbox: PooledSandbox) -> None:
    with sandbox.open("lost") as session:
        said(session, "x = 1")
        ending = threading.Timer(0.5, session._box.kill)
        ending.start()
        result = session.run("sleep 20; echo invented", "bash")
        ending.join()
        assert (result.status, result.exit_code, result.stdout) == ("sandbox_lost", None, "")
        assert session.lost
        assert session.run("echo 1", "bash").status == "sandbox_lost"
        with pytest.raises(SandboxError, match="lost"):
            session.get("f")
    with sandbox.open("successor") as session:
        assert said(session, "echo lives", "bash") == "lives\n"


def test_sandbox_that_died_in_the_pool_is_replaced(sandbox: PooledSandbox) -> None:
    pool = sandbox._pool
    assert pool
    deadline = time.monotonic() + 30
    while not pool._ready and time.monotonic() < deadline:
        time.sleep(0.05)
    for box in pool._ready:
        box.kill()
    with sandbox.open("heals") as session:
        assert said(session, "echo lives", "bash") == "lives\n"


def test_option_travels_to_other_processes(sandbox: PooledSandbox) -> None:
    copy = pickle.loads(pickle.dumps(sandbox))
    try:
        with copy.open("7") as session:
            assert said(session, "echo 1", "bash") == "1\n"
    finally:
        copy.close()


@pytest.mark.parametrize(
    ("change", "message"),
    [({"pids": 1}, r"sandbox\.pids: expected 8 to 4096, got 1"),
     ({"memory_mb": 100}, "with workspace_mb=32 expected 144 or more, got 100"),
     ({"clock": "noon"}, r"sandbox\.clock: expected a moment"),
     ({"pool": -1}, r"sandbox\.pool")],
)  # fmt: skip
def test_limit_out_of_range_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Limits(**{**LIMITS, **change})
