"""Identifiers and texts in SQL.

Enters: names and values out of schemas, untrusted. Leaves: SQL that names exactly them: names are
made of small letters, digits and `_` and quoted all the same, texts are quoted.
"""

from __future__ import annotations

import re

from tdscaling.phrasing.names import split

LONGEST = 40
_LABEL = re.compile(r"[a-z][a-z0-9_]{0,62}")
_CLOCK = frozenset({"now", "current_date", "current_time", "current_timestamp"})
"""Names that SQL would take for the wall clock."""


def label_of(category: str) -> str:
    """A category as it stands where a domain file can hold it, else made so."""
    if _LABEL.fullmatch(category):
        return category
    return identifier(category, "other") if category else "other"


def identifier(name: str, fallback: str = "field") -> str:
    """A column's or table's name: `dueDate` is `due_date`."""
    words = "_".join(split(name)) if isinstance(name, str) else ""
    words = re.sub(r"[^a-z0-9_]", "", words)[:LONGEST].strip("_")
    if not words:
        return fallback
    if words in _CLOCK:
        return f"{words}_{fallback}"
    return words if words[0].isalpha() else f"{fallback}_{words}"[:LONGEST]


def quoted(name: str) -> str:
    """An identifier in SQL."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """A text in SQL."""
    return "'" + value.replace("'", "''").replace("\x00", "") + "'"


def unique(name: str, taken: set[str]) -> str:
    """The name, or the next free one after it; it counts as taken from now on."""
    found, number = name, 2
    while found in taken:
        found, number = f"{name}_{number}", number + 1
    taken.add(found)
    return found
