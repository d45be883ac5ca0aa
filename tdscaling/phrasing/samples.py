"""Sample values: what a user might give a parameter.

Enters: a parameter's name, JSON Schema and description. Leaves: a generator (as in
`tdscaling.declared.rows`) whose values fit the schema, or nothing where none is known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from tdscaling.declared.rows import GeneratorError, Generators
from tdscaling.phrasing import _stock
from tdscaling.phrasing.clean import plain, value
from tdscaling.phrasing.kinds import json_type, kind_of
from tdscaling.phrasing.names import singular, split

CLOCK = "2025-06-17 08:30"
"""Time in which samples are tried; those of a domain follow the domain's clock."""
_TRIED = 4
_EXAMPLES = re.compile(
    r"(?:e\.?\s?g\.?|for example|for instance|such as|examples?|eg|ex\.?)[\s,:]+([^\n]{2,160})",
    re.IGNORECASE,
)
_LISTED = re.compile(
    r"(?:\(|one of:?|options:?|values:?|types:?|choose from:?|either|can be)\s*"
    r"((?:['\"]?[\w.-]{1,24}['\"]?(?:\s*[,|/]\s*(?:or\s+)?|\s+or\s+)){1,12}['\"]?[\w.-]{1,24}['\"]?)",
    re.IGNORECASE,
)
_NO_EXAMPLE = re.compile(
    r"^(?:etc|default|optional|required|or|and|the|a|an|if|in|to|of|your|this|true|false|none|null"
    r"|more|other|string|number|integer)$",
    re.IGNORECASE,
)
_QUOTED = re.compile(
    "['\"\u201c\u201d\u2018\u2019]([^'\"\u201c\u201d\u2018\u2019]{1,60})['\"\u201c\u201d\u2018\u2019]"
)
_NO_VALUE = re.compile(r"=|\.\.\.|e\.g|\(|\)|\[|\]")
_NESTED_REPEAT = re.compile(r"[+*}]\)[+*{]")
_DEEPEST = 2


def sample(
    name: str, schema: Mapping[str, Any], about: str, depth: int = 0, kind: str | None = None
) -> Any:
    """A generator of values that fit the schema; None where none is known.

    Args:
        name: of the parameter.
        schema: its JSON Schema.
        about: what its description says.
        depth: of the value within others.
        kind: of the value; as name and schema tell it, if absent.
    """
    for spec in _options(name, schema, about, depth, kind or kind_of(name, schema)):
        fitting = fitted(spec, schema)
        if fitting is not None:
            return fitting
    return None


def _options(
    name: str, schema: Mapping[str, Any], about: str, depth: int, kind: str | None
) -> list[Any]:
    values = schema.get("enum")
    if isinstance(values, list) and values:
        usable = [v for v in values if isinstance(v, str | int | float) and v != ""]
        return [{"choice": usable[:40]}] if usable else []
    if schema.get("format") == "uuid":
        return [{"pattern": "########-####-4###-8###-############"}]
    if "const" in schema:
        return [{"choice": [schema["const"]]}]
    stated = json_type(schema)
    if stated == "array":
        return _array(name, schema, about, depth)
    if stated == "object":
        return _object(schema, depth)
    if stated == "boolean":
        return [{"choice": [True, False]}]
    return _scalar(name, schema, about, str(stated), kind)


def _scalar(
    name: str, schema: Mapping[str, Any], about: str, stated: str, kind: str | None
) -> list[Any]:
    numeric = stated in {"integer", "number"}
    shown: list[Any] = _stated_examples(schema)
    shown += _number_examples(about) if numeric else _examples(about)
    options: list[Any] = []
    if len(shown) > 1 or (shown and kind not in _stock.RICH):
        options.append({"choice": shown[:8]})
    options += _stock.of_kind(kind, name, stated, about)
    if numeric:
        options += _numbers(schema, stated)
    if shown:
        options.append({"choice": shown[:8]})
    if schema.get("default") not in (None, "", [], {}):
        options.append({"choice": [schema["default"]]})
    return options if numeric else [*options, *_stock.fallback(name, bool(schema.get("pattern")))]


def _array(name: str, schema: Mapping[str, Any], about: str, depth: int) -> list[Any]:
    items = schema.get("items")
    if not isinstance(items, Mapping) or depth >= _DEEPEST:
        return []
    if json_type(items) not in {"string", "integer", "number"}:
        return []
    inner = sample(_one(name), items, about, depth + 1)
    least, most = schema.get("minItems"), schema.get("maxItems")
    number = max(2, least if isinstance(least, int) else 0)
    number = min(number, most) if isinstance(most, int) else number
    return [{"list": [inner, number]}] if inner is not None and 0 < number <= 5 else []


def _one(name: str) -> str:
    parts = split(name)
    return "_".join([*parts[:-1], singular(parts[-1])]) if parts else name


def _object(schema: Mapping[str, Any], depth: int) -> list[Any]:
    properties = schema.get("properties")
    if not isinstance(properties, Mapping) or not properties or depth >= _DEEPEST:
        return []
    required = schema.get("required") or []
    names = [n for n in properties if n in required] or _sayable(properties)
    if len(names) > 5 or not set(required) <= set(properties):
        return []
    parts = {
        str(n): sample(
            str(n), properties[n], plain(properties[n].get("description", "")), depth + 1
        )
        for n in names
        if isinstance(properties[n], Mapping)
    }
    return [{"object": parts}] if parts and None not in parts.values() else []


