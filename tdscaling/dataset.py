"""A dataset as a file of lines, the same for every command that reads one.

Enters: what was typed, a JSONL file or the directory of a run. Leaves: its lines that are not
blank, with the numbers they have in the file, and a line as JSON. Nothing here knows what a line is
about.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tdscaling.errors import DatasetError
from tdscaling.store import FILE, Store

Pairs = Callable[[list[tuple[str, Any]]], Any]

_SHOWN = 40
"""Characters of a line that a message shows."""


def file_of(path: Path) -> Path:
    """The JSONL file that a path names: itself, or that of a run's directory.

    Raises:
        DatasetError: if there is none, saying why where the path is the directory of a run.
    """
    found = next((option for option in (path, *_datasets(path)) if option.is_file()), None)
    if found is not None:
        return found
    for run in (path, *list(path.parents)[:2]):
        if (run / FILE).is_file() and path in (run, run / "dataset", *_datasets(run)):
            raise DatasetError(f"dataset: the run in {run} has no dataset: {_why_none(run)}")
    raise DatasetError(
        f"dataset: expected a JSONL file or the directory of a run, got {path}. Type for example "
        "dataset=outputs/DATE/TIME"
    )


def _datasets(folder: Path) -> tuple[Path, ...]:
    return folder / "train.jsonl", folder / "dataset" / "train.jsonl"


def _why_none(run: Path) -> str:
    store = Store.read(run / FILE)
    try:
        accepted, attempts = store.accepted, store.next_index
    finally:
        store.close()
    if not accepted:
        return f"nothing was accepted in {attempts} attempts"
    return (
        f"{accepted} trajectories were accepted, but it was stopped before it wrote them. Go on "
        f"with it: type its command again with run_dir={run}"
    )


def numbered(file: Path) -> Iterator[tuple[int, bytes]]:
    """Lines that are not blank, numbered as in the file; a byte order mark is no part of them."""
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            text = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
            if text := text.strip():
                yield number, text


def parsed(line: bytes, pairs: Pairs | None = None) -> Any:
    """A line as JSON; `pairs` makes its objects, as `object_pairs_hook` of `json` does.

    Raises:
        DatasetError: if it is not UTF-8 or no JSON.
    """
    shown = ascii(line[:_SHOWN].decode(errors="replace"))
    try:
        return json.loads(line.decode(), object_pairs_hook=pairs)
    except UnicodeDecodeError as error:
        byte = f"byte 0x{line[error.start]:02x} at {error.start + 1}"
        raise DatasetError(f"expected UTF-8, got {byte} in {shown}") from None
    except json.JSONDecodeError as error:
        why = f"{error.msg[:1].lower()}{error.msg[1:]} at character {error.pos + 1}"
        raise DatasetError(f"expected one JSON object, got {shown}: {why}") from None
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"expected one JSON object, got {shown}: {error}") from None
