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
# "Send my order to Oslo instead" is a wish like any other; "take Oslo instead" takes one back.
_REVISION = re.compile(
    r"\b(actually|instead of|change of plans?|chang(ed|e) my mind|on second thoughts?|"
    r"(?<!won't )(?<!can't )make (that|it)|"
    r"(scrap|forget) (that|it|what i said)(?! \w)|rather\b.{0,80}?\bthan|"
    r"(let's|go with|take|use|do|try|pick|choose|prefer)\b[^.!?\n]{0,60}\binstead)\b"
    r"|(^|[.!?]\s+)instead\b",
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
    return bool(_REVISION.search(_straight(text)))


def _straight(text: str) -> str:
    """Typographic quotes as plain ones, since models write either."""
    return text.replace("\u2019", "'").replace("\u201d", '"')