def _sayable(properties: Mapping[str, Any]) -> list[str]:
    """Two optional parts of an object that a person would give."""
    scalars = [
        name
        for name, schema in properties.items()
        if isinstance(schema, Mapping) and json_type(schema) in {"string", "integer", "number"}
    ]
    known = [name for name in scalars if kind_of(name, properties[name]) is not None]
    return (known or scalars)[:2]


def _stated_examples(schema: Mapping[str, Any]) -> list[Any]:
    found = schema.get("examples")
    shown = list(found) if isinstance(found, list) else []
    if "example" in schema:
        shown.append(schema["example"])
    return [v for v in shown if isinstance(v, str | int | float) and not isinstance(v, bool)]


def _examples(about: str) -> list[str]:
    """Example values that a description names."""
    found = _EXAMPLES.search(about)
    text = found[1] if found else ""
    if not found:
        listed = _LISTED.search(about)
        text = listed[1] if listed else ""
    quoted = _QUOTED.findall(text)
    text = text.split(")")[0]
    parts = quoted or re.split(r"\s*(?:,|;|\||\bor\b|\.\s|\.$)\s*", text)
    kept = [plain(part, 60).strip(" '\"().:") for part in parts[:10]]
    if not quoted:
        kept = [part for part in kept if len(part.split()) <= 3]
    usable = [p for p in kept if p and not _NO_EXAMPLE.match(p) and not _NO_VALUE.search(p)]
    return list(dict.fromkeys(usable))


def _number_examples(about: str) -> list[float]:
    found = _EXAMPLES.search(about)
    numbers = re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.])", found[1]) if found else []
    return [float(n) if "." in n else int(n) for n in numbers[:6]]


def _numbers(schema: Mapping[str, Any], stated: str) -> list[Any]:
    low, high = _bound(schema, "minimum", 1), _bound(schema, "maximum", -1)
    if low is None and high is None:
        low, high = 1, 50
    low = low if low is not None else min(1, high or 0)
    high = high if high is not None else low + 49
    high = min(high, low + 1000)
    if low > high:
        return []
    if stated == "integer" or (float(low).is_integer() and float(high).is_integer()):
        return [{"int": [int(-(-low // 1)), int(high // 1)]}] if low <= high else []
    return [{"number": [low, high, 2]}]


def _bound(schema: Mapping[str, Any], key: str, sign: int) -> float | None:
    value, beyond = schema.get(key), schema.get(f"exclusive{key.capitalize()}")
    if isinstance(beyond, int | float) and not isinstance(beyond, bool):
        return beyond + sign * (1 if float(beyond).is_integer() else 0.01)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def fitted(spec: Any, schema: Mapping[str, Any]) -> Any:
    """The generator if its values fit the schema, perhaps with fewer choices; else None."""
    if isinstance(spec, dict) and "choice" in spec and isinstance(spec["choice"], list):
        values = [value for value in map(_as_type(schema), spec["choice"]) if fits(value, schema)]
        distinct = {json.dumps(value): value for value in values}
        return {"choice": list(distinct.values())} if distinct else None
    generators = Generators(f"sample:{json.dumps(spec, sort_keys=True)}", CLOCK, None)
    try:
        drawn = [generators.draw(spec, {}) for _ in range(_TRIED)]
    except GeneratorError:
        return None
    return spec if all(fits(value, schema) for value in drawn) else None


def _as_type(schema: Mapping[str, Any]) -> Any:
    stated = json_type(schema)

    def convert(given: Any) -> Any:
        if isinstance(given, bool) or stated not in {"string", "integer", "number"}:
            return given
        try:
            if stated == "string":
                return value(str(given))
            number = float(given)
            return int(number) if stated == "integer" or number.is_integer() else number
        except (TypeError, ValueError, OverflowError):
            return None

    return convert


def whole(spec: Any) -> bool:
    """Whether a generator makes whole numbers only."""
    if not isinstance(spec, dict):
        return False
    values = spec.get("choice")
    listed = isinstance(values, list) and all(type(value) is int for value in values)
    return listed or bool({"int", "seq"} & set(spec))


_TYPES: dict[str, Any] = {"string": str, "integer": int, "number": (int, float), "array": list,
                          "object": dict, "boolean": bool}  # fmt: skip


def fits(value: Any, schema: Mapping[str, Any]) -> bool:
    """Whether a value is of the schema's type, within its bounds, length and pattern."""
    stated = json_type(schema)
    if value is None or value == "" or stated not in _TYPES:
        return False
    if not isinstance(value, _TYPES[stated]) or (isinstance(value, bool) and stated != "boolean"):
        return False
    if isinstance(value, str):
        return _text_fits(value, schema)
    if isinstance(value, int | float) and not isinstance(value, bool):
        low, high = _bound(schema, "minimum", 1), _bound(schema, "maximum", -1)
        return (low is None or value >= low) and (high is None or value <= high)
    return True


def _text_fits(value: str, schema: Mapping[str, Any]) -> bool:
    least, most = schema.get("minLength", 0), schema.get("maxLength", 10_000)
    if not (isinstance(least, int) and isinstance(most, int) and least <= len(value) <= most):
        return False
    pattern = schema.get("pattern")
    if pattern is None:
        return True
    if not isinstance(pattern, str) or len(pattern) > 200 or _NESTED_REPEAT.search(pattern):
        return False
    try:
        return re.search(pattern, value) is not None
    except re.error:
        return False
