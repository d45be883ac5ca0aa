"""Prompts: what models are told, one file per role.

Enters: the folder and the name of a template, and what it may show. Leaves: text, or the digest of
the templates, by which data says what its models were told. What a role must not see is kept out
where its template is filled; a name that a template lacks is an error.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from tdscaling.schema import digest

if TYPE_CHECKING:
    from jinja2 import Environment


@functools.cache
def _environment(folder: Path) -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        autoescape=False,  # the reader is a model, not a browser
        trim_blocks=True,
        lstrip_blocks=True,
    )


def filled(folder: Path, name: str, **shown: object) -> str:
    """A template filled with what it may show."""
    return _environment(folder).get_template(f"{name}.jinja").render(shown).strip()


@functools.cache
def digest_of(folder: Path, *names: str) -> str:
    """The digest of templates as they stand in their files."""
    return digest([(folder / f"{name}.jinja").read_text(encoding="utf-8") for name in names])
