"""Questions: whether an assistant waits for the user.

Enters: what an assistant said. Leaves: whether the user is to reply before the next wish, and
whether a plain yes would do. A user who follows a schedule and an assistant whose answers are
reworded go by the same rule, or one would take for a question what the other meant as an answer.
"""

from __future__ import annotations

import re

LAST = 2
"""Sentences at the end of a text that are looked at: what comes earlier was rhetorical."""

_BETWEEN = re.compile(r"(?<=[.!?])[\s\"'*_)]+|\n+")
_COURTESY = re.compile(
    r"(?:any|some)?(?:thing|one) (?:else|more|further)|what else|"
    r"(?:other|more|further|additional) (?:questions?|requests?|help|assistance|support)|"
    r"(?:help|assist|serve) you (?:with|further|today|in)|can I (?:help|assist)",
    re.IGNORECASE,
)
_OPEN = re.compile(
    r"\b(?:which|what|when|where|who|whose|how|or|tell me|give me|provide|share|specify)\b",
    re.IGNORECASE,
)


def asks(text: str) -> bool:
    """Whether a text ends in a question that is more than a courtesy."""
    return bool(_questions(text))


def wants_yes(text: str) -> bool:
    """Whether a plain yes answers the question that a text ends in."""
    return not any(_OPEN.search(question) for question in _questions(text))


def _questions(text: str) -> list[str]:
    sentences = [found.strip(" \"'*_)(") for found in _BETWEEN.split(text)]
    last = [sentence for sentence in sentences if sentence][-LAST:]
    return [s for s in last if s.endswith("?") and not _COURTESY.search(s)]
