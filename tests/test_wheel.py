"""What is published works away from the checkout: the wheel is built, installed and run."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def call(*words: str, cwd: Path, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, *words],
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source archive."""
    folder = tmp_path_factory.mktemp("dist")
    call("-m", "hatchling", "build", "-d", str(folder), cwd=ROOT)
    return folder


def names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return sorted(archive.namelist())


def shipped() -> set[str]:
    """Names in the wheel of what lies in the checkout's conf/ and graphs/."""
    paths = [path for name in ("conf", "graphs") for path in (ROOT / name).rglob("*")]
    return {
        f"tdscaling/{path.relative_to(ROOT).as_posix()}"
        for path in paths
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_wheel_holds_everything_once_and_nothing_else(built: Path) -> None:
    found = names(next(built.glob("*.whl")))
    assert len(found) == len(set(found))
    assert shipped() <= set(found)
    top = {name.split("/")[0] for name in found}
    assert top == {"tdscaling", "tdscaling-0.1.0.dist-info"}
    assert not [name for name in found if name.endswith(".pyc")]


def test_source_archive_gives_the_same_wheel(built: Path, tmp_path: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        assert not [member.name for member in archive if member.issym() or member.islnk()]
        archive.extractall(tmp_path, filter="data")
    source = next(tmp_path.iterdir())
    call("-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path), cwd=source)
    assert names(next(tmp_path.glob("*.whl"))) == names(next(built.glob("*.whl")))


def test_installed_wheel_runs_from_another_folder(built: Path, tmp_path: Path) -> None:
    site, away = tmp_path / "site", tmp_path / "away"
    away.mkdir()
    wheel = str(next(built.glob("*.whl")))
    pip = ("-m", "pip", "install", "--no-deps", "--no-index", "--quiet", "--target", str(site))
    call(*pip, wheel, cwd=away)
    place = call(
        "-c", "import tdscaling; print(tdscaling.__file__)", cwd=away, PYTHONPATH=str(site)
    )
    assert Path(place.strip()) == site / "tdscaling" / "__init__.py"
    script = str(site / "bin" / "tdscaling")
    assert "synthesize" in call(script, "--help", cwd=away, PYTHONPATH=str(site))
    words = ("budget.trajectories=2", "hydra.run.dir=run", "seed=3")
    call(script, *words, cwd=away, PYTHONPATH=str(site))
    lines = (away / "run" / "dataset" / "train.jsonl").read_text().splitlines()
    assert len(lines) == 2
