"""A composer behind HTTP: what it makes of a draft."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from tests.openai_server import Answer, Body, said


def draft_of(body: Body) -> str:
    """The draft that a request is about."""
    text: str = body["messages"][-1]["content"]
    return text.rpartition("Draft: ")[2]


def values_of(body: Body) -> list[str]:
    """The values that a request wants kept, in the order of the draft."""
    found = re.search(r"^Values to copy: (.*)$", body["messages"][-1]["content"], re.MULTILINE)
    return found[1].split("; ") if found else []


def asked(body: Body) -> bool:
    """Whether a request is the composer's."""
    bound = body.get("response_format", {}).get("json_schema", {}).get("name") == "words"
    return bound and "The assistant's reply: " not in body["messages"][-1]["content"]


def message(text: str) -> Answer:
    return said(json.dumps({"message": text}))


def polite(draft: str) -> str:
    """The draft in other words that hold."""
    keeps = draft.startswith(("I ", "I'")) or draft[1:2].isupper() or draft[1:2].isdigit()
    return f"Good day, {draft if keeps else draft[0].lower() + draft[1:]}"


def wording(change: Callable[[str], str]) -> Callable[[Body], Answer]:
    """Answers with a change of the draft."""
    return lambda body: message(change(draft_of(body)))


def german(body: Body) -> Answer:
    """All values in their order, in German."""
    values = ", ".join(values_of(body))
    return message(f"Guten Tag, ich brauche bitte Hilfe: {values or 'wie besprochen'}.")
