"""One text as a reply, no longer than it may be.

Enters: how long. Leaves: the JSON Schema to ask with, and the text in the reply. Without a limit
small models ramble on until they are cut off, and a reply that is cut off is none.
"""

from __future__ import annotations

import json
from typing import Any

MOST = 2000
"""Characters; llama.cpp knows no longer repetitions."""


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
        told = json.loads(text).get("message")
    except ValueError:
        return ""
    return told.strip() if isinstance(told, str) else ""
