"""What a user asks of a tool, and how its result is told.

Enters: a tool, its usable parameters, the columns of its result. Leaves: templates: ways to ask for
it, with and without its parameters, ways to give them, ways to report.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tdscaling.declared.definition import Parameter
from tdscaling.phrasing._clauses import clauses, joined, without_place
from tdscaling.phrasing.clean import imperative
from tdscaling.phrasing.kinds import kind_of
from tdscaling.phrasing.names import (
    article,
    countable,
    identified,
    plural,
    singular,
    split,
    spoken_name,
    verb_and_thing,
)
from tdscaling.phrasing.verbs import ACTIONS, past
from tdscaling.schema import Tool

MOST_TOLD = 3
"""Columns of a result that an answer must tell."""
MOST_WOVEN = 5
"""Parameters in one sentence."""
_SYNONYMS = {
    "get": ("look up", "show me", "tell me about"),
    "list": ("list", "show me", "go through"),
    "search": ("search for", "look for", "find"),
    "create": ("create", "set up", "add"),
    "add": ("add", "create", "add"),
    "update": ("update", "change", "edit"),
    "delete": ("delete", "remove", "get rid of"),
    "remove": ("remove", "delete", "take away"),
    "send": ("send", "send off", "send out"),
    "cancel": ("cancel", "call off", "cancel"),
    "close": ("close", "close out", "close"),
}
_TOLD_KINDS = (
    "id", "title", "name", "status", "amount", "date", "datetime", "person", "city", "url",
    "priority", "category", "summary", "text", "email", "phone", "address",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Words:
    """Templates of one tool, as `tdscaling.declared.definition.ToolFile` has them."""

    intents: tuple[str, ...]
    context: tuple[str, ...]
    answers: tuple[str, ...]
    item: str | None
    first: str | None
    tell: tuple[str, ...]


def words(
    tool: Tool, parameters: Mapping[str, Parameter], columns: Sequence[str], many: bool
) -> Words:
    """The words of a tool.

    Args:
        tool: whose name and description are taken as data.
        parameters: those that are ever given, as `parameters` makes them.
        columns: of the result.
        many: whether the result is a list.
    """
    thing = verb_and_thing(tool.name, tool.domain)[1] or "entry"
    changing = ACTIONS.get(verb_and_thing(tool.name, tool.domain)[0]) == "update"
    tell = told(columns, parameters, many=many, changing=changing)
    if many:
        item, answers = _item(tell), _lists(thing)
    else:
        item, answers = None, _reports(tool, tell, thing)
    return Words(
        intents=tuple(_intents(tool, parameters)),
        context=(),
        answers=answers,
        item=item,
        first=f"{thing} at the top of the list" if many else None,
        tell=tell,
    )


def told(
    columns: Sequence[str], parameters: Mapping[str, Parameter], *, many: bool, changing: bool
) -> tuple[str, ...]:
    """The columns that matter: ids, names, states, amounts, dates; at most three.

    What was asked for by is left out, unless the call sets it; so is what may not be given.
    """
    required = {_same(p.source or name) for name, p in parameters.items() if not p.optional}
    doubtful = {_same(p.source or name) for name, p in parameters.items() if p.optional}

    def rank(column: str) -> tuple[int, int]:
        kind = kind_of(column, {})
        known = _TOLD_KINDS.index(kind) if kind in _TOLD_KINDS else len(_TOLD_KINDS)
        foreign = kind == "id" and column != columns[0]
        return len(_TOLD_KINDS) + 1 if foreign else known, columns.index(column)

    def plain(column: str) -> bool:
        return kind_of(column, {}) != "id" or column == columns[0]

    given = required | doubtful if changing else required if many else required | doubtful
    names = list(dict.fromkeys(columns))
    fresh = [c for c in names if (_same(c) in given) == (changing and kind_of(c, {}) != "id")]
    fresh = fresh or [c for c in names if _same(c) not in required] or names
    own = [column for column in fresh if plain(column)]
    kept = sorted(own or fresh, key=rank)[:MOST_TOLD]
    return tuple(column for column in columns if column in kept)


def _same(name: str) -> str:
    """What names in different styles have in common."""
    return "".join(split(name))


def _intents(tool: Tool, parameters: Mapping[str, Parameter]) -> Iterator[str]:
    required = [name for name, p in parameters.items() if not p.optional][:MOST_WOVEN]
    optional = [name for name, p in parameters.items() if p.optional]
    subsets = [
        required + list(chosen)
        for size in range(len(optional) + 1)
        for chosen in itertools.combinations(optional, size)
    ]
    plans = [*subsets, required, required, required[:1], [], []]
    seen: dict[str, None] = {}
    for number, names in enumerate(plans):
        seen.setdefault(_request(tool, parameters, names, number))
    for number in range(len(plans), len(plans) + 12):
        if len(seen) < 3:
            seen.setdefault(_request(tool, parameters, [], number))
    fillers = ("{0} for me", "go ahead and {0}", "help me to {0}")
    for filler in fillers:
        if len(seen) < 3:
            seen.setdefault(filler.format(next(iter(seen))))
    yield from seen


def _request(
    tool: Tool, parameters: Mapping[str, Parameter], names: Sequence[str], number: int
) -> str:
    verb, thing, many = verb_and_thing(tool.name, tool.domain)
    said = imperative(tool.description)
    own = next((n for n in names if _is_own(n, parameters[n], thing, tool)), None)
    rest = [name for name in names if name != own]
    base = _base(said, verb, thing, many, own, number)
    if not own and any(_is_own(name, p, thing, tool) for name, p in parameters.items()):
        # It is about one that was spoken of: "delete a task" would be about any.
        base = re.sub(r"^([\w ]{2,12}?) an? (?:existing )?", r"\1 the ", base, count=1)
    if own and ACTIONS.get(verb) == "update":
        return _setting(base, rest, parameters)
    return joined(
        without_place(base, rest, parameters), clauses(rest, parameters, verb=verb, thing=thing)
    )


def _setting(base: str, names: Sequence[str], parameters: Mapping[str, Parameter]) -> str:
    """A change with what is changed: `update that task, setting the title to "x"`."""
    parts = []
    for name in names:
        quote = '"' if parameters[name].kind in {"title", "text"} else ""
        noun = (parameters[name].noun or "value").removeprefix("new ")
        parts.append(f"the {noun} to {quote}{{{name}}}{quote}")
    if not parts:
        return base
    several = f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]
    return f"{base}, setting {several}"


_OTHERS = frozenset({"parent", "from", "to", "source", "target", "new", "old", "other"})
"""Words of an id of another one of the same: `parent_task_id`."""


def _is_own(name: str, parameter: Parameter, thing: str, tool: Tool) -> bool:
    """Whether a parameter says which thing the tool is about."""
    owner = identified(name)
    if owner is None and parameter.kind == "id":
        owner = parameter.noun
    if owner is None or ACTIONS.get(verb_and_thing(tool.name, tool.domain)[0]) == "create":
        return False
    longer = owner.endswith(f" {thing}") and owner.split()[0] not in _OTHERS
    return owner in {"", thing} or thing.endswith(f" {owner}") or longer


_BEFORE_OWN = {
    "get": ("look up {0}", "show me the details of {0}", "tell me about {0}"),
    "update": ("update {0}", "change {0}", "make a change to {0}"),
    "delete": ("delete {0}", "remove {0}", "get rid of {0}"),
}


def _base(said: str, verb: str, thing: str, many: bool, own: str | None, number: int) -> str:
    """The request without its further parameters."""
    action = ACTIONS.get(verb)
    if own:
        slot = f"{{{own}}}"
        options = list(_BEFORE_OWN.get(verb) or _BEFORE_OWN.get(str(action)) or ())
        if verb not in _BEFORE_OWN and action not in {"get", "list", "compute", None}:
            options = [f"{verb} {slot}", f"go ahead and {verb} {slot}", f"{verb} {slot} for me"]
        options = options or [f"{verb or 'look up'} {slot}", f"show me {slot}"]
        return options[number % len(options)].replace("{0}", slot)
    return _plain_base(said, verb, thing, many, number)


def _plain_base(said: str, verb: str, thing: str, many: bool, number: int) -> str:
    if said and (not thing or not verb or ACTIONS.get(verb) in {"act", None}):
        return said
    noun = plural(thing) if many or ACTIONS.get(verb) == "list" else thing
    named = f"{_SYNONYMS[verb][number % 3]}" if verb in _SYNONYMS else verb
    if ACTIONS.get(verb) == "create" and thing:
        noun = plural(thing) if many else article(thing)
    elif thing and not many and ACTIONS.get(verb) != "list":
        noun = f"the {thing}"
    short = f"{named or 'look up'} {noun or 'it'}".strip()
    options = [said, short] if said else [short]
    if said and verb in ("get", "list", "search"):
        first, _, tail = said.partition(" ")
        if first in ("get", "list", "show", "find", "search") and not tail.startswith("for "):
            options = [said, f"show me {tail}", f"give me {tail}"]
    return options[number % len(options)]


def _item(tell: Sequence[str]) -> str:
    if len(tell) == 1:
        return f"{{{tell[0]}}}"
    names = [c for c in tell if kind_of(c, {}) in {"title", "name", "person"}]
    ids = [c for c in tell if identified(c) is not None]
    if names and ids:
        others = [c for c in tell if c not in (names[0], ids[0])]
        return ", ".join([f"{{{names[0]}}} ({{{ids[0]}}})", *(_labelled(c) for c in others)])
    return ", ".join([f"{{{tell[0]}}}", *(_labelled(c) for c in tell[1:])])


def _labelled(column: str) -> str:
    kind = kind_of(column, {})
    if kind in {"title", "name", "status", "date", "datetime", "person", "city"}:
        return f"{{{column}}}"
    if kind in {"text", "summary"}:
        return f'"{{{column}}}"'
    return f"{_noun(column)} {{{column}}}"


def _lists(thing: str) -> tuple[str, ...]:
    noun = countable(thing)
    return (
        f"There are {{count}} {noun}: {{items}}.",
        f"I found {{count}} {noun}: {{items}}.",
        "Here is what I found: {items}.",
        "The list reads: {items}.",
    )


def _part(column: str) -> str:
    noun, kind = _noun(column), kind_of(column, {})
    if split(column)[-1:] in (("on",), ("at",)) and len(split(column)) > 1:
        return f"it was {noun} {{{column}}}"
    if kind in {"text", "summary"}:
        return f'the {noun} reads "{{{column}}}"'
    return f"the {noun} {'are' if _is_plural(noun) else 'is'} {{{column}}}"


def _is_plural(noun: str) -> bool:
    word = noun.rpartition(" ")[2]
    return singular(word) != word


def _short(column: str) -> str:
    if split(column)[-1:] in (("on",), ("at",)):
        return f"{_noun(column)} {{{column}}}"
    if kind_of(column, {}) in {"text", "summary"}:
        return f'{_noun(column)}: "{{{column}}}"'
    return f"{_noun(column)}: {{{column}}}"


def _noun(column: str) -> str:
    noun = spoken_name(column)
    return f"{noun} number" if identified(column) else "number" if noun == "id" else noun


def _reports(tool: Tool, tell: Sequence[str], thing: str) -> tuple[str, ...]:
    verb = verb_and_thing(tool.name, tool.domain)[0]
    parts = [_part(column) for column in tell]
    told_parts = f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)
    short = "; ".join(_short(column) for column in tell)
    if not tell:
        return ("That is done.", "Done.", "It went through.")
    upper = told_parts[0].upper() + told_parts[1:]
    if ACTIONS.get(verb) in {"create", "update", "delete", "status", "act"}:
        done = past(verb)
        return (
            f"Done, the {thing} was {done}: {told_parts}.",
            f"That is {done}. {upper}.",
            f"It went through: {short}.",
            f"The {thing} was {done}; {short}.",
        )
    return (
        f"{upper}.",
        f"Here is what I found: {told_parts}.",
        f"I looked it up: {short}.",
        f"This is what it says: {short}.",
    )
