"""How the arguments of a plan's step come out of what was said and observed.

Enters: a step, the user's facts, the observations so far. Leaves: the step's arguments. The dry run
and the scripted assistant both bind this way, so the assistant's arguments follow from *actual*
observations.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Mapping
from string import Template
from typing import Any

from tdscaling.schema import Step

ENVELOPE = frozenset(
    {
        "ok", "success", "status", "message", "error", "query", "count", "total", "total_count",
        "totalCount", "page", "pages", "per_page", "limit", "offset", "next", "next_cursor",
        "nextCursor", "has_more", "hasMore",
    }
)  # fmt: skip
"""Fields beside a list that say nothing of their own."""
LITERAL = 200_000
"""Characters of a Python literal that is read, at most."""
FACTS = 2
"""Fields of its own with which an object around a list is still about the list."""
_TYPES: Mapping[str, Callable[[str], Any]] = {"number": float, "integer": int, "string": str}
"""How a printed figure becomes an argument of a JSON type."""
_NAMING = re.compile(r"(?:^|_)(?:id|uuid|key|token|sku)$|[a-z](?:Id|ID|Uuid|Key|Token)$")
_PATH = re.compile(r"/[^\s:]+")
_KEY_VALUE = re.compile(r"\s*(?:[-*] )?([A-Za-z][\w ()/-]{0,40}):\s+(\S.*)$")


class BindingError(ValueError):
    """An argument cannot be bound: an observation lacks what the plan expects there."""


def resolve(
    step: Step, facts: Mapping[str, Any], observations: Mapping[int, str]
) -> dict[str, Any]:
    """The arguments of a step.

    Args:
        step: of a plan.
        facts: what the user knows.
        observations: JSON text per earlier step of the plan.

    Raises:
        BindingError: naming the argument that cannot be bound.
    """
    arguments = {}
    for name, source in step.arguments.items():
        try:
            arguments[name] = value(source, facts, observations)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise BindingError(f"{step.tool}: argument {name} has no value: {error!r}") from error
    return arguments


def rows(observation: str) -> list[dict[str, Any]]:
    """The rows of an observation.

    An object is one row, an array of objects is as many. Of what servers return besides: an object
    around one list of objects is that list, its identifiers repeated in each row; what nested
    objects hold is lifted out; lines of JSON, of paths and of `key: value` are read as such; of all
    else the whole text is one row, in the column `text`.
    """
    return read(observation)[0]


def read(observation: str) -> tuple[list[dict[str, Any]], bool]:
    """The rows of an observation, and whether it is a list, of whatever length."""
    data = _parsed(observation)
    if isinstance(data, dict):
        return _of_object(data)
    if isinstance(data, list):
        return [row if isinstance(row, dict) else {"value": row} for row in data], True
    lines = observation.split("\n")
    if observation and all(map(_PATH.fullmatch, lines)):
        return [{"path": line} for line in lines], True
    return [_of_lines(observation) or {"text": observation}], False


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    lines = [line for line in text.splitlines() if line.strip()]
    try:
        if len(lines) > 1 and all(line.lstrip().startswith("{") for line in lines):
            return [json.loads(line) for line in lines]
        if len(text) <= LITERAL and text.lstrip()[:2] in ("[{", "{'"):
            return ast.literal_eval(text)  # what `str` makes of a list in Python: data, no code
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        pass
    return None


def _of_object(data: dict[str, Any]) -> tuple[list[dict[str, Any]], bool]:
    lists = {name: value for name, value in data.items() if _is_table(value)}
    nested = {name: value for name, value in data.items() if isinstance(value, dict) and value}
    full = [value for value in lists.values() if value]
    plain = {n: v for n, v in data.items() if n not in lists and n not in nested}
    facts = plain.keys() - ENVELOPE
    if full and not nested and len(facts) <= (FACTS if len(full) == 1 else 0):
        named = {name: value for name, value in plain.items() if _NAMING.search(name)}
        return [named | row for row in full[0]], True
    if lists and not full and not nested and not facts:
        return [], True
    if not nested:
        return [data], False
    if len(nested) == 1:
        inner = next(iter(nested.values()))
        return [{**{n: v for n, v in data.items() if n not in nested}, **inner}], False
    merged = {n: v for n, v in data.items() if n not in nested}
    for name, inner in nested.items():
        merged |= {f"{name}_{key}": value for key, value in inner.items()}
    return [merged], False


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(row, dict) for row in value)


def _of_lines(text: str) -> dict[str, Any] | None:
    lines = [line for line in text.splitlines() if line.strip()]
    found = [_KEY_VALUE.match(line) for line in lines]
    if len(lines) < 2 or not all(found):
        return None
    return {re.sub(r"\W+", "_", m[1].strip()).strip("_"): m[2].strip() for m in found if m}


def value(
    source: Mapping[str, Any], facts: Mapping[str, Any], observations: Mapping[int, str]
) -> Any:
    """What one binding stands for.

    Raises:
        KeyError, IndexError, TypeError, ValueError: if facts and observations do not hold it.
    """
    if "fact" in source:
        return facts[source["fact"]]
    if "text" in source:
        return _text(source, facts, observations)
    found = rows(observations[source["step"]])
    pick = source["pick"]
    if pick == "all":
        return [row[source["column"]] for row in found]
    if pick == "first":
        return field(found[0], source)
    wanted = facts[pick["fact"]]
    matching = [row for row in found if row[pick["column"]] == wanted]
    return field(matching[0], source)


def field(row: Mapping[str, Any], source: Mapping[str, Any]) -> Any:
    """What a binding takes of a row: a column, or of what code printed there one figure.

    Raises:
        KeyError: if the row has no such column, or no line with that label was printed.
        ValueError: if what was printed is not of the binding's type.
    """
    held = row[source["column"]]
    if "printed" not in source:
        return held
    lines = (line.strip().partition(": ") for line in str(held).splitlines())
    printed = {label: text.strip() for label, _, text in lines}[source["printed"]]
    return _TYPES[source["type"]](printed)


def _text(
    source: Mapping[str, Any], facts: Mapping[str, Any], observations: Mapping[int, str]
) -> str:
    """What the assistant writes itself: as it stands, or with values put in."""
    values = {n: value(one, facts, observations) for n, one in source.get("values", {}).items()}
    return filled(source["text"], values) if values else str(source["text"])


def filled(template: str, values: Mapping[str, Any]) -> str:
    """A template of code with values as JSON, which Python reads as literals, at `$name`."""
    return Template(template).substitute(
        {name: json.dumps(value, ensure_ascii=False) for name, value in values.items()}
    )
