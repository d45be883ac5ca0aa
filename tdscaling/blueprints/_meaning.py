"""What of a text's meaning can be told without understanding it.

Enters: a text and its brief. Leaves: the first sign that it asks for more, for less or for
something else than its draft, though all values are in it: conditions, exceptions, directions,
words that nobody accounts for.
"""

from __future__ import annotations

import re

from tdscaling.blueprints._briefs import Brief, masked, ordered
from tdscaling.phrasing.courtesies import USERS, stems, unknown, words_of
from tdscaling.phrasing.faithful import INJECTED, added, unlike
from tdscaling.phrasing.verbs import listed

_CONDITION = re.compile(
    r"\b(?:unless|otherwise|providing|provided|assuming|as long as|so long as|in case|on condition|"
    r"only when|until|till|while|whilst|suppos\w+ that|as soon as|should (?:that|it|this|the)|"
    r"if(?! (?:possible|you (?:could|can|would|please)|that['\u2019]?s (?:ok|okay|possible|fine)|"
    r"i may)\b))\b",
    re.IGNORECASE,
)
_SEE_IF = re.compile(
    r"\b(?:see|check|know|tell me|wonder\w*|find out|look up|ask|show me) if\b", re.I
)
_WHETHER = re.compile(r"\b(?:whether|if)\b", re.IGNORECASE)
_OTHER = re.compile(
    r"\b(?:but|or|another|others?|else|different|again|instead of|rather than|except\w*|excluding|"
    r"before|more|less|elsewhere|anyone|everyone|everybody|everything|"
    r"after (?!that\b|this\b|which\b)\w+)\b",
    re.IGNORECASE,
)
"""Words that turn to what was not meant, or turn round an order."""
_CHANGED = listed("instead replace replacing swap switch forget scrap drop longer mind plan plans")
_FAILED = listed(
    "instead otherwise alternatively fails failing failed refused case work works else"
)
_REVISED = re.compile(r"\b(?:but|instead of|rather than)\b", re.IGNORECASE)
_WAY = re.compile(r"\b(from|to|into|onto)\s+(?:(?:the|my|that|this|of|a|an|\w+)\s+){0,2}$", re.I)
_AT = {"from": "from", "to": "to", "into": "to", "onto": "to"}


def figures_hold(text: str, brief: Brief, prompt: str) -> str:
    """Whether figures have the signs, units and bounds of the draft."""
    return unlike(text, brief.draft, bool(brief.foreign))


def asks_no_more(text: str, brief: Brief, prompt: str) -> str:
    """Whether a text has conditions, exceptions or turns that its draft lacks."""
    rest, draft = masked(text, brief.keep), masked(brief.draft, brief.keep)
    if injected := added(INJECTED, rest, draft):
        return f"it says {injected}"
    if brief.foreign:
        return ""
    if brief.second is None and (turned := _conditions(rest, draft)):
        return turned
    turn = added(_OTHER, rest, draft)
    if turn and not (brief.revision and _REVISED.fullmatch(turn)):
        return f"it adds {turn}"
    return ""


def _conditions(rest: str, draft: str) -> str:
    if _WHETHER.search(draft):
        rest = _SEE_IF.sub(" ", rest)
    found = _CONDITION.findall(rest)
    return f"it adds a condition: {found[0]}" if len(found) > len(_CONDITION.findall(draft)) else ""


def points_alike(text: str, brief: Brief, prompt: str) -> str:
    """Whether what is pointed at comes in the draft's order, and from and to stay in place."""
    if brief.foreign:
        return ""
    nouns = sorted({phrase.lower() for phrase in brief.phrases})
    wanted = ordered(brief.draft.lower(), nouns)
    if ordered(text.lower(), nouns) != wanted:
        return f"it does not point at {', '.join(wanted)} in this order"
    old = brief.revision or ()
    for value in [*(one for one in brief.keep if one not in old), *(f"that {n}" for n in nouns)]:
        before, now = _way(brief.draft, value), _way(text, value)
        if before and now and before != now:
            return f"it says {now} {value}"
    return ""


def wishes_in_order(text: str, brief: Brief, prompt: str) -> str:
    """Whether the wishes come as in the draft: else each may have got the values of another."""
    wanted, found = (_first(words, brief) for words in (brief.draft, text))
    common = [one for one in sorted(wanted, key=wanted.__getitem__) if one in found]
    if brief.foreign or common == sorted(common, key=found.__getitem__):
        return ""
    return "it does not ask in the order of the draft"


def _first(text: str, brief: Brief) -> dict[int, int]:
    """Per wish, where the first word comes that is its own."""
    words = re.findall(r"[^\W\d_]{3,}|\u2022", masked(text, brief.keep).lower())
    nouns = words_of(brief.phrases)
    found = {}
    for number, wish in enumerate(brief.wishes):
        others = {word for at, other in enumerate(brief.wishes) if at != number for word in other}
        own = {stem for word in wish - others - nouns for stem in stems(word)}
        spots = (at for at, word in enumerate(words) if stems(word) & own)
        if (first := next(spots, None)) is not None:
            found[number] = first
    return found


def _way(text: str, value: str) -> str:
    at = text.lower().find(value.lower())
    found = _WAY.search(text[:at]) if at > 0 else None
    return _AT[found[1].lower()] if found else ""


def says_no_more(text: str, brief: Brief, prompt: str) -> str:
    """Whether each word is the draft's, the wishes' or a courtesy."""
    if brief.foreign:
        return ""
    known = words_of([brief.draft, *brief.phrases])
    known |= {word for wish in brief.wishes for word in wish} | brief.verbs | brief.vocabulary
    known |= _CHANGED if brief.revision else frozenset()
    known |= _FAILED if brief.second is not None else frozenset()
    strange = unknown(masked(text, brief.keep), known, USERS)
    return f"it adds the word {strange[0]}" if strange else ""
