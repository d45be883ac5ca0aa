"""Parameters of a tool, as a person fills them.

Enters: a tool with its JSON Schema. Leaves: those parameters that can be given, each with what it
is called, the question that asks for it and a generator of sample values. Optional ones that a
person would hardly mention are left out: they are never given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tdscaling.declared.definition import Parameter
from tdscaling.phrasing.clean import argument_text, plain
from tdscaling.phrasing.kinds import LABELS, json_type, kind_of
from tdscaling.phrasing.names import identified, plural, split, spoken_name, verb_and_thing
from tdscaling.phrasing.samples import sample, whole
from tdscaling.schema import Tool

MOST_REQUIRED = 8
"""Required parameters of a tool; nobody says more in a breath."""
MOST_OPTIONAL = 3
"""Optional parameters that are ever given."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_KEPT = (
    "enum", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength",
    "pattern", "format", "minItems", "maxItems",
)  # fmt: skip
_WELCOME = (
    "id", "title", "name", "text", "query", "date", "datetime", "status", "priority", "category",
    "amount", "city", "person", "email", "address", "phone", "country", "language", "currency",
    "company", "year", "tags", "place", "region", "limit",
)  # fmt: skip
"""Kinds of optional parameters that a person would mention, the likeliest first."""
_SILENT = re.compile(
    r"fields|verbose|debug|timeout|callback|agent|random|encoding|proxy|raw|cursor|token|include|"
    r"exclude|expand|headers|config|context|options|dry|force|cache|locale|trace|request|session|"
    r"version|kwargs|dummy|connection|endpoint|region_id",
    re.IGNORECASE,
)
_NOUNS = {
    "q": "search term", "query": "search term", "keyword": "keyword", "limit": "number of results",
    "to": "recipient", "cc": "copy recipient", "lat": "latitude", "lon": "longitude",
    "lng": "longitude", "url": "link", "lang": "language", "tz": "time zone", "timezone":
    "time zone", "desc": "description", "msg": "message", "n": "number", "num": "number", "k":
    "number", "symbol": "symbol", "cwd": "working folder", "qty": "quantity", "max results":
    "number of results", "count": "number of results", "page size": "number of results", "per page":
    "number of results", "a": "first number", "b": "second number", "repo": "repository", "dob":
    "date of birth", "img": "image", "src": "source", "dst": "target", "num results":
    "number of results", "top k": "number of results", "maxresults": "number of results",
    "dir": "folder", "directory": "folder", "args": "arguments", "cmd": "command",
}  # fmt: skip


_CHAINS = re.compile(
    r"wallet|blockchain|ethereum|token|contract|\bchain|crypto|\bens\b|solana|onchain|nft|evm|0x|"
    r"bitcoin|\bflow_|mempool",
    re.IGNORECASE,
)
_PROGRAMS = re.compile(
    r"snippet|script|python|javascript|source code|program|command|sql|execut|regex|expression|"
    r"formula|equation|\bcode to\b",
    re.IGNORECASE,
)


_COINS = re.compile(
    r"wallet|blockchain|ethereum|contract|\bchain|crypto|solana|onchain|nft|evm|bitcoin|coin|erc-?20|"
    r"swap|stake|price|tokens\b|liquidity|\bdex\b|market",
    re.IGNORECASE,
)
"""Words around a token that is money; any other opens a door."""
_LANGUAGES = re.compile(
    r"\bsql\b|graphql|cypher|sparql|promql|logql|\bkql\b|\bjq\b|xpath|jsonpath|"
    r"\bSELECT\b(?= (?:statement|query|yields|\*))",
    re.IGNORECASE,
)
"""Words around a query that is written in a language of its own."""
_SECRET = "it is a secret, which no conversation should hold"


class UnphrasableError(ValueError):
    """A tool that no user could ask for in words; the message says why."""


def parameters(tool: Tool) -> dict[str, Parameter]:
    """The parameters that can be given, required ones first.

    Raises:
        UnphrasableError: if a required one cannot be filled or said.
    """
    schema = tool.parameters
    properties = schema.get("properties") or {}
    listed = schema.get("required") or []
    if not isinstance(properties, Mapping) or not isinstance(listed, list):
        raise UnphrasableError(f"{plain(tool.name, 60)}: its schema lists no parameters")
    required = [name for name in dict.fromkeys(listed) if isinstance(name, str)]
    if len(required) > MOST_REQUIRED:
        raise UnphrasableError(
            f"{plain(tool.name, 60)}: {len(required)} required parameters, expected up to "
            f"{MOST_REQUIRED}"
        )
    found = {name: _required(tool, name, properties) for name in required}
    optional = [
        (_rank(name, flat(properties[name])), position, name)
        for position, name in enumerate(properties)
        if name not in required and isinstance(name, str) and isinstance(properties[name], Mapping)
    ]
    for rank, _, name in sorted(optional):
        if len(found) - len(required) >= MOST_OPTIONAL or rank is _NEVER:
            break
        parameter = _parameter(tool, name, properties[name], optional=True)
        if isinstance(parameter, Parameter):
            found[name] = parameter
    return found


