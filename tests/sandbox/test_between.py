"""Nothing of a snippet runs once it is over, and no later one is touched; on both backends."""

from __future__ import annotations

import time

import pytest

from tdscaling.sandbox import Session
from tdscaling.sandbox._sandbox import PooledSandbox
from tests.sandbox.parts import LIMITS

BEAT = """
import ctypes, fcntl, os, signal, threading, time
libc = ctypes.CDLL(None, use_errno=True)
me = os.getpid()
def meddle(pid):
    try:
        if "bash" in open(f"/proc/{pid}/comm").read():
            open(f"/proc/{pid}/fd/1", "w").write("INJECTED")
            os.unlink("/opt/tdscaling/snippet.sh")
            open("/opt/tdscaling/snippet.sh", "w").write("echo FORGED")
            os.kill(int(pid), 9)
    except OSError:
        pass
def beat():
    count = 0
    while True:
        count += 1
        open("/workspace/beat", "w").write(str(count))
        for pid in os.listdir("/proc"):
            if pid.isdigit() and int(pid) not in (1, me):
                meddle(pid)
        time.sleep(0.005)
def start():
    threading.Thread(target=beat, daemon=True).start()
    time.sleep(0.05)
"""
FIRST_THREAD_ENDS = """
if os.fork() == 0:
    os.setsid()
    me = os.getpid()
    start()
    libc.syscall(60, 0)
time.sleep(0.2)
"""
TIMER = """
start()
event, timer = (ctypes.c_int * 16)(), ctypes.c_int()
event[2] = signal.SIGCONT
libc.syscall(222, 1, event, ctypes.byref(timer))
# First when the notebook has been stopped: a signal that is ignored ends the timer.
libc.syscall(223, timer, 0, (ctypes.c_long * 4)(0, 5_000_000, 0, 50_000_000), None)
"""
LEASE = """
for name in ("bashrc", "sitecustomize.pyc"):
    fd = os.open(f"/opt/tdscaling/{name}", os.O_RDWR)
    for command, value in ((10, signal.SIGCONT), (fcntl.F_SETLEASE, fcntl.F_WRLCK)):
        try:
            fcntl.fcntl(fd, command, value)
        except OSError:
            pass
start()
"""
NOTICE = """
fd = os.open("/opt/tdscaling", os.O_RDONLY)
for command, value in ((10, signal.SIGCONT), (fcntl.F_NOTIFY, 0x8000000F)):
    try:
        fcntl.fcntl(fd, command, value)
    except OSError:
        pass
start()
"""
ORPHANED_GROUP = """
signal.signal(signal.SIGHUP, signal.SIG_IGN)
told, tell = os.pipe()
if os.fork() == 0:
    os.setpgid(0, 0)
    if os.fork() == 0:
        os.setpgid(0, me)
        os.write(tell, b"x")
    time.sleep(1000)
os.read(told, 1)
start()
"""
CHILD_THAT_WAKES = """
if libc.syscall(56, int(signal.SIGCONT), 0, 0, 0, 0) == 0:
    time.sleep(1000)
start()
"""
PLANTS = {
    "a process whose first thread has ended": ("fork", FIRST_THREAD_ENDS, ""),
    "a notebook that a snippet wakes": ("notebook", "start()", "kill -CONT -1; true"),
    "a timer that wakes": ("notebook", TIMER, ""),
    "a lease on what others read": ("notebook", LEASE, ""),
    "a notice of changes that wakes": ("notebook", NOTICE, ""),
    "a group that is orphaned and woken": ("notebook", ORPHANED_GROUP, ""),
    "a child whose end wakes": ("notebook", CHILD_THAT_WAKES, ""),
}


def stands_still(session: Session) -> bool:
    before = session.get("beat")
    time.sleep(0.3)
    return session.get("beat") == before


@pytest.mark.parametrize("name", PLANTS)
def test_nothing_goes_on_after_its_snippet(sandbox: PooledSandbox, name: str) -> None:
    mode, code, helper = PLANTS[name]
    with sandbox.open("7") as session:
        session.run(BEAT + code, "python", mode=mode)  # type: ignore[arg-type]
        assert stands_still(session)
        if helper:
            session.run(helper, "bash")
            assert stands_still(session)
        for _ in range(2):
            result = session.run("sleep 0.1; echo mine; exit 5", "bash", seconds=5)
            assert (result.status, result.exit_code, result.stdout) == ("ok", 5, "mine\n")
            assert stands_still(session)
        fresh = session.run("print('mine')", "python", mode="fresh", seconds=5)
        assert (fresh.status, fresh.stdout) == ("ok", "mine\n")


@pytest.mark.parametrize("spare", [1, 2, 8])
def test_notebook_with_too_many_threads_ends_and_files_stay(
    sandbox: PooledSandbox, spare: int
) -> None:
    """So many that little or nothing is left for another snippet."""
    threads = LIMITS["pids"] - spare
    code = f"""
        import threading, time
        open("kept", "w").write("x")
        try:
            for _ in range({threads}):
                threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
        except RuntimeError:
            pass
    """
    with sandbox.open("7") as session:
        first = session.run("\n".join(line[8:] for line in code.splitlines()), "python")
        result = session.run("cat kept | cat | cat", "bash")
        assert (result.status, result.stdout) == ("ok", "x")
        assert first.state_lost or result.state_lost
        assert session.run("print(2)", "python").stdout == "2\n"


def test_notebook_with_some_threads_stays(sandbox: PooledSandbox) -> None:
    with sandbox.open("7") as session:
        session.run(
            "from concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor(16)\n"
            "x = sum(pool.map(abs, range(100)))",
            "python",
        )
        assert not session.run("echo hi", "bash").state_lost
        assert session.run("print(x, pool.submit(abs, -1).result())", "python").stdout == "4950 1\n"


def test_closed_database_is_told(sandbox: PooledSandbox) -> None:
    with sandbox.open("7") as session:
        session.run("CREATE TABLE t (a)", "sql")
        session.run("chmod 0 data.db", "bash")
        result = session.run("SELECT * FROM t", "sql")
    assert (result.status, result.exit_code) == ("ok", 1)
    assert "unable to open" in result.stderr
