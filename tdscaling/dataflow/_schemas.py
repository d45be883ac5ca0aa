"""JSON Schemas of strangers, walked with care.

Enters: any JSON value that claims to be a schema. Leaves: types and fields, within caps on depth
and number; references are followed inside of the schema only, cycles end at the cap.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

DEPTH = 4
"""Levels of objects and arrays that are looked into."""
MOST_FIELDS = 200
"""Fields of one result that count."""
_COMBINED = ("allOf", "anyOf", "oneOf")


def mapping(value: object) -> Mapping[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def type_of(schema: Mapping[str, Any]) -> str:
    """`string`, `number`, `boolean`, `array`, `object`, or empty where it is not told."""
    told = schema.get("type")
    if isinstance(told, list):
        told = next((name for name in told if isinstance(name, str) and name != "null"), "")
    if told == "integer":
        return "number"
    if isinstance(told, str) and told:
        return told
    for keyword in _COMBINED:
        for part in listed(schema.get(keyword)):
            if (found := type_of(mapping(part))) not in ("", "null"):
                return found
    return "object" if "properties" in schema else ""


def item_type(schema: Mapping[str, Any]) -> str:
    """Type of an array's items, else the type itself."""
    kind = type_of(schema)
    return type_of(mapping(schema.get("items"))) if kind == "array" else kind


def listed(value: object) -> list[Any]:
    """The value if it is an array, else an empty one; no more than a few entries."""
    return value[:8] if isinstance(value, list) else []


def fields(schema: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Path and type of each scalar field of a result's schema, outer ones first."""
    level: list[tuple[tuple[str, ...], Mapping[str, Any]]] = [((), schema)]
    count = 0
    for _ in range(DEPTH):
        deeper: list[tuple[tuple[str, ...], Mapping[str, Any]]] = []
        for path, node in level:
            for name, part in _properties(_resolved(node, schema), schema):
                count += 1
                if count > MOST_FIELDS:
                    return
                kind = type_of(part)
                if kind in ("object", "array"):
                    deeper.append(((*path, name), part))
                if kind != "object" and item_type(part) not in ("object", "array"):
                    yield (*path, name), item_type(part)
        level = deeper


def _properties(
    node: Mapping[str, Any], root: Mapping[str, Any], depth: int = DEPTH
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Named parts of a node: its own, its items', those of its alternatives."""
    if depth < 0:
        return
    for name, part in mapping(node.get("properties")).items():
        yield str(name), _resolved(mapping(part), root)
    if "items" in node:
        yield from _properties(_resolved(mapping(node["items"]), root), root, depth - 1)
    for keyword in _COMBINED:
        for part in listed(node.get(keyword)):
            yield from _properties(_resolved(mapping(part), root), root, depth - 1)


def _resolved(node: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = node.get("$ref")
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return node
    found: object = root
    for step in reference[2:].split("/")[:DEPTH]:
        found = mapping(found).get(step.replace("~1", "/").replace("~0", "~"))
    return mapping(found)
