"""The image: made of this machine's packages, the same each time."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tdscaling.errors import SandboxError
from tdscaling.sandbox import _bootstrap, _filters, _image


def test_two_builds_are_the_same_bytes_whatever_the_umask(tmp_path: Path) -> None:
    said: list[str] = []
    first = _image.build(tmp_path / "a", say=said.append)
    before = os.umask(0o077)
    try:
        second = _image.build(tmp_path / "b")
    finally:
        os.umask(before)
    assert first.digest == second.digest
    assert first.tar.read_bytes() == second.tar.read_bytes()
    assert len(said) >= 4
    assert (second.root / "usr/bin").stat().st_mode & 0o777 == 0o755


def test_built_once_and_again_only_where_asked(cache: Path) -> None:
    first = _image.build(cache)
    said: list[str] = []
    assert _image.build(cache, say=said.append) == first
    assert said == []
    (cache / "work-dead").mkdir()  # what a build that was killed leaves
    (cache / "work-dead" / "file").touch()
    assert _image.build(cache, again=True, say=said.append) == first
    assert said
    assert sorted(path.name.split("-")[0] for path in cache.iterdir()) == ["image", "image.lock"]


def copied(cache: Path, to: Path) -> Path:
    """A cache of its own with the image in it; returns the image's folder."""
    place = _image.build(cache).root.parent
    shutil.copytree(place, to / place.name, symlinks=True)
    return to / place.name


DAMAGED: dict[str, Callable[[Path], object]] = {
    "its digest is none": lambda place: (place / "digest").write_bytes(b"\xff\xfe\0rubbish"),
    "its digest cannot be read": lambda place: (
        (place / "digest").unlink(), (place / "digest").mkdir()),
    "files are missing": lambda place: (place / "root/usr/bin/bash").unlink(),
    "added or changed": lambda place: (place / "root/etc/more").write_text("x"),
    "it cannot be read": lambda place: (place / "root.tar").unlink(),
}  # fmt: skip


@pytest.mark.parametrize("why", DAMAGED)
def test_damaged_image_is_made_again_and_says_so(cache: Path, tmp_path: Path, why: str) -> None:
    place, said = copied(cache, tmp_path), list[str]()
    DAMAGED[why](place)
    assert why in _image.damage(tmp_path)
    assert _image.build(tmp_path, say=said.append).digest == _image.build(cache).digest
    assert re.search(rf"is damaged \(.*{why}.*\) and is made again", said[0])
    assert _image.damage(tmp_path) == ""


def test_each_byte_is_looked_at_where_asked(cache: Path, tmp_path: Path) -> None:
    place = copied(cache, tmp_path)
    assert _image.damage(tmp_path / "none") == ""
    for name in ("root/etc/passwd", "root.tar"):
        data = bytearray((place / name).read_bytes())
        data[5] ^= 1  # as long as before
        (place / name).write_bytes(data)
    assert re.search(r"root\.tar: expected sha256:\w+, got sha256", _image.damage(tmp_path))
    shutil.copy(_image.build(cache).tar, place / "root.tar")
    assert re.search(r"root: expected sha256:\w+, got sha256", _image.damage(tmp_path))


def test_damaged_image_that_cannot_be_made_again_is_told(cache: Path, tmp_path: Path) -> None:
    place = copied(cache, tmp_path)
    DAMAGED["its digest is none"](place)
    (tmp_path / "image.lock").mkdir()
    with pytest.raises(SandboxError, match=r"is damaged \(its digest is none\).*sandbox\.cache="):
        _image.build(tmp_path)


def test_image_gives_no_rights_and_holds_what_snippets_need(cache: Path) -> None:
    with tarfile.open(_image.build(cache).tar) as tar:
        members = {member.name: member for member in tar}
    for member in members.values():
        assert (member.uid, member.gid, member.mtime) == (0, 0, 0)
        assert not member.mode & 0o6000
        assert not member.isdev()
    for name in ("bin/bash", "usr/bin/python3", "usr/bin/sqlite3", "usr/bin/awk", "usr/bin/find"):
        assert name in members or name.replace("bin/", "usr/bin/", 1) in members, name
    assert not any("dist-packages" in name or name.startswith("etc/shadow") for name in members)


def test_standard_library_is_compiled_and_believed_without_a_look_at_dates(cache: Path) -> None:
    root = _image.build(cache).root
    compiled = next((root / "usr/lib").glob("python3.*/__pycache__/datetime.*.pyc"))
    assert compiled.read_bytes()[4:8] == b"\x01\x00\x00\x00"  # unchecked hash


def test_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_image, "PACKAGES", (*_image.PACKAGES, "no-such-package"))
    with pytest.raises(SandboxError, match=r"apt-get install .* no-such-package"):
        _image.build(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["image.lock"]


def test_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SandboxError, match=r"sandbox\.cache=PATH"):
        _image.build(tmp_path / "file")


def test_runner_fits_a_command_line_and_needs_the_standard_library_alone() -> None:
    text = _bootstrap.program()
    assert len(text.encode()) < 100_000  # the kernel takes 131,072 bytes a word
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", text], input=b"", capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_filter_is_a_program_that_the_kernel_takes() -> None:
    program = _filters.program()
    assert len(program) % 8 == 0
    assert 100 < len(program) // 8 < 4096
