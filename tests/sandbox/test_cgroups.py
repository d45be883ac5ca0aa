"""Cgroups of version 2 on a folder that looks like one: no kernel of that version is needed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tdscaling.sandbox import _cgroups
from tdscaling.sandbox._cgroups import Cgroup
from tdscaling.sandbox._limits import MB, Limits
from tests.sandbox.parts import LIMITS

FILES = ("memory.max", "memory.swap.max", "pids.max", "cpu.max", "cgroup.procs")


def group(folder: Path) -> Path:
    """What the kernel puts into each cgroup of version 2."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cgroup.controllers").write_text("cpuset cpu io memory pids\n")
    (folder / "cgroup.subtree_control").write_text("\n")
    for name in FILES:
        (folder / name).write_text("")
    return folder


def test_controllers_are_handed_down_to_the_sandboxes(tmp_path: Path) -> None:
    place = group(tmp_path / "user.slice")
    group(place / _cgroups.PARENT)
    found = _cgroups._delegated(place)
    assert found == dict.fromkeys(("memory", "pids", "cpu"), place / _cgroups.PARENT)
    for folder in (place, place / _cgroups.PARENT):
        switched = (folder / "cgroup.subtree_control").read_text()
        assert switched == "+memory +pids +cpu"


def test_controllers_that_are_on_are_left_alone(tmp_path: Path) -> None:
    place = group(tmp_path / "slice")
    for folder in (place, group(place / _cgroups.PARENT)):
        (folder / "cgroup.subtree_control").write_text("cpu memory pids\n")
    _cgroups._delegated(place)
    assert (place / "cgroup.subtree_control").read_text() == "cpu memory pids\n"


def test_limits_are_written_in_the_form_of_version_2(tmp_path: Path) -> None:
    folder = group(tmp_path / "one")
    made = Cgroup(dict.fromkeys(("memory", "pids", "cpu"), folder))
    _cgroups._limit(made, Limits(**LIMITS))
    told = {name: (folder / name).read_text() for name in FILES}
    assert told == {
        "memory.max": str(256 * MB), "memory.swap.max": "0", "pids.max": "40",
        "cpu.max": f"{_cgroups.PERIOD} {_cgroups.PERIOD}", "cgroup.procs": "",
    }  # fmt: skip


def test_one_folder_is_shown_and_joined_once(tmp_path: Path) -> None:
    folder = group(tmp_path / "one")
    made = Cgroup(dict.fromkeys(("memory", "pids", "cpu"), folder))
    assert made.shown() == {"": folder}
    made.add(4711)
    assert (folder / "cgroup.procs").read_text() == "4711"


def test_outermost_cgroup_that_may_be_written_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Path("/proc/self/cgroup").read_text(encoding="utf-8").rpartition("::")[2].strip()
    way = group(tmp_path / own.lstrip("/")) if own != "/" else group(tmp_path)
    for folder in (tmp_path, *(p for p in way.parents if p.is_relative_to(tmp_path))):
        group(folder)
    group(tmp_path / _cgroups.PARENT)
    monkeypatch.setattr(_cgroups, "ROOT", tmp_path)
    assert os.access(tmp_path, os.W_OK)
    assert set(_cgroups.parents().values()) == {tmp_path / _cgroups.PARENT}
    (tmp_path / "cgroup.controllers").unlink()  # now it looks like version 1, without folders
    assert _cgroups.parents() == {}
