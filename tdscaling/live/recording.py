"""What servers answered in the course of an attempt.

Enters: each call of each session. Leaves: recordings, which travel with the outcome: whoever has
them can repeat the conversation without the server. A call is known by the digest of all that went
before it, so that the state it met is part of its name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from tdscaling.schema import Recording, digest

_kept: ContextVar[dict[tuple[str, str], Recording] | None] = ContextVar("recordings", default=None)
"""Of the attempt under way; threads that it starts share it."""


@contextmanager
def recorded() -> Iterator[dict[tuple[str, str], Recording]]:
    """Keep what is recorded within, by domain and key."""
    kept: dict[tuple[str, str], Recording] = {}
    token = _kept.set(kept)
    try:
        yield kept
    finally:
        _kept.reset(token)


def begin(domain_digest: str, seed: str) -> str:
    """The key of a session in which nothing was called."""
    return digest([domain_digest, seed])


def follow(key: str, tool: str, arguments: Any) -> str:
    """The key after one more call."""
    return digest([key, tool, arguments])


def keep_call(domain: str, key: str, tool: str, ok: bool, content: str) -> None:
    """Record an answer."""
    kept = _kept.get()
    if kept is not None:
        kept.setdefault((domain, key), Recording(domain, key, tool, ok, content))


def keep_changes(domain: str, key: str, changes: Any) -> None:
    """Record the state that a session is in."""
    kept = _kept.get()
    if kept is not None:
        before = kept.get((domain, key)) or Recording(domain, key, "", True, "")
        text = json.dumps(changes, ensure_ascii=False)
        kept[domain, key] = Recording(domain, key, before.tool, before.ok, before.content, text)
