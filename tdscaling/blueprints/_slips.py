"""Mistakes in the code of a figure that Python refuses.

Enters: code that works. Leaves: the same code with one mistake that a person makes: a wrong name,
a forgotten import or bracket, a function called in another way, a column that is not there, text
where a number or a date belongs. Each ends in an error; the dry run makes sure of it.
"""

from __future__ import annotations

_MISTAKES = (
    # a name that nobody has given
    ("{result}", "{results}"),
    ("first {} second else", "first {} secnd else"),
    ("percent / 100", "pct / 100"),
    ("last + timedelta", "latest + timedelta"),
    ("(values", "(vals"),
    ("(first", "(frist"),
    # a function called in another way
    ("abs(first - second)", "abs(first, second)"),
    ("sum(first + second)", "sum(first, second)"),
    ("len(first + second)", "len(first, second)"),
    ("max(first, second)", "first.max(second)"),
    ("sum(values)", "values.sum()"),
    ("max(values)", "values.max()"),
    ("statistics.mean(values)", "values.mean()"),
    ("statistics.median(values)", "values.median()"),
    ("days[-1] - days[0]", "days.last - days.first"),
    # text where a number or a date belongs
    ("first = $first\nsecond = $second\nresult = round(",
     "first = str($first)\nsecond = $second\nresult = round("),
    ("date.fromisoformat($first)", "$first"),
    ("max(map(date.fromisoformat, first + second))", "max(first + second)"),
    ("max(map(date.fromisoformat, (first, second)))", "max(first, second)"),
    ("days=$days", "days='$days'"),
    # a place that is not there
    ("row[1]", "row[2]"),
    ("row[1]", "row['value']"),
    ("days[-1]", "days[len(days)]"),
    # a word or a bracket that is forgotten
    (" else $second_keys", ""),
    ('")\n', '"\n'),
    ('")\n', ')\n'),
    ("print(", "Print("),
)  # fmt: skip
"""What the code says, and what is said instead; `{}` is either comparison."""


def slips(code: str, imports: str) -> list[str]:
    """The code with a mistake, once for each that can be made in it.

    Args:
        code: a template that ends with a call of `print`.
        imports: its first lines, forgotten in one of them.
    """
    found = [code.removeprefix(imports)] if imports.strip() else []
    for right, wrong in _MISTAKES:
        for sign in "<>" if "{}" in right else ("",):
            here, instead = right.replace("{}", sign), wrong.replace("{}", sign)
            if here in code:
                found.append(code.replace(here, instead))
    return found
