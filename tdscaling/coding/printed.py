"""What code printed, as values.

Enters: the text that a snippet or a query printed. Leaves: its lines `label: value`, its rows, the
values that an answer must tell, and whether two results are the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

TOLD_ROWS = 3
"""Rows of a table that an answer must tell, from the top."""
_LINE = re.compile(r"(?P<label>[^:|\n][^:|\n]*): (?P<value>\S[^\n]*)")
_NUMBER = re.compile(r"-?\d+(?:\.(?P<decimals>\d+))?(?=%?$)")

Rows = list[tuple[str, ...]]


def lines(text: str) -> list[tuple[str, str]]:
    """The (label, value) lines of a text; other lines are left out."""
    found = (_LINE.fullmatch(line.strip()) for line in text.splitlines())
    return [(match["label"], match["value"].strip()) for match in found if match]


def rows(text: str) -> Rows:
    """The rows of a table as the `sql` language prints it, its header left out."""
    return [tuple(line.split("|")) for line in text.splitlines()[1:]]


def stdout(content: str) -> str:
    """What the code of an observation printed; empty where it is no such observation."""
    data = json.loads(content)
    return str(data.get("stdout", "")) if isinstance(data, dict) else ""


def is_table(text: str) -> bool:
    """Whether a text is a table rather than lines of `label: value`."""
    return bool(text.strip()) and not lines(text)


def told(content: str, *, names: bool) -> tuple[str, ...]:
    """Values that an answer must tell of an observation.

    Args:
        content: the observation.
        names: whether the labels of lines count, too.
    """
    text = stdout(content)
    if is_table(text):
        values = [cell for row in rows(text)[:TOLD_ROWS] for cell in row]
    else:
        values = [part for line in lines(text) for part in (line if names else line[1:])]
    return tuple(dict.fromkeys(values))


def items(text: str) -> list[str]:
    """All lines or rows as words."""
    if is_table(text):
        return [", ".join(row) if len(row) < 2 else f"{row[0]} ({', '.join(row[1:])})"
                for row in rows(text)]  # fmt: skip
    return [f"{label} ({value})" for label, value in lines(text)]


def values(text: str) -> list[str]:
    """The values of the lines; of a table, the cells of its first row."""
    if is_table(text):
        return list(rows(text)[0]) if rows(text) else []
    return [value for _, value in lines(text)]


def same_lines(one: str, other: str) -> bool:
    """Whether two texts print the same values under the same labels, up to rounding."""
    left, right = lines(one), lines(other)
    return bool(left) and len(left) == len(right) and all(
        a == b and _same(v, w) for (a, v), (b, w) in zip(left, right, strict=True)
    )  # fmt: skip


def same_rows(one: Rows, other: Rows, ordered: bool) -> bool:
    """Whether two result sets are the same; the order counts where it was asked for."""
    if len(one) != len(other):
        return False
    if not ordered:
        one, other = sorted(one, key=_key), sorted(other, key=_key)
    return all(len(a) == len(b) and all(map(_same, a, b)) for a, b in zip(one, other, strict=True))


def _key(row: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{float(cell):.2f}" if _NUMBER.fullmatch(cell) else cell for cell in row)


def _same(one: str, other: str) -> bool:
    if one == other:
        return True
    left, right = _NUMBER.match(one), _NUMBER.match(other)
    if not left or not right or one.endswith("%") != other.endswith("%"):
        return False
    # Two ways of summing may round a half to either side.
    digits = min(len(left["decimals"] or ""), len(right["decimals"] or ""))
    return abs(float(left[0]) - float(right[0])) <= (1.01 * 10**-digits if digits else 1e-9)
