"""Runs inside the sandbox: the processes in which snippets run.

Enters: a snippet's language and its pipes, from the runner that is PID 1. Leaves: a process that
runs it. Bash and fresh Python are programs; SQL and one-off Python are forks of the warm runner;
the notebook is a fork that stays and keeps its variables. Standard library only.
"""

from __future__ import annotations

import io
import json
import os
import resource
import signal
import sys
import types

from tdscaling.sandbox import _inside_clock as clock
from tdscaling.sandbox import _inside_files as files
from tdscaling.sandbox import _inside_lock as lock
from tdscaling.sandbox._inside_files import WORKSPACE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LIBRARY = "/opt/tdscaling"
DATABASE = "data.db"
SHELL = ["/bin/bash", f"{LIBRARY}/snippet.sh"]
START = b"\n"
"""What a bash that waits goes on at."""
BASHRC = """\
RANDOM={seed}
if [[ $TDSCALING_WAIT ]]; then
  read -r -u "$TDSCALING_WAIT" || exit
  exec {{TDSCALING_WAIT}}<&-
  unset TDSCALING_WAIT REPLY
fi
SECONDS=0
"""
"""What bash reads before it opens a snippet: so it can wait for one with its start behind it."""


def environment(python: str, clock: str, seed: str) -> dict[str, str]:
    """Variables of every process of a snippet."""
    return {
        "HOME": WORKSPACE,
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "TERM": "dumb",
        "USER": "nobody",
        "BASH_ENV": f"{LIBRARY}/bashrc",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": f"{LIBRARY}:{WORKSPACE}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8:backslashreplace",
        "SOURCE_DATE_EPOCH": clock,
        "TDSCALING_CLOCK": clock,
        "TDSCALING_SEED": seed,
    }


def become_snippet(stdout: int, stderr: int, keep: list[int], limits: dict[str, Any]) -> None:
    """Turn a fork of the runner into a process for untrusted code."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.setsid()
    os.dup2(stdout, 1)
    os.dup2(stderr, 2)
    low = 3
    for fd in sorted(keep):
        os.closerange(low, fd)
        low = fd + 1
    os.closerange(low, 1024)
    lock.set_dumpable(True)
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")  # when memory runs out, the runner is not the one to go
    limit(resource.RLIMIT_CORE, 0)
    limit(resource.RLIMIT_NOFILE, 512)
    limit(resource.RLIMIT_FSIZE, limits["workspace_bytes"])
    limit(resource.RLIMIT_MEMLOCK, 65536)
    limit(resource.RLIMIT_MSGQUEUE, 0)  # engines mount a place for queues that can be written
    if limits["address_space"]:
        limit(resource.RLIMIT_AS, limits["address_space"])
    if limits["processes"]:
        limit(resource.RLIMIT_NPROC, limits["processes"])
    home = files.workspace()
    os.fchdir(home)
    os.close(home)


def limit(name: int, value: int) -> None:
    """Lower a limit for good."""
    _, hard = resource.getrlimit(name)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(name, (value, value))


def _standard_streams(env: dict[str, str]) -> None:
    """Unbuffered, so that what was printed before a kill is there."""
    for name, fd in (("stdout", 1), ("stderr", 2)):
        stream = io.TextIOWrapper(
            io.FileIO(fd, "wb", closefd=False),
            "utf-8", "backslashreplace", newline="\n", write_through=True,
        )  # fmt: skip
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    clock.reseed()
    os.environ.clear()
    os.environ.update(env)
    sys.path[:0] = ["", *[p for p in env["PYTHONPATH"].split(":") if p not in sys.path]]
    sys.argv = [""]
    sys.dont_write_bytecode = True
    import site

    site.setquit()
    for folder in site.getsitepackages():
        if os.path.isdir(folder):
            site.addsitedir(folder)


def _fresh_main() -> dict[str, Any]:
    """A `__main__` as a program has it, without the runner in it."""
    main = types.ModuleType("__main__")
    main.__dict__["__builtins__"] = __builtins__
    for name in [name for name in sys.modules if name.split(".")[0] == "tdscaling"]:
        del sys.modules[name]
    sys.modules["__main__"] = main
    return main.__dict__


def execute(code: str, names: dict[str, Any], count: int) -> tuple[int, bool]:
    """Run a snippet; the value of a last expression is shown, as a notebook does.

    Returns:
        The exit code, and whether it ran out of memory.
    """
    import ast
    import linecache

    name = "<snippet>" if count == 1 else f"<snippet {count}>"
    linecache.cache[name] = (len(code), None, code.splitlines(True), name)
    try:
        tree = ast.parse(code, name)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, name, "exec"), names)
        if isinstance(last, ast.Expr):
            shown = ast.Interactive([last])
            exec(compile(shown, name, "single"), names)
    except SystemExit as stop:
        return _exit_code(stop), False
    except BaseException as error:  # noqa: BLE001 whatever a snippet raises is its own result
        _show(error)
        return 1, isinstance(error, MemoryError)
    return 0, False


def _exit_code(stop: SystemExit) -> int:
    if stop.code is None or isinstance(stop.code, int):
        return (stop.code or 0) & 0xFF
    print(stop.code, file=sys.stderr)  # noqa: T201
    return 1


def _show(error: BaseException) -> None:
    """Print a traceback that starts with the snippet's own frames."""
    import traceback

    frame = error.__traceback__
    while frame and not frame.tb_frame.f_code.co_filename.startswith("<snippet"):
        frame = frame.tb_next
    try:
        traceback.print_exception(type(error), error, frame)
    except BaseException:  # noqa: BLE001 a snippet's exception may raise when it is printed
        print(f"{type(error).__name__} (its text cannot be shown)", file=sys.stderr)  # noqa: T201


