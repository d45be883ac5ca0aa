"""Keywords of JSON Schemas that say something about one value.

Enters: a schema as it is stated. Leaves: what of it is kept as it is. A keyword with a value that
no validator takes is left out, as is a pattern that could take for ever to match.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

CHOICES = 300
"""Values of an `enum`; with more, any value is taken."""
TYPES = ("string", "number", "integer", "boolean", "object", "array", "null")

_TAG = re.compile(
    r"</?(?:p|br|a|b|i|u|ul|ol|li|dl|dt|dd|em|strong|code|pre|div|span|note|important|h[1-6]|table"
    r"|thead|tbody|tr|td|th|img|hr|sup|sub|para|fullname|caution)(?:\s[^<>]{0,500})?/?>",
    re.IGNORECASE,
)
_PATTERN = 200
_VALUE = 200
_EXAMPLES = 3


def facts(node: Mapping[str, Any]) -> dict[str, Any]:
    """What a schema says of a single value, texts aside."""
    found = _type(node)
    for key, value in node.items():
        if key in _FACTS and _FACTS[key](value):
            found[key] = value
    return found | _bounds(node) | _samples(node)


def plain(name: object) -> bool:
    """Whether a parameter's name can be shown and compiled: printable, no quotes or braces."""
    return (
        isinstance(name, str)
        and 0 < len(name) <= 100
        and name.isprintable()
        and not re.search(r"""["'\\{}]""", name)
    )


def untagged(text: str) -> str:
    """A text without HTML tags; what merely looks like one, such as `<id>`, stays."""
    if "<" not in text:
        return text.strip()
    return re.sub(r"[ \t]{2,}", " ", _TAG.sub(" ", text)).strip()


def shortened(text: str, most: int) -> str:
    """A text of at most so many characters, cut between words where there are any."""
    if len(text) <= most:
        return text
    head, after = text[: most - 1], text[most - 1]
    if not after.isspace() and " " in head[most // 2 :]:
        head = head[: head.rfind(" ")]
    return head.rstrip() + "…"


def _type(node: Mapping[str, Any]) -> dict[str, Any]:
    stated = node.get("type")
    kinds = stated if isinstance(stated, list) else [stated]
    if not kinds or not all(isinstance(kind, str) and kind in TYPES for kind in kinds):
        return {}  # such as `file` or `any`
    kinds = list(dict.fromkeys(kinds))
    return {"type": kinds if len(kinds) > 1 else kinds[0]}


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
    """Whether matching takes a time that is in proportion: no group is repeated.

    And a `$` is nowhere but at the end: validators read others as the end of the text, too.
    """
    if not isinstance(pattern, str) or len(pattern) > _PATTERN:
        return False
    misread = re.search(r"\)[*+{]|\$.|\\\$", pattern, re.DOTALL)
    return misread is None and _compiles(pattern)


@lru_cache(10_000)
def _compiles(pattern: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of what Python may read otherwise some day
        try:
            re.compile(pattern)
        except (re.error, OverflowError, RecursionError, Warning):
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
    "readOnly": lambda value: value is True,
}
"""Keywords that are kept as they are, and the values that they may have."""
