"""Names of tools and parameters as words.

Enters: identifiers in any style. Leaves: small words, a verb, the thing that it is done to, and
nouns in singular and plural. Names are untrusted: what leaves is letters, digits and spaces.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from tdscaling.phrasing.paths import is_version, of_path
from tdscaling.phrasing.verbs import VERBS, asks, base, listed

_PARTS = re.compile(
    r"(?<![A-Z])(?:GET|POST|PUT|PATCH|DELETE)(?=[a-z])|(?<![A-Za-z])[A-Za-z]\d+[a-z]?(?![A-Za-z])|(?<=[a-z])V\d+(?![a-z])|[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+"
)
LONGEST_THING = 3
"""Words of a thing; of more, those that come last."""
_PREPOSITIONS = listed(
    "by from for in of to with on at into via using as per within between about and or"
)
_FILLER = listed(
    "a an the all my mcp api tool tools single one specific current batch bulk controller handler"
)
_WRAPPERS = listed(
    "detail details info information data list record records entry item object by metadata"
)
"""Heads that say nothing: task details are a task."""
_SAYING_NOTHING = listed("detail details info information data metadata")
"""Those of a resource in a path: clocking records are records."""
_MANNERS = listed("get advanced batch bulk raw full simple basic detailed now async multiple fast")
"""Heads that say how: advanced."""
_SAME = listed("""series species news weather status address
    analysis basis news data metadata media info
    access process business class progress canvas bus gas lens css https dns aws ios sms gps os
    kubernetes redis postgres sales statistics analytics metrics physics mathematics""")
_IRREGULAR = {
    "people": "person", "children": "child", "indices": "index", "matrices": "matrix",
    "vertices": "vertex", "analyses": "analysis", "statuses": "status", "addresses": "address",
    "aliases": "alias", "movies": "movie", "cookies": "cookie", "caches": "cache",
    "databases": "database", "cases": "case", "invoices": "invoice", "devices": "device",
    "services": "service", "pages": "page", "messages": "message", "images": "image",
    "files": "file", "notes": "note", "issues": "issue", "releases": "release", "leaves": "leave",
    "expenses": "expense", "responses": "response", "courses": "course", "articles": "article",
    "licenses": "license", "purchases": "purchase", "phases": "phase", "buses": "bus",
    "schedules": "schedule", "templates": "template", "tables": "table", "routes": "route",
    "lenses": "lens", "zombies": "zombie", "axes": "axis", "houses": "house", "nurses": "nurse",
    "warehouses": "warehouse", "exercises": "exercise", "verses": "verse", "universes": "universe",
}  # fmt: skip


@lru_cache(maxsize=8192)
def split(name: str) -> tuple[str, ...]:
    """Small words of an identifier: `getUserById` is get, user, by, id."""
    return tuple(part.lower() for part in _PARTS.findall(name[:120]))


def singular(word: str) -> str:
    """The singular of an English noun, by the rules that names need."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word in _SAME or len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us")):
        return word
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    if word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    return word if word.endswith("is") else word[:-1]


def plural(noun: str) -> str:
    """The plural of a noun of one or more words."""
    stem, _, word = noun.rpartition(" ")
    for many, one in _IRREGULAR.items():
        if one == word:
            return f"{stem} {many}".strip()
    if word in _SAME and word.endswith("s") and word not in {"class", "business", "process"}:
        return noun
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}{_ending(word)}"


def countable(noun: str) -> str:
    """A noun that agrees with the count before it, in the templates' form: `task(s)`."""
    word = noun.rpartition(" ")[2]
    if word.endswith("y") and word[-2:-1] not in "aeiou" and len(word) > 1:
        return f"{noun[:-1]}(ies)"
    if word in _SAME or word in _IRREGULAR.values():
        return f"{noun}(s)" if plural(noun) == f"{noun}s" else "result(s)"
    return f"{noun}({_ending(word)})"


def _ending(word: str) -> str:
    return "es" if word.endswith(("s", "sh", "ch", "x", "z")) else "s"


