"""Seeded rows of a domain's tables.

Enters: the `rows` of a domain file, a seed, an open database. Leaves: filled tables. Each row has a
random stream of its own, so that adding a column or a table changes no other row.

Generators, one key each (or a bare word where no argument is needed):

| generator | value |
|---|---|
| `{id: FL}` | `FL-4821`, unique in the table |
| `{seq: 1}` | 1, 2, 3 ... |
| `{value: x}` | x |
| `{choice: [a, b]}`, `{choice: {a: 3, b: 1}}` | one of them, optionally weighted |
| `{int: [1, 9]}` | a whole number, both ends included |
| `{money: [10, 99]}` | an amount with two decimals |
| `{number: [0, 1, 3]}` | a number with the given decimals |
| `{bool: 0.3}` | 1 with that probability, else 0 |
| `{date: [-30, 60]}` | `YYYY-MM-DD`, days from the clock |
| `{datetime: [-30, 60]}` | `YYYY-MM-DD HH:MM`, on a quarter of an hour, 07:00 to 20:45 |
| `{instant: [-30, 60]}` | the same as `YYYY-MM-DDTHH:MM:00Z`, as many services write it |
| `{time: [8, 18]}` | `HH:MM` on a quarter of an hour, hours from and up to (exclusive) |
| `{pattern: "##-??"}` | `#` a digit, `?` a capital letter |
| `{ref: table.column}` | a value of an earlier table |
| `{pick: flight, as: {origin: origin, _paid: price}, where: ...}` | columns out of one row of an \
earlier table; the key's own name is not used |
| `{text: ["{name} at {city}"]}` | one template, filled with earlier columns of the row |
| `{sql: SELECT ...}` | first value of a query; `:column` are earlier columns of the row |
| `{maybe: [0.7, generator]}` | NULL otherwise |
| `{email: column}` | an address made from the name in that column |
| `{list: [generator, 3]}` | so many different values, fewer where few differ |
| `{object: {street: address}}` | an object whose parts have generators of their own |
| `person`, `phone`, `address`, `city`, `company`, `sentence` | invented, several languages |

A column whose name starts with `_` is not stored: later columns of the row may use it. A row that
repeats a unique key is left out, so link tables can draw their pairs freely.
"""

from __future__ import annotations

import datetime as dt
import re
import sqlite3
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from copy import copy
from functools import cache
from typing import Any

from mimesis import Address, Finance, Person
from mimesis import Text as MimesisText
from mimesis.locales import Locale
from mimesis.random import Random

from tdscaling.declared.definition import DomainFile, Rows
from tdscaling.declared.template import slots

LOCALES = ("en", "de", "es", "fr", "it", "nl", "sv", "pl")
MAIL_HOSTS = ("example.com", "example.org", "example.net")
LONGEST_LIST = 100
"""Values of one list, at most."""
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


class GeneratorError(ValueError):
    """A generator of a domain file is not usable."""


_MISTAKES = (
    TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError,
    sqlite3.Error,
)  # fmt: skip
"""What a generator with an argument of the wrong shape raises."""


