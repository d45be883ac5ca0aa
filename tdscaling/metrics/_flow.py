"""Which values came from where: the user's words, the assistant's own head, or an observation.

Enters: given texts, call arguments, observations, in the order of the conversation. Leaves: how
many arguments of a call were bound to earlier observations, to which, and how deep the call is in
that flow.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_SMALL = 12
"""Whole numbers up to this are counts and ratings that coincide by chance."""

_LABEL_NAMES = """
cabin category class color colour currency direction format gender kind lang language level locale
method mode ok order outcome priority result role severity size sort state status success type unit
units
"""
_LABELS = frozenset(_LABEL_NAMES.split())
"""Last words of names of fields whose values come from a short list and so coincide by chance."""

_FLAGS = frozenset(("yes", "no", "true", "false", "none", "null", "n/a", "ok", "all", "any"))
_DECIMAL = re.compile(r"-?\d{1,15}\.\d{1,15}")
_BRACKETS = ("{", "[", "(")
_LONGEST_LITERAL = 100_000
"""Characters of an observation that is tried as a Python literal; the parser's memory is large."""
_IDENTIFIER = re.compile(r"[\w@][\w@.:/+-]*\w")
_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")
_SPACE = re.compile(r"\s")
_CODE_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])")
_DATE = re.compile(r"\d{4}-(\d\d)-(\d\d)(?:$|[T ])")
_NAME_END = re.compile(r"([A-Z]?[a-z]+|[A-Z]+)\W*\d*$")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass(frozen=True, slots=True)
class Binding:
    """What a call takes out of earlier observations."""

    bound: int
    """Arguments with such a value."""
    depth: int
    """0 where there is none; else 1 + the depth of the deepest call that one was first seen in."""
    sources: tuple[int, ...]
    """Steps whose observations the values were first seen in, ascending."""


def leaves(value: Any) -> Iterator[str]:
    """The telling leaf values of JSON data, each as comparable text.

    Left out: booleans, null, the words for them, strings shorter than 2, whole numbers 0 to 12, and
    words (nothing with a digit) in fields whose name ends in a label such as `status`, `currency`.
    """
    if isinstance(value, dict):
        for name, item in value.items():
            if not (isinstance(item, str) and _is_label(str(name), item)):
                yield from leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    elif isinstance(value, str):
        text = value.strip()
        if len(text) > 1 and text.casefold() not in _FLAGS:
            yield _number(float(text)) if _DECIMAL.fullmatch(text) else text
    elif _tells(value):
        yield _number(value)


def identifiers(text: str, names: bool) -> Iterator[str]:
    """Words of a longer text that can only be identifiers: those with a digit, and addresses.

    With `names` also words with punctuation inside, such as names of files.
    """
    telling = "@._/" if names else "@"
    for word in _IDENTIFIER.findall(text):
        if any(char.isdigit() or char in telling for char in word):
            yield word


def parsed(content: str) -> Any:
    """The data of an observation: JSON, or what Python prints for it; None where it is text."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        pass
    if content.lstrip()[:1] not in _BRACKETS or len(content) > _LONGEST_LITERAL:
        return None
    try:
        return ast.literal_eval(content.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return None


def observed_leaves(content: str) -> Iterator[str]:
    """Leaf values of an observation and identifiers inside its longer texts."""
    data = parsed(content)
    if data is None:
        yield from identifiers(content, names=True)
        return
    for leaf in leaves(data):
        yield leaf
        if _SPACE.search(leaf):
            for word in identifiers(leaf, names=True):
                yield _number(float(word)) if _DECIMAL.fullmatch(word) else word


class ValueFlow:
    """Follows values through one conversation."""

    def __init__(self) -> None:
        self._said = ""
        self._numbers: set[str] = set()
        self._seen: dict[str, tuple[int, int]] = {}
        self._own: set[str] = set()

    def hear(self, text: str) -> None:
        """The user, or the system message, said `text`."""
        self._said += "\n" + text.casefold()
        for match in _NUMBER.findall(text):
            self._numbers.add(_number(float(match.replace(",", ""))))

    def bind(self, arguments: Mapping[str, Any], *, code: bool = False) -> Binding:
        """What a call with these arguments takes out of observations; in code also numbers."""
        bound = depth = 0
        sources: set[int] = set()
        for name, argument in arguments.items():
            mentioned = [*_mentions({name: argument}), *(_literals(argument) if code else ())]
            found = [self._seen[leaf] for leaf in mentioned if self._flowed(leaf)]
            if found:
                bound += 1
                depth = max(depth, 1 + max(deep for deep, _ in found))
                sources.update(step for _, step in found)
        return Binding(bound, depth, tuple(sorted(sources)))

    def use(self, arguments: Mapping[str, Any]) -> None:
        """A call was made: what it says that no observation held is the assistant's own.

        A tool that echoes its arguments would otherwise turn them into observed values.
        """
        for leaf in leaves(arguments):
            if leaf not in self._seen:
                self._own.add(leaf)

    def see(self, content: str, depth: int, step: int) -> None:
        """A call of that depth returned `content`; a value keeps the call it was first seen in."""
        for leaf in observed_leaves(content):
            self._seen.setdefault(leaf, (depth, step))

    def _flowed(self, leaf: str) -> bool:
        return leaf in self._seen and leaf not in self._own and not self._was_said(leaf)

    def _was_said(self, leaf: str) -> bool:
        if leaf in self._numbers or self._date_was_said(leaf):
            return True
        folded = leaf.casefold()
        # The search for the whole word only runs where the letters are there at all.
        return folded in self._said and bool(
            re.search(rf"(?<!\w){re.escape(folded)}(?!\w)", self._said)
        )

    def _date_was_said(self, leaf: str) -> bool:
        """Whether the user named the day in words: "3 May" for 2026-05-03."""
        date = _DATE.match(leaf)
        if not date or not 1 <= int(date[1]) <= 12:
            return False
        month, day = _MONTHS[int(date[1]) - 1] + r"[a-z]*\.?", rf"0?{int(date[2])}(?:st|nd|rd|th)?"
        spoken = rf"\b(?:{day}(?: of)? {month}|{month} (?:the )?{day})\b"
        return bool(re.search(spoken, self._said))


def _mentions(arguments: dict[str, Any]) -> Iterator[str]:
    """Leaves of arguments, and identifiers with a letter inside longer texts such as messages."""
    for leaf in leaves(arguments):
        yield leaf
        if " " in leaf:
            for word in identifiers(leaf, names=False):
                if any(char.isalpha() for char in word):
                    yield word


def _literals(code: Any) -> Iterator[str]:
    """Telling numbers in code."""
    for match in _CODE_NUMBER.findall(code) if isinstance(code, str) else ():
        yield from leaves(float(match))


def _is_label(name: str, value: str) -> bool:
    if any(char.isdigit() for char in value):
        return False
    end = _NAME_END.search(name)
    return end is not None and end[1].lower() in _LABELS


def _tells(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return not (0 <= value <= _SMALL and value == int(value))


def _number(value: float) -> str:
    whole = isinstance(value, int) or value.is_integer()
    return str(int(value)) if whole else repr(value)
