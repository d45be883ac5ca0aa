"""Files that a source of tools is read from.

Enters: paths as the user gave them. Leaves: files in a fixed order, and the data of one of them.
Nothing of a file is executed, and neither its size nor its nesting can overflow anything.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from tdscaling.errors import ToolsError
from tdscaling.tools._messages import shown

LARGEST = 200_000_000
"""Bytes of one file."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A file to read."""

    path: Path
    where: str
    """How it is called in messages and as a source: as given, or below the folder given."""
    named: bool
    """Whether the user named this very file: then it must be usable. One that merely lies in a
    folder is skipped where it is not."""


def listed(paths: Sequence[str], suffixes: Sequence[str], example: str) -> list[Listed]:
    """The files of paths, those of folders by name and with all that is below.

    Raises:
        ToolsError: if there is no path, one is neither, or a folder holds no such file.
    """
    if not paths:
        raise ToolsError(
            f"tools.paths: expected at least one file or folder, got none. Type {example}."
        )
    found: dict[Path, Listed] = {}
    for text in paths:
        path = Path(text).expanduser()
        if path.is_dir():
            inside = sorted(_below(path, suffixes))
            if not inside:
                raise ToolsError(
                    f"tools.paths: expected files that end in {', '.join(suffixes)} in the folder "
                    f"{text}, got none. Give another folder, or the file itself."
                )
            for file in inside:
                found.setdefault(file, Listed(file, file.relative_to(path).as_posix(), False))
        elif path.is_file():
            found[path] = Listed(path, path.name, True)
        else:
            raise ToolsError(
                f"tools.paths: expected a file or a folder, got {text}, which is "
                f"{'neither' if path.exists() else 'not there'}. "
                f"Give an existing path, for example {example}."
            )
    return list(found.values())


def _below(folder: Path, suffixes: Sequence[str]) -> list[Path]:
    return [
        Path(top, name)
        for top, _, names in os.walk(folder)  # follows no links to folders
        for name in names
        if name.lower().endswith(tuple(suffixes)) and Path(top, name).is_file()
    ]


def content(file: Path) -> bytes:
    """The bytes of a file, without a byte order mark.

    Raises:
        ToolsError: if it cannot be read, is too large, empty or no UTF-8.
    """
    try:
        with file.open("rb") as stream:
            data = stream.read(LARGEST + 1)
    except OSError as error:
        raise ToolsError(f"{file}: cannot read it: {error.strerror or error}.") from error
    if len(data) > LARGEST:
        raise ToolsError(f"{file}: expected up to {LARGEST:,} bytes, got more. Split the file.")
    data = data.removeprefix(b"\xef\xbb\xbf")
    if not data.strip():
        raise ToolsError(f"{file}: expected tools, got an empty file.")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in data[:1_000]:
        raise ToolsError(f"{file}: expected text in UTF-8, got another encoding or no text at all.")
    return data


def json_of(data: bytes) -> Any:
    """What JSON says.

    Raises:
        ValueError: if it is none, or nests too deeply; says where.
    """
    return orjson.loads(data)


def entries(
    file: Listed, expected: str, skip: Callable[[str, str], None]
) -> Iterator[tuple[str, Any]]:
    """Each entry of a JSON or JSON Lines file with where it is.

    A line that is no JSON is skipped and named.

    Raises:
        ToolsError: if it is not a JSON object or list, and no line of it is JSON either.
    """
    data = content(file.path)
    try:
        whole = json_of(data)
    except ValueError as error:
        yield from _lines(file, data, f"{file.path}: {expected}, got no JSON: {error}.", skip)
        return
    if isinstance(whole, list):
        for number, entry in enumerate(whole, 1):
            yield f"{file.where}: entry {number}", entry
    elif isinstance(whole, dict):
        yield file.where, whole
    else:
        raise ToolsError(f"{file.path}: {expected}, got {shown(whole)}.")


def _lines(
    file: Listed, data: bytes, refusal: str, skip: Callable[[str, str], None]
) -> Iterator[tuple[str, Any]]:
    broken, found = [], 0
    for number, line in enumerate(data.split(b"\n"), 1):
        where = f"{file.where}: line {number}"
        if not line.strip():
            continue
        try:
            entry = json_of(line)
        except ValueError as error:
            broken.append((where, f"no JSON: {error}"))
            continue
        if isinstance(entry, dict):
            found += 1
            yield where, entry
        else:
            broken.append((where, f"expected an object, got {shown(entry)}"))
    if not found:
        raise ToolsError(refusal)
    for where, why in broken:
        skip(where, why)


def each(
    files: Sequence[Listed],
    read: Callable[[Listed], None],
    skip: Callable[[str, str], None],
) -> None:
    """Read files one after the other; one that merely lies in a folder may be unusable.

    Raises:
        ToolsError: if a file that was named is refused, or none in the folders is usable.
    """
    refused = []
    with _uncollected():
        for file in files:
            try:
                read(file)
            except ToolsError as error:
                if file.named:
                    raise
                refused.append(error)
                skip(file.where, str(error))
    if refused and len(refused) == len(files):
        raise ToolsError(f"tools.paths: no file is usable. The first: {refused[0]}")


@contextmanager
def _uncollected() -> Iterator[None]:
    """No search for garbage in circles: there is none among schemas, and a quarter of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
