"""Dates and times in words.

Enters: text. Leaves: the dates and times that it names, in one form whichever way they are written,
and the text without them, so that a day is no amount.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    "(?P<{0}>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_DAY = r"(?P<{0}>\d{{1,2}})(?:st|nd|rd|th)?"
_ISO = re.compile(r"\b(\d{4}-\d\d-\d\d)(?=\D|$)T?")
_WORDED = re.compile(
    rf"\b(?:{_MONTH.format('m1')}\s+(?:the\s+)?{_DAY.format('d1')}\b|"
    rf"{_DAY.format('d2')}\s+(?:of\s+)?{_MONTH.format('m2')})"
    r"(?:,?\s+(?P<year>\d{4})\b)?",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"(?<![\d:])(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::\d\d)?(?!\d)\s*(?P<half>[ap]\.?m\b\.?)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Moments:
    """Dates and times that a text names."""

    dates: frozenset[str]
    """`YYYY-MM-DD`, or `MM-DD` where the year is left out."""
    times: frozenset[str]
    """`HH:MM`, 24 hours."""
    rest: str
    """The text without them."""


@lru_cache(maxsize=1024)  # answers are searched for one value after the other
def moments(text: str) -> Moments:
    """Dates and times of a text."""
    dates = set(_ISO.findall(text))
    rest = _ISO.sub(" ", text)
    dates |= {_date(found) for found in _WORDED.finditer(rest)}
    rest = _WORDED.sub(" ", rest)
    times = {_time(found) for found in _TIME.finditer(rest)}
    return Moments(frozenset(dates), frozenset(times), _TIME.sub(" ", rest))


def has_date(wanted: str, dates: frozenset[str] | set[str]) -> bool:
    """Whether a date is among others, a year that is left out on either side not counted."""
    if len(wanted) > len("MM-DD"):
        return wanted in dates or wanted[5:] in dates
    return any(date.endswith(wanted) for date in dates)


def _date(found: re.Match[str]) -> str:
    month = (found["m1"] or found["m2"]).lower()
    day = int(found["d1"] or found["d2"])
    short = f"{_MONTHS.index(month[:3]) + 1:02}-{day:02}"
    return f"{found['year']}-{short}" if found["year"] else short


def _time(found: re.Match[str]) -> str:
    hour = int(found["hour"])
    half = (found["half"] or "").lower()[:1]
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    return f"{hour:02}:{found['minute']}"
