"""How a request mentions one parameter.

Enters: a parameter, the verb and the thing of its tool. Leaves: a clause with one slot, and the
order in which a person mentions several.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tdscaling.declared.definition import Parameter
from tdscaling.phrasing.names import article, identified, split
from tdscaling.phrasing.verbs import listed

_CONTAINERS = listed(
    "project folder list board channel workspace team repo repository database collection calendar "
    "group playlist album space room server guild thread sheet spreadsheet document notebook "
    "category account store table course class cart basket organization"
)
_ORDER = (
    "title", "name", "query", "url", "path", "file", "text", "ticker", "coin", "amount", "id",
    "repo", "person", "email", "phone", "city", "address", "place", "country", "region",
    "language", "date", "datetime", "time", "status", "priority", "category", "tags", "limit",
)  # fmt: skip
_BY_KIND = {
    "city": "in {}", "country": "in {}", "region": "in {}", "place": "for {}", "address": "at {}",
    "url": "at {}", "path": "at {}", "file": "in the file {}", "language": "in {}",
    "currency": "in {}", "amount": "of {}", "email": "for {}", "phone": "with the number {}",
    "person": "for {}", "company": "for {}", "ticker": "for {}", "coin": "for {}",
    "date": "on {}", "datetime": "at {}", "time": "at {}", "year": "for {}", "month": "for {}",
    "status": "with the status {}", "category": "in the category {}", "tags": "tagged {}",
    "limit": ", {} at most", "repo": "in {}", "branch": "on the branch {}", "team": "for {}",
    "username": "for {}", "query": 'about "{}"', "title": 'called "{}"', "name": "named {}",
    "priority": "with {} priority", "timezone": "in the time zone {}", "airport": "at {}",
    "version": "in version {}", "host": "for {}", "wallet": "for {}", "zip": "in {}",
    "sport": "for {}", "isbn": "with the ISBN {}", "film": "for {}", "book": "for {}",
    "song": "for {}", "food": "with {}", "animal": "for {}", "word": "for {}", "hash": "for {}",
    "code": "for {}", "quarter": "in quarter {}", "selector": "on {}", "page": "on page {}",
}  # fmt: skip
_BY_FIRST_WORD = {
    "start": "from {}", "since": "since {}", "from": "from {}", "after": "after {}",
    "end": "until {}", "until": "until {}", "to": "to {}", "before": "before {}", "due": "due {}",
    "deadline": "due {}", "min": "with a minimum {noun} of {}", "max": "with a {noun} of up to {}",
    "minimum": "with a minimum {noun} of {}", "maximum": "with a {noun} of up to {}",
    "new": "with {} as the {noun}", "target": "to {}", "source": "from {}", "origin": "from {}",
    "destination": "to {}", "departure": "leaving {}", "recipient": "to {}", "birth": "born {}",
    "begin": "from {}", "receiver": "to {}", "sender": "from {}",
}  # fmt: skip
_PLACE = r" (?:in|to|from|for|of|on|by) (?:an?|the|my|this|that|one|any|each) (?:\w+ ){0,2}"
_PAYING = listed("pay send transfer refund charge deposit withdraw donate collect bill invoice")
_SEARCHING = listed("search find lookup discover explore query")
_SAYING = listed("send post reply comment tweet publish write message notify")


def order(names: Sequence[str], parameters: Mapping[str, Parameter]) -> list[str]:
    """The order in which a person mentions them."""

    def rank(name: str) -> tuple[int, int]:
        kind = parameters[name].kind
        return (_ORDER.index(kind) if kind in _ORDER else 20, names.index(name))

    return sorted(names, key=rank)


def without_place(request: str, names: Sequence[str], parameters: Mapping[str, Parameter]) -> str:
    """A request without "in a project" where it is going to say which project."""
    for name in names:
        noun = re.escape(parameters[name].noun or "value")
        request = re.sub(_PLACE + noun + "$", "", request, flags=re.IGNORECASE) or request
    return request


def joined(request: str, clauses: Sequence[str]) -> str:
    """A request with its clauses; those that all say "with" share the word."""
    plain = [part for part in clauses if not part.startswith(("with ", ","))]
    withs = [part.removeprefix("with ") for part in clauses if part.startswith("with ")]
    last = [part for part in clauses if part.startswith(",")]
    text = " ".join([request, *plain])
    if withs:
        several = f"{', '.join(withs[:-1])} and {withs[-1]}" if len(withs) > 1 else withs[0]
        text = f"{text} with {several}"
    return "".join([text, *last])


def clauses(
    names: Sequence[str], parameters: Mapping[str, Parameter], *, verb: str, thing: str
) -> list[str]:
    """Words that mention parameters, a slot in each; no two say "of" or "at" alike."""
    found: dict[str, str] = {}
    for name in order(names, parameters):
        template = _template(name, parameters[name], verb, thing)
        if template in found and parameters[name].kind != "id":
            template = "with {} as the {noun}"
        words = _worded(template, name, parameters[name])
        found[template if template not in found else words] = words
    return list(found.values())


def _worded(template: str, name: str, parameter: Parameter) -> str:
    noun = parameter.noun or "value"
    noun = _without(noun, ("min", "max", "minimum", "maximum", "new")) or noun
    return template.replace("{noun}", noun).replace("{}", f"{{{name}}}")


def _template(name: str, parameter: Parameter, verb: str, thing: str) -> str:
    kind, parts = parameter.kind, split(name)
    noun = parameter.noun or ""
    if parameter.type == "boolean":
        return ", {noun}: {}"
    if parameter.type == "object":
        return "with this {noun}: {}"
    if kind == "id":
        owner = (identified(name) or "").rpartition(" ")[2]
        if parts[0] in {"from", "to", "source", "target"} and len(parts) > 2:
            return "to {}" if parts[0] in {"to", "target"} else "from {}"
        if parameter.type == "array":
            return "for {}"
        return "in {}" if owner in _CONTAINERS else "for {}"
    if kind == "limit" and noun == "number of results":
        return ", {} at most"
    by_word = _by_first_word(parts, parameter)
    if by_word:
        return by_word
    return _by_kind(parameter, noun, verb, thing)


def _by_first_word(parts: Sequence[str], parameter: Parameter) -> str | None:
    """Of `startDate` or `min_price` the first word says what it is for."""
    found = _BY_FIRST_WORD.get(parts[0]) if parts else None
    if found is None or parameter.kind in {"page", "limit"} or parameter.type == "array":
        return None
    bound = parts[0] in {"min", "max", "minimum", "maximum"}
    numeric = parameter.type in {"integer", "number"}
    return found if (len(parts) > 1) == bound or not (bound or numeric) else None


def _by_kind(parameter: Parameter, noun: str, verb: str, thing: str) -> str:
    kind = parameter.kind
    if kind == "query":
        return 'for "{}"' if verb in _SEARCHING else 'about "{}"'
    if kind == "text":
        return 'saying "{}"' if verb in _SAYING else 'with the {noun} "{}"'
    if kind == "name" and noun.split()[:-1] and not thing.endswith(noun.split()[0]):
        return "with the {noun} {}"
    if kind == "amount" and verb not in _PAYING and noun != "amount":
        return f"with {article(noun)} of {{}}" if noun else "of {}"
    if kind in _BY_KIND and _generic(parameter, noun):
        return _BY_KIND[str(kind)]
    return "with {} as the {noun}"


def _generic(parameter: Parameter, noun: str) -> bool:
    """Whether the kind alone says what the value is for."""
    if parameter.type in {"integer", "number"} and parameter.kind in {"date", "time", "duration"}:
        return False
    return len(noun.split()) < 3


def _without(noun: str, words: tuple[str, ...]) -> str:
    return " ".join(word for word in noun.split() if word not in words)
