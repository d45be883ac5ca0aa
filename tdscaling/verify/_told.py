"""What a line says of its words: who found them, in which voice, by which prompts.

Enters: a line's blueprint and labels. Leaves: the first of them that cannot be true.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tdscaling.credits import counted, player_of
from tdscaling.schema import Blueprint
from tdscaling.verification._differences import cut

COMPOSER = "composer"
SCRIPTED = "scripted"
LONGEST = 200
"""Characters of a persona, a style or a language."""
_DIGEST = re.compile(r"[0-9a-f]{16}")


def other_words(blueprint: Blueprint, meta: Mapping[str, Any]) -> str | None:
    """Whether authors, voice and prompts fit the blueprint and the roles."""
    return _authors(blueprint, meta) or _voice(blueprint, meta) or _prompts(blueprint, meta)


def _authors(blueprint: Blueprint, meta: Mapping[str, Any]) -> str | None:
    authors, places = blueprint.authors, blueprint.places()
    if authors and (
        sorted(authors) != sorted(places) or not set(authors.values()) <= {"model", "template"}
    ):
        wanted = f"model or template for each of {', '.join(places)}"
        return f"blueprint, authors: expected {wanted}, got {cut(authors)}"
    told = player_of(meta["roles"]["user"])[1]
    if told != counted(blueprint):
        wanted = counted(blueprint) or "none"
        return f"meta.roles: expected {wanted} of the words by a model, got {cut(told or 'none')}"
    return None


def _voice(blueprint: Blueprint, meta: Mapping[str, Any]) -> str | None:
    voice = blueprint.voice.to_json() if blueprint.voice else None
    if meta.get("voice") != voice:
        return f"meta.voice: expected {voice} as in its blueprint, got {cut(meta.get('voice'))}"
    for name, text in (voice or {}).items():
        if not isinstance(text, str) or not text.isprintable() or len(text) > LONGEST:
            return f"meta.voice: expected one line as its {name}, got {cut(text)!r}"
    if voice and not blueprint.by_model and _player(meta, "user") == SCRIPTED:
        return "meta.voice: expected none where no model found the user's words"
    return None


def _prompts(blueprint: Blueprint, meta: Mapping[str, Any]) -> str | None:
    prompts = meta.get("prompts", {})
    if not isinstance(prompts, dict) or (not prompts and "prompts" in meta):
        return f"meta.prompts: expected a digest by role, got {cut(prompts)}"
    for role, digest in prompts.items():
        if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
            return f"meta.prompts, {cut(role)}: expected 16 hex digits, got {cut(digest)!r}"
        played = bool(blueprint.authors) if role == COMPOSER else _player(meta, role) != SCRIPTED
        if not played or (role != COMPOSER and role not in meta["roles"]):
            return f"meta.prompts: expected roles that a model plays, got {cut(role)}"
    if blueprint.authors and COMPOSER not in prompts:
        return "meta.prompts: expected that of the composer, which is missing"
    return None


def _player(meta: Mapping[str, Any], role: str) -> str:
    return player_of(str(meta["roles"].get(role)))[0]
