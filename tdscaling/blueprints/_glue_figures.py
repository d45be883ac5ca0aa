"""Figures over two calls that a further call can take.

Enters: two calls of a service and what a parameter takes. Leaves: figures: how a user names them,
the code that works them out, another program that must print the same, and their exact value, by
which those are left out that no argument could be: what is not positive, what rounds either way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from tdscaling.blueprints._readings import Call, called, many, plural
from tdscaling.blueprints._slips import slips

LATER = (1, 2, 3, 5, 7, 10, 14, 21, 30)
"""Days after a date that users ask for."""
PERCENT = (10, 20, 25, 40, 50, 75)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
_DATES = "from datetime import date, timedelta\n"
_DEGREES = {
    "max": {"date": ("the later", "latest"), "count": ("more", "most"),
            "size": ("the higher", "highest")},
    "min": {"date": ("the earlier", "earliest"), "count": ("fewer", "fewest"),
            "size": ("the lower", "lowest")},
}  # fmt: skip
"""By which end is meant and what is compared: of two, of many."""


@dataclass(frozen=True, slots=True)
class Glue:
    """A figure that an argument can be."""

    phrase: str
    """What the user calls it: a noun phrase."""
    body: str
    """Code that leaves it in `result`; `$first`, `$second` stand for what the calls returned."""
    other: str
    """Another program that leaves the same in `result`."""
    imports: str = ""
    stated: tuple[tuple[str, int], ...] = ()
    """Values in it that the user gives, by their names in the code."""
    key: str = ""
    """Column of which it chooses one value; `$first_keys`, `$second_keys` stand for them then."""

    def code(self, label: str) -> str:
        """The code that prints it under a label."""
        return f'{self.imports}{self.body}print(f"{label}: {{result}}")\n'

    def check(self, label: str) -> str:
        """The other program."""
        return f'{self.other}print("{label}:", result)\n'

    def slips(self, label: str) -> list[str]:
        """The code with a mistake that Python refuses."""
        return slips(self.code(label), self.imports)


@dataclass(frozen=True, slots=True)
class Pair:
    """The same column, or two that count the same, of two calls."""

    calls: tuple[Call, Call]
    columns: tuple[str, str]

    @property
    def held(self) -> tuple[list[Any], list[Any]]:
        """The values of both calls."""
        one, other = (
            [row[column] for row in call.result.rows]
            for call, column in zip(self.calls, self.columns, strict=True)
        )
        return one, other

    @property
    def lists(self) -> bool:
        """Whether the calls return lists."""
        return self.calls[0].spec.file.result == "many"

    @property
    def both(self) -> str:
        """Both calls by what the user gives: AC-1042 and AC-1077."""
        return " and ".join(call.named for call in self.calls)

    @property
    def rows(self) -> str:
        """What the rows of the lists are called: payments."""
        return plural(called(self.calls[0].spec.columns[0]))

    @property
    def nouns(self) -> tuple[str, str]:
        """What the columns are called."""
        return called(self.columns[0]), called(self.columns[1])


@dataclass(frozen=True, slots=True)
class _Number:
    """A quantity, before it is known to be one that can be passed on."""

    phrase: str
    code: str
    """Expression over `first` and `second`."""
    check: str
    """Another one over `a` and `b`, which hold fractions."""
    exact: Fraction
    stated: tuple[tuple[str, int], ...] = ()


def numbers(pair: Pair, percents: Sequence[int], *, whole: bool, money: bool) -> Iterator[Glue]:
    """Figures over quantities.

    Args:
        pair: of columns that count the same.
        percents: shares to ask for.
        whole: whether only a whole number will do.
        money: whether the quantity is an amount of money.
    """
    one, other = pair.held
    if whole and not all(isinstance(value, int) for value in [*one, *other]):
        return
    a, b = ([Fraction(str(value)) for value in held] for held in (one, other))
    if pair.lists:
        if not sum(a) or not sum(b):
            return  # what nothing is added to need not be worked out
        made = _of_lists(pair, a, b)
        given = "a, b = ([Fraction(str(v)) for v in held] for held in ($first, $second))\n"
    else:
        if not a[0] or not b[0]:
            return
        made = _of_singles(pair, percents if money else (), a[0], b[0])
        given = "a, b = Fraction(str($first)), Fraction(str($second))\n"
    for number in made:
        beyond = (number.exact * 100) % 1
        # Half a cent goes up or down by the way it is computed; a quotient is no whole number.
        if number.exact <= 0 or beyond == Fraction(1, 2) or (whole and "/" in number.code):
            continue
        told = "".join(f"{name} = ${name}\n" for name, _ in number.stated)
        shown = number.code if whole else f"round({number.code}, 2)"
        turned = "int(exact)" if whole else "float(round(exact, 2))"
        yield Glue(
            number.phrase + (", rounded to two decimals," if beyond else ""),
            f"first = $first\nsecond = $second\n{told}result = {shown}\n",
            f"from fractions import Fraction\n{told}{given}exact = {number.check}\n"
            f"result = {turned}\n",
            stated=number.stated,
        )


def _of_singles(pair: Pair, percents: Sequence[int], a: Fraction, b: Fraction) -> Iterator[_Number]:
    (x, y), (noun, another) = (call.named for call in pair.calls), pair.nouns
    apart, check = "abs(first - second)", "max(a, b) - min(a, b)"
    if pair.columns[0] != pair.columns[1] or pair.calls[0].spec is not pair.calls[1].spec:
        of = f"the {noun} of {x} and the {another} of {y}"
        yield _Number(f"the difference between {of}", apart, check, abs(a - b))
        yield _Number(f"the sum of {of}", "first + second", "a + b", a + b)
        return
    that = "those" if many(noun) else "that"
    yield _Number(f"the difference in {noun} between {x} and {y}", apart, check, abs(a - b))
    yield _Number(f"the {noun} of {x} plus {that} of {y}", "first + second", "a + b", a + b)
    yield _Number(
        f"the average {noun} of {x} and {y}", "(first + second) / 2", "a / 2 + b / 2", (a + b) / 2
    )
    for share in percents:
        stated = (("percent", share),)
        yield _Number(f"{share} percent of the difference in {noun} between {x} and {y}",
                      f"{apart} * percent / 100", f"({check}) / 100 * percent",
                      abs(a - b) * share / 100, stated)  # fmt: skip
        yield _Number(f"{share} percent of the combined {noun} of {x} and {y}",
                      "(first + second) * percent / 100", "(a + b) / 100 * percent",
                      (a + b) * share / 100, stated)  # fmt: skip
    if not percents and a != b:
        yield _Number(f"the higher {noun} of {x} and {y}", "max(first, second)",
                      "sorted([a, b])[1]", max(a, b))  # fmt: skip


def _of_lists(pair: Pair, a: list[Fraction], b: list[Fraction]) -> Iterator[_Number]:
    rows, noun = pair.rows, pair.nouns[0]
    yield _Number(f"the total {noun} of all {rows} of {pair.both} together",
                  "sum(first + second)", "sum(a) + sum(b)", sum(a + b, Fraction()))  # fmt: skip
    yield _Number(f"the average {noun} over all {rows} of {pair.both} together",
                  "sum(first + second) / len(first + second)", "sum(a + b) / (len(a) + len(b))",
                  sum(a + b, Fraction()) / len(a + b))  # fmt: skip


def days_between(pair: Pair) -> Iterator[Glue]:
    """How many days lie between two dates."""
    (x, y), (noun, _) = (call.named for call in pair.calls), pair.nouns
    one, other = pair.held
    if pair.lists or one == other:
        return
    yield Glue(
        f"the number of days between the {noun} of {x} and that of {y}",
        "first = date.fromisoformat($first)\nsecond = date.fromisoformat($second)\n"
        "result = abs((second - first).days)\n",
        "import calendar, time\n"
        "a, b = (calendar.timegm(time.strptime(d, '%Y-%m-%d')) for d in ($first, $second))\n"
        "result = (max(a, b) - min(a, b)) // 86400\n",
        imports="from datetime import date\n\n",
    )


def dates(pair: Pair, days: Sequence[int], weekdays: Sequence[int]) -> Iterator[Glue]:
    """So many days, or some weekday, after the later of two dates or the last of two lists."""
    one, other = pair.held
    noun = pair.nouns[0]
    if pair.lists:
        of, code = f"the latest {noun} among the {pair.rows} of {pair.both}", "first + second"
        check = "$first + $second"
    elif one != other:
        of, code = f"the later {noun} of {pair.both}", "(first, second)"
        check = "($first, $second)"
    else:
        return
    code = f"last = max(map(date.fromisoformat, {code}))\n"
    # Dates of this form are in the order of their letters.
    check = f"{_DATES}last = date(*map(int, sorted({check})[-1].split('-')))\n"
    for number in days:
        after = "the day" if number == 1 else f"the day {number} days"
        yield Glue(
            f"{after} after {of}",
            f"first = $first\nsecond = $second\n{code}result = last + timedelta(days=$days)\n",
            f"{check}result = date.fromordinal(last.toordinal() + $days)\n",
            imports=_DATES + "\n",
            stated=(("days", number),),
        )
    for weekday in weekdays:
        yield Glue(
            f"the first {WEEKDAYS[weekday]} after {of}",
            f"first = $first\nsecond = $second\n{code}result = last + timedelta(days=1)\n"
            f"while result.weekday() != {weekday}:\n    result += timedelta(days=1)\n",
            f"{check}result = min(d for d in (last + timedelta(days=n) for n in range(1, 8))\n"
            f"             if d.strftime('%A') == '{WEEKDAYS[weekday]}')\n",
            imports=_DATES + "\n",
        )


def choices(pair: Pair, key: str, noun: str) -> Iterator[Glue]:
    """The row of both calls that has most or least of a column, by its key."""
    held = [value for side in pair.held for value in side]
    keys = [row.get(key) for call in pair.calls for row in call.result.rows]
    by = pair.nouns[0]
    counted = many(by) and all(isinstance(value, int) for value in held)
    kind = "date" if isinstance(held[0], str) else "count" if counted else "size"
    for name, best in (("max", max(held)), ("min", min(held))):
        # Of rows that tie none is the one that is meant; a key that is there twice says too little.
        if held.count(best) != 1 or keys.count(keys[held.index(best)]) != 1:
            continue
        more, most = _DEGREES[name][kind]
        if pair.lists:
            phrase = f"the {noun} with the {most} {by} among those of {pair.both}"
        elif key == pair.calls[0].key:
            phrase = f"whichever of {pair.both} has {more} {by}"
        else:
            either = " or ".join(call.named for call in pair.calls)
            phrase = f"the {noun} of {either}, whichever has {more} {by},"
        code, rows = _chosen(name, lists=pair.lists)
        check = f"rows = sorted({rows})\nresult = rows[{-1 if name == 'max' else 0}][1]\n"
        yield Glue(phrase, code, check, key=key)


def _chosen(name: str, *, lists: bool) -> tuple[str, str]:
    """The code that chooses; all values with their keys, as an expression."""
    if lists:
        return (
            "first = list(zip($first_keys, $first))\nsecond = list(zip($second_keys, $second))\n"
            f"result = {name}(first + second, key=lambda row: row[1])[0]\n",
            "[*zip($first, $first_keys), *zip($second, $second_keys)]",
        )
    beats = ">" if name == "max" else "<"
    return (
        "first = $first\nsecond = $second\n"
        f"result = $first_keys if first {beats} second else $second_keys\n",
        "[($first, $first_keys), ($second, $second_keys)]",
    )
