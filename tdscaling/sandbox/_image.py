"""A root folder for sandboxes, made of this machine's own Debian files.

Enters: the installed packages `python3`, `bash`, `coreutils`, `sqlite3` and a few more. Leaves: a
folder with their programs, the libraries these load and a precompiled standard library, and a tar
of it, in a cache. No registry and no network is needed. The folder is bubblewrap's root and the
tar is what the docker backend imports. The same packages give the same bytes, so that the tar's
digest says what a snippet ran on.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import stat
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from tdscaling.errors import SandboxError
from tdscaling.sandbox._image_state import Image, found_in, look

PYTHON = Path("/usr/bin/python3")
"""The system's own: one built by pyenv or conda has its files elsewhere."""

REMAKE = "tdscaling doctor build=true"
"""What makes the image anew."""

PACKAGES = (
    "bash", "coreutils", "diffutils", "findutils", "grep", "gzip", "python3", "sed", "sqlite3",
    "tar",
)  # fmt: skip
"""Debian packages whose programs are in the folder."""

_LINKS = {"sh": "bash", "awk": "mawk", "python3": "", "python": "python3"}
_MERGED = ("bin", "lib", "lib32", "lib64", "sbin")
_FOLDERS = ("dev", "etc", "home", "proc", "root", "sys/fs/cgroup/cpu", "sys/fs/cgroup/memory",
            "var")  # fmt: skip
