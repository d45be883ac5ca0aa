"""What a tool needs: its parameters that data-flow may fill.

Enters: a tool and its reading. Leaves: `Slot`s; parameters that every service has (`limit`,
`query`), switches and choices out of a list are none.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tdscaling.dataflow._meaning import REF, Meaning, meaning
from tdscaling.dataflow._schemas import item_type, mapping
from tdscaling.dataflow._tools import READ_FROM, Reading
from tdscaling.dataflow._vocabulary import (
    EMPTY,
    GENERIC,
    IDENTIFIERS,
    MODIFIERS,
    OTHERS,
    ROLES,
    VALUES,
    Action,
)
from tdscaling.dataflow._words import singular, words
from tdscaling.schema import Tool

CONTEXT_SHARE = 0.85
"""A parameter that more of a service's tools take is context, set once, no data-flow."""
_CONTEXT_FROM = 4
"""Tools below which a share says nothing."""
REF_LIKE, _UNKNOWN = 0.85, 0.5
"""How much the bare name of a thing identifies it: one of the service's things, another."""
_IDENTIFIES = re.compile(
    r"\b(?:id|uuid|identifier|name|key|slug|code|number|symbol)s? (?:of|for) "
    r"(?:(?:the|a|an|this|that|your|each)\s+)*"
    r"(?:(?:existing|specific|parent|target|source|new)\s+)*([A-Za-z]+)(?: ([A-Za-z]+))?",
    re.IGNORECASE,
)
_WHOSE = re.compile(r"\b([A-Za-z]+)(?:'s)? (?:ID|id|Id|identifier|UUID|uuid)s?\b")
_SORTS = re.compile(r"\b(?:sort|ascending|descending|asc|desc)\b", re.IGNORECASE)
_TOOL_NAME = re.compile(r"[A-Za-z]\w*(?:[-.]\w+)*")


@dataclass(frozen=True, slots=True)
class Slot:
    """A parameter that another tool's result may fill."""

    tool: str
    action: Action
    name: str
    meaning: Meaning
    like: float
    """How much it identifies a thing, 0 to 1."""
    kind: str
    """JSON type of one value, empty where unknown."""
    required: bool
    makes: bool
    """Whether the tool creates the very thing that the slot identifies."""
    mentions: frozenset[str]
    """Tools of the service that its description names."""


def properties(tool: Tool) -> Mapping[str, Any]:
    """Schemas of a tool's parameters by name."""
    return mapping(mapping(tool.parameters).get("properties"))


def required(tool: Tool) -> frozenset[str]:
    """Names of the parameters that must be given."""
    names = mapping(tool.parameters).get("required")
    return frozenset(n for n in names if isinstance(n, str)) if isinstance(names, list) else _NONE


_NONE: frozenset[str] = frozenset()


def context(tools: Sequence[Tool]) -> frozenset[str]:
    """Parameters that nearly all tools of a service take."""
    if len(tools) < _CONTEXT_FROM:
        return _NONE
    counts = Counter(name for tool in tools for name in properties(tool))
    return frozenset(n for n, count in counts.items() if count > CONTEXT_SHARE * len(tools))


def needs(
    tool: Tool,
    reading: Reading,
    nouns: frozenset[str],
    ignored: Collection[str],
    names: Collection[str],
) -> Iterator[Slot]:
    """The slots of a tool.

    Args:
        tool: whose parameters they are.
        reading: of that tool.
        nouns: heads of the service's things.
        ignored: parameters that are context.
        names: of the service's tools.
    """
    needed = required(tool)
    if reading.action == "login":
        return
    for name, raw in properties(tool).items():
        schema = mapping(raw)
        kind = item_type(schema)
        if name in ignored or kind in ("boolean", "object", "array") or "enum" in schema:
            continue
        text = schema.get("description")
        said = text[:READ_FROM] if isinstance(text, str) else ""
        mentions = frozenset(_named(said, names) - {tool.name})
        found = _meant(name, said, reading, nouns)
        if not mentions and (_generic(name, said) or _describes(tool, found, reading)):
            continue
        like = _like(found, kind, nouns)
        if (like and found.entity) or mentions or found.attribute in VALUES:
            another = not OTHERS.isdisjoint(words(name))
            own = found.entity == reading.entity and reading.action == "create" and not another
            yield Slot(
                tool.name,
                reading.action,
                name,
                found,
                like,
                kind,
                name in needed and "default" not in schema,
                own,
                mentions,
            )


def _generic(name: str, said: str) -> bool:
    parts = words(name)
    joined = "_".join(parts)
    if joined in GENERIC or all(p in GENERIC or p in MODIFIERS or p in EMPTY for p in parts):
        return True
    if (parts[0] == "new" and parts[-1] != "id") or parts[
        -1
    ] in GENERIC - IDENTIFIERS.keys() - VALUES.keys():
        return True
    return "order" in parts[:1] and len(parts) == 1 and bool(_SORTS.search(said))


def _meant(name: str, said: str, reading: Reading, nouns: frozenset[str]) -> Meaning:
    """The meaning of a parameter; its description tells whose `id` it is."""
    found = meaning(name, reading.entity, nouns)
    untold = found.own or found.head not in nouns
    match = _IDENTIFIES.search(said) if untold else None
    if match:
        pair = tuple(singular(word.lower()) for word in match.groups() if word)
        told = match[0].split()[0].lower().removesuffix("s")
        attribute = told if told in IDENTIFIERS and not found.own else found.attribute
        if len(pair) == 2 and pair[1] in nouns:
            return Meaning(pair, attribute, own=pair[1] in reading.entity)
        if pair[0] in nouns:
            return Meaning(pair[:1], attribute, own=pair[0] in reading.entity)
    whose = _WHOSE.search(said) if found.own else None
    if whose and singular(whose[1].lower()) in nouns:
        return Meaning((singular(whose[1].lower()),), found.attribute, own=True)
    return found


def _describes(tool: Tool, found: Meaning, reading: Reading) -> bool:
    """Whether a bare name, title or number is the thing's new content and not which thing."""
    if not found.own or found.attribute == "id":
        return False
    if reading.action in ("create", "list"):
        return True
    others = (meaning(name, reading.entity) for name in properties(tool))
    return found.attribute != REF and any(m.attribute == "id" for m in others)


def _like(found: Meaning, kind: str, nouns: frozenset[str]) -> float:
    if found.attribute == REF:
        # A count or a measure, unless the service has such things.
        unknown = _UNKNOWN if kind != "number" else 0.0
        known = found.head in nouns or ROLES.get(found.head) in nouns
        return IDENTIFIERS.get(found.head, REF_LIKE if known else unknown)
    return IDENTIFIERS.get(found.attribute, VALUES.get(found.attribute, 0.0))


def _named(said: str, names: Collection[str]) -> set[str]:
    """Tools that a text names; a name of one word could be any word."""
    found = _TOOL_NAME.findall(said)
    return {name for name in found if name in names and len(words(name)) > 1}
