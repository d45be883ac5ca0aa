"""What a model wrote, read: JSON, or one text no longer than it may be.

Enters: a reply's text, which may be anything. Leaves: the value in it, or that there is none: what
a run could not store, compare or walk through is refused here, in one place. Without a limit of
length small models ramble on until they are cut off, and a reply that is cut off is none.
"""

from __future__ import annotations

import json
from typing import Any

import orjson

MOST = 2000
"""Characters; llama.cpp knows no longer repetitions."""
DEEPEST = 64
"""Levels of what a model wrote. A fixed number: what Python bears depends on where it is called."""


def value_in(text: str) -> Any:
    """The JSON value that a model wrote; whole numbers of any size stay what they are.

    Raises:
        ValueError: if it is none, or has half characters, NaN, or too many levels.
    """
    orjson.loads(text)  # refuses half characters, NaN and what nests far too deeply
    if text.count("{") + text.count("[") > DEEPEST:
        _check_depth(orjson.loads(text))
    return json.loads(text)


def _check_depth(value: object) -> None:
    level: list[Any] = [value]
    for _ in range(DEEPEST + 1):
        level = [
            inner
            for part in level
            if isinstance(part, dict | list)
            for inner in (part.values() if isinstance(part, dict) else part)
        ]
    if level:
        raise ValueError(f"more than {DEEPEST} levels")


def one_text(longest: int) -> dict[str, Any]:
    """What `Endpoint.chat` takes as `json_schema`."""
    limited = {"type": "string", "maxLength": min(longest, MOST)}
    return {
        "name": "words",
        "schema": {
            "type": "object",
            "properties": {"message": limited},
            "required": ["message"],
            "additionalProperties": False,
        },
    }


def text_in(content: str) -> str:
    """The text of a reply; one of a server that knows no JSON Schema may be the words alone."""
    text = content.strip()
    if not text.startswith("{"):
        return text
    try:
        told = value_in(text).get("message")
    except ValueError:
        return ""
    return told.strip() if isinstance(told, str) else ""
