"""JSON Schemas of strangers, made plain.

Enters: a schema as a server, a file or an API description states it. Leaves: a small one without
references, safe to walk, to compile and to write into a dataset.

What is left out only widens: a cleaned schema takes whatever the stated one takes. So references
are written out until a depth, `oneOf` becomes `anyOf`, conditions (`if`, `not`, ...) are dropped,
as are patterns that could take for ever to match. What no model needs (`x-...`, `$schema`, long
texts beyond a cap) goes too.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

LEVELS = (12, 8, 6, 4, 3, 2, 1)
"""Schemas within each other; the next is tried where the schema is still too large."""
LARGEST = 20_000
"""Characters of a cleaned schema as JSON, roughly."""
HOPS = 32
"""References that lead to references."""
BRANCHES = 24
"""Alternatives of an `anyOf`; with more, any value is taken."""
CHOICES = 300
"""Values of an `enum`; with more, any value is taken."""
TYPES = ("string", "number", "integer", "boolean", "object", "array", "null")

_PATTERN = 200
_TITLE = 200
_VALUE = 200
_EXAMPLES = 3


class SchemaProblem(ValueError):
    """A schema that cannot be used; says why."""


class Cleaner:
    """Cleans the schemas of one document.

    Args:
        document: what references lead into.
        text: characters that are kept of a description.
    """

    def __init__(self, document: Any, text: int) -> None:
        self._document = document
        self._text = text
        # The stated node is kept beside the cleaned one, so that its id is not used again.
        self._known: dict[tuple[int, int], tuple[Any, dict[str, Any]]] = {}

    def parameters(self, schema: Any) -> dict[str, Any]:
        """The schema of arguments: always an object with `properties`.

        Raises:
            SchemaProblem: if it is no schema of an object, refers to what is not in the document,
                needs a parameter whose name is not plain, or is too large.
        """
        if schema is None:
            return {"type": "object", "properties": {}}
        if not isinstance(schema, Mapping):
            raise SchemaProblem(f"expected a schema of an object, got {_kind(schema)}")
        stated = self.resolve(schema)
        for key, wanted in (("properties", Mapping), ("required", list)):
            if stated.get(key) is not None and not isinstance(stated[key], wanted):
                got = _kind(stated[key])
                raise SchemaProblem(f"its `{key}` is {got}, expected {_KINDS[wanted]}")
        cleaned = self._sized(schema)
        kinds = cleaned.get("type", "object")
        if "object" not in (kinds if isinstance(kinds, list) else [kinds]):
            raise SchemaProblem(f"expected a schema of an object, got one of type {kinds}")
        for name in stated.get("required") or ():
            if isinstance(name, str) and not plain(name):
                raise SchemaProblem("it needs a parameter whose name is not plain text")
        return {**cleaned, "type": "object", "properties": cleaned.get("properties", {})}

    def result(self, schema: Any) -> dict[str, Any] | None:
        """The schema of a result; None where it says nothing or cannot be used."""
        if not isinstance(schema, Mapping):
            return None
        try:
            return self._sized(schema) or None
        except SchemaProblem:
            return None

    def resolve(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        """What a node refers to, with what it adds to it.

        Raises:
            SchemaProblem: if that is not in the document.
        """
        for _ in range(HOPS):
            reference = node.get("$ref")
            if not isinstance(reference, str):
                return node
            target = self._at(reference)
            if not isinstance(target, Mapping):
                return {}
            beside = {key: value for key, value in node.items() if key != "$ref"}
            node = {**target, **beside} if beside else target
        raise SchemaProblem("references that lead in a circle")

    def _at(self, reference: str) -> Any:
        if not reference.startswith("#"):
            raise SchemaProblem(f"it refers to {reference[:120]!r}, and only # is followed")
        node = self._document
        for word in unquote(reference[1:]).split("/")[1:]:
            key = word.replace("~1", "/").replace("~0", "~")
            if isinstance(node, list) and key.isdecimal() and len(key) < 7:
                node = node[int(key)] if int(key) < len(node) else None
            elif isinstance(node, Mapping) and key in node:
                node = node[key]
            else:
                raise SchemaProblem(f"it refers to {reference[:120]!r}, which is not there")
        return node

    def _sized(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        for levels in LEVELS:
            cleaned = self._clean(schema, levels)
            if _weight(cleaned, {}) <= LARGEST:
                return cleaned
        raise SchemaProblem(f"a schema of more than {LARGEST:,} characters")

    def _clean(self, node: Any, levels: int) -> dict[str, Any]:
        if not isinstance(node, Mapping):
            return {}  # `true`, or nothing that is a schema: any value
        known = self._known.get((id(node), levels))
        if known is None:
            known = node, self._written(self.resolve(node), levels)
            self._known[id(node), levels] = known
        return known[1]

    def _written(self, node: Mapping[str, Any], levels: int) -> dict[str, Any]:
        cleaned = _type(node) | self._words(node)
        for key, value in node.items():
            if key in _FACTS and _FACTS[key](value):
                cleaned[key] = value
        cleaned |= _bounds(node) | _samples(node)
        if levels > 0:
            cleaned |= self._members(node, levels - 1)
            cleaned = self._alternatives(node, cleaned, levels - 1)
        if node.get("nullable") is True:
            _also_null(cleaned)
        return cleaned

    def _words(self, node: Mapping[str, Any]) -> dict[str, Any]:
        found = {}
        for key, most in (("title", _TITLE), ("description", self._text)):
            value = node.get(key)
            if isinstance(value, str) and value.strip():
                found[key] = shortened(value.strip(), most)
        return found

    def _members(self, node: Mapping[str, Any], levels: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        properties = node.get("properties")
        if isinstance(properties, Mapping):
            names = [name for name in properties if plain(name)]
            found["properties"] = {name: self._clean(properties[name], levels) for name in names}
            required = node.get("required")
            if isinstance(required, list):
                needed = {name for name in required if isinstance(name, str)}
                found["required"] = [name for name in names if name in needed]
        rest = node.get("additionalProperties")
        whole = len(found.get("properties", ())) == len(properties or ())
        if whole and "patternProperties" not in node:
            if isinstance(rest, bool):
                found["additionalProperties"] = rest
            elif isinstance(rest, Mapping) and rest:
                found["additionalProperties"] = self._clean(rest, levels)
        items = node.get("items")
        if isinstance(items, Mapping) and "prefixItems" not in node:
            found["items"] = self._clean(items, levels)
        return found

    def _alternatives(
        self, node: Mapping[str, Any], cleaned: dict[str, Any], levels: int
    ) -> dict[str, Any]:
        for key in ("oneOf", "anyOf"):
            branches = node.get(key)
            if isinstance(branches, list) and 0 < len(branches) <= BRANCHES:
                options = [self._clean(branch, levels) for branch in branches]
                if len(options) == 1:
                    cleaned = _both(options[0], cleaned)
                elif all(options):
                    cleaned["anyOf"] = options
        parts = node.get("allOf")
        if isinstance(parts, list):
            for part in reversed(parts[:BRANCHES]):
                cleaned = _both(self._clean(part, levels), cleaned)
        return cleaned


def plain(name: object) -> bool:
    """Whether a parameter's name can be shown and compiled: printable, no quotes or braces."""
    return (
        isinstance(name, str)
        and 0 < len(name) <= 100
        and name.isprintable()
        and not re.search(r"""["'\\{}]""", name)
    )


