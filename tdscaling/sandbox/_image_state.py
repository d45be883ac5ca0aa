"""An image in the cache: is it as it was when it was made.

Enters: its folder. Leaves: the image, or what is amiss at a look that takes some milliseconds.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Image:
    """A root folder and its tar."""

    root: Path
    tar: Path
    digest: str
    """`sha256:` and the digest of the tar."""


def found_in(place: Path) -> Image | str | None:
    """The image if it is as it was made, at a first look; else what is amiss, None without one."""
    try:
        lines = (place / "digest").read_bytes().decode("ascii", "replace").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        return f"its digest cannot be read: {error}"
    if len(lines) != 2 or not all(re.fullmatch(r"sha256:[0-9a-f]{64}", line) for line in lines):
        return "its digest is none"
    try:
        if look(place) != lines[1]:
            return "files are missing, added or changed"
    except OSError as error:
        return f"it cannot be read: {error}"
    return Image(place / "root", place / "root.tar", lines[0])


def look(place: Path) -> str:
    """Digest of the names, modes, sizes and links of an image, which is quick to make."""
    seen = hashlib.sha256(f"{(place / 'root.tar').stat().st_size}\n".encode())
    for folder, folders, names in os.walk(place / "root", onerror=_raise):
        folders.sort()
        for name in sorted([*folders, *names]):
            path = os.path.join(folder, name)
            state = os.lstat(path)
            size = 0 if stat.S_ISDIR(state.st_mode) else state.st_size
            to = os.readlink(path) if stat.S_ISLNK(state.st_mode) else ""
            seen.update(f"{path[len(str(place)) :]}\0{state.st_mode:o} {size} {to}\n".encode())
    return f"sha256:{seen.hexdigest()}"


def _raise(error: OSError) -> None:
    raise error
