"""Values in words.

Enters: text. Leaves: the numbers it names, and whether it tells a value: `1,234.50` is 1234.5,
`20%` is 0.2 too, `March 16` is 2025-03-16, `checked in` is checked_in; `unpaid` is not paid.
"""

from __future__ import annotations

import re

from tdscaling.verification._moments import has_date, moments

ID = re.compile(r"(?<![\w-])[A-Za-z]{1,12}-\d{3,}(?![\w-])")
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:,\d{3})*(?:\.\d+)?(?![\w])")
_COUNTED = (
    ("no", "none", "zero", "nothing"), ("one",), ("two",), ("three",), ("four",), ("five",),
    ("six",), ("seven",), ("eight",), ("nine",), ("ten",), ("eleven",), ("twelve",),
)  # fmt: skip
_CLOSE = 1e-6
_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d)(?::\d\d)?)?")


def numbers(text: str) -> list[float]:
    """All numbers in a text, thousands separators understood."""
    return [float(found.replace(",", "")) for found in NUMBER.findall(text)]


def tells(text: str, value: str) -> bool:
    """Whether a text tells a value."""
    if NUMBER.fullmatch(value):
        return _tells_number(text, float(value.replace(",", "")))
    when = _DATE.fullmatch(value)
    if when:
        told = moments(text)
        return has_date(when[1], told.dates) and (not when[2] or has_time(when[2], told.times))
    return said(text, value)


def said(text: str, words: str) -> bool:
    """Whether a text holds words as whole words; case, `_`, `-` and spaces make no difference."""
    parts = [re.escape(part) for part in re.split(r"[\s_-]+", words) if part]
    pattern = r"(?<!\w)" + r"[\s_-]+".join(parts) + r"(?!\w)"
    return re.search(pattern, text, re.IGNORECASE) is not None


def has_time(wanted: str, times: frozenset[str] | set[str]) -> bool:
    """Whether a time is among others; without am or pm it may be meant either way."""
    hour, minute = wanted.split(":")
    return any(time.endswith(minute) and (int(time[:2]) - int(hour)) % 12 == 0 for time in times)


def _tells_number(text: str, wanted: float) -> bool:
    plain = ID.sub(" ", moments(text).rest)
    if any(abs(found - wanted) < _CLOSE for found in numbers(plain)):
        return True
    if any(f"{share}%" in plain for share in (f"{wanted * 100:g}", f"{wanted * 100:.1f}")):
        return True
    if wanted.is_integer() and 0 <= wanted < len(_COUNTED):
        return any(said(plain, word) for word in _COUNTED[int(wanted)])
    return False