_NEVER = 10_000
_ROLES = frozenset({"from", "to", "source", "target"})


def _required(tool: Tool, name: str, properties: Mapping[str, Any]) -> Parameter:
    schema = properties.get(name)
    found = _parameter(tool, name, schema if isinstance(schema, Mapping) else {}, optional=False)
    if isinstance(found, str):
        raise UnphrasableError(f"{plain(tool.name, 60)}, parameter {plain(name, 60)}: {found}")
    return found


def flat(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A union with null as the schema of its other part."""
    for choice in ("anyOf", "oneOf", "allOf"):
        for part in schema.get(choice) or ():
            if isinstance(part, Mapping) and part.get("type") != "null":
                return {**flat(part), **{k: v for k, v in schema.items() if k != choice}}
    return dict(schema)


def _rank(name: str, schema: Mapping[str, Any]) -> int:
    """Position among optional parameters: what people mention comes first."""
    kind = kind_of(name, schema)
    if json_type(schema) not in {"string", "integer", "number", "array"} or _SILENT.search(name):
        return _NEVER
    if kind in _WELCOME:
        return _WELCOME.index(str(kind))
    return len(_WELCOME) if isinstance(schema.get("enum"), list) else _NEVER


def _parameter(
    tool: Tool, name: str, stated: Mapping[str, Any], *, optional: bool
) -> Parameter | str:
    """The parameter, or why it cannot be given."""
    if not _NAME.fullmatch(name):
        return "its name is no plain identifier"
    schema = flat(stated)
    kind = kind_of(name, schema)
    json = json_type(schema)
    if json not in {"string", "integer", "number", "boolean", "array", "object"}:
        return "its schema states no type"
    raw = str(schema.get("description") or "") or argument_text(tool.description, name)
    about = plain(raw)
    kind = _in_context(kind, name, tool, about)
    if kind == "secret":
        return _SECRET
    spec = sample(name, schema, about, kind=kind)
    if spec is None:
        return f"no value of type {json} is known that fits its schema"
    noun = noun_of(name, tool)
    if json == "array" and kind == "id":
        noun = plural(noun)
    extra = {key: schema[key] for key in _KEPT if key in schema}
    return Parameter(
        # What is counted is whole; the schema that is offered stays as it was published.
        type="integer" if json == "number" and whole(spec) else json,  # type: ignore[arg-type]
        description=about or f"{noun[0].upper()}{noun[1:]}",
        noun=noun,
        ask=_question(noun, kind, schema),
        # One of a few values of this tool is nothing that another could give.
        kind=None if "enum" in extra and kind in LABELS else kind,
        sample=spec,
        optional=optional,
        **extra,
    )


def _in_context(kind: str | None, name: str, tool: Tool, about: str) -> str | None:
    """The kind, where the words around a parameter change what it means."""
    around = f"{tool.name} {tool.domain} {about} {tool.description[:400]}"
    if kind == "coin" and split(name) == ("token",) and not _COINS.search(around):
        return "secret"
    if kind == "query" and _LANGUAGES.search(around):
        return "code"
    if kind == "code" and _PROGRAMS.fullmatch(" ".join(split(name))):
        return kind
    if kind == "address" and _CHAINS.search(around):
        return "wallet"
    if kind == "code" and not _PROGRAMS.search(around):
        return "reference"
    return kind


def noun_of(name: str, tool: Tool) -> str:
    """What a person calls a parameter of a tool."""
    owner = identified(name)
    if owner == "":
        return verb_and_thing(tool.name, tool.domain)[1] or "entry"
    words = spoken_name(name)
    if owner and len(words.split()) > 1 and words.split()[0] in _ROLES:
        words = words.partition(" ")[2]
    return _NOUNS.get(words, words)


def _question(noun: str, kind: str | None, schema: Mapping[str, Any]) -> str:
    stated = schema.get("enum")
    values = [v for v in stated if v is not None] if isinstance(stated, list) else []
    if 1 < len(values) <= 5:
        names = [plain(value, 40).replace("_", " ") for value in values]
        return f"Which {noun} should it be: {', '.join(names[:-1])} or {names[-1]}?"
    if kind == "id":
        return f"Which {noun} do you mean?"
    if kind == "text":
        return f"What should the {noun} be?"
    if kind in {"date", "datetime"}:
        return f"Which {noun} should I take?"
    if kind == "limit" and noun == "number of results":
        return "How many would you like?"
    return f"What is the {noun}?"
