"""Kinds of value, told by names and formats.

Enters: a parameter's or column's name and JSON Schema. Leaves: its kind: what a sample is drawn
from, how it is said, and what joins tools of different services.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tdscaling.phrasing.names import identified, split
from tdscaling.phrasing.verbs import listed

FORMATS = {
    "email": "email", "date": "date", "date-time": "datetime", "time": "time", "uri": "url",
    "url": "url", "uuid": "id", "hostname": "host", "ipv4": "ip", "duration": "duration",
}  # fmt: skip

_BY_WORDS: dict[str, str] = {
    "email": "email mail", "phone": "phone mobile telephone msisdn",
    "url": "url uri link href website webpage homepage webhook",
    "path": "path directory dir folder filepath", "file": "file filename",
    "address": "address street", "city": "city town",
    "country": "country nation", "region": "region province county",
    "place": "location place destination origin venue",
    "date": "date day birthday birthdate deadline dob due", "datetime": "datetime timestamp",
    "time": "time hour", "amount": "amount price cost fee total budget salary balance fare sum "
    "payment subtotal revenue",
    "currency": "currency", "language": "language lang locale",
    "timezone": "timezone tz", "color": "color colour", "year": "year", "month": "month",
    "query": "query search keyword keywords q term terms searchterm topic question phrase prompt "
    "subject_area text_query",
    "title": "title subject headline heading", "name": "name label",
    "text": "text content body message description comment note notes caption bio reason "
    "feedback details instructions abstract remark remarks statement sentence paragraph answer "
    "about tweet post input thought context purpose rationale", "tags": "tag tags labels "
    "categories topics keywords skills",
    "person": "author person recipient customer passenger contact attendee assignee employee "
    "guest client patient student", "username": "username user login handle nickname owner "
    "screenname",
    "company": "company organization organisation employer brand vendor manufacturer",
    "ticker": "symbol ticker stock symbols tickers pair", "coin": "coin token crypto",
    "limit": "limit count top max maximum results size num number quantity qty length "
    "per_page pagesize rows items days weeks months hours minutes seconds n k lines",
    "page": "page offset skip cursor start_row pagetoken startingafter endingbefore",
    "latitude": "latitude lat",
    "longitude": "longitude lon lng", "status": "status state stage", "priority": "priority "
    "severity importance", "category": "category genre kind section sector industry department",
    "secret": "password secret passphrase passcode passwd pwd apikey accesstoken privatekey "
    "credential credentials pin otp cvv cvc authtoken sessiontoken sessionkey",
    "repo": "repo repository", "branch": "branch ref", "code": "code snippet script sql command "
    "expression formula regex pattern", "version": "version", "percent": "percent percentage",
    "rating": "rating stars score", "port": "port", "host": "host hostname domain",
    "ip": "ip", "isbn": "isbn", "selector": "selector xpath css element",
    "condition": "conditions condition", "temperature": "temperature temp",
    "summary": "summary overview", "distance": "distance",
    "size": "kb mb bytes filesize width height radius depth thickness",
    "duration": "duration timeout interval delay",
    "age": "age", "quarter": "quarter", "weight": "weight",
    "hash": "hash txid transaction sha checksum commit",
    "wallet": "wallet", "team": "team club", "sport": "sport league", "model": "model",
    "food": "ingredient ingredients recipe dish food meal cuisine", "job": "job role position "
    "occupation profession", "song": "song track artist album band", "film": "movie film show",
    "book": "book", "animal": "animal pet breed pokemon", "word": "word",
    "zip": "zip postcode postal zipcode", "airport": "airport iata",
    "format": "format encoding mimetype", "sort": "sort order orderby sortby direction",
    "mode": "mode type style variant",
}  # fmt: skip
_KINDS = {word: kind for kind, words in _BY_WORDS.items() for word in words.split()}
_TIMES = frozenset({"at", "since", "until", "before", "after"})
_SECRET_PAIRS = ({"api", "key"}, {"access", "token"}, {"auth", "token"}, {"private", "key"},
                 {"api", "token"}, {"secret", "key"}, {"bearer", "token"}, {"session", "key"},
                 {"secret", "value"}, {"encryption", "key"}, {"signing", "key"})  # fmt: skip
_COINS = listed("from to in out base quote input output sell buy src dst source target payment erc "
                "reward lp native nft swap stable chain crypto")  # fmt: skip
_PAGES = listed("page next continuation continue cursor sync start previous")
_QUALIFIED = listed("name code type address number key")
"""Heads whose meaning the word before decides: a city name is a city, a file name a file."""
_NUMERIC = listed(
    "limit page latitude longitude year percent rating port size duration age weight amount quarter"
)
_TEXTUAL = listed("title name text query")
_DATED = listed("due sent born paid starts ends")
_COUNTING = listed("max min num number total maximum minimum")
_MONEY = listed("price amount cost budget salary")
_MACHINES = listed("function memory contract token wallet deposit mac start end base instruction")
LABELS = frozenset({"person", "email", "phone", "address", "city", "amount", "date"})
"""Kinds that join services: what `cross` takes from one to another."""


def kind_of(name: str, schema: Mapping[str, Any]) -> str | None:
    """Kind of a value; None where nothing tells.

    Args:
        name: of the parameter or column.
        schema: its JSON Schema, `{}` where none is known.
    """
    if identified(name) is not None:
        return "id"
    stated = FORMATS.get(str(schema.get("format")))
    kind = stated or _named(split(name))
    types = json_type(schema)
    if types in {"integer", "number"} and kind in _TEXTUAL:
        return None
    if types == "string" and kind in {"limit", "percent", "size"}:
        return None
    if types in {"boolean", "object"}:
        return None
    if types == "array" and kind in _NUMERIC:
        return None
    return kind


def _named(parts: tuple[str, ...]) -> str | None:
    if not parts:
        return None
    if any(pair <= set(parts) for pair in _SECRET_PAIRS):
        return "secret"
    whole = _KINDS.get("".join(parts))
    if whole:
        return whole
    last = parts[-1]
    if last == "token" and len(parts) > 1:
        # One before a coin tells which; any other opens a door.
        return "page" if parts[-2] in _PAGES else "coin" if parts[-2] in _COINS else "secret"
    if last in _TIMES:
        return "datetime"
    if last == "on" and len(parts) > 1 and (parts[-2].endswith("ed") or parts[-2] in _DATED):
        return "date"
    if len(parts) > 1 and last in _QUALIFIED:
        return _qualified(parts[-2], last)
    if parts[0] in _COUNTING and last not in _MONEY:
        return "limit"
    return _KINDS.get(last)


def _qualified(before: str, head: str) -> str | None:
    """Kind of a name, code, number or address, by the word before."""
    kind = _KINDS.get(before)
    if head == "name" and before in {"first", "last", "full", "display", "user"}:
        return "username" if before == "user" else "person"
    if head == "code":
        return kind if kind in {"country", "currency", "language", "zip", "airport"} else "code"
    if head == "number":
        return kind if kind in {"phone", "page"} else None
    if head == "address" and before in _MACHINES:
        return "wallet" if before in {"contract", "token", "wallet", "deposit"} else None
    return kind or _KINDS.get(head)


def json_type(schema: Mapping[str, Any]) -> str | None:
    """The one JSON type of a schema: a union's first that is not null; None where unclear."""
    stated = schema.get("type")
    if isinstance(stated, list):
        stated = next((part for part in stated if part != "null"), None)
    if isinstance(stated, str):
        return stated
    for choice in ("anyOf", "oneOf"):
        for part in schema.get(choice) or ():
            found = json_type(part) if isinstance(part, Mapping) else None
            if found and found != "null":
                return found
    values = schema.get("enum")
    if isinstance(values, list) and values and all(isinstance(value, str) for value in values):
        return "string"
    return None