class Generators:
    """Draws values from one random stream.

    Args:
        seed: names the stream; equal seeds give equal values.
        clock: the domain's `YYYY-MM-DD HH:MM`.
        connection: where `ref` and `sql` look things up; None where there is no state.
    """

    def __init__(self, seed: str, clock: str, connection: sqlite3.Connection | None) -> None:
        self.random = Random()
        self.random.seed(seed)
        self._clock = dt.datetime.strptime(clock, "%Y-%m-%d %H:%M")  # noqa: DTZ007 - no zone in worlds
        self._connection = connection
        self._seen: dict[str, list[tuple[Any, ...]]] = {}
        self._named: dict[str, Callable[[Any, dict[str, Any]], Any]] = {
            "value": lambda arg, _: arg,
            "choice": lambda arg, _: self._choice(arg),
            "int": lambda arg, _: self.random.randint(*arg),
            "money": lambda arg, _: round(self.random.uniform(*arg), 2),
            "number": lambda arg, _: round(self.random.uniform(arg[0], arg[1]), arg[2]),
            "bool": lambda arg, _: int(self.random.random() < arg),
            "date": lambda arg, _: self._day(arg).strftime("%Y-%m-%d"),
            "datetime": lambda arg, _: f"{self._day(arg):%Y-%m-%d} {self._time([7, 21])}",
            "instant": lambda arg, _: f"{self._day(arg):%Y-%m-%d}T{self._time([7, 21])}:00Z",
            "time": lambda arg, _: self._time(arg),
            "pattern": lambda arg, _: self._pattern(arg),
            "ref": lambda arg, _: self._ref(arg),
            "text": lambda arg, row: self._text(arg, row),
            "sql": lambda arg, row: self._sql(arg, row),
            "maybe": self._maybe,
            "list": self._list,
            "object": lambda arg, row: {name: self.draw(spec, row) for name, spec in arg.items()},
            "email": lambda arg, row: self._email(str(row[arg])),
            "person": lambda *_: self._provider(Person).full_name(),
            "phone": lambda *_: _person("en", self.random).phone_number(mask="+1-###-555-####"),
            "address": lambda *_: self._address(),
            "city": lambda *_: self._provider(Address).city(),
            "company": lambda *_: _finance(self.random).company(),
            "sentence": lambda *_: _text(self.random).sentence(),
        }

    def restart(self, seed: str) -> None:
        """Begin another stream; making a new object for each row would cost more than the row."""
        self.random.seed(seed)

    def draw(self, spec: Any, row: dict[str, Any]) -> Any:
        """One value.

        Args:
            spec: a generator as in the table above.
            row: earlier columns of the same row.

        Raises:
            GeneratorError: if the spec is not one of the table above.
        """
        name, argument = self._parse(spec)
        try:
            return self._named[name](argument, row)
        except GeneratorError:
            raise
        except _MISTAKES as error:
            raise GeneratorError(f"generator {spec!r}: {type(error).__name__}: {error}") from error

    def _parse(self, spec: Any) -> tuple[str, Any]:
        name, argument = spec, None
        if isinstance(spec, Mapping) and len(spec) == 1:
            name, argument = next(iter(spec.items()))
        if not isinstance(name, str) or name not in self._named:
            raise GeneratorError(
                f"unknown generator {spec!r}; expected one of {', '.join(sorted(self._named))}, "
                "id, seq, pick"
            )
        return name, argument

    def _choice(self, options: Any) -> Any:
        if isinstance(options, Mapping):
            return self.random.choices(list(options), weights=list(options.values()))[0]
        return self.random.choice(list(options))

    def _day(self, span: list[int]) -> dt.datetime:
        return self._clock + dt.timedelta(days=self.random.randint(span[0], span[1]))

    def _time(self, hours: list[int]) -> str:
        quarter = self.random.randrange(hours[0] * 4, hours[1] * 4)
        return f"{quarter // 4:02d}:{quarter % 4 * 15:02d}"

    def _pattern(self, pattern: str) -> str:
        drawn = {"#": "0123456789", "?": LETTERS}
        return "".join(self.random.choice(drawn[c]) if c in drawn else c for c in pattern)

    def _ref(self, target: str) -> Any:
        table, column = target.split(".")
        query = f"SELECT {_quote(column)} FROM {_quote(table)}"
        return self.random.choice(self.finished(query))[0]

    def _sql(self, query: str, row: dict[str, Any]) -> Any:
        found = self.rows(query, row)
        return found[0][0] if found else None

    def finished(self, query: str) -> list[tuple[Any, ...]]:
        """All rows of a query over tables that are filled already; asked once."""
        if query not in self._seen:
            self._seen[query] = self.rows(query, {})
        return self._seen[query]

    def rows(self, query: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        """All rows of a query over what is filled so far."""
        if self._connection is None:
            raise GeneratorError("`ref` and `sql` need tables; use `cases` for a tool's arguments")
        return self._connection.execute(query, values).fetchall()

    def _text(self, templates: Any, row: dict[str, Any]) -> str:
        template = str(self.random.choice(list(templates)))
        slots(template)
        return template.format(**row)

    def _maybe(self, argument: Any, row: dict[str, Any]) -> Any:
        share, spec = argument
        return self.draw(spec, row) if self.random.random() < share else None

    def _list(self, argument: Any, row: dict[str, Any]) -> list[Any]:
        spec, count = argument
        found: list[Any] = []
        for _ in range(4 * min(int(count), LONGEST_LIST)):
            value = self.draw(spec, row)
            if value not in found:
                found.append(value)
            if len(found) == count:
                break
        return found

    def _email(self, name: str) -> str:
        plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
        handle = ".".join(re.findall(r"[a-z]+", plain)[:3]) or "guest"
        return f"{handle}{self.random.randint(1, 99)}@{self.random.choice(MAIL_HOSTS)}"

    def _address(self) -> str:
        provider = self._provider(Address)
        return f"{provider.address()}, {provider.city()}"

    def _provider(self, kind: type[Person] | type[Address]) -> Any:
        locale = self.random.choice(LOCALES)
        return _person(locale, self.random) if kind is Person else _place(locale, self.random)


@cache
def _shared(kind: type, locale: str) -> Any:
    return kind(Locale(locale)) if locale else kind()


def _with(provider: Any, random: Random) -> Any:
    # Loading a provider's word lists is what costs: they are shared. The stream is not: worlds
    # are made in several threads at a time.
    own = copy(provider)
    own.random = random
    return own


def _person(locale: str, random: Random) -> Person:
    return _with(_shared(Person, locale), random)  # type: ignore[no-any-return]


def _place(locale: str, random: Random) -> Address:
    return _with(_shared(Address, locale), random)  # type: ignore[no-any-return]


def _finance(random: Random) -> Finance:
    return _with(_shared(Finance, "en"), random)  # type: ignore[no-any-return]


def _text(random: Random) -> MimesisText:
    return _with(_shared(MimesisText, "en"), random)  # type: ignore[no-any-return]


def _quote(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def fill(connection: sqlite3.Connection, domain: DomainFile, seed: str) -> None:
    """Insert the seeded rows of all tables.

    Raises:
        GeneratorError: naming table and column of a generator that is not usable.
        sqlite3.Error: if a row breaks a constraint of its table.
    """
    for table, rows in domain.rows.items():
        for sql, values in _inserts(connection, domain, table, rows, seed):
            try:
                connection.execute(sql, values)
            except sqlite3.IntegrityError as error:
                if not str(error).startswith("UNIQUE"):
                    raise GeneratorError(f"table {table}, row {values}: {error}") from error


def _inserts(
    connection: sqlite3.Connection, domain: DomainFile, table: str, rows: Rows, seed: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    ids: set[str] = set()
    generators = Generators("", domain.clock, connection)
    for number in range(rows.count):
        generators.restart(f"{seed}:{table}:{number}")
        row: dict[str, Any] = {}
        for column, spec in rows.columns.items():
            try:
                row.update(_column(generators, column, spec, row, number, ids))
            except _MISTAKES as error:
                raise GeneratorError(f"table {table}, column {column}: {error}") from error
        names = [name for name in row if not name.startswith("_")]
        marks = ", ".join(f":{name}" for name in names)
        listed = ", ".join(_quote(name) for name in names)
        yield f"INSERT INTO {_quote(table)} ({listed}) VALUES ({marks})", row


def _column(
    generators: Generators,
    column: str,
    spec: Any,
    row: dict[str, Any],
    number: int,
    ids: set[str],
) -> dict[str, Any]:
    if isinstance(spec, Mapping) and "id" in spec:
        return {column: _unique_id(generators, str(spec["id"]), ids)}
    if isinstance(spec, Mapping) and "seq" in spec:
        return {column: int(spec["seq"]) + number}
    if isinstance(spec, Mapping) and "pick" in spec:
        return _picked(generators, spec)
    return {column: generators.draw(spec, row)}


def _unique_id(generators: Generators, prefix: str, ids: set[str]) -> str:
    while True:
        value = f"{prefix}-{generators.random.randint(1000, 9999)}"
        if value not in ids:
            ids.add(value)
            return value


def _picked(generators: Generators, spec: Mapping[str, Any]) -> dict[str, Any]:
    renamed = spec["as"] if isinstance(spec["as"], Mapping) else {c: c for c in spec["as"]}
    listed = ", ".join(_quote(column) for column in renamed.values())
    where = f" WHERE {spec['where']}" if "where" in spec else ""
    found = generators.finished(f"SELECT {listed} FROM {_quote(spec['pick'])}{where}")
    if not found:
        raise GeneratorError(f"{dict(spec)!r} finds no row")
    return dict(zip(renamed, generators.random.choice(found), strict=True))
