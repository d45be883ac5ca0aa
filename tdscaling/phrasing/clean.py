"""Text of tools made safe for templates, and what a user would say out of it.

Enters: descriptions, untrusted and of any form. Leaves: one line of plain words without braces,
markup or control characters, capped; and an imperative clause where the first sentence holds one.
"""

from __future__ import annotations

import html
import itertools
import re
import unicodedata
from collections.abc import Iterator

from tdscaling.phrasing.verbs import VERBS, base

LONGEST = 300
"""Characters of a cleaned text."""
LONGEST_CLAUSE = 13
"""Words of an imperative clause."""
_READ = 4000
"""Characters of a description that are looked at."""
_SECTION = re.compile(
    r"(?:^|\n)\s*(?:#+\s*)?\**(?:args|arguments|parameters|params|returns?|raises|examples?|"
    r"usage|notes?|input|output|response|yields)\b\**\s*:.*",
    re.IGNORECASE | re.DOTALL,
)
_MARKUP = re.compile(r"[`*#<>|~\\{}\[\]\"^]|https?://\S+|www\.\S+")
_LEAD = re.compile(
    r"^(?:(?:this|the) (?:tool|function|endpoint|method|api|command|operation|action)\s+"
    r"(?:is used to|can be used to|can|will|allows (?:you|users?) to|lets you|"
    r"helps (?:you )?(?:to )?)?"
    r"|(?:a )?(?:tool|function|mcp tool|api|endpoint) (?:to|for|that)\b"
    r"|(?:use this (?:tool|function)?\s*(?:to|when|for)|allows (?:you|users?) to|used to|"
    r"(?:enables|lets) (?:you|users?) to)"
    r"|mcp tool:|tool:|\[?[a-z ]{2,20}\]?:)\s*",
    re.IGNORECASE,
)
_STOP = re.compile(
    r"\s*(?:[.;:()!?\u2013\u2014]|,? -\s|,|\b(?:using|via|through|by|based on|including|such as|"
    r"which|that|"
    r"where|given|optionally|with optional|with the (?:given|specified)|so that|and returns?|"
    r"as (?:a )?(?:json|markdown|text|string|list)|in (?:json|markdown)|for use|when|if|along with"
    r"|directly|like|e\.?g\b|i\.?e\b|and optionally|from the database|in the database)\b).*",
    re.IGNORECASE | re.DOTALL,
)
_BREAK = re.compile(r"\n\s*\n|\n(?=[ \t]*[A-Z\-*#])")
_SENTENCES = 2
_ADJECTIVE = re.compile(r"\w+ an? \w+")
_TWICE = re.compile(r"\b(\w+) \1\b", re.IGNORECASE)
_TECHNICAL = re.compile(
    r"\b(?:json|api|endpoint|mcp|server|param(?:eter)?s?|schema|http|rest|graphql|tool|dict|"
    r"boolean|payload|request|response|query string|uuid|ids?|args?|stdout|callback|sdk|llm)\b",
    re.IGNORECASE,
)
_IDENTIFIER = re.compile(r"\b\w+_\w+\b|\b[a-z]+[A-Z]\w*\b|\w+\(\)")
_TAIL = re.compile(
    r"\s+(?:a|an|the|of|for|in|to|on|with|from|by|and|or|at|specific|specified|given|its|your|"
    r"their|into|as|about|between|under|over|matching)$",
    re.IGNORECASE,
)
_YOURS = (
    (re.compile(r"\b(?:your|user's|the user's|their)\b", re.IGNORECASE), "my"),
    (
        re.compile(r"\b(?:(?:a|an|the) )?(?:specified|given|provided|requested)\s+", re.IGNORECASE),
        "the ",
    ),
    (re.compile(r"\b(?:a|one|the) specific\s+", re.IGNORECASE), "the "),
    (re.compile(r"\b(?:the|the the) my\b", re.IGNORECASE), "my"),
    (re.compile(r"\bthe the\b"), "the"),
    (
        re.compile(
            r"\b(for|of|by) (?:the )?(?:current|authenticated|logged[- ]in|calling) user\b",
            re.IGNORECASE,
        ),
        r"\1 me",
    ),
    (re.compile(r"\bof me\b"), "of mine"),
    (re.compile(r"\bdetailed\s+", re.IGNORECASE), ""),
    (re.compile(r"\b(\w+)\(s\)"), r"\1s"),
)


def plain(text: object, longest: int = LONGEST) -> str:
    """One line of plain text without what templates, markup or terminals give a meaning."""
    kept = "".join(
        " " if unicodedata.category(char) in {"Cc", "Cf", "Zl", "Zp", "Co", "Cs", "Cn"} else char
        for char in html.unescape(str(text)[:_READ])
    )
    line = " ".join(_MARKUP.sub(" ", kept).split())
    return line if len(line) <= longest else f"{line[:longest].rpartition(' ')[0]}..."


def value(text: str, longest: int = 120) -> str:
    """A sample value on one line; it fills slots and is no template itself, so braces may stay."""
    return " ".join("".join(c for c in text if c.isprintable() or c in "\n\t").split())[:longest]


def sentences(description: str) -> Iterator[str]:
    """The sentences of a description; what stands in a paragraph of its own is one."""
    text = _SECTION.sub("", description[:_READ]) or description
    for part in _BREAK.split(text):
        for said in re.split(r"(?<=[a-z0-9)])[.!?](?:\s|$)", plain(part)):
            if said.strip(" ."):
                yield said.strip(" .")


def imperative(description: str) -> str:
    """The first sentence that somebody could ask for, empty where none of the first two is one.

    `Returns the current price of a coin using the API.` is `get the current price of a coin`.
    """
    found = map(_asked, itertools.islice(sentences(description), _SENTENCES))
    return next((asked for asked in found if asked), "")


def _asked(text: str) -> str:
    for _ in range(2):
        text = _LEAD.sub("", text)
    clause = _TWICE.sub(r"\1", _STOP.sub("", text).strip(" .,-"))
    for pattern, words in _YOURS:
        clause = pattern.sub(words, clause)
    while _TAIL.search(clause):
        clause = _TAIL.sub("", clause)
    if _ADJECTIVE.fullmatch(clause) and f"{clause}," in text:
        return ""  # of "Get a random, unfiltered recipe" the comma ends nothing
    first, _, rest = clause.partition(" ")
    verb = base(first)
    if verb not in VERBS or not rest or len(clause.split()) > LONGEST_CLAUSE:
        return ""
    if not clause.isascii() or _TECHNICAL.search(clause) or _IDENTIFIER.search(clause):
        return ""
    verb = {"return": "get", "retrieve": "get", "fetch": "get", "obtain": "get"}.get(verb, verb)
    return f"{verb} {rest}"


def argument_text(description: str, name: str) -> str:
    """What an `Args:` section of a description says of a parameter, empty where nothing."""
    found = re.search(
        rf"(?:^|\n)[ \t\-*`]*{re.escape(name)}[`*]*\s*(?:\([^)\n]{{0,60}}\))?\s*[:\-\u2013]\s*"
        r"([^\n]{3,300})",
        description[:_READ],
    )
    return found[1].strip() if found else ""
