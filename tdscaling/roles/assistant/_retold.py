"""Whether an answer in other words says what it said.

Enters: a version and the scripted answer. Leaves: the first thing that is wrong with it, in words
that the model may read. Every version is taken for wrong that could be.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from tdscaling.phrasing.courtesies import ASSISTANTS, unknown, words_of
from tdscaling.phrasing.faithful import COUNT, DATE, ENTITY, INJECTED, added, by_kind, unlike
from tdscaling.phrasing.verbs import PAST, VERBS
from tdscaling.roles._questions import asks

_FIGURE = re.compile(r"[^\s,;()\"']*\d[^\s;()\"']*")
_EDGES = ".,:!?*_`'\"$\u20ac\u00a3"
_DENIAL = re.compile(
    r"\b(?:not?|nor|never|none|nothing|nobody|neither|without|cannot|unable|impossible|except\w*|"
    r"unfortunately|sorry|apologi[sz]e|regret|fail(?:ed|s|ure)?|refus(?:ed|es|al)|reject(?:ed|ion)|"
    r"declined?|denied|unsuccessful(?:ly)?|unavailable|instead|hardly|barely|in vain|other than|"
    r"(?:is|are|was|were|do|does|did|has|have|had|could|would|should|wo|ca)n['\u2019]t)\b",
    re.IGNORECASE,
)
"""Words that turn an answer into its opposite."""
_NO = re.compile(r"(?:^|(?<=[.!?]\s))No,", re.IGNORECASE)
"""Says by itself no more than what follows."""
_OFFER = re.compile(
    r"\b(?:please|feel free|let (?:me|us) know|again|welcome|hesitate|contact|return|hope|soon|"
    r"should|must|need to)\b",
    re.IGNORECASE,
)
"""Words of advice and offers."""
_OPEN = re.compile(
    r"\b(?:will|would|shall|could|may|might|(?:about|going|yet|still|due|supposed) to|to be|being|"
    r"probably|perhaps|maybe|possibly|likely|if|unless|until|before|after|but|still|yet|once)\b",
    re.IGNORECASE,
)
"""Words that leave open what the answer states."""
_MARKUP = re.compile(r"[\[\]{}<>|\\*#`~^_]|://|\w+@")
_PLAIN = re.compile(r"\w+")
ECHO = 5
"""Words in a row that are out of the prompt alone, from which on they were copied."""
LONGER, MORE = 1.5, 80
"""A version has at most that many times the characters of the scripted answer, and that many more:
what goes beyond was made up."""
_STATUS = 3
"""Letters of a plain word, at least, whose every mention must come as in the answer."""


def longest(answer: str) -> int:
    """Characters of a version, at most."""
    return int(LONGER * len(answer)) + MORE


def fault_of(
    text: str,
    answer: str,
    wanted: Sequence[str],
    *,
    asked: str = "",
    prompt: str = "",
    foreign: bool = False,
) -> str:
    """What is wrong with a version of the answer; empty if nothing is.

    Args:
        text: the version.
        answer: the scripted one.
        wanted: values that the answer names.
        asked: what the user wrote last.
        prompt: all that the model was told.
        foreign: whether the version is in another language than English.
    """
    if not text or not text.replace("\n", " ").isprintable():
        return "it is no message"
    return (
        _facts(text, answer, wanted)
        or _additions(text, answer)
        or unlike(text, answer, foreign)
        or _form(text, answer, _runs(text) & _runs(prompt) - _runs(answer) - _runs(asked))
        or ("" if foreign else _meaning(text, answer, asked))
        # A scripted user would reply to it.
        or ("it asks a question" if asks(text) else "")
    )


def _facts(text: str, answer: str, wanted: Sequence[str]) -> str:
    figures, before = _told(text), _told(answer)
    lost = [value for value in wanted if _spots(answer, [value]) and not _spots(text, [value])]
    lost += sorted(set(before) - set(figures))
    if lost:
        return f"it lacks {', '.join(lost)}"
    if new := sorted(set(figures) - set(before)):
        return f"it adds {', '.join(new)}"
    for one in by_kind(dict.fromkeys(before)):
        if [figure for figure in dict.fromkeys(figures) if figure in one] != one:
            return f"it does not say {', '.join(one)} in this order"
    words = [value for value in wanted if not any(char.isdigit() for char in value)]
    plain = [w for w in words if len(w) >= _STATUS and w == w.lower() and w not in ASSISTANTS]
    for some in (plain, [word for word in words if word != word.lower()]):
        told, meant = _spots(text, some), _spots(answer, some)
        if told != meant:
            return f"it does not say {', '.join(meant)} in this order, each as often"
    return ""


def _additions(text: str, answer: str) -> str:
    new = sorted(_denials(text).keys() - _denials(answer).keys())
    new += sorted(_lower(_OFFER, text) - _lower(_OFFER, answer))
    if new:
        return f"it adds {', '.join(new)}"
    for pattern in (COUNT, DATE, INJECTED):
        if found := added(pattern, text, answer):
            return f"it adds {found}"
    return ""


def _form(text: str, answer: str, copied: set[tuple[str, ...]]) -> str:
    if len(text) >= longest(answer):  # at the limit it was cut off
        return "it is too long"
    if copied:
        return "it repeats what you were told"
    if any(added(pattern, text, answer) for pattern in (_MARKUP, ENTITY)):
        return "it is not plain words"
    return "it repeats itself or breaks off" if _breaks_off(text, answer) else ""


def _meaning(text: str, answer: str, asked: str) -> str:
    if sum(_denials(_NO.sub("", text)).values()) != sum(_denials(_NO.sub("", answer)).values()):
        return "it turns the meaning around"
    if opened := added(_OPEN, text, answer):
        return f"it adds {opened}"
    # What the user wants done is not done for that.
    known = words_of([answer]) | {word for word in words_of([asked]) if not _done(word)}
    strange = unknown(text, known, ASSISTANTS)
    return f"it says more than the reply: {strange[0]}" if strange else ""


def _done(word: str) -> bool:
    return word.endswith(("ed", "ing")) or word in VERBS or word in PAST.values()


def _spots(text: str, values: Iterable[str]) -> list[str]:
    """Values as they come in a text, each as often as it is there."""
    known = sorted(set(values), key=lambda value: (-len(value), value))
    if not known:
        return []
    found = re.findall(rf"(?<!\w)(?:{'|'.join(map(re.escape, known))})(?!\w)", text, re.IGNORECASE)
    # Only words without capitals may gain some.
    return [hit if hit in known else hit.lower() for hit in found if {hit, hit.lower()} & {*known}]


def _breaks_off(text: str, answer: str) -> bool:
    """Whether figures are told twice, or the end is gone: the schema's limit cuts where it is."""
    told, before = (Counter(_told(one)) for one in (text, answer))
    if any(told[figure] > count for figure, count in before.items()):
        return True
    return (text[-1].isalnum() or text[-1] in ",;:-") and not answer[-1:].isalnum()


def _lower(pattern: re.Pattern[str], text: str) -> set[str]:
    return {found.lower() for found in pattern.findall(text)}


def _runs(text: str) -> set[tuple[str, ...]]:
    words = _PLAIN.findall(text.lower())
    return {tuple(words[at : at + ECHO]) for at in range(len(words) - ECHO + 1)}


def _denials(text: str) -> Counter[str]:
    found = [word.lower() for word in _DENIAL.findall(text)]
    return Counter("not" if word == "cannot" or word[-2] in "'\u2019" else word for word in found)


def _told(text: str) -> list[str]:
    """The words with a digit, as they come: ids, amounts, dates, times."""
    return [found.strip(_EDGES) for found in _FIGURE.findall(text)]