def article(noun: str) -> str:
    """The noun with its indefinite article."""
    vowel = re.match(r"(?!uni|use|euro|one|url)[aeiou]|(?:xml|html|sms|mp3|rss|nft|llm)\b", noun)
    return f"{'an' if vowel else 'a'} {noun}"


@lru_cache(maxsize=4096)
def verb_and_thing(name: str, service: str = "") -> tuple[str, str, bool]:
    """Verb of a tool's name, what it is done to in the singular, and whether that was a plural.

    The verb is empty where the name has none; the thing is empty where the name is a verb alone.

    Args:
        name: of the tool.
        service: whose words the name may begin with, which say nothing then.
    """
    path = of_path(name, split, singular)
    if path is not None:
        verb, words, many = path
        return _named(verb, _until_preposition(words), many, _SAYING_NOTHING)
    parts = [part for part in split(name) if part not in _FILLER and not is_version(part)]
    own = set(split(service))
    while (
        len(parts) > 1
        and parts[0] in own
        and not (parts[0] in VERBS and base(parts[1]) not in VERBS)
    ):
        parts = parts[1:]
    verb, rest = "", parts
    position = _verb_at(parts)
    if asks(parts) and base(parts[0]) not in _ASKING:
        return _named("list" if parts[-1] == "history" else "get", parts, None, frozenset())
    if position is not None:
        verb = base(parts[position])
        before, after = parts[:position], parts[position + 1 :]
        rest = after if after and not _is_tail(after) else before
    return _named(verb, _until_preposition(rest), None, _WRAPPERS)


def _named(
    verb: str, words: Sequence[str], many: bool | None, wrappers: frozenset[str]
) -> tuple[str, str, bool]:
    """Verb, thing and plural, without words that say nothing; a plural tells if it is not known."""
    things = [part for part in words if part not in _FILLER and not is_version(part)]
    while len(things) > 1 and things[-1] in wrappers | _MANNERS:
        things = things[:-1]
    if len(things) > 1 and things[0] == "detailed":
        things = things[1:]
    if not things:
        return verb, "", False
    stated = singular(things[-1]) != things[-1] if many is None else many
    return verb, " ".join([*things[:-1], singular(things[-1])][-LONGEST_THING:]), stated


def _verb_at(parts: list[str]) -> int | None:
    """Where the verb is: in front, else at the end, else somewhere between."""
    if parts and base(parts[0]) in VERBS:
        return 0
    order = [len(parts) - 1, *range(1, len(parts) - 1)] if len(parts) > 1 else []
    order.sort(key=lambda at: (parts[at] not in _CLEAR, at if parts[at] in _CLEAR else 0))
    return next((position for position in order if parts[position] in VERBS), None)


_ASKING = listed("get check read show view fetch retrieve list describe query search find track")
"""Verbs that ask how something is themselves: `get_order_status`."""
_CLEAR = listed("send create delete update remove add get list fetch set")
"""Words that are nothing but verbs."""


def _is_tail(parts: list[str]) -> bool:
    """Whether nothing but a preposition phrase follows the verb: `tasks_list_by_user`."""
    return parts[0] in _PREPOSITIONS


def _until_preposition(parts: list[str]) -> list[str]:
    for position, part in enumerate(parts):
        if part in _PREPOSITIONS:
            return parts[:position]
    return parts


_ID_TAILS = ("id", "ids", "uuid", "guid", "uid")
_GENERIC_IDS = listed("id ids uuid guid uid _id identifier key")


def identified(name: str) -> str | None:
    """What an identifier identifies: `taskId` a task, `id` the thing itself (""); else None."""
    parts = split(name)
    if "or" in parts[1:-2]:
        parts = parts[len(parts) - parts[::-1].index("or") :]  # `key_or_custom_id`
    if not parts:
        return None
    if len(parts) == 1:
        return "" if parts[0] in _GENERIC_IDS - {"key"} else None
    if parts[-1] in _ID_TAILS or parts[-1] == "identifier":
        return " ".join([*parts[:-2], singular(parts[-2])])
    return None


def spoken_name(name: str) -> str:
    """What a person calls a parameter or a column: `dueDate` is due date, `task_id` a task."""
    owner = identified(name)
    if owner:
        return owner
    parts = split(name)
    return " ".join(parts) if parts else "value"
