"""Words of drafted tools.

Enters: a reading and its SQL. Leaves: the tool as a domain file has it, and how people pick rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tdscaling.drafting._read import Reading
from tdscaling.drafting._sql import label_of
from tdscaling.drafting._things import Thing
from tdscaling.drafting._tools import Drafted
from tdscaling.phrasing import words
from tdscaling.phrasing.clean import plain

_PHRASES = {
    "title": 'called "{}"', "name": "named {}", "person": "of {}", "date": "dated {}",
    "datetime": "from {}", "city": "in {}", "amount": "at {}", "email": "with the e-mail {}",
    "file": "named {}", "url": "at {}", "company": "of {}", "address": "at {}", "phone":
    "with the number {}", "country": "in {}", "place": "in {}", "username": "of {}",
}  # fmt: skip
_ACTED = (
    "Done, {thing} was {{outcome}}.",
    "All right: {thing} was {{outcome}} without a problem.",
    "It worked, {thing} was {{outcome}}.",
)
_DELETED = (
    "Done, the {thing} {{deleted}} was deleted.",
    "The {thing} {{deleted}} is gone now.",
    "I deleted the {thing} {{deleted}} for you.",
)


def worded(reading: Reading, tool: Drafted, thing: Thing | None) -> dict[str, Any]:
    """A tool with its words."""
    said = words(reading.tool, tool.parameters, tool.columns, tool.many)
    found: dict[str, Any] = {
        "description": plain(reading.tool.description, 1000) or plain(reading.tool.name, 60),
        "published": reading.tool.parameters,
        "parameters": {
            name: parameter.model_dump(by_alias=True, exclude_none=True, exclude_defaults=True)
            for name, parameter in tool.parameters.items()
        },
        "requires": tool.requires,
        "effects": tool.effects,
        "returns": tool.returns,
        "result": "many" if tool.many else "one",
        "cases": tool.cases,
        "intents": list(said.intents),
        "context": list(said.context),
        "answers": list(said.answers),
        "tell": list(said.tell),
    }
    if tool.many:
        found |= {"item": said.item, "first": said.first}
    if tool.columns[-1] == "outcome":
        noun = f"the {reading.thing}" if reading.thing else "that"
        found["answers"] = [template.format(thing=noun) for template in _ACTED]
        found["tell"] = ["outcome"]
    if tool.columns == ("deleted",):
        noun = thing.noun if thing else "entry"
        found["answers"] = [template.format(thing=noun) for template in _DELETED]
    if reading.tool.category:
        found["category"] = label_of(reading.tool.category)
    return {name: value for name, value in found.items() if value not in (None, [], {})}


def phrases(used: Iterable[Thing], returned: set[str]) -> dict[str, str]:
    """How a person picks a row by its columns."""
    found: dict[str, str] = {}
    for thing in used:
        for name, column in thing.columns.items():
            if name in returned and column.kind in _PHRASES and not column.refers:
                found.setdefault(name, _phrase(name, column.kind))
    return found


def _phrase(name: str, kind: str) -> str:
    first = name.split("_")[0]
    special = {"due": "due {}", "created": "created on {}", "updated": "updated on {}",
               "start": "starting {}", "end": "ending {}", "sent": "sent {}"}  # fmt: skip
    if kind in {"date", "datetime"} and first in special:
        return special[first]
    return _PHRASES[kind]
