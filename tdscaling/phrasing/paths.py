"""Names made of a method and a path, as descriptions of web APIs have them.

Enters: the name of a tool. Leaves: a verb, the words of the last resource, and whether there are
many: `post_v1_bundles_bundle_id_tracks` creates a track, `Review_PutReply` updates a reply. Names
of another style are none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from tdscaling.phrasing.verbs import ACTIONS, listed

METHODS = {
    "get": "get", "head": "get", "post": "create", "put": "update", "patch": "update",
    "delete": "delete",
}  # fmt: skip
"""What a method does to a resource."""
_IDS = listed("id ids uuid guid uid")
_CLEAR = listed(
    "list clear create update remove add fetch delete get set send find search retrieve apply "
    "upload transfer reverse subscribe invite submit"
)
"""Words that are nothing but verbs."""
_NOUNS = listed(
    "block release refund return end schedule trash merge ship start stop trial score hash rank "
    "count plan test"
)
"""Verbs that name a resource as often."""
_CALLS = frozenset(
    verb for verb, action in ACTIONS.items() if action in {"status", "compute"}
) - _NOUNS  # fmt: skip
_HANDLER = re.compile(r"([A-Z][A-Za-z0-9]+)_([A-Z][A-Za-z0-9]*)")
_VERSION = re.compile(r"v\d+")

Path = tuple[str, list[str], bool | None]
"""Verb, words of the thing, whether there are many of them; None where a plural tells."""


def is_version(part: str) -> bool:
    """Whether a word is a version of an API: `v2`."""
    return _VERSION.fullmatch(part) is not None


def of_path(
    name: str, split: Callable[[str], tuple[str, ...]], singular: Callable[[str], str]
) -> Path | None:
    """How a name made of a method and a path is read, None for other names."""
    handler = _HANDLER.fullmatch(name)
    if handler and handler[1].lower() not in METHODS:
        return _of_handler(split(handler[1]), split(handler[2]))
    parts = split(name)
    bare = [part for part in parts[1:] if not is_version(part)]
    if not parts or parts[0] not in METHODS or not bare:
        return None
    method, first = METHODS[parts[0]], bare[0]
    if len(bare) > 1 and (first in _CLEAR or (first in _CALLS and method != "get")):
        return first, bare[1:], None
    if not _is_path(name, parts, bare, singular):
        return None
    return _of_resources(method, _resources(bare, singular), singular)


def _of_handler(resource: Sequence[str], call: Sequence[str]) -> Path | None:
    """Of `Review_PutReply` and `Images_Get`."""
    call = [part for part in call if not is_version(part)]
    if len(call) > 1 and call[0] in METHODS and call[1] in _CLEAR:
        call = call[1:]
    if not call or not (call[0] in METHODS or call[0] in _CLEAR):
        return None
    rest = call[1:] if len(call) > 1 and call[1] not in {"by", "for", "of", "in"} else []
    verb = METHODS.get(call[0], call[0])
    return verb, rest or list(resource), False if verb == "create" else None


def _is_path(
    name: str, parts: Sequence[str], bare: Sequence[str], singular: Callable[[str], str]
) -> bool:
    """Whether what follows a method is a path rather than what a call does."""
    if "by" in parts:
        return False
    if parts[0] in {"put", "patch"} or name[:4].isupper() or len(bare) < len(parts) - 1:
        return True
    if parts[0] == "post":
        return any(singular(part) != part or part in _IDS for part in bare)
    return any(part in _IDS for part in bare[1:])


def _resources(bare: Sequence[str], singular: Callable[[str], str]) -> list[tuple[list[str], bool]]:
    """The resources of a path, and whether a parameter picks one of each."""
    found: list[tuple[list[str], bool]] = []
    words: list[str] = []
    for part in bare:
        if part not in _IDS:
            words.append(part)
        elif words:
            found.append((_without_parameter(words, singular), True))
            words = []
    return [*found, (words, False)] if words else found


def _without_parameter(words: list[str], singular: Callable[[str], str]) -> list[str]:
    """Without the name of a parameter that repeats its resource: `price margins price margin`."""
    ones = [singular(word) for word in words]
    for size in range(len(words) // 2, 0, -1):
        if ones[-size:] == ones[-2 * size : -size]:
            return words[:-size]
    return words


def _of_resources(
    method: str, found: Sequence[tuple[list[str], bool]], singular: Callable[[str], str]
) -> Path | None:
    if not found:
        return None
    words, picked = found[-1]
    call = words[-1]
    owner = words[:-1] or (found[-2][0] if len(found) > 1 else [])
    if not picked and method in {"create", "update"} and call in _CALLS and owner:
        return call, owner, False
    if method == "create" and picked:
        method = "update"
    cut = [n for n, word in enumerate(words[:-1]) if singular(word) != word]
    words = words[cut[-1] + 1 :] if cut else words
    many = not picked and method != "create" and singular(words[-1]) != words[-1]
    return method, words, many
