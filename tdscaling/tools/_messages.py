"""What strangers' data looks like in a message.

Enters: a value or text as a source states it. Leaves: something short that can be seen, whatever
the value holds: it may nest deeper than `repr` can follow, or turn a terminal's text around.
"""

from __future__ import annotations

import reprlib

MOST = 300
"""Characters of a text in a message."""


def shown(value: object) -> str:
    """A value, cut to a few words."""
    return visible(reprlib.repr(value)[:60])


def visible(text: str) -> str:
    """A text in which what would not be seen is written out."""
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode()
        for sign in text[:MOST]
    )
