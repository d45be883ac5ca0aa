"""Command `doctor`: tables of what was seen, and exit codes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tdscaling.__main__ import main
from tdscaling.doctor import doctor
from tdscaling.llm.none import NoEndpoint
from tdscaling.sandbox._image import build
from tdscaling.sandbox.none import NoSandbox

NO_MODEL = NoEndpoint(base_url=None, model=None)


@pytest.fixture
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the user of sandboxes can enter: pytest's folders are closed to others."""
    folder = tmp_path_factory.mktemp("cache")
    for path in (folder, *folder.parents):
        if path != Path("/tmp") and path != Path("/"):
            path.chmod(0o755)
    return folder


def test_table_says_what_is_enforced(
    cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [f"cache={cache}", f"docker.host=unix://{tmp_path}/none.sock", "bubblewrap.pool=1"]
    assert main(["doctor", *words, "need=bubblewrap", "strict=true", "build=true"]) == 0
    said = capsys.readouterr()
    assert "sandbox=bubblewrap: works" in said.out
    assert "sandbox=docker: does not work" in said.out
    assert "no engine answers" in said.out
    assert "in doctor docker.host=" in said.out
    assert "sandbox=auto is bubblewrap" in said.out
    for limit in ("no network", "memory of all processes", "number of files", "system calls"):
        assert limit in said.out
    assert "NO" not in [word for line in said.out.splitlines() for word in line.split("│")]
    assert "image sha256:" in said.out
    assert "packing" in said.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("need", "code"),
    [("any", 0), ("all", 1), ("docker", 1), ("bubblewrap", 0), ("none", 0)],
)
def test_exit_code_is_about_what_is_needed(need: str, code: int) -> None:
    class Works(NoSandbox):
        name = "bubblewrap"

        def why_not(self) -> None:  # type: ignore[override]
            return None

        def describe(self) -> dict[str, str]:
            return {"digest": "sha256:0"}

    class Absent(NoSandbox):
        name = "docker"

    got = doctor(
        docker=Absent(),
        bubblewrap=Works(),
        llm=NO_MODEL,
        need=need,
        strict=False,
        build=False,
        cache=None,
    )
    assert got == code


def test_nothing_works_and_nothing_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    class Absent(NoSandbox):
        name = "docker"

    nothing = {"docker": Absent(), "bubblewrap": NoSandbox(), "llm": NO_MODEL, "strict": False}
    assert doctor(**nothing, need="any", build=False, cache=None) == 1
    assert doctor(**nothing, need="none", build=False, cache=None) == 0
    assert "the code tool is off" in capsys.readouterr().out


def test_unknown_need_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tdscaling", "doctor", "need=podman"],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[1],
    )  # fmt: skip
    assert done.returncode == 1
    assert "need" in done.stderr


@pytest.mark.parametrize("name", ["docker", "bubblewrap"])
def test_a_sandbox_by_name_is_answered_with_what_to_type(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", f"sandbox={name}"]) == 1
    told = capsys.readouterr().err
    assert f"sandbox: this command takes both bubblewrap and docker; type need={name}" in told


def test_damaged_image_is_told_with_what_to_type(
    cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = build(cache)
    with (image.root / "etc/passwd").open("r+b") as file:
        file.write(b"r00t")
    assert main(["doctor", f"cache={cache}", "need=none"]) == 1
    told = capsys.readouterr().out
    assert f"image: damaged: {image.root}: expected {image.digest}, got sha256:" in told
    assert "type: tdscaling doctor build=true" in told


def test_what_came_to_no_end_is_not_seen(cache: Path, capsys: pytest.CaptureFixture[str]) -> None:
    slow = ["bubblewrap.cpus=0.2", "bubblewrap.seconds=0.5", "bubblewrap.pids=16"]
    assert main(["doctor", f"cache={cache}", "need=bubblewrap", *slow]) == 0
    rows = {}
    for line in capsys.readouterr().out.splitlines():
        cells = [cell.strip() for cell in line.split("│")]
        if len(cells) > 3 and cells[1]:
            rows[cells[1]] = cells[2:4]
    for limit in ("CPU time", "output of a snippet"):
        assert rows[limit][0] == "not seen"
        assert "time ran out with bubblewrap.seconds=0.5" in rows[limit][1]
    assert rows["time of a snippet"] == ["yes", "time ran out"]
    assert rows["read-only root"] == ["yes", "could be written: nothing"]
    assert not [seen for _, seen in rows.values() if seen.endswith(":") or "run as root" in seen]


@pytest.mark.parametrize(
    "word",
    [
        "doctor bubblewrap.memory_mb=100",
        "doctor docker.pids=1",
        "synthesize sandbox=auto sandbox.docker.pids=1",
        "synthesize sandbox=bubblewrap sandbox.pids=1",
    ],
)
def test_a_limit_out_of_range_is_told_by_the_name_that_was_typed(
    word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = word.split()
    assert main([*words, f"hydra.run.dir={tmp_path}/run"]) == 1
    assert f"tdscaling: {words[-1].partition('=')[0]}: " in capsys.readouterr().err
