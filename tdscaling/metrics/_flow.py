"""Which values came from where: the user's words, the assistant's own head, or an observation.

Enters: user texts, call arguments, observations, in the order of the conversation. Leaves: how many
arguments of a call were bound to earlier observations, and how deep the call is in that flow.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

_SMALL = 12
"""Whole numbers up to this are counts and ratings that coincide by chance."""

_IDENTIFIER = re.compile(r"[\w@][\w@.:/+-]*\w")
_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")


def leaves(value: Any) -> Iterator[str]:
    """The telling leaf values of JSON data, each as comparable text.

    Left out: booleans, null, strings shorter than 2, whole numbers 0 to 12.
    """
    if isinstance(value, dict):
        for item in value.values():
            yield from leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    elif isinstance(value, str):
        if len(value.strip()) > 1:
            yield value.strip()
    elif _tells(value):
        yield _number(value)


def observed_leaves(content: str) -> Iterator[str]:
    """Leaf values of an observation; of one that is not JSON, its words that hold a digit or @."""
    try:
        yield from leaves(json.loads(content))
    except ValueError:
        for word in _IDENTIFIER.findall(content):
            if any(char.isdigit() or char == "@" for char in word):
                yield word


class ValueFlow:
    """Follows values through one conversation."""

    def __init__(self) -> None:
        self._said = ""
        self._numbers: set[str] = set()
        self._depths: dict[str, int] = {}
        self._own: set[str] = set()

    def hear(self, text: str) -> None:
        """The user said `text`."""
        self._said += "\n" + text.casefold()
        for match in _NUMBER.findall(text):
            self._numbers.add(_number(float(match.replace(",", ""))))

    def bind(self, arguments: dict[str, Any]) -> tuple[int, int]:
        """(bound_args, depth) of a call with these arguments; depth 0 where nothing is bound."""
        bound = depth = 0
        for argument in arguments.values():
            sources = [self._depths[leaf] for leaf in leaves(argument) if self._flowed(leaf)]
            if sources:
                bound += 1
                depth = max(depth, 1 + max(sources))
        return bound, depth

    def use(self, arguments: dict[str, Any]) -> None:
        """A call was made: what it says that no observation held is the assistant's own.

        A tool that echoes its arguments would otherwise turn them into observed values.
        """
        for leaf in leaves(arguments):
            if leaf not in self._depths:
                self._own.add(leaf)

    def see(self, content: str, depth: int) -> None:
        """A call of that depth returned `content`; a value keeps the depth it was first seen at."""
        for leaf in observed_leaves(content):
            self._depths.setdefault(leaf, depth)

    def _flowed(self, leaf: str) -> bool:
        return leaf in self._depths and leaf not in self._own and not self._was_said(leaf)

    def _was_said(self, leaf: str) -> bool:
        if leaf in self._numbers:
            return True
        folded = leaf.casefold()
        # The search for the whole word only runs where the letters are there at all.
        return folded in self._said and bool(
            re.search(rf"(?<!\w){re.escape(folded)}(?!\w)", self._said)
        )


def _tells(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return not (0 <= value <= _SMALL and value == int(value))


def _number(value: float) -> str:
    whole = isinstance(value, int) or value.is_integer()
    return str(int(value)) if whole else repr(value)
