"""What the tools of a cluster are about.

Enters: a cluster whose tools are known by schema alone. Leaves: per tool a `Reading`: its verb, the
thing that it is done to, and which of its parameters identify which thing. Names and edges tell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tdscaling.declared.definition import Parameter
from tdscaling.phrasing.clean import imperative
from tdscaling.phrasing.kinds import json_type
from tdscaling.phrasing.names import identified, singular, split, verb_and_thing
from tdscaling.phrasing.verbs import ACTIONS, Action
from tdscaling.schema import Cluster, Tool

SURE = 0.5
"""Edges with a higher score say what an unusual parameter identifies."""
_ON_EXISTING = frozenset({"send", "publish", "submit", "schedule", "apply"})
"""Verbs that make something new, unless they are told which one: `send_draft(draft_id)`."""
_BLANK = frozenset({"", "data", "result", "value", "by", "it"})
_NO_THING = frozenset(
    {"transaction hash", "token", "api", "client", "request", "session", "user agent"}
)


@dataclass(slots=True)
class Reading:
    """One tool as the draft understands it."""

    tool: Tool
    parameters: dict[str, Parameter]
    verb: str
    action: Action
    thing: str
    """What it is about, in the singular; empty where nothing tells."""
    many: bool
    keys: dict[str, str] = field(default_factory=dict)
    """Parameters that identify a thing, and which."""
    own: str | None = None
    """The parameter that identifies the thing that the tool is about."""
    asks_state: bool = False
    """Whether it is asked in which state the thing is."""
    named: frozenset[str] = frozenset()
    """Keys that are names rather than ids: `collection`, `database`."""


def read(
    cluster: Cluster, usable: Mapping[str, tuple[Tool, dict[str, Parameter]]]
) -> list[Reading]:
    """The readings of the usable tools, in their order."""
    found = [_first(tool, parameters) for tool, parameters in usable.values()]
    by_edge = _by_edge(cluster, {reading.tool.name: reading for reading in found})
    taken: set[str] = set()
    for service in dict.fromkeys(reading.tool.domain for reading in found):
        own = [reading for reading in found if reading.tool.domain == service]
        known = _known(own)
        several = Counter(reading.thing for reading in own)
        for reading in own:
            _settle(reading, known)
        for reading in own:
            _keys(reading, known, by_edge, several[reading.thing] > 1)
        _keep_apart(own, service, taken)
    return found


def _keep_apart(own: Sequence[Reading], service: str, taken: set[str]) -> None:
    """Give things a name of their own where another service has such things too."""
    nouns = {r.thing for r in own} | {noun for r in own for noun in r.keys.values()}
    first = (split(service) or ("other",))[0]
    names = {noun: f"{first} {noun}" if noun in taken and noun else noun for noun in nouns}
    for reading in own:
        reading.thing = names[reading.thing]
        reading.keys = {slot: names[noun] for slot, noun in reading.keys.items()}
    taken |= set(names.values())


def _first(tool: Tool, parameters: dict[str, Parameter]) -> Reading:
    verb, thing, many = verb_and_thing(tool.name, tool.domain)
    if not verb:
        said = imperative(tool.description).partition(" ")[0]
        verb = said if ACTIONS.get(said, "get") != "get" else ""
    action = ACTIONS.get(verb, "get")
    if verb == "get" and tool.writes and not tool.read_only:
        action = "update" if parameters else "act"
    if tool.read_only and action not in {"list", "compute"}:
        action = "get"
    if tool.destructive and action == "act":
        action = "delete"
    many = _many(tool, many, action)
    return Reading(tool, parameters, verb, action, "" if thing in _BLANK else thing, many)


def _many(tool: Tool, plural: bool, action: Action) -> bool:
    stated = json_type(tool.result) if tool.result else None
    if stated == "array":
        return True
    if tool.result and stated == "object":
        parts = tool.result.get("properties")
        kinds = [json_type(p) for p in parts.values() if isinstance(p, Mapping)] if parts else []
        if kinds and "array" not in kinds:
            return False
    return action == "list" or (action == "get" and (plural or "list" in split(tool.name)))


def _known(found: Iterable[Reading]) -> frozenset[str]:
    """Things that names of tools or parameters tell."""
    things = {reading.thing for reading in found if reading.thing}
    for reading in found:
        things |= {owner for name in reading.parameters if (owner := identified(name))}
    return frozenset(things)


def _settle(reading: Reading, known: frozenset[str]) -> None:
    """Name the thing as other tools do; the status of a refund is a question about the refund."""
    stem, _, head = reading.thing.rpartition(" ")
    whole = _shortest(stem, known)
    if (
        reading.action == "get"
        and head in {"status", "state"}
        and whole in known
        and not reading.many
    ):
        reading.asks_state, reading.thing = True, whole
    else:
        reading.thing = _shortest(reading.thing, known)


def _shortest(thing: str, known: frozenset[str]) -> str:
    """The known thing that a longer name ends in: a command task is a task."""
    parts = thing.split()
    for start in range(len(parts) - 1, 0, -1):
        short = " ".join(parts[start:])
        if short in known:
            return short
    return thing


def _by_edge(cluster: Cluster, readings: Mapping[str, Reading]) -> dict[tuple[str, str], str]:
    """Per consumer and slot the thing of the best producer."""
    found: dict[tuple[str, str], tuple[float, str]] = {}
    for edge in cluster.edges:
        producer, slot = readings.get(edge.producer), (edge.consumer, edge.slot)
        if edge.kind != "key" or edge.score < SURE or producer is None or not producer.thing:
            continue
        if edge.score > found.get(slot, (0.0, ""))[0]:
            found[slot] = (edge.score, producer.thing)
    return {slot: thing for slot, (_, thing) in found.items()}


def _keys(
    reading: Reading,
    known: frozenset[str],
    by_edge: Mapping[tuple[str, str], str],
    several: bool,
) -> None:
    named = set()
    for name, parameter in reading.parameters.items():
        thing = _target(reading, name, parameter, known, by_edge, several)
        if thing is None:
            continue
        reading.keys[name] = thing
        if identified(name) is None:
            named.add(name)
    reading.named = frozenset(named)
    acting = [n for n, t in reading.keys.items() if t == reading.thing and n in reading.parameters]
    if reading.verb in _ON_EXISTING and any(not reading.parameters[n].optional for n in acting):
        reading.action = "status"
    if reading.action == "create":
        return
    for name, thing in reading.keys.items():
        if thing == reading.thing and reading.own is None:
            reading.own = name
    if reading.own is None and reading.action in {"update", "delete", "status", "act"}:
        required = [n for n in reading.keys if not reading.parameters[n].optional]
        if required and (reading.action != "delete" or not reading.thing):
            reading.own = required[0]
            reading.thing = reading.keys[required[0]]


def _target(
    reading: Reading,
    name: str,
    parameter: Parameter,
    known: frozenset[str],
    by_edge: Mapping[tuple[str, str], str],
    several: bool,
) -> str | None:
    """The thing that a parameter identifies; None for a plain value.

    Where `several` tools are about one thing, a plain `id` is that thing's.
    """
    if parameter.type not in {"string", "integer", "number"} or _has_enum(parameter):
        return None
    owner = identified(name)
    if owner:
        if owner == "parent":
            return _parent(reading.thing, known)
        short = _shortest(owner, known - {owner})
        return None if short in _NO_THING else short
    if owner == "" and several and reading.thing:
        return reading.thing
    told = by_edge.get((reading.tool.name, name))
    if told and parameter.kind not in _VALUES:
        return told
    if owner == "":
        return reading.thing or "entry"
    word = " ".join([*split(name)[:-1], singular(split(name)[-1])]) if split(name) else ""
    stem = word.removesuffix(" name")
    own = stem == reading.thing and reading.action in {"get", "update", "delete", "status"}
    return stem if own and not reading.many else None


def _parent(thing: str, known: frozenset[str]) -> str | None:
    """What a parent is: of a subtask a task, else another one of the same."""
    whole = thing.removeprefix("sub").strip()
    return whole if whole in known and whole else thing or None


_VALUES = frozenset({"title", "text", "query", "date", "datetime", "amount", "limit", "status",
                     "page", "email", "phone", "person", "city", "username", "address", "country",
                     "language", "currency", "category", "priority", "tags"})  # fmt: skip


def _has_enum(parameter: Parameter) -> bool:
    extra: dict[str, Any] = parameter.model_extra or {}
    return "enum" in extra
