"""Names of what a call returns, read off the schema of its result.

Enters: a cleaned schema. Leaves: names of fields: of a row, where the result is a list of rows or
wraps one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

MOST = 80
"""Fields of one result."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ENVELOPES = _words("""
    data content contents docs documents elements entries hits item items list members objects
    payload records response result results resultset rows value values
""")
"""Fields that wrap the result itself."""

AROUND = _words("""
    links code count cursor error errors etag first hasmore hasnext href kind last limit message
    meta metadata next nextcursor nextlink nextpage nextpagetoken object offset ok page pagecount
    pageinfo pagenumber pages pagesize paging pagination perpage prev previous previouspage
    requestid self size skip start status success total totalcount totalelements totalitems
    totalpages totalresults type warnings
""")
"""Fields that say something about the answer, not about what was asked for."""


def fields(schema: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Names of the fields of a result's rows; empty where none are stated."""
    row = _row(schema)
    for _ in range(6):
        inner = _row(_wrapped(row["properties"])) if row else None
        if inner is None:
            break
        row = inner
    return tuple(row["properties"])[:MOST] if row else ()


def _row(schema: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The schema of one row: through arrays and alternatives to an object with properties."""
    for _ in range(8):
        if schema is None or schema.get("properties"):
            return schema
        if isinstance(schema.get("items"), dict):
            schema = schema["items"]
        elif schema.get("anyOf"):
            schema = next((option for option in schema["anyOf"] if _opens(option)), None)
        else:
            return None
    return None


def _opens(schema: Mapping[str, Any]) -> bool:
    return any(schema.get(key) for key in ("properties", "items", "anyOf"))


def _wrapped(properties: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The field that holds the result itself, None where the properties are it."""
    proper = {name: _bare(name) for name in properties if _bare(name) not in AROUND}
    holders = [name for name in proper if _row(properties[name]) is not None]
    if len(holders) == 1 == len(proper):
        return properties[holders[0]]
    if any(bare.endswith("id") for name, bare in proper.items() if name not in holders):
        return None
    named = [name for name in holders if proper[name] in ENVELOPES]
    return properties[named[0]] if len(named) == 1 else None


def _bare(name: str) -> str:
    return re.sub("[^a-z]", "", name.lower())
