"""YAML of strangers as plain data.

Enters: bytes. Leaves: what JSON could say too. Dates stay text, `no` and `on` are words, `<<` is a
key like others: so nothing is multiplied by merging, and no object is made by a tag. The depth is
looked at first, since the loader in C would overflow the stack.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

LARGEST = 40_000_000
"""Bytes; YAML is read a hundred times slower than JSON."""
DEEPEST = 200
"""Values within each other."""

_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_BASE):  # type: ignore[misc]
    """Resolves plain words as JSON does."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _form, _firsts in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?(?:0|[1-9][0-9]{0,300})", "-+0123456789"),
    (
        "float",
        r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]{0,300})(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,4})?",
        "-+.0123456789",
    ),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_form})$"), list(_firsts)
    )


def yaml_of(data: bytes) -> Any:
    """What YAML says.

    Raises:
        ValueError: if it is none, is too large or nests too deeply; says where.
    """
    if len(data) > LARGEST:
        raise ValueError(f"more than {LARGEST:,} bytes of YAML; convert it to JSON")
    try:
        _depth(data)
        return yaml.load(data, _Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise ValueError(f"{getattr(error, 'problem', None) or error}{where}") from error


def _depth(data: bytes) -> None:
    depth = 0
    for event in yaml.parse(data, _BASE):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise ValueError(f"more than {DEEPEST} values within each other")
