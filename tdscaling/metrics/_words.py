"""What a message's words do: ask, refuse, take leave, change a goal.

Enters: the text of one message. Leaves: yes or no. The reader works on foreign data as well, where
nothing but words tells; the cues are English.
"""

from __future__ import annotations

import re

_COURTESY = re.compile(
    r"\b(anything else|any other (question|request)s?|something else|any further|"
    r"(can|may|could) i (help|assist)|help you with|assist you|need any(thing| more)|"
    r"is that all|what can i do for you|does that help|sound good)\b",
    re.IGNORECASE,
)
_REFUSAL = re.compile(
    r"\b(can't|can not|cannot|won't|will not be able|unable to|"
    r"not able to|(is|are|was|were) ?(n't|not) (possible|allowed|permitted|eligible)|"
    r"not possible to|could(n't| not) be (done|made|completed|processed|changed|cancelled)|"
    r"must (refuse|decline)|have to (refuse|decline))\b",
    re.IGNORECASE,
)
_REVISION = re.compile(
    r"\b(actually|instead|change of plans?|chang(ed|e) my mind|on second thoughts?|make (that|it)|"
    r"scrap (that|it)|forget (that|what i said)|rather\b.{0,80}?\bthan)\b",
    re.IGNORECASE | re.DOTALL,
)
_SENTENCE = re.compile(r"[^.!?\n]*[.!?\n]*")


def asks(text: str) -> bool:
    """Whether the last sentence is a question that is no mere courtesy."""
    stripped = _straight(text).rstrip().rstrip("\"')*_ ")
    if not stripped.endswith("?"):
        return False
    sentences = [part for part in _SENTENCE.findall(stripped) if part.strip()]
    return not _COURTESY.search(sentences[-1])


def refuses(text: str) -> bool:
    """Whether the text says that something cannot or will not be done."""
    return bool(_REFUSAL.search(_straight(text)))


def revises(text: str) -> bool:
    """Whether the text takes back or replaces what was said before."""
    return bool(_REVISION.search(text))


def _straight(text: str) -> str:
    """Typographic quotes as plain ones, since models write either."""
    return text.replace("\u2019", "'").replace("\u201d", '"')
