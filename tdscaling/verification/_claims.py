"""Whether what the assistant states was observed or said.

Enters: a case. Leaves: the first id, amount or status in the assistant's words that neither an
observation so far nor the user nor the system message contains.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from tdscaling.schema import Reason
from tdscaling.verification import Case
from tdscaling.verification._grounds import Grounds, ids
from tdscaling.verification._moments import has_date, moments
from tdscaling.verification._values import ID, NUMBER, has_time

LARGE = 100
"""Whole numbers below this are counts and sizes that an assistant may work out itself, unless they
are money or shares."""

_MONEY = re.compile(
    rf"(?:[$€£¥]|\b(?:USD|EUR|GBP)\s?)\s?({NUMBER.pattern})|"
    rf"({NUMBER.pattern})\s?(?:[$€£¥]|(?:euros?|dollars?|pounds?|cents?|USD|EUR|GBP)\b)",
    re.IGNORECASE,
)
_SHARE = re.compile(rf"({NUMBER.pattern})\s?(?:%|per ?cent\b)", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_NOT_STATED = re.compile(
    r"\b(?:if|once|when|unless|until|before|after|whether|should|would|could)\b", re.IGNORECASE
)
_BEFORE = re.compile(r"\b(?:of|for|on|in|with|to|from|under|against|by|at)\s+(?:\w+\s+){0,2}$")


def ungrounded(case: Case) -> tuple[Reason, str] | None:
    """The first invented claim."""
    grounds = Grounds(case)
    for number, message in enumerate(case.transcript.messages):
        if message["role"] == "assistant" and message.get("content"):
            for reason, claim in _invented(str(message["content"]), grounds, case):
                return reason, f"message {number}: {claim} was never observed or said"
        grounds.take(message)
    return None


def _invented(text: str, grounds: Grounds, case: Case) -> Iterator[tuple[Reason, str]]:
    prefixes = {known.partition("-")[0] for known in grounds.ids}
    for found in ID.findall(text):
        prefix = found.partition("-")[0]
        if (prefix.isupper() or prefix.upper() in prefixes) and found.upper() not in grounds.ids:
            yield "invented_id", repr(found)
    yield from (("invented_amount", claim) for claim in _amounts(text, grounds))
    yield from (("invented_status", claim) for claim in _states(text, grounds, case))


def _amounts(text: str, grounds: Grounds) -> Iterator[str]:
    named = moments(text)
    for date in sorted(named.dates):
        if not has_date(date, grounds.dates):
            yield f"the date {date}"
    for time in sorted(named.times):
        if not has_time(time, grounds.times):
            yield f"the time {time}"
    plain = ID.sub(" ", named.rest)
    shares = set(_SHARE.findall(plain))
    money = {found for pair in _MONEY.findall(plain) for found in pair if found}
    # "booking 1023" may stand for BK-1023, but 1023 euros may not.
    short = {float(known.partition("-")[2]) for known in grounds.ids}
    for found in NUMBER.findall(plain):
        value = abs(float(found.replace(",", "")))
        exact = found in shares or found in money
        if "." not in found and value < LARGE and not exact:
            continue
        known = value in grounds.numbers or (value in short and found not in money)
        if not known and not (found in shares and round(value / 100, 6) in grounds.numbers):
            yield repr(found)


def _states(text: str, grounds: Grounds, case: Case) -> Iterator[str]:
    # A status word of one service is a common word in a sentence about another.
    only = list(case.domains.values()) if len(case.domains) == 1 else []
    for sentence in _SENTENCE.split(text):
        domains = only or [grounds.home[found] for found in ids(sentence) if found in grounds.home]
        if sentence.endswith("?") or _NOT_STATED.search(sentence):
            continue
        claimed = _claimed(frozenset().union(*(domain.statuses for domain in domains)))
        for found in claimed.finditer(sentence) if claimed else ():
            status, subject = found["status"], found["id"]
            if not grounds.states(status):
                yield repr(status)
            elif subject is None or _BEFORE.search(sentence[: found.start()]):
                continue  # of "the flight of BK-1023 is delayed" the id is not the subject
            elif not grounds.ties(status, subject.upper()):
                yield f"{status!r} of {subject}"


@lru_cache(maxsize=256)
def _claimed(statuses: frozenset[str]) -> re.Pattern[str] | None:
    """Finds a status word that is stated, with the id right before it."""
    if not statuses:
        return None
    words = "|".join(
        "[-_ ]".join(map(re.escape, word.split("_")))
        for word in sorted(statuses, key=lambda word: (-len(word), word))
    )
    return re.compile(
        rf"(?:(?P<id>{ID.pattern})\s+)?"
        r"\b(?:is|are|was|were|has been|have been|been|(?<!from )now|status:?)\s+"
        rf"(?:(?:now|already|currently|still|also)\s+)?(?P<status>{words})\b"
        # "is on hold", "is open to": a short word that goes on is no state.
        r"(?!(?<=\b\w\w)\s+\w|(?<=\b\w\w\w)\s+\w)",
        re.IGNORECASE,
    )
