"""Accepted trajectories in OpenAI chat format, with a dataset card.

Enters: a ledger. Leaves: `dataset/train.jsonl`, the further formats asked for, and
`dataset/README.md`. Lines are streamed, and each file replaces its predecessor in one step, so an
interrupted or failed export leaves the earlier one whole.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from tdscaling.errors import ConfigError, RunDirectoryError
from tdscaling.export._card import card
from tdscaling.export._sharegpt import sharegpt
from tdscaling.export._summary import summarise
from tdscaling.store import Store

FORMATS: dict[str, tuple[str, Callable[[str], str]]] = {
    "openai": ("train.jsonl", str),
    "sharegpt": ("train.sharegpt.jsonl", sharegpt),
}
"""File and form of a line, by format."""


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write a file line by line beside its place, then move it there.

    Raises:
        RunDirectoryError: if it cannot be written; what was at `path` stays.
    """
    draft = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("w", encoding="utf-8", newline="\n") as file:
            for line in lines:
                file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        # Where the directory itself is unusable, the message below says so.
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise RunDirectoryError(
            f"{path}: cannot be written ({error.strerror or error}). Every finished trajectory is "
            f"safe in {path.parent.parent / 'run.duckdb'}; make room or choose another place with "
            "hydra.run.dir=<directory>, then run the same command again."
        ) from error


class OpenAIExport:
    """Writes `train.jsonl`, further formats beside it, and the card."""

    def __init__(self, *, formats: Sequence[str], licence: str, name: str) -> None:
        """Check the options.

        Args:
            formats: files to write, out of `FORMATS`; `openai` is always among them.
            licence: identifier for the card's front matter, as the Hugging Face Hub lists them.
            name: title of the dataset on its card.

        Raises:
            ConfigError: for a format that does not exist, or without `openai`.
        """
        unknown = [name for name in formats if name not in FORMATS]
        if unknown or "openai" not in formats:
            raise ConfigError(
                f"export.formats: expected 'openai' and any of {sorted(FORMATS)}, got "
                f"{list(formats)}. Type export.formats=[openai,sharegpt]."
            )
        self.formats = tuple(dict.fromkeys(formats))
        self.licence = licence
        self.name = name

    def write(self, store: Store, run_dir: Path) -> tuple[Path, ...]:
        """Write the dataset and return its files; the same ledger gives the same bytes.

        Raises:
            RunDirectoryError: if a file cannot be written; an earlier export stays whole.
        """
        folder = run_dir / "dataset"
        written = []
        for name in self.formats:
            file, form = FORMATS[name]
            write_lines(folder / file, map(form, store.lines()))
            written.append(folder / file)
        readme = folder / "README.md"
        files = {name: FORMATS[name][0] for name in self.formats}
        write_lines(readme, [card(summarise(store), self.name, self.licence, files)])
        return (*written, readme)
