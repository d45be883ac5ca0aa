"""Whether the arguments of the calls were observed or said.

Enters: a case whose calls are valid. Leaves: the first argument that comes from nowhere: a plan
that is carried out although nobody asked for it would otherwise pass, since its calls are right.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tdscaling.coding.areas import WRITTEN
from tdscaling.llm._text import value_in
from tdscaling.schema import Reason
from tdscaling.verification import Case
from tdscaling.verification._moments import has_date, moments
from tdscaling.verification._values import ID, has_time, said, tells

COUNT = 1
"""Whole numbers from 0 up to this need not be said: `a seat`, `my name`."""


def ungrounded_argument(case: Case) -> tuple[Reason, str] | None:
    """The first argument that neither an observation before nor a user's word holds."""
    schemas = {tool.name: tool.parameters.get("properties", {}) for tool in case.tools}
    texts: list[str] = []
    for number, message in enumerate(case.transcript.messages):
        for call in message.get("tool_calls") or ():
            function = call["function"]
            schema = schemas.get(function["name"], {})
            for name, value in _arguments(function["arguments"]):
                if not _free(value, schema.get(name, {})) and not _grounded(value, texts):
                    where = f"message {number}, {name} of {function['name']}"
                    return "ungrounded_argument", f"{where}: {value!r} was never observed or said"
        if message["role"] != "assistant":
            texts.append(_content(str(message["content"]), message["role"] == "tool"))
    return None


def _arguments(text: str) -> Iterator[tuple[str, Any]]:
    """Each value by the name of its argument; the values of a list one by one."""
    try:
        data = value_in(text)
    except ValueError:  # the replay holds its refusal
        return
    for name, value in data.items() if isinstance(data, dict) else ():
        yield from ((name, item) for item in _scalars(value))


def _scalars(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _scalars(item)
    else:
        yield value


def _content(text: str, observed: bool) -> str:
    """What can be read in a message: of an observation the values, not the names of columns."""
    if not observed:
        return text
    try:
        return "\n".join(str(value) for value in _scalars(json.loads(text)))
    except (ValueError, RecursionError):
        return text


def _free(value: Any, schema: Mapping[str, Any]) -> bool:
    """Whether the tool itself offers the value, or it says too little to come from anywhere.

    Code is the assistant's own: what it comes to is held against the blueprint.
    """
    if value is None or isinstance(value, bool) or schema.get("contentMediaType") in WRITTEN:
        return True
    offered: list[Any] = [*schema.get("enum", ()), *schema.get("items", {}).get("enum", ())]
    default = schema.get("default")
    offered += default if isinstance(default, list) else [default]
    return value in offered or (isinstance(value, int) and 0 <= value <= COUNT)


def _grounded(value: Any, texts: Sequence[str]) -> bool:
    shown = f"{value:.6f}" if isinstance(value, float) else str(value).strip()
    latest_first = texts[::-1]
    return any(tells(text, shown) for text in latest_first) or _in_parts(shown, latest_first)


def _in_parts(shown: str, texts: Iterable[str]) -> bool:
    """A bare time, a date and a time said in two places, an id without its letters."""
    if ID.fullmatch(shown):
        return any(said(text, shown.partition("-")[2]) for text in texts)
    wanted = moments(shown)
    if wanted.rest.strip() or not wanted.dates | wanted.times:
        return False
    found = [moments(text) for text in texts]
    dates = frozenset().union(*(one.dates for one in found))
    times = frozenset().union(*(one.times for one in found))
    return all(has_date(date, dates) for date in wanted.dates) and all(
        has_time(time, times) for time in wanted.times
    )
