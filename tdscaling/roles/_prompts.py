"""Prompts of the roles that a model plays.

Enters: the name of a template in `prompts/` and what it may show. Leaves: text. What a role must
not see is kept out where its template is filled; a name that a template lacks is an error.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment


@functools.cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "prompts"),
        undefined=StrictUndefined,
        autoescape=False,  # the reader is a model, not a browser
        trim_blocks=True,
        lstrip_blocks=True,
    )


def fill(name: str, **shown: object) -> str:
    """A template filled with what it may show."""
    return _environment().get_template(f"{name}.jinja").render(shown).strip()
