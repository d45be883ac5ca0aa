"""Runs inside the sandbox: files of the workspace, in and out through the runner.

The host never opens a path of the workspace, and here no link is followed: a snippet may have
planted any. Standard library only.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat

WORKSPACE = "/workspace"


def write_file(path: str, data: bytes) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    with os.fdopen(fd, "wb") as file:
        file.write(data)


def state(path: str) -> tuple[int, int]:
    """Tells a file from any that takes its place or is written to."""
    found = os.lstat(path)
    return found.st_ino, found.st_ctime_ns


def clear(folder: str) -> None:
    """Empty a folder of ours, whatever a snippet put into it or closed."""
    with contextlib.suppress(PermissionError):  # an engine's mount is root's, and cannot be closed
        os.chmod(folder, 0o1777)
    for entry in list(os.scandir(folder)):
        if entry.is_dir(follow_symlinks=False):
            clear(entry.path)
            os.rmdir(entry.path)
        else:
            os.unlink(entry.path)


def put(path: str, blob: bytes) -> None:
    """Write a file of the workspace; folders on the way are made."""
    folder, name = _walk(path, make=True)
    part = f".{name}.part"
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with contextlib.suppress(FileNotFoundError):
            os.unlink(part, dir_fd=folder)
        fd = os.open(part, flags, 0o644, dir_fd=folder)
        try:
            view = memoryview(blob)
            while view:
                view = view[os.write(fd, view) :]
        except OSError:
            os.unlink(part, dir_fd=folder)
            raise
        finally:
            os.close(fd)
        os.rename(part, name, src_dir_fd=folder, dst_dir_fd=folder)
    finally:
        os.close(folder)


def get(path: str, most: int) -> bytes:
    """Read a regular file of the workspace, of at most so many bytes.

    Raises:
        OSError: if it is something else, or has more.
    """
    folder, name = _walk(path, make=False)
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
        fd = os.open(name, flags, dir_fd=folder)
    finally:
        os.close(folder)
    with os.fdopen(fd, "rb") as file:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        if found.st_size > most:
            raise OSError(errno.EFBIG, f"it has {found.st_size} bytes, more than {most}")
        return file.read(most)


def workspace() -> int:
    """Open the workspace, also where a snippet that owns it has closed it to itself."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
    try:
        return os.open(WORKSPACE, flags)
    except PermissionError:
        os.chmod(WORKSPACE, 0o1777)
        return os.open(WORKSPACE, flags)


def _walk(path: str, make: bool) -> tuple[int, str]:
    """Open the folder of a path step by step, so that no link is followed."""
    *folders, name = path.split("/")
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
    at = workspace()
    try:
        for folder in folders:
            if make:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(folder, 0o755, dir_fd=at)
            inner = os.open(folder, flags, dir_fd=at)
            os.close(at)
            at = inner
    except OSError:
        os.close(at)
        raise
    return at, name
