"""JSON Schemas of strangers, made plain.

Enters: a schema as a server, a file or an API description states it. Leaves: a small one without
references, safe to walk, to compile and to write into a dataset.

What is left out only widens: a cleaned schema takes whatever the stated one takes. So references
are written out until a depth, `oneOf` becomes `anyOf`, conditions (`if`, `not`, ...) are dropped,
as are patterns that could take for ever to match. What no model needs (`x-...`, `$schema`, long
texts beyond a cap) goes too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from tdscaling.tools._keywords import facts, plain, shortened, untagged
from tdscaling.tools._messages import shown

HOPS = 32
"""References that lead to references."""
BRANCHES = 24
"""Alternatives of an `anyOf`; with more, any value is taken."""
_TITLE = 200
_BESIDE = ("title", "description", "default", "examples", "example")


class SchemaProblem(ValueError):
    """A schema that cannot be used; says why."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a schema is kept."""

    text: int
    """Characters of a description."""
    largest: int
    """Characters of the whole as JSON, roughly."""
    levels: tuple[int, ...]
    """Schemas within each other; the next is tried where the schema is still too large."""
    html: bool = False
    """Whether descriptions are HTML, whose tags are taken out."""


STATED = Limits(text=8_000, largest=20_000, levels=(12, 8, 6, 4, 3, 2, 1))
"""For tools whose schemas were written for models: all of nearly all is kept."""


class Cleaner:
    """Cleans the schemas of one document.

    Args:
        document: what references lead into.
        limits: how much is kept.
    """

    def __init__(self, document: Any, limits: Limits = STATED) -> None:
        self._document = document
        self._limits = limits
        # The stated node is kept beside the cleaned one, so that its id is not used again.
        self._known: dict[tuple[int, int], tuple[Any, dict[str, Any]]] = {}
        self._weights: dict[int, int] = {}  # of what `_known` keeps

    def parameters(self, schema: Any) -> dict[str, Any]:
        """The schema of arguments: always an object with `properties`.

        Raises:
            SchemaProblem: if it is no schema of an object, refers to what is not in the document,
                needs a parameter whose name is not plain, or is too large.
        """
        if schema is None:
            return {"type": "object", "properties": {}}
        if not isinstance(schema, dict):
            raise SchemaProblem(f"expected a schema of an object, got {_kind(schema)}")
        stated = self.resolve(schema)
        for key, wanted in (("properties", dict), ("required", list)):
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
        if not isinstance(schema, dict):
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
            if not isinstance(target, dict):
                return {}
            # Newer schemas let both hold, older ones the target alone: its facts do for both.
            beside = {key: node[key] for key in _BESIDE if key in node}
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
            elif isinstance(node, dict) and key in node:
                node = node[key]
            else:
                raise SchemaProblem(f"it refers to {reference[:120]!r}, which is not there")
        return node

    def _sized(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        for levels in self._limits.levels:
            cleaned = self._clean(schema, levels)
            if _weight(cleaned, self._weights) <= self._limits.largest:
                return cleaned
        raise SchemaProblem(f"a schema of more than {self._limits.largest:,} characters")

    def _clean(self, node: Any, levels: int) -> dict[str, Any]:
        if not isinstance(node, dict):
            return {}  # `true`, or nothing that is a schema: any value
        known = self._known.get((id(node), levels))
        if known is None:
            known = node, self._written(self.resolve(node), levels)
            self._known[id(node), levels] = known
        return known[1]

    def _written(self, node: Mapping[str, Any], levels: int) -> dict[str, Any]:
        cleaned = facts(node) | self._words(node)
        if levels > 0:
            cleaned |= self._members(node, levels - 1)
            cleaned = self._alternatives(node, cleaned, levels - 1)
        if node.get("nullable") is True:
            _also_null(cleaned)
        return cleaned

    def _words(self, node: Mapping[str, Any]) -> dict[str, Any]:
        found = {}
        for key, most in (("title", _TITLE), ("description", self._limits.text)):
            value = node.get(key)
            if isinstance(value, str):
                text = untagged(value[: 3 * most]) if self._limits.html else value.strip()
                if text:
                    found[key] = shortened(text, most)
        return found

    def _members(self, node: Mapping[str, Any], levels: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        properties, required = node.get("properties"), node.get("required")
        names: list[str] = []
        if isinstance(properties, dict):
            names = [name for name in properties if plain(name)]
            found["properties"] = {name: self._clean(properties[name], levels) for name in names}
        if isinstance(required, list):
            needed = {name for name in required if isinstance(name, str)}
            found |= {"required": kept} if (kept := [n for n in names if n in needed]) else {}
        rest = node.get("additionalProperties")
        whole = not isinstance(properties, dict) or len(names) == len(properties)
        if whole and "patternProperties" not in node:
            if isinstance(rest, bool):
                found["additionalProperties"] = rest
            elif isinstance(rest, dict) and rest:
                found["additionalProperties"] = self._clean(rest, levels)
        items = node.get("items")
        if isinstance(items, dict) and "prefixItems" not in node:
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


def _kind(value: object) -> str:
    return _KINDS.get(type(value), shown(value))


_KINDS: dict[type, str] = {
    dict: "an object", list: "a list", str: "text", bool: "a boolean",
}  # fmt: skip


def _also_null(cleaned: dict[str, Any]) -> None:
    kind = cleaned.get("type")
    if isinstance(kind, str) and kind != "null":
        cleaned["type"] = [kind, "null"]
    if "enum" in cleaned and None not in cleaned["enum"]:
        cleaned["enum"] = [*cleaned["enum"], None]
    cleaned.pop("const", None)
    if "anyOf" in cleaned and {"type": "null"} not in cleaned["anyOf"]:
        cleaned["anyOf"] = [*cleaned["anyOf"], {"type": "null"}]


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
    if isinstance(node, str):
        return len(node) + 2
    if isinstance(node, list):
        return 2 + sum(1 + _weight(item, known) for item in node)
    if not isinstance(node, dict):
        return 5
    if id(node) not in known:
        known[id(node)] = 2 + sum(len(key) + 4 + _weight(node[key], known) for key in node)
    return known[id(node)]
