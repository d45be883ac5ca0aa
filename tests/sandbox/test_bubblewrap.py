"""Bubblewrap: all attacks as root and as nobody, and what is its own."""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tdscaling.errors import SandboxError
from tdscaling.sandbox import _cgroups, _owner
from tdscaling.sandbox.bubblewrap import MARK
from tests.sandbox.attacks import ATTACKS
from tests.sandbox.parts import bubblewrap_sandbox, cgroups, runners, survivors

ROOT = Path(__file__).resolve().parents[2]
NEEDS_CGROUP = {"memory of all processes", "CPU time"}

HOST = """
import sys, time
from tests.sandbox.parts import bubblewrap_sandbox
from pathlib import Path
sandbox = bubblewrap_sandbox(Path(sys.argv[1]), pool=1)
session = sandbox.open("victim")
session.run("x = 1", "python")
print("ready", flush=True)
session.run("nohup sleep 1000 & while :; do :; done", "bash", seconds=15)
"""

ENDS = """
import sys
from tests.sandbox.parts import bubblewrap_sandbox, cgroups
from tdscaling.sandbox import _owner
from pathlib import Path
sandbox = bubblewrap_sandbox(Path(sys.argv[1]), pool=1)
session = sandbox.open("left")
session.run("x = 1", "python")
print(_owner.name(), *[name for name in cgroups() if name.startswith(_owner.name())])
"""


def test_there_are_enough_attacks_and_each_has_a_name() -> None:
    names = [attack.name for attack in ATTACKS]
    assert len(set(names)) == len(names) >= 40


def test_attacks_fail(cache: Path) -> None:
    sandbox = bubblewrap_sandbox(cache, pool=1)
    assert survivors(sandbox) == []
    sandbox.close()


def test_runner_survives_a_name_that_no_file_can_have(cache: Path) -> None:
    with bubblewrap_sandbox(cache).open("odd") as session:
        for request in ({"do": "get", "most": 9}, {"do": "put"}):
            reply, _ = session._ask({**request, "path": "\ud800"}, b"", most=9, seconds=9)
            assert "UnicodeEncodeError" in reply["error"]
        assert session.run("echo lives", "bash").stdout == "lives\n"


def test_probe_as_root_sees_every_limit(cache: Path) -> None:
    assert os.geteuid() == 0, "the tests of sandboxes run as root, as in CI"
    sandbox = bubblewrap_sandbox(cache)
    assert [finding for finding in sandbox.probe() if not finding.enforced] == []