_WRITABLE = ("dev/shm", "opt/tdscaling", "tmp", "workspace")
"""Where something is mounted; an engine gives the mount the mode of the folder beneath."""
_LEFT_OUT = {
    "__pycache__", "EXTERNALLY-MANAGED", "LICENSE.txt", "dist-packages", "ensurepip", "idlelib",
    "lib2to3", "pydoc_data", "site-packages", "test", "tests", "tkinter", "turtledemo",
}  # fmt: skip
_FILES = {
    "etc/passwd": (
        "root:x:0:0:root:/:/bin/false\nnobody:x:65534:65534:nobody:/workspace:/bin/bash\n"
    ),
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "etc/hosts": "127.0.0.1 localhost\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}
_OPTIONAL = ("/usr/share/zoneinfo", "/usr/lib/locale/C.utf8")
"""Taken where they are: time zones, and the locale where the C library has it as files."""


def default_cache() -> Path:
    """Folder of images where none is configured: one that the sandbox's user can enter."""
    if os.geteuid() == 0:
        return Path("/var/cache/tdscaling")  # /root is closed to uid 65534
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tdscaling"


def build(
    cache: Path | None = None, *, again: bool = False, say: Callable[[str], None] = lambda _: None
) -> Image:
    """The image of this machine's packages, made now if it is not in the cache.

    Args:
        cache: folder of images; None for `default_cache()`.
        again: make it even if it is there.
        say: takes a line of progress.

    Raises:
        SandboxError: naming the package that lacks, or the folder that cannot be written.
    """
    folder = (cache or default_cache()).absolute()
    place = folder / f"image-{_key()}"
    found = None if again else found_in(place)
    if isinstance(found, Image):
        return found
    try:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        with _alone(folder):
            found = None if again else found_in(place)  # perhaps made by who held the lock
            if not isinstance(found, Image):
                if found:
                    say(f"sandbox: the image in {place} is damaged ({found}) and is made again")
                _make(place, say)
    except OSError as error:
        raise SandboxError(
            f"{folder}: expected a folder for the sandbox's image, got: {error}"
            f"{f'; the image in it is damaged ({found})' if isinstance(found, str) else ''}; "
            "choose another with sandbox.cache=PATH"
        ) from error
    made = found_in(place)
    if not isinstance(made, Image):
        raise SandboxError(f"{place}: the image changes while it is made ({made}); type: {REMAKE}")
    return made


def damage(cache: Path | None = None) -> str:
    """What is amiss with the image in the cache by each of its bytes; empty if nothing is.

    Starts look at names, modes and sizes alone, which takes some milliseconds.
    """
    place = (cache or default_cache()).absolute() / f"image-{_key()}"
    found = found_in(place)
    if not isinstance(found, Image):
        return f"{place}: {found}" if found else ""
    with found.tar.open("rb") as file:
        packed = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    if packed != found.digest:
        return f"{found.tar}: expected {found.digest}, got {packed}"
    here = _pack(found.root, _Hashing())
    return "" if here == found.digest else f"{found.root}: expected {found.digest}, got {here}"


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / "image.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make(place: Path, say: Callable[[str], None]) -> None:
    say("sandbox: making an image of this machine's own packages, once; takes up to a minute")
    for leftover in place.parent.glob("work-*"):  # of a build that was killed
        shutil.rmtree(leftover, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix="work-", dir=place.parent))
    try:
        work.chmod(0o755)
        _fill(work / "root", say)
        say("sandbox: packing")
        with (work / "root.tar").open("wb") as file:
            digest = _pack(work / "root", _Hashing(file))
        (work / "digest").write_text(f"{digest}\n{look(work)}\n", encoding="utf-8")
        if place.exists():
            place.rename(work / "old")
        work.rename(place)
        shutil.rmtree(place / "old", ignore_errors=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    say(f"sandbox: image {digest[:19]} is ready")


def _key() -> str:
    """Names what the image is made of, quickly: versions of packages, and this module."""
    lines = [hashlib.sha256(Path(__file__).read_bytes()).hexdigest()]
    wanted = [*PACKAGES, "libc6", "mawk", "tzdata", f"{_python().name}-minimal", _stdlib_package()]
    for name in sorted(wanted):
        lines.append(f"{name} {_package(name)}")
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def _package(name: str) -> str:
    """The installed version of a package; empty where it is not installed."""
    try:
        done = subprocess.run(
            ["dpkg-query", "-W", "-f", "${db:Status-Status} ${Version} ${Architecture}", name],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        raise SandboxError(
            "sandbox: the image is made of Debian packages and there is no dpkg-query here; on "
            "this system name a ready image: sandbox=docker sandbox.image=python:3.12-slim"
        ) from None
    state, _, version = done.stdout.partition(" ")
    return version if state == "installed" else ""


def _python() -> Path:
    if not PYTHON.exists():
        raise _lacking("python3")
    return PYTHON.resolve()


def _stdlib_package() -> str:
    return f"lib{_python().name}-stdlib"


def _lacking(*packages: str) -> SandboxError:
    names = " ".join(packages)
    return SandboxError(
        f"sandbox: the image needs the Debian packages {names}, which are not installed here; "
        f"type: apt-get install --no-install-recommends {names}"
    )


def _fill(root: Path, say: Callable[[str], None]) -> None:
    missing = [name for name in PACKAGES if not _package(name)]
    if missing:
        raise _lacking(*missing)
    for name in (*_FOLDERS, *_WRITABLE, *(f"usr/{merged}" for merged in _MERGED)):
        (root / name).mkdir(parents=True)
    for name in _MERGED:
        (root / name).symlink_to(f"usr/{name}")
    for name, text in _FILES.items():
        (root / name).write_text(text, encoding="utf-8")
    say("sandbox: copying programs and libraries")
    programs = sorted({*_programs(), _python(), *_awk()})
    for program in programs:
        _copy(program, root)
    _link(root)
    library = Path("/usr/lib") / _python().name
    modules = _stdlib(library, root)
    _ldd([*programs, *modules], root)
    for name in _OPTIONAL:
        if Path(name).is_dir():
            shutil.copytree(name, root / name[1:], symlinks=True, ignore=_odd)
    say("sandbox: compiling the standard library")
    _compile(root, library)
    _set_modes(root)


def _set_modes(root: Path) -> None:
    """Modes that do not depend on who builds: anybody may read, nobody gets rights."""
    writable = {root / name for name in _WRITABLE}
    for path in [root, *root.rglob("*")]:
        if path in writable:
            path.chmod(0o1777)
        elif path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
        elif not path.is_symlink():
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)


def _programs() -> Iterator[Path]:
    for package in PACKAGES:
        done = subprocess.run(["dpkg-query", "-L", package], capture_output=True, text=True,
                              check=True)  # fmt: skip
        for line in done.stdout.splitlines():
            path = Path(line)
            if re.fullmatch(r"(/usr)?/bin", str(path.parent)) and path.is_file():
                yield path


def _awk() -> list[Path]:
    found = shutil.which("mawk", path="/usr/bin:/bin")
    return [Path(found)] if found else []


def _target(path: Path, root: Path) -> Path:
    """Where a file goes: `/bin` and its like are parts of `/usr`."""
    parts = path.parts[1:]
    return root.joinpath("usr", *parts) if parts[0] in _MERGED else root.joinpath(*parts)


def _copy(path: Path, root: Path) -> None:
    """Copy a file or a link; set-user-id bits stay behind."""
    target = _target(path, root)
    if target.is_symlink() or target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink() and os.sep not in os.readlink(path):
        target.symlink_to(os.readlink(path))
        _copy(path.parent / os.readlink(path), root)
        return
    shutil.copyfile(path, target)
    target.chmod(0o755 if os.access(path, os.X_OK) else 0o644)


def _link(root: Path) -> None:
    for name, to in _LINKS.items():
        link, goal = root / "usr/bin" / name, to or _python().name
        if (root / "usr/bin" / goal).exists() or goal in _LINKS:
            link.unlink(missing_ok=True)
            link.symlink_to(goal)


def _odd(folder: str, names: list[str]) -> set[str]:
    """What is no part of the image: tests, caches, and links that lead out of the folder."""
    out = {name for name in names if name in _LEFT_OUT or name.startswith("config-3")}
    for name in names:
        path = Path(folder, name)
        if path.is_symlink() and Path(os.readlink(path)).is_absolute():
            out.add(name)
    return out


def _stdlib(library: Path, root: Path) -> list[Path]:
    """Copy the standard library; returns its modules in machine code."""
    if not (library / "sqlite3").is_dir():
        raise _lacking(_stdlib_package())
    shutil.copytree(library, _target(library, root), ignore=_odd)
    return sorted((library / "lib-dynload").glob("*.so"))


def _ldd(files: Iterable[Path], root: Path) -> None:
    """Copy every library that the files load."""
    binaries = [str(path) for path in files if _is_binary(path)]
    done = subprocess.run(["ldd", *binaries], capture_output=True, text=True, check=False)
    for found in sorted(set(re.findall(r"(?:=> |^\s+)(/\S+) \(0x", done.stdout, re.MULTILINE))):
        path = Path(found)
        target = _target(path, root)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)  # what a link leads to, under the link's name
            target.chmod(0o755)