def notebook(commands: int, done: int, env: dict[str, str]) -> None:
    """Run snippets one after another in the same names; ends by being killed."""
    _standard_streams(env)
    names, count, me = _fresh_main(), 0, os.getpid()
    told: dict[str, Any] = {}
    while True:
        # While it stands still other snippets must not reach into it.
        lock.set_dumpable(False)
        if count:
            os.write(done, json.dumps(told).encode() + b"\n")
        order, code = take_order(commands)
        lock.set_dumpable(True)
        count += 1
        exit_code, memory = execute(code, names, count)
        if os.getpid() != me:  # a fork that ran to the snippet's end is not the notebook
            os._exit(exit_code)
        told = {"exit": exit_code, "memory": memory, "token": order["token"]}


def wait(commands: int, env: dict[str, str]) -> None:
    """Run one snippet, in a process that was made before anybody asked."""
    order, code = take_order(commands)
    os.close(commands)
    if order["argv"]:
        os.execve(order["argv"][0], order["argv"], env)
    run = sql if order["language"] == "sql" else once
    run(code, env)


def wait_as_bash(commands: int, env: dict[str, str]) -> None:
    """Be bash, and wait for a snippet to be written."""
    os.set_inheritable(commands, True)
    os.execve(SHELL[0], SHELL, env | {"TDSCALING_WAIT": str(commands)})


def give_order(order: dict[str, Any], code: bytes) -> bytes:
    """What a process takes as `take_order` reads it."""
    data = json.dumps(order).encode()
    return len(data).to_bytes(8, "big") + data + len(code).to_bytes(8, "big") + code


def take_order(commands: int) -> tuple[dict[str, Any], str]:
    """Wait for what to do and the snippet's text."""
    parts = [_exactly(commands, int.from_bytes(_exactly(commands, 8), "big")) for _ in range(2)]
    return json.loads(parts[0]), parts[1].decode()


def _exactly(fd: int, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        part = os.read(fd, size - len(parts))
        if not part:
            os._exit(0)
        parts += part
    return bytes(parts)


def once(code: str, env: dict[str, str]) -> None:
    """Run one Python snippet in a fork that keeps nothing."""
    _standard_streams(env)
    os._exit(execute(code, _fresh_main(), 1)[0])


def sql(code: str, env: dict[str, str]) -> None:
    """Run SQL statements on the workspace's database and print rows as `a|b` under a header."""
    import sqlite3

    _standard_streams(env)
    path = os.path.join(WORKSPACE, DATABASE)
    if os.path.exists(path) and not os.path.isfile(path):
        # SQLite would wait for a pipe, and follow a link to an endless device.
        print(f"Error: {DATABASE} is not a regular file", file=sys.stderr)  # noqa: T201
        os._exit(1)
    exit_code = 0
    try:
        connection = sqlite3.connect(path, isolation_level=None)
        for statement in _statements(code):
            cursor = connection.execute(statement)
            if cursor.description:
                print("|".join(column[0] for column in cursor.description))  # noqa: T201
            for row in cursor:
                print("|".join(_cell(value) for value in row))  # noqa: T201
        connection.close()
    except (sqlite3.Error, sqlite3.Warning, MemoryError, OverflowError) as error:
        print(f"Error: {error or type(error).__name__}", file=sys.stderr)  # noqa: T201
        exit_code = 1
    os._exit(exit_code)


def _statements(code: str) -> list[str]:
    """Split at semicolons that end a statement; those in texts and triggers do not."""
    import sqlite3

    found, start = [], 0
    for position, sign in enumerate(code):
        if sign == ";" and sqlite3.complete_statement(code[start : position + 1]):
            found.append(code[start : position + 1])
            start = position + 1
    return [text for text in [*found, code[start:]] if text.strip()]


def _cell(value: Any) -> str:
    if value is None:
        return "NULL"
    return f"x'{value.hex()}'" if isinstance(value, bytes) else str(value)
