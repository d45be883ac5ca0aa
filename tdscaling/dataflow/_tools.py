"""What a tool does, and to what, as its name and description tell.

Enters: a tool with nothing but a name, a description and hints. Leaves: a `Reading`: an action such
as `create` and the words of the thing it is done to.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from tdscaling.dataflow._vocabulary import EMPTY, MAKING, NOUNS_TOO, STOP, VERBS, Action
from tdscaling.dataflow._words import plural, singular, words
from tdscaling.schema import Tool

READ_FROM = 2000
"""Characters of a description that are read."""
_SHARED = 0.85
"""A first word that so many tools of a service share is its prefix."""
_DOES = re.compile(
    r"\b(list|search|find|get|retrieve|return|fetch|create|add|delete|remove|update|send)(?:e?s)?\s+"
    r"(?:for\s+|out\s+)?(?:(?:all|the|a|an|your|new|every|available|existing|detailed|specific)\s+)*"
    r"(?:(?:list|details|information|contents?|number|set)\s+(?:of|about|on|for)\s+)?"
    r"(?:(?:all|the|a|an|your)\s+)*([A-Za-z]+)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a tool is about."""

    action: Action
    entity: tuple[str, ...]
    """Words of the thing, its head last; empty where nothing tells."""
    many: bool
    """Whether it returns several."""
    verb: str = ""


def prefix(tools: Sequence[Tool]) -> str:
    """The first word that nearly all tools of a service share, empty where they share none."""
    if len(tools) < 3:
        return ""
    first = Counter(parts[0] for tool in tools if len(parts := words(tool.name)) > 1)
    word, count = first.most_common(1)[0] if first else ("", 0)
    return word if count >= _SHARED * len(tools) and word not in VERBS else ""


def read(tool: Tool, shared: str = "") -> Reading:
    """Read a tool; `shared` is the prefix of its service's tools."""
    parts = words(tool.name)
    if shared and len(parts) > 1 and parts[0] == shared:
        parts = parts[1:]
    position = _verb(parts)
    if position is None:
        action, entity = _hinted(tool), _thing(parts)
    else:
        action = VERBS[parts[position]]
        entity = _thing(parts[position + 1 :]) or _thing(parts[:position])
    if "login" in parts or parts[:2] in (("sign", "in"), ("log", "in")):
        return Reading("login", ("session",), many=False)
    said = _DOES.search(tool.description[:READ_FROM])
    if not entity and said:
        entity = _thing((singular(said[2].lower()),))
    many = action == "list" or (action == "read" and _several(tool.name, parts, said))
    verb = parts[position] if position is not None else ""
    return Reading("list" if many else action, entity, many, verb)


def narrowed(
    reading: Reading, known: Collection[tuple[str, ...]], given: Collection[tuple[str, ...]]
) -> Reading:
    """A reading without the words of its thing that tell only where or how.

    Args:
        reading: of one tool.
        known: things of the service that its verbs tell.
        given: things that the tool's parameters identify: the tags of `get_item_tags(item_id)` are
            tags.
    """
    entity = reading.entity
    if reading.action == "other" and len(entity) > 1 and entity[1:] in known:
        entity = entity[1:]  # an unknown verb
    while len(entity) > 1 and entity[:1] in given and entity not in given:
        entity = entity[1:]
    does = reading.action
    if does == "create" and entity in given and reading.verb not in MAKING:
        does = "update"  # `start_task(task_id)`
    return replace(reading, entity=entity, action=does)


def _several(name: str, parts: tuple[str, ...], said: re.Match[str] | None) -> bool:
    """Whether a read returns several things: `get_orders`, `getAllOrders`."""
    stop = next((word for word in parts if word in STOP), None)
    before = re.split(rf"(?i)_?{stop}(?=_|[A-Z]|$)", name)[0] if stop else name
    if "all" in parts or plural(before):
        return words(before)[-1:] not in (("detail",), ("information",))
    return bool(said and len(parts) == 1 and plural(said[2]))


def _verb(parts: tuple[str, ...]) -> int | None:
    """Position of the verb: the first word if it is one, else one that is no thing."""
    if parts and parts[0] in VERBS:
        after = parts[1] if len(parts) > 1 and parts[0] in NOUNS_TOO else ""
        return int(after in VERBS and (after not in NOUNS_TOO or after in ("list", "search")))
    for position, word in enumerate(parts):
        if word in STOP:
            break
        if word in VERBS and (word not in NOUNS_TOO or position == len(parts) - 1):
            return position
    return None


def _thing(parts: tuple[str, ...]) -> tuple[str, ...]:
    """The words of the thing: up to a preposition, without those that tell nothing."""
    kept: list[str] = []
    for word in parts:
        if word in STOP:
            if kept:
                break
            continue
        kept.append(word)
    while kept and (kept[-1] in EMPTY or kept[-1].isdigit()):
        kept.pop()
    head = kept[-1:]
    told = [word for word in kept[:-1] if not (word in EMPTY or word.isdigit() or _state(word))]
    return (*told[-2:], *head)


def _state(word: str) -> bool:
    """Whether a word tells in which state a thing is: `blocked`."""
    return word.endswith("ed") and len(word) > 4


def _hinted(tool: Tool) -> Action:
    if tool.destructive:
        return "delete"
    return "read" if tool.read_only else "other"
