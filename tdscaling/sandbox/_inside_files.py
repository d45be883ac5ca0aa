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


def _walk(path: str, make: bool) -> tuple[int, str]:
    """Open the folder of a path step by step, so that no link is followed."""
    *folders, name = path.split("/")
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
    at = os.open(WORKSPACE, flags)
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
