"""Prompts of the roles that a model plays, see `tdscaling.prompts`."""

from __future__ import annotations

from pathlib import Path

from tdscaling import prompts

_FOLDER = Path(__file__).parent / "prompts"


def fill(name: str, **shown: object) -> str:
    """A template filled with what it may show."""
    return prompts.filled(_FOLDER, name, **shown)


def told(role: str, *names: str) -> dict[str, str]:
    """The digest of what a role is told, as `meta.prompts` holds it."""
    return {role: prompts.digest_of(_FOLDER, *names)}