def shortened(text: str, most: int) -> str:
    """A text of at most so many characters, cut between words where there are any."""
    if len(text) <= most:
        return text
    head = text[: most - 1]
    return (head[: head.rfind(" ")] if " " in head[most // 2 :] else head).rstrip() + "…"


def _kind(value: object) -> str:
    return _KINDS.get(type(value), f"{value!r:.60}")


_KINDS: dict[type, str] = {
    Mapping: "an object", dict: "an object", list: "a list", str: "text", bool: "a boolean",
}  # fmt: skip


def _type(node: Mapping[str, Any]) -> dict[str, Any]:
    stated = node.get("type")
    kinds = stated if isinstance(stated, list) else [stated]
    if not kinds or not all(isinstance(kind, str) and kind in TYPES for kind in kinds):
        return {}  # such as `file` or `any`
    kinds = list(dict.fromkeys(kinds))
    return {"type": kinds if len(kinds) > 1 else kinds[0]}


def _also_null(cleaned: dict[str, Any]) -> None:
    kind = cleaned.get("type")
    if isinstance(kind, str) and kind != "null":
        cleaned["type"] = [kind, "null"]
    if "enum" in cleaned and None not in cleaned["enum"]:
        cleaned["enum"] = [*cleaned["enum"], None]
    cleaned.pop("const", None)
    if "anyOf" in cleaned and {"type": "null"} not in cleaned["anyOf"]:
        cleaned["anyOf"] = [*cleaned["anyOf"], {"type": "null"}]


def _bounds(node: Mapping[str, Any]) -> dict[str, Any]:
    """Limits of a number; `exclusiveMinimum: true` is how older schemas say it."""
    found = {}
    for bound, strict in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        value, limit = node.get(bound), node.get(strict)
        if _number(value):
            found[strict if limit is True else bound] = value
        if _number(limit):
            found[strict] = limit
    return found


def _samples(node: Mapping[str, Any]) -> dict[str, Any]:
    """A few plain examples: they tell what a value looks like."""
    stated = node.get("examples")
    values = stated if isinstance(stated, list) else [node["example"]] if "example" in node else []
    kept = [value for value in values if not isinstance(value, bool) and _small(value)]
    kept = [value for value in kept if value not in (None, "")][:_EXAMPLES]
    return {"examples": kept} if kept else {}


def _both(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """One schema that takes whatever both take; where they differ, what the second says."""
    merged = {**first, **second}
    if "properties" in first and "properties" in second:
        merged["properties"] = {**first["properties"], **second["properties"]}
        merged.pop("additionalProperties", None)
    needed = dict.fromkeys([*first.get("required", ()), *second.get("required", ())])
    if needed:
        merged["required"] = [name for name in needed if name in merged.get("properties", {})]
    return merged


def _weight(node: Any, known: dict[int, int]) -> int:
    """Characters of a cleaned schema as JSON, roughly; parts may be shared."""
    if isinstance(node, Mapping):
        if id(node) not in known:
            known[id(node)] = 2 + sum(len(key) + 4 + _weight(node[key], known) for key in node)
        return known[id(node)]
    if isinstance(node, list):
        return 2 + sum(1 + _weight(item, known) for item in node)
    return len(node) + 2 if isinstance(node, str) else 5


def _number(value: object) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value) and abs(value) < 1e300  # type: ignore[arg-type]


def _count(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**53


def _small(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= _VALUE
    return value is None or isinstance(value, bool) or _number(value)


def _leaves(value: object, levels: int) -> Iterator[bool]:
    if isinstance(value, list | dict):
        if not levels or len(value) > 20:
            yield False
            return
        keys = value if isinstance(value, dict) else ()
        yield all(isinstance(key, str) for key in keys)
        for item in value.values() if isinstance(value, dict) else value:
            yield from _leaves(item, levels - 1)
    else:
        yield _small(value)


def _matchable(pattern: object) -> bool:
    """Whether matching takes a time that is in proportion: no group is repeated."""
    if not isinstance(pattern, str) or len(pattern) > _PATTERN or re.search(r"\)[*+{]", pattern):
        return False
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return False
    return True


_FACTS: dict[str, Callable[[Any], bool]] = {
    "format": lambda value: isinstance(value, str) and len(value) <= 50 and value.isprintable(),
    "pattern": _matchable,
    "enum": lambda value: (
        isinstance(value, list) and 0 < len(value) <= CHOICES and all(map(_small, value))
    ),
    "const": _small,
    "default": lambda value: all(_leaves(value, 3)),
    "multipleOf": lambda value: _number(value) and value > 0,
    "minLength": _count,
    "maxLength": _count,
    "minItems": _count,
    "maxItems": _count,
    "minProperties": _count,
    "maxProperties": _count,
    "uniqueItems": lambda value: isinstance(value, bool),
}
"""Keywords that are kept as they are, and the values that they may have."""
