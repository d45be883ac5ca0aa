"""What a real server says differently each time, said the same each time.

Enters: texts of a server, and arguments for it. Leaves: texts in which the conversation's folder is
`/workspace`, the time is the entry's clock, and random identifiers are functions of the call that
they first appeared in; and arguments with the real ones back in place. Without this no conversation
could be repeated, and repeating it is what makes it evidence.
"""

from __future__ import annotations

import hashlib
import re
import string
import uuid
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from tdscaling.live._times import Times

UUID = re.compile(
    r"(?<![0-9A-Za-z])[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
    r"(?![0-9A-Za-z])"
)
STAMPED = re.compile(r"(?<=[A-Za-z][_-])1[5-9]\d{11}(?:[_-][0-9a-z]{4,13}\b)?")
"""An identifier made of a time in milliseconds, perhaps with random letters after it."""
SHORT = 4
"""Identifiers with fewer characters are put back only where they are the whole argument."""


class Span(NamedTuple):
    """A piece of a text and what is said in its place."""

    start: int
    end: int
    shown: str


class Stable:
    """One conversation's mapping between real and shown.

    Args:
        seed: names the stream of identifiers.
        folders: real path and shown path, the inner ones first.
        volatile: regular expressions of what else is different each time.
        times: maps times.
    """

    def __init__(
        self,
        seed: str,
        folders: Sequence[tuple[str, str]],
        volatile: Sequence[str],
        times: Times,
    ) -> None:
        self._seed = seed
        self._folders = tuple(folders)
        self._patterns = (*(re.compile(text) for text in volatile), UUID, STAMPED)
        self._times = times
        self._shown: dict[str, str] = {}
        self._real: dict[str, str] = {}
        self._own: set[str] = set()

    def outward(self, text: str, call: str, given: str = "") -> str:
        """A text of the server as the assistant sees it.

        Args:
            text: as the server said it.
            call: names the call, uniquely in the conversation.
            given: arguments of the call, as text: a time in them is nobody's clock.
        """
        for real, shown in self._folders:
            text = text.replace(real, shown)
        spans: list[Span] = []
        fresh = 0
        for start, end, pattern in self._identifiers(text):
            token = text[start:end]
            if token in self._own or token in self._real:
                continue
            if token not in self._shown:
                self._learn(token, f"{self._seed}:{call}:{fresh}", pattern)
                fresh += 1
            spans.append(Span(start, end, self._shown[token]))
        taken = [(span.start, span.end) for span in spans]
        for start, end, shown in self._times.spans(text, given):
            if not _overlaps(taken, start, end):
                spans.append(Span(start, end, shown))
        return _replaced(text, spans)

    def masked(self, text: str) -> str:
        """A text without what is different each time and has not been shown yet."""
        for real, shown in self._folders:
            text = text.replace(real, shown)
        spans = [
            Span(start, end, self._shown.get(text[start:end], "*"))
            for start, end, _ in self._identifiers(text)
        ]
        return _replaced(text, spans)

    def inward(self, value: Any) -> Any:
        """Arguments with what is real in place of what was shown."""
        if isinstance(value, dict):
            return {self._back(key): self.inward(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.inward(item) for item in value]
        if isinstance(value, str):
            return self._back(value)
        if isinstance(value, int) and not isinstance(value, bool):
            real = self._whole(str(value))
            return int(real) if real.isdigit() else value
        return value

    def _whole(self, text: str) -> str:
        return self._real.get(text) or self._times.real(text) or text

    def _back(self, text: str) -> str:
        whole = self._whole(text)
        if whole != text:
            return whole
        for shown, real in self._real.items():
            if len(shown) >= SHORT and shown in text:
                text = re.sub(rf"(?<![0-9A-Za-z]){re.escape(shown)}(?![0-9A-Za-z])", real, text)
        text = self._times.back(text)
        for real, shown in self._folders:
            text = re.sub(rf"(?<![\w./-]){re.escape(shown)}(?![\w-])", real, text)
        # What the assistant makes up itself stays as it is, even where the server repeats it.
        self._own.update(
            text[a:b] for a, b, _ in self._identifiers(text) if text[a:b] not in self._shown
        )
        return text

    def _identifiers(self, text: str) -> Iterator[tuple[int, int, str]]:
        found: list[tuple[int, int]] = []
        named: list[tuple[int, int, str]] = []
        for pattern in self._patterns:
            for match in pattern.finditer(text):
                start, end = match.span(1) if pattern.groups else match.span()
                if start < end and not _overlaps(found, start, end):
                    found.append((start, end))
                    named.append((start, end, pattern.pattern))
        return iter(sorted(named))

    def _learn(self, token: str, key: str, pattern: str) -> None:
        for attempt in range(1000):
            shown = _alike(token, f"{key}:{attempt}", pattern)
            if shown not in self._real and shown not in self._shown and shown not in self._own:
                break
        else:
            shown = token  # a shape with so few forms is no identifier
        self._shown[token], self._real[shown] = shown, token


def _overlaps(taken: Sequence[tuple[int, int]], start: int, end: int) -> bool:
    return any(start < b and a < end for a, b in taken)


def _replaced(text: str, spans: Sequence[Span]) -> str:
    parts, at = [], 0
    for span in sorted(spans):
        parts += [text[at : span.start], span.shown]
        at = span.end
    return "".join([*parts, text[at:]])


def _alike(token: str, key: str, pattern: str) -> str:
    """Another token of the same shape.

    Random tokens differ in which of their characters are digits, so what counts is the alphabet
    that the pattern allows; only where it does not tell, digits stay digits and letters letters.
    """
    if UUID.fullmatch(token):
        shown = str(uuid.UUID(bytes=hashlib.sha256(key.encode()).digest()[:16], version=4))
        return shown.upper() if token.upper() == token else shown
    number = int.from_bytes(hashlib.sha512(key.encode()).digest() * 4, "big")
    alphabets = next((found for mark, found in _MARKS if mark in pattern), _PLAIN)
    out = []
    for position, letter in enumerate(token):
        alphabet = next((a for a in alphabets if letter in a), letter)
        if position == 0 and token.isdigit() and alphabets is _PLAIN:
            alphabet = "123456789"
        number, rest = divmod(number, len(alphabet))
        out.append(alphabet[rest])
    return "".join(out)


_DIGITS, _SMALL, _LARGE = string.digits, string.ascii_lowercase, string.ascii_uppercase
_PLAIN: tuple[str, ...] = (_DIGITS, _SMALL, _LARGE)
_MARKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("a-f", (_DIGITS + "abcdef",)),
    ("A-F", (_DIGITS + "ABCDEF",)),
    ("A-Za-z0-9", (_DIGITS + _SMALL + _LARGE,)),
    ("0-9a-z", (_DIGITS + _SMALL,)),
    ("a-z0-9", (_DIGITS + _SMALL,)),
    ("0-9A-Z", (_DIGITS + _LARGE,)),
    ("A-Z0-9", (_DIGITS + _LARGE,)),
    (r"\w", (_DIGITS + _SMALL + _LARGE,)),
)
"""Alphabets by what a pattern holds, the first that fits."""
