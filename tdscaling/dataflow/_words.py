"""Names as words.

Enters: names as servers write them: camelCase, snake_case, kebab-case, plurals, any string. Leaves:
tuples of small singular English words, so that `getOrderIDs` and `order_id` meet.
"""

from __future__ import annotations

import re
from functools import lru_cache

LONGEST = 120
"""Characters of a name that count; servers may send names of any length."""

_ACRONYMS = re.compile(r"([A-Z]{2,})s(?![a-z])")
_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_A-Za-z]+")

_SHORT = {
    "username": "user_name", "filename": "file_name", "filepath": "file_path",
    "acct": "account", "addr": "address", "app": "application", "cust": "customer",
    "db": "database", "dept": "department", "desc": "description", "dir": "directory",
    "folder": "directory", "doc": "document", "emp": "employee", "env": "environment",
    "img": "image", "info": "information", "loc": "location", "mr": "merge_request",
    "msg": "message", "nr": "number", "ns": "namespace", "num": "number", "org": "organization",
    "organisation": "organization", "pkg": "package", "pr": "pull_request", "qty": "quantity",
    "repo": "repository", "txn": "transaction", "tx": "transaction", "usr": "user",
    "catalogue": "catalog", "cart": "cart", "basket": "cart", "film": "movie", "docs": "document",
    "identifier": "id", "guid": "uuid", "no": "number", "cik": "cik", "appointments": "appointment",
}  # fmt: skip
"""Ways to write the same word."""

_WHOLE = frozenset(
    {
        "access",
        "address",
        "alias",
        "analysis",
        "analytics",
        "atlas",
        "aws",
        "basis",
        "bonus",
        "bus",
        "business",
        "canvas",
        "class",
        "compass",
        "corpus",
        "css",
        "dns",
        "does",
        "focus",
        "gas",
        "gps",
        "has",
        "https",
        "ios",
        "is",
        "kubernetes",
        "lens",
        "loss",
        "news",
        "os",
        "pass",
        "plus",
        "process",
        "progress",
        "radius",
        "series",
        "sms",
        "species",
        "status",
        "this",
        "tls",
        "virus",
        "was",
    }
)
"""Words that end in `s` and are no plurals."""
_IRREGULAR = {
    "children": "child", "people": "person", "men": "man", "women": "woman", "indices": "index",
    "vertices": "vertex", "matrices": "matrix", "criteria": "criterion", "statuses": "status",
    "aliases": "alias", "analyses": "analysis", "addresses": "address", "movies": "movie",
    "cookies": "cookie", "caches": "cache", "axes": "axis", "buses": "bus", "lenses": "lens",
}  # fmt: skip


@lru_cache(maxsize=1 << 16)
def words(name: str) -> tuple[str, ...]:
    """Small singular words of a name, in order."""
    text = _ACRONYMS.sub(lambda match: match[1].capitalize() + "s", name[:LONGEST])
    found = (singular(word.lower()) for word in _WORD.findall(text))
    return tuple(part for word in found for part in word.split("_"))


@lru_cache(maxsize=1 << 16)
def singular(word: str) -> str:
    """The singular of a small word, abbreviations written out."""
    if word in _SHORT:
        return _SHORT[word]
    if word in _WHOLE or (len(word) < 4 and word != "ids") or not word.endswith("s"):
        return _IRREGULAR.get(word, word)
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    one = _without_ending(word)
    return _SHORT.get(one, one)


def _without_ending(word: str) -> str:
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    return word if word.endswith(("ss", "us", "is")) else word[:-1]


def plural(name: str) -> bool:
    """Whether the last word of a name is written in the plural."""
    text = _ACRONYMS.sub(lambda match: match[1].capitalize() + "s", name[:LONGEST])
    found = _WORD.findall(text)
    if not found:
        return False
    last = found[-1].lower()
    return last in _IRREGULAR or (last.endswith("s") and singular(last) != last)
