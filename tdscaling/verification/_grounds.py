"""What an assistant may state.

Enters: the messages of a conversation, one after the other. Leaves: the ids, numbers, dates and
status words that were observed or said so far, and which status words go with which id.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache

from tdscaling.declared.domain import Domain
from tdscaling.schema import Message, canonical
from tdscaling.verification import Case
from tdscaling.verification._moments import moments
from tdscaling.verification._values import ID, numbers, said

_QUOTED = re.compile(r"'([^']*)'")


class Grounds:
    """All that was observed or said so far."""

    def __init__(self, case: Case) -> None:
        self._owner = {tool: d for d in case.domains.values() for tool in d.tools}
        self._calls: dict[str, tuple[str, str]] = {}
        self._texts: list[str] = []
        self._beside: dict[str, list[str]] = defaultdict(list)
        self.home: dict[str, Domain] = {}
        """Domain of each id observed."""
        self.ids: set[str] = set()
        self.numbers: set[float] = set()
        """Without signs."""
        self.dates: set[str] = set()
        self.times: set[str] = set()
        for domain in case.domains.values():
            dates, times, found = _offered(domain)
            self.dates |= dates
            self.times |= times
            self.numbers |= found

    def take(self, message: Message) -> None:
        """Add one message; what the assistant says grounds nothing."""
        if message["role"] == "assistant":
            for call in message.get("tool_calls") or ():
                function = call["function"]
                self._calls[call["id"]] = function["name"], str(function["arguments"])
        elif message["role"] == "tool":
            self._observe(*self._calls[message["tool_call_id"]], str(message["content"]))
        else:
            self._tell(str(message["content"]), [str(message["content"])], ())

    def states(self, word: str) -> bool:
        """Whether a status word was observed or said."""
        return any(said(text, word) for text in self._texts)

    def ties(self, word: str, to: str) -> bool:
        """Whether a status word was observed or said beside an id."""
        return any(said(text, word) for text in self._beside[to])

    def _observe(self, tool: str, arguments: str, content: str) -> None:
        domain = self._owner.get(tool)
        rows, ok = _rows(content)
        told = [readable(row) for row in rows]
        if domain and ok:
            told += [" ".join(effects(domain, tool))]
            # A date that a call was made with is the assistant's own, but it was put to the test.
            found = moments(arguments)
            self.dates |= found.dates
            self.times |= found.times
        if domain:
            for identifier in ids(content) | ids(arguments):
                self.home.setdefault(identifier, domain)
        # A list is about its rows; a single result is also about what it was asked for.
        self._tell(content, told, ids(arguments) if len(rows) <= 1 else ())

    def _tell(self, text: str, parts: list[str], about: Iterable[str]) -> None:
        text = readable(text)
        self._count(text)
        self._texts += parts
        self.ids |= ids(text)
        for part in parts:
            for identifier in ids(part) | set(about):
                self._beside[identifier].append(part)

    def _count(self, text: str) -> None:
        found = moments(text)
        self.dates |= found.dates
        self.times |= found.times
        self.numbers |= _sizes(found.rest)


def readable(text: str) -> str:
    """Text without JSON's escapes: the n of an escaped line end belongs to no id after it."""
    return text.replace("\\n", "\n").replace("\\t", "\t") if "\\" in text else text


def _sizes(text: str) -> set[float]:
    return {abs(number) for number in numbers(ID.sub(" ", text))}


@lru_cache(maxsize=512)
def _offered(domain: Domain) -> tuple[frozenset[str], frozenset[str], frozenset[float]]:
    """Dates, times and numbers in what the assistant was told about the tools."""
    # The schema, too: "Which time suits you: 09:30 or 11:00?"
    texts = [f"{tool.file.description}\n{canonical(tool.schema)}" for tool in domain.tools.values()]
    found = moments("\n".join(texts))
    return found.dates, found.times, frozenset(_sizes(found.rest))


def ids(text: str) -> set[str]:
    """The ids in a text, in capitals."""
    return {found.upper() for found in ID.findall(text)}


@lru_cache(maxsize=4096)
def effects(domain: Domain, tool: str) -> frozenset[str]:
    """Status words that a tool's SQL puts in place."""
    spec = domain.tools.get(tool)
    found = {word for sql in (spec.file.effects if spec else ()) for word in _QUOTED.findall(sql)}
    return frozenset(found & domain.statuses)


def _rows(content: str) -> tuple[list[str], bool]:
    """Rows of an observation as text, and whether it is a result."""
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        return [content], False
    if isinstance(data, dict) and set(data) == {"error"}:
        return [content], False
    return list(_texts(data if isinstance(data, list) else [data])), True


def _texts(rows: list[object]) -> Iterator[str]:
    for row in rows:
        # Names of columns are no states: `paid` is no news in {"paid": null}.
        yield canonical(list(row.values()) if isinstance(row, dict) else row)
