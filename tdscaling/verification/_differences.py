"""Two values that differ, for people.

Enters: what was expected and what was got. Leaves: both as text, from shortly before where they
begin to differ: two long observations may differ in one digit.
"""

from __future__ import annotations

from tdscaling.schema import canonical

BEFORE = 40
"""Characters shown before the difference."""
LONGEST = 140
"""Characters shown of one value."""


def differing(expected: object, got: object) -> tuple[str, str]:
    """Both values as text, cut."""
    one, other = _text(expected), _text(got)
    pairs = zip(one, other, strict=False)
    same = next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
    start = max(0, same - BEFORE)
    return _from(one, start), _from(other, start)


def cut(value: object) -> str:
    """A value as text of bounded length."""
    return _from(_text(value), 0)


def _text(value: object) -> str:
    return value if isinstance(value, str) else canonical(value)


def _from(text: str, start: int) -> str:
    shown = text[start:]
    end = shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 3]}..."
    return f"...{end}" if start else end