def test_attacks_fail_without_rights_and_the_probe_says_what_needs_more(cache: Path) -> None:
    bubblewrap_sandbox(cache).image()
    done = subprocess.run(
        [sys.executable, "-m", "tests.sandbox.unprivileged", str(cache)],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["uid"] != 0
    assert told["amiss"] == []
    assert {limit for limit, enforced in told["probe"].items() if not enforced} == NEEDS_CGROUP


def test_as_root_everything_runs_as_nobody_on_the_host(cache: Path) -> None:
    with bubblewrap_sandbox(cache).open("who") as session:
        assert session.run("id -u", "bash").stdout == "65534\n"
        mine = [pid for pid in runners() if (Path("/proc") / str(pid)).stat().st_uid == 0]
        assert [pid for pid in mine if _owner_is_me(pid)] == []


def _owner_is_me(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    return f"PPid:\t{os.getpid()}\n" in status


def test_killed_host_takes_its_sandboxes_along(cache: Path) -> None:
    bubblewrap_sandbox(cache).image()
    before, known = set(runners()), cgroups()
    host = subprocess.Popen(
        [sys.executable, "-c", HOST, str(cache)], stdout=subprocess.PIPE, cwd=ROOT
    )
    assert host.stdout
    with host, host.stdout:
        assert host.stdout.readline() == b"ready\n"
        time.sleep(0.3)
        ours = _children(host.pid)
        assert ours
        assert cgroups() - known
        host.send_signal(signal.SIGKILL)
        host.wait()
    deadline = time.monotonic() + 10
    while [pid for pid in ours if Path(f"/proc/{pid}").exists()] and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [pid for pid in ours if Path(f"/proc/{pid}").exists()] == []
    assert not {pid for pid in runners() if pid in ours} - before
    bubblewrap_sandbox(cache).clear()
    left = [name for name in cgroups() if _owner.left_over(name.rpartition("-")[0])]
    assert left == []


def test_sandboxes_whose_host_was_killed_before_they_ran_are_cleared(cache: Path) -> None:
    """They wait for a host that is gone; of one that lives they are left alone."""
    name = _owner.name()
    place, pid, _ = name.rsplit(".", 2)
    names = [f"{place}.{pid}.1", name]
    waiting = [
        subprocess.Popen([f"{MARK}{one}", "60"], executable=shutil.which("sleep")) for one in names
    ]
    try:
        bubblewrap_sandbox(cache).clear()
        assert waiting[0].wait(10) == -signal.SIGKILL
        assert waiting[1].poll() is None
    finally:
        for process in waiting:
            process.kill()
            process.wait()


def _children(pid: int) -> list[int]:
    """All processes below one."""
    parents: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(path.parent.name))
    found, queue = [], [pid]
    while queue:
        below = parents.get(queue.pop(), [])
        found += below
        queue += below
    return found


def own_cgroups() -> set[str]:
    """Of this process; other tests of it may hold some of their own."""
    return {name for name in cgroups() if name.startswith(_owner.name())}


def test_cgroup_goes_with_its_session(cache: Path) -> None:
    before = own_cgroups()
    with bubblewrap_sandbox(cache).open("group") as session:
        assert own_cgroups() - before
        session.run("nohup sleep 1000 &", "bash")
    assert own_cgroups() <= before


def test_session_that_nobody_closes_ends_when_nobody_holds_it(cache: Path) -> None:
    before = own_cgroups()
    session = bubblewrap_sandbox(cache).open("dropped")
    session.run("x = 1", "python")
    assert own_cgroups() - before
    del session
    gc.collect()
    assert own_cgroups() <= before


def test_process_that_ends_without_closing_leaves_nothing(cache: Path) -> None:
    bubblewrap_sandbox(cache).image()
    done = subprocess.run(
        [sys.executable, "-c", ENDS, str(cache)], capture_output=True, text=True, check=True,
        cwd=ROOT,
    )  # fmt: skip
    name, *made = done.stdout.split()
    assert made
    _cgroups.clear()  # a next start removes what a busy machine could not remove in time
    assert [found for found in cgroups() if found.startswith(name)] == []


def test_leftover_cgroup_is_removed_and_another_process_keeps_its_own(cache: Path) -> None:
    boot, namespace, pid, started = _owner.name().split(".")
    dead = f"{boot}.{namespace}.{pid}.{int(started) - 1}-7"
    elsewhere = f"{boot}.1.{pid}.{started}-7"
    alive = f"{_owner.name()}-999999"
    parent = _cgroups.parents()["memory"]
    folders = [parent / name for name in (dead, elsewhere, alive)]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    try:
        bubblewrap_sandbox(cache).clear()
        assert [folder.exists() for folder in folders] == [False, True, True]
    finally:
        for folder in folders:
            if folder.exists():
                folder.rmdir()


def test_sandbox_outlives_the_thread_that_asked_for_it(cache: Path) -> None:
    import threading

    sandbox, opened = bubblewrap_sandbox(cache), []
    thread = threading.Thread(target=lambda: opened.append(sandbox.open("thread")))
    thread.start()
    thread.join()
    time.sleep(0.2)
    with opened[0] as session:
        assert session.run("echo lives", "bash").stdout == "lives\n"


def test_missing_program_is_named(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = bubblewrap_sandbox(cache)
    monkeypatch.setattr("shutil.which", lambda name, path=None: None)
    with pytest.raises(SandboxError, match="apt-get install bubblewrap"):
        sandbox.start()


def test_kernel_that_refuses_namespaces_is_told_with_the_fix(cache: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from tests.sandbox.parts import bubblewrap_sandbox;"
        "print(bubblewrap_sandbox(Path(sys.argv[1])).why_not())"
    )
    bubblewrap_sandbox(cache).image()
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "sh", "-c",
         'echo 0 > /proc/sys/user/max_user_namespaces && exec "$0" "$@"',
         sys.executable, "-c", code, str(cache)],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert "apparmor_restrict_unprivileged_userns" in done.stdout, done


def test_image_where_nobody_can_enter_is_refused(tmp_path: Path, cache: Path) -> None:
    built = bubblewrap_sandbox(cache).image()
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (closed / built.root.parent.name).symlink_to(built.root.parent)
    with pytest.raises(SandboxError, match=r"cannot enter .* sandbox\.cache=PATH"):
        bubblewrap_sandbox(closed).image()


def test_description_names_what_ran(cache: Path) -> None:
    told = bubblewrap_sandbox(cache).describe()
    assert told["backend"] == "bubblewrap"
    assert told["digest"].startswith("sha256:")
    assert told["limits"]["memory_mb"] == 256
    assert "pool" not in told["limits"]


def test_advice_about_the_setup_ends_where_a_sandbox_has_started(
    cache: Path, open_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (open_path / "bwrap").write_text("#!/bin/sh\nkill -9 $$\n")
    (open_path / "bwrap").chmod(0o755)
    proven, new = bubblewrap_sandbox(cache), bubblewrap_sandbox(cache)
    assert proven.why_not() is None
    monkeypatch.setenv("PATH", str(open_path), prepend=os.pathsep)
    assert "needs user namespaces" in (new.why_not() or "")
    told = proven.why_not() or ""
    assert "it does not start" in told
    assert "something may end their processes" in told
    assert "user namespaces" not in told
