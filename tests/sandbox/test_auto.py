"""The automatic choice: Docker, then bubblewrap, then none."""

from __future__ import annotations

import asyncio
import pickle
from contextlib import closing
from pathlib import Path

import pytest

from tdscaling.errors import SandboxError
from tdscaling.sandbox.auto import AutoSandbox
from tdscaling.sandbox.none import NoSandbox
from tests.sandbox.parts import bubblewrap_sandbox, docker_sandbox


def test_engine_goes_first(cache: Path, engine: str) -> None:
    made = AutoSandbox(docker=docker_sandbox(cache, engine), bubblewrap=NoSandbox())
    with closing(made):
        assert made.name == "docker"
        assert made.why_not() is None


def test_without_an_engine_bubblewrap_serves(cache: Path, tmp_path: Path) -> None:
    absent = docker_sandbox(cache, f"unix://{tmp_path}/none.sock")
    made = AutoSandbox(docker=absent, bubblewrap=bubblewrap_sandbox(cache))
    with closing(pickle.loads(pickle.dumps(made))) as auto:
        with auto.open("7") as session:
            assert session.run("echo lives", "bash").stdout == "lives\n"

        async def converse() -> str:
            async with auto.session("8") as session:
                return str((await session.run("1 + 1", "python")).stdout)

        assert asyncio.run(converse()) == "2\n"
        assert auto.describe()["backend"] == auto.name == "bubblewrap"
        assert auto.probe()


def test_where_nothing_works_the_tool_is_off_with_both_reasons(cache: Path, tmp_path: Path) -> None:
    absent = docker_sandbox(cache, f"unix://{tmp_path}/none.sock")
    made = AutoSandbox(docker=absent, bubblewrap=NoSandbox(reason="no bwrap"))
    assert made.name == "none"
    told = made.why_not()
    assert told
    assert "no engine answers" in told
    assert "no bwrap" in told
    assert "sandbox=bubblewrap" in told
    with pytest.raises(SandboxError, match="the code tool is off"):
        made.open("7")
    made.close()