def _is_binary(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def _compile(root: Path, library: Path) -> None:
    """Byte code that Python takes without looking at the source's date."""
    source = _target(library, root)
    subprocess.run(
        [str(_python()), "-s", "-S", "-m", "compileall", "-q", "-j", "1", "--invalidation-mode",
         "unchecked-hash", "-s", str(root), "-p", "/", str(source)],
        # Sets that are constants are written in the order of their hashes.
        env={"PYTHONHASHSEED": "0", "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        check=False, capture_output=True,
    )  # fmt: skip


class _Hashing:
    """A file that is written from its start to its end, if there is one, and its digest."""

    def __init__(self, file: BinaryIO | None = None) -> None:
        self._file, self._hash, self._size = file, hashlib.sha256(), 0

    def write(self, data: bytes) -> int:
        if self._file:
            self._file.write(data)
        self._hash.update(data)
        self._size += len(data)
        return len(data)

    def tell(self) -> int:
        return self._size

    def digest(self) -> str:
        return f"sha256:{self._hash.hexdigest()}"


def _pack(root: Path, out: _Hashing) -> str:
    """Write a tar with sorted names, no dates and no owners; returns its digest."""
    sink: Any = out
    with tarfile.open(fileobj=sink, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path in sorted(root.rglob("*")):
            info = archive.gettarinfo(path, str(path.relative_to(root)))
            info.mtime, info.uid, info.gid, info.uname, info.gname = 0, 0, 0, "", ""
            info.mode = 0o777 if path.is_symlink() else info.mode
            if stat.S_ISREG(path.lstat().st_mode):
                with path.open("rb") as file:
                    info.type, info.size = tarfile.REGTYPE, path.stat().st_size
                    archive.addfile(info, file)
            else:
                archive.addfile(info)
    return out.digest()
