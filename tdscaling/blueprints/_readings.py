"""What two calls of a service return that can be computed upon.

Enters: an open session of a service and a random stream. Leaves: calls that a user can ask for by
naming one thing ("AC-1042"), executed in the present state; their columns, what kind of quantity
each holds, and words for them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from tdscaling.blueprints._compute import ID, countable
from tdscaling.blueprints._refer import PERSONAL, spoken
from tdscaling.declared.arguments import candidates
from tdscaling.declared.definition import Parameter
from tdscaling.declared.domain import Domain, ToolSpec, noun
from tdscaling.declared.rows import Generators
from tdscaling.declared.session import Result, Session

CASES = 12
"""Argument values that are tried per tool."""
LONGEST = 20
"""Rows of a list that is computed upon, at most."""
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_DAY_NAME = re.compile(r"(?:^|_)(?:date|day|deadline|on|until)$")
_MONEY = re.compile(
    r"(?:^|_)(?:price|total|amount|balance|fees?|cost|fare|rent|deposit|premium|refund|income|"
    r"tuition|credit|value)(?:$|_)"
)
_UNIT = re.compile(
    r"(?:^|_)(kg|mb|gb|kwh|km|hours?|minutes|points|months|days|nights|pct|quantity)(?:$|_)"
)
_COUNTER = re.compile(r"(?:^|_)(?:odometer|reading|latitude|longitude|year)(?:$|_)")
"""Numbers that nobody adds up."""
_BEFORE_DATE = {
    "acquired": "acquisition", "ends": "end", "expires": "expiry", "filed": "filing",
    "joined": "joining", "opened": "opening", "planned": "planned", "placed": "placement",
    "read": "reading", "received": "receipt", "rented": "rental", "renews": "renewal",
    "spent": "receipt", "starts": "start", "trashed": "deletion", "worked": "working",
}  # fmt: skip
_LOOSE = frozenset({"used", "free", "left", "last", "unbilled"})
"""What says nothing without its unit."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call that was made to see what it returns."""

    spec: ToolSpec
    arguments: dict[str, Any]
    """The one value that it needs, by its parameter."""
    result: Result
    named: str
    """The value as a user says it."""

    @property
    def key(self) -> str:
        """The column whose value the user gives."""
        return self.spec.source(next(iter(self.arguments)))


def readers(domain: Domain, allowed: Collection[str]) -> list[ToolSpec]:
    """Tools that only read and need nothing but one thing that a user can name."""
    found = []
    for name, spec in domain.tools.items():
        needed = {n: p for n, p in spec.file.parameters.items() if not p.optional}
        if name in allowed and not spec.writes and len(needed) == 1:
            ((parameter, content),) = needed.items()
            plain = content.type == "string" and content.kind != "date"
            if plain and (content.known or spec.source(parameter) not in domain.keys):
                found.append(spec)
    return found


def calls(session: Session, spec: ToolSpec, generators: Generators) -> list[Call]:
    """Calls of a reader that return something, each with another value."""
    name = next(n for n, p in spec.file.parameters.items() if not p.optional)
    found: dict[str, Call] = {}
    # A tool without `cases` has one candidate at a time.
    rounds = 1 if spec.file.cases else CASES
    drawn = (a for _ in range(rounds) for a in candidates(session, spec, generators, {}, CASES))
    for arguments in drawn:
        value = str(arguments[name])
        if value in found or len(found) == CASES:
            continue
        result = session.execute(spec.name, {name: value})
        if result.ok and 0 < len(result.rows) <= LONGEST:
            found[value] = Call(spec, {name: value}, result, _named(spec, name, value))
    return list(found.values())


def _named(spec: ToolSpec, name: str, value: str) -> str:
    """A value as a user says it: one that does not say by itself what it is gets a noun."""
    by_itself = ID.fullmatch(value) or spec.file.parameters[name].kind in PERSONAL
    if by_itself or (spec.file.result == "one" and not re.search(r"\d", value)):
        return spoken(value)
    return f"{spec.noun(name)} {spoken(value)}"


def pairs(made: Sequence[Call], keys: Collection[str]) -> Iterator[tuple[Call, Call]]:
    """Each two of the calls; those about the same customer, flight, account first."""

    def shared(pair: tuple[Call, Call]) -> int:
        one, other = (call.result.rows[0] for call in pair)
        return -len([column for column in one if column in keys and one[column] == other[column]])

    yield from sorted(combinations(made, 2), key=shared)


def columns(calls: tuple[Call, Call], owner: Domain) -> Iterator[tuple[str, str]]:
    """Columns of two calls of one tool that can be computed upon, each with what it counts."""
    for column in calls[0].result.rows[0]:
        held = [row.get(column) for call in calls for row in call.result.rows]
        unit = measure(column, owner.file.kinds, held)
        if unit:
            yield column, unit


def measure(column: str, kinds: Mapping[str, str], held: Sequence[Any]) -> str:
    """What a column counts: `date`, `amount` for money, a unit, its own name; empty for nothing."""
    if all(isinstance(value, str) and _DATE.fullmatch(value) for value in held):
        return "date" if _DAY_NAME.search(column) else ""
    if not countable(column, held):
        return ""
    return _unit(column, kinds.get(column))


def wanted(name: str, parameter: Parameter) -> str:
    """What a parameter takes, in the words of `measure`; empty where no figure can stand for it."""
    extra = parameter.model_extra or {}
    if "enum" in extra:
        return ""
    if parameter.type == "string":
        return "date" if "date" in (extra.get("format"), parameter.kind) else ""
    if parameter.type not in ("integer", "number"):
        return ""
    return _unit(name, parameter.kind)


def _unit(name: str, kind: str | None) -> str:
    if _COUNTER.search(name):
        return ""
    if kind == "amount" or _MONEY.search(name):
        return "amount"
    found = _UNIT.search(name)
    return found[1].removesuffix("s") if found else name


def called(column: str) -> str:
    """What a person calls a column: `filed_on` is a filing date, `weight_kg` a weight."""
    stem, _, last = column.rpartition("_")
    if stem and last == "on":
        return f"{_BEFORE_DATE.get(stem, stem).replace('_', ' ')} date"
    if stem and last == "until":
        return f"{stem.replace('_', ' ')}-until date"
    if stem and last in ("c", "kg", "km", "mb", "gb", "kwh", "pct", "w"):
        shown = {"kg": "kg", "km": "km", "kwh": "kWh", "pct": "percent"}.get(last, last.upper())
        return f"{stem} {shown}" if stem in _LOOSE else stem.replace("_", " ")
    return noun(column)


def many(word: str) -> bool:
    """Whether a word stands for several: points, fees."""
    return word.endswith("s") and not word.endswith(("ss", "us", "is"))


def plural(word: str) -> str:
    """A word for several: `copy` is copies."""
    if word == "evidence":
        return "pieces of evidence"
    if re.search(r"[^aeiou]y$", word):
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith(("s", "x", "ch", "sh")) else f"{word}s"
