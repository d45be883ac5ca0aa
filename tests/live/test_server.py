"""Servers that misbehave: what is said of it, and that nothing stays behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tdscaling.errors import EnvironmentFailure, ToolsError
from tdscaling.live import _loop
from tdscaling.live._pool import Launch, started
from tdscaling.live.discover import discover, listed
from tdscaling.tools._entries import tool
from tests.live_parts import ROOT, notes, notes_domain, unruly

SECRET = "TDSCALING_TEST_SECRET"


def called(launch: Launch) -> str:
    """What a server answers; its processes and folder are looked for afterwards."""
    seen: list[tuple[int, str]] = []

    async def ask() -> str:
        server = await started(launch)
        seen.append((server.group, str(server.root)))
        try:
            return str((await server.call("ask", {})).content)
        finally:
            await server.close()

    try:
        return _loop.wait(ask())
    finally:
        for group, folder in seen:
            assert not Path(folder).exists()
            with pytest.raises(ProcessLookupError):
                gone(group)


def gone(group: int) -> None:
    """Raises once nothing of a process group is left; killing takes a moment."""
    for _ in range(100):
        os.killpg(group, 0)
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("mode", "why"),
    [
        ("hangs", r"unruly\.ask: the server gave no answer within 1 s"),
        ("dies", r"unruly\.ask: the server ended in the middle of the call \(exit code 3\)"),
        ("dies", "it said: out of paper"),
        ("floods", r"sent more than 100000 bytes without an end of line"),
        ("chatters", r"(printed more than 100000 bytes that are no messages|no answer within 1 s)"),
        ("large", r"sent more than 100000 bytes"),
        ("nonsense", r"an answer that is none"),
    ],
)
def test_a_failure_names_server_tool_and_what_happened(mode: str, why: str) -> None:
    with pytest.raises(EnvironmentFailure, match=why):
        called(unruly(mode, output_bytes=100_000))


def test_what_is_no_message_is_left_out() -> None:
    assert "fine" in called(unruly("babbles"))


def test_children_of_a_server_end_with_it() -> None:
    assert "forked" in called(unruly("forks"))


@pytest.mark.parametrize(
    ("mode", "why"), [("silent", "did not start within 1 s"), ("quits", "no licence found")]
)
def test_a_server_that_does_not_start(mode: str, why: str) -> None:
    with pytest.raises(EnvironmentFailure, match=why):
        called(unruly(mode, start_seconds=1 if mode == "silent" else 10))
    with pytest.raises(ToolsError, match=why):
        discover(unruly(mode, start_seconds=1 if mode == "silent" else 10), tool)


def test_nothing_of_our_environment_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET, "for nobody")
    monkeypatch.setenv("LC_PAPER", "passed on")
    launch = notes(0, pass_env=["LC_PAPER", "NOT_SET"])

    async def ask() -> dict[str, dict[str, str]]:
        server = await started(launch)
        try:
            result = await server.call("show_environment", {})
            return dict(json.loads(result.content[0].text))  # type: ignore[union-attr]
        finally:
            await server.close()

    found = _loop.wait(ask())
    assert "for nobody" not in json.dumps(found)
    allowed = {
        "PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "TZ", "TERM", "USER", "LOGNAME", "SHELL",
        "PYTHONHASHSEED", "PYTHONUNBUFFERED", "NO_COLOR", "NOTES_DB", "LC_PAPER",
    }  # fmt: skip
    assert set(found["env"]) <= allowed
    assert found["env"]["LC_PAPER"] == "passed on"
    root = str(Path(str(found["cwd"])).parent)
    assert all(found["env"][name].startswith(root) for name in ("HOME", "TMPDIR", "NOTES_DB"))


def test_hidden_tools_and_arguments_are_offered_to_nobody() -> None:
    domain = notes_domain(
        0, hide=["reset_state", "advise", "show_environment"],
        hide_arguments={"rename_note": {"title": "always this"}},
    )  # fmt: skip
    assert "advise" not in domain.tools
    assert list(domain.tools["rename_note"].schema["properties"]) == ["note_id"]
    session = domain.open("1")
    try:
        first = session.execute("list_notes", {}).rows[0]["note_id"]
        renamed = session.execute("rename_note", {"note_id": first})
        assert renamed.rows[0]["title"] == "always this"
        refused = session.execute("rename_note", {"note_id": first, "title": "mine"})
        assert "invalid arguments" in refused.content or refused.rows[0]["title"] == "mine"
    finally:
        session.close()


def test_tools_are_listed_with_their_hints() -> None:
    tools = {item["name"]: item for item in listed(notes(0))}
    assert tools["list_notes"]["annotations"] == {"readOnlyHint": True}


PROGRAM = """
import os, signal, sys
sys.path.insert(0, {root!r})
from tests.live_parts import notes_domain
session = notes_domain(1).open("1")
session.execute("list_notes", {{}})
print(session._server.root, session._server.group, flush=True)
{end}
"""


@pytest.fixture
def temporary(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    left = list(tmp_path.glob("tdscaling-live-*"))
    for _ in range(200):
        left = list(tmp_path.glob("tdscaling-live-*"))
        if not left:
            break
        time.sleep(0.05)
    assert not left


@pytest.mark.parametrize(
    "end", ["", "raise SystemExit(3)", "os.kill(os.getpid(), signal.SIGKILL)", "os._exit(1)"]
)
def test_nothing_outlives_this_process(end: str, temporary: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(root=str(ROOT), end=end)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "TMPDIR": str(temporary), "PYTHONWARNINGS": "error"},
        check=False,
    )
    assert done.stdout, done.stderr
    with pytest.raises(ProcessLookupError):
        gone(int(done.stdout.split()[1]))
