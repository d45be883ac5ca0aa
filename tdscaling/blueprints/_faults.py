"""Whether words that a model found say what they must.

Enters: a text and its brief. Leaves: the first thing that is wrong with it, in words that the model
may read: what is held back is never named. Small models copy, answer, invent and play the other
side, so every text is taken for wrong that could be; the template's words are always at hand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise

from tdscaling.blueprints._briefs import LIGHT, Brief, figures, kin, masked, ordered, said
from tdscaling.blueprints._languages import spoken_in
from tdscaling.blueprints._meaning import (
    asks_no_more,
    figures_hold,
    points_alike,
    says_no_more,
    wishes_in_order,
)
from tdscaling.phrasing.faithful import COUNT, DATE, added, by_kind
from tdscaling.phrasing.verbs import VERBS, listed

LONGER, MORE = 1.5, 80
"""A text has at most that many times the characters of its draft, and that many more."""
EXAMPLES = listed("hive hives honey yield yields paint painted dark green abandoned queen")
"""Words of the examples in the prompt, which small models put into everything."""
REPEATED = 3
"""Words in a row that come twice, from which on a model went in circles."""
COURTESY = 6
"""Words of a sentence, at most, that may say nothing of what is wanted."""
ECHO = 6
"""Words in a row that are out of the prompt, from which on they were copied."""
_MARKUP = re.compile(r"[`{}<>\[\]|\\*#~^]|__|://|\w+@|\w_\w|&#?\w+;?")
_LABEL = re.compile(
    r"\b(?:user|customer|assistant|agent|support|system|message|draft|values|rules?|notes?|reply|"
    r"answer|json)\s*:",
    re.IGNORECASE,
)
_NOT = re.compile(
    r"\b(?:no(?! longer)|not|nor|never|none|nothing|nobody|nowhere|neither|without|cannot|"
    r"no longer|stop|except\w*|exclud\w+|refrain\w*|avoid\w*|hardly|barely|scarcely|seldom|"
    r"rarely|but for|(?:apart|aside) from|other than|(?:any\w*|all|every\w*) but|"
    r"leave out|leaving out|"
    r"hold off|(?:do|does|did|is|are|wo|ca|ai|would|should|could)nt|"
    r"\w+n['\u2019]t)\b",
    re.IGNORECASE,
)
_NOT_OLD = re.compile(r"\b(?:not|no longer)\s+(?:\w+\s+){0,2}\u2022")
_CAPITAL = re.compile(r"(?<![.!?:\u2026\"\u201c(-]\s)(?<!^)(?<![\w'\u2019-])[A-Z][\w'\u2019-]*")
_PRONOUN = re.compile(r"I(?:['\u2019]\w+)?|OK")
_SECOND = re.compile(
    r"\b(?:if|otherwise|failing|unless|or else|in case|should|alternatively|instead)\b",
    re.IGNORECASE,
)
_AWAY = r"\b(?:instead of|than|not|from|replac\w+|in place of|forget|drop|swap\w*|switch\w*|"
_AWAY += r"chang\w+|no longer|scrap|scratch|over)(?:\s+\w+){0,2}\s+"
"""Words before what is replaced."""
_DROPPED = r"\b(?:instead of|rather than|in place of|not|forget|drop|scrap|no longer)\s+(?:\w+\s+)?"
"""Those that stand before nothing that is wanted."""
AGENT = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\bI(?:['\u2019]ve| have)\b"
        r"(?! (?:a|an|to|been|decided|noticed|changed my mind|got|on the)\b)",
        r"\bI(?:['\u2019]ll| will|['\u2019]m going to| am going to)\b(?! (?:need|be|have|want)\b)",
        r"\bI(?:['\u2019]m| am) (?:looking (?:at|into|through)|going (?:over|through)|checking)\b",
        r"\bI (?:can|may|could help|am able|was able|did|booked|cancel+ed|updated|found|checked)\b",
        r"\b(?:has|have|had) been\b|\b(?:is|are) (?:now|all) (?:set|done)\b",
        r"(?:^|[.!?;,:]\s+|\band )you (?:can|may|will|have|are|must|should|need|cannot|could)\b",
        r"\bI(?:['\u2019]m| am) (?:looking (?:up|into)|checking|working|requesting|processing)\b",
        r"\bthe (?:words?|values?|draft|message|json|customer says|last version)\b",
        r"\blet me\b(?! know\b)|\bhere (?:is|are)\b|\bhere['\u2019]s\b",
        r"^(?:certainly|of course|absolutely|no problem|sure thing|you['\u2019]re welcome)\b",
        r"\bhow (?:can|may) I\b|\banything else\b|\bwould you like\b|\bdo you (?:want|need)\b",
        r"\bdid you mean\b|\bare you sure\b|\b(?:assist|help|serve|helping|assisting) you\b",
        r"\bplease (?:provide|specify|be advised|wait|hold on|allow|note that)\b",
        r"\bthank you for\b|\bthanks for (?:contacting|reaching|calling)\b|\bhappy to\b",
        r"\bas an? (?:AI|assistant|agent|customer|user|language)\b|\blanguage model\b|\bchatbot\b",
        r"\bsorry (?:for|to hear|about)\b|\bapologi[sz]e\b",
        r"\bwe (?:have|are|will|can|['\u2019]ll)\b",
        r"\bour (?:records|system|team|agents?|services?)\b",
        r"\bthe (?:customer|user) (?:wants|asks)\b",
        r"\byour\b(?! (?:help|time|support|team|service|system|records|side|end|assistance)\b)",
    )
)
"""What an assistant says and a user does not."""
_ENGLISH = listed(
    "the and please could would can you my to for with of is it that this i'd i'm i like need want "
    "from what which into then have there whether under after take look see"
)
_AROUND = listed(
    "please that this would thanks thank sure make should want like with here have take okay "
    "prefer think guess well just right then them yours good the and its for can use you are see "
    "yes hey got one was hers his say day"
)
"""Words that a reply may have around its value."""
_LEADING = listed("and then also after that next first finally so now actually oh well ok okay hi")
_WANT = re.compile(
    r"[?]|\b(?:please|kindly|could|can you|would|want|need(?:s|ed)?|wish|help me|tell me|show me|"
    r"give me|get me|let me know|wonder\w*|I['\u2019]d|"
    r"I['\u2019]m (?:looking|after|trying|hoping))\b",
    re.IGNORECASE,
)
_MOSTLY = 0.25
"""Share of such words from which a text is in English."""


def fault(text: str, brief: Brief, prompt: str) -> str:
    """What is wrong with a text; empty if nothing is."""
    return next((found for check in _CHECKS if (found := check(text, brief, prompt))), "")


def longest(brief: Brief) -> int:
    """Characters of a text, at most."""
    return int(LONGER * len(brief.draft)) + MORE


def _form(text: str, brief: Brief, prompt: str) -> str:
    if not text or not text.isprintable() or not any(char.isalnum() for char in text):
        return "it is no message"
    if len(text) > longest(brief):
        return "it is too long"
    if _plain(text) == _plain(brief.draft):
        return "it is the draft word for word"
    rest, draft = _rest(text, brief), _rest(brief.draft, brief)
    for pattern in (_MARKUP, _LABEL):
        if added(pattern, rest, draft):
            return "it is not plain words of a customer"
    return ""


def _values(text: str, brief: Brief, prompt: str) -> str:
    lost = [value for value in brief.keep if not said(text, value)]
    before, now = figures(brief.draft), figures(text)
    lost += sorted(before - now)
    if lost:
        return f"it lacks {', '.join(dict.fromkeys(lost))}"
    if now - before:
        return "it adds a number, date or code"
    rest = _rest(text, brief)
    if any(said(rest, value) for value in brief.hidden):
        return "it says something that the draft does not say"
    if any(said(rest, name) for name in brief.tools):
        return "it names something technical"
    return ""


def _places(text: str, brief: Brief, prompt: str) -> str:
    """Whether two values of a kind may have changed places: from and to, which for whom."""
    old = brief.revision[1:] if brief.revision else ()  # may stand before or after the new one
    for values in by_kind(ordered(brief.draft, set(brief.keep) - set(old))):
        if ordered(text, values) != values:
            return f"it does not say {', '.join(values)} in this order"
    return ""


def _additions(text: str, brief: Brief, prompt: str) -> str:
    rest, draft = _rest(text, brief), _rest(brief.draft, brief)
    for pattern in (COUNT, DATE):
        if found := added(pattern, rest, draft):
            return f"it adds {found}"
    if brief.foreign:
        return ""
    draft = draft.lower()
    for name in _CAPITAL.findall(rest):
        if not _PRONOUN.fullmatch(name) and name.lower() not in draft:
            return f"it adds the name {name}"
    return "it adds a name" if re.match(r"[A-Z]\w+ here\b", rest) else ""


def _side(text: str, brief: Brief, prompt: str) -> str:
    rest, draft = _rest(text, brief), _rest(brief.draft, brief)
    for pattern in AGENT:
        if pattern.search(rest) and not pattern.search(draft):
            return "it is not what the customer says but what the assistant would say"
    return ""


def _circles(text: str, brief: Brief, prompt: str) -> str:
    """Whether a model went on and on, or added what nobody asked for."""
    if any(_count(text, value) > max(1, _count(brief.draft, value)) for value in brief.keep):
        return "it says a value more than once"
    words, before = _plain(text), _plain(brief.draft)
    runs = [tuple(words[at : at + REPEATED]) for at in range(len(words) - REPEATED + 1)]
    known = [tuple(before[at : at + REPEATED]) for at in range(len(before) - REPEATED + 1)]
    twice = {run for run in runs if runs.count(run) > max(1, known.count(run))}
    doubled = {(one, other) for one, other in pairwise(words) if one == other and one.isalpha()}
    if twice or doubled - set(pairwise(before)):
        return "it repeats itself"
    if (set(words) & EXAMPLES) - set(before):
        return "it is about the examples"
    if brief.foreign:
        return ""
    if brief.kind == "reply":
        new = {word for word in words if len(word) > 2 and word.isalpha()} - set(before) - _AROUND
        return "it says more than the draft" if new else ""
    meant = [word for word in before if len(word) > 3] + [w for wish in brief.wishes for w in wish]
    for sentence in _sentences(_rest(text, brief)):
        said_ = _plain(sentence)
        off = "\u2022" not in sentence and not any(kin(w, m) for w in said_ for m in meant)
        if off and len(said_) > COURTESY:
            return "it adds a sentence that the draft has nothing of"
    return ""


def _sense(text: str, brief: Brief, prompt: str) -> str:
    if brief.foreign:
        return ""
    rest, draft = _rest(text, brief), _rest(brief.draft, brief)
    if _denials(rest, brief) != _denials(draft, brief):
        return "it turns the meaning around"
    missing = [phrase for phrase in brief.phrases if not said(text, phrase.lower())]
    if missing:
        return f"it lacks the words {', '.join(missing)}"
    words = {word.lower() for word in re.findall(r"[^\W\d_]+", rest)}
    for wish in _distinct(brief):
        if not any(kin(word, sign) for word in words for sign in wish):
            return "it does not say what is to be done"
        if not any(_asks(one, brief) for one in _sentences(rest) if _tells(one, wish)):
            return "it does not ask for it"
    if any(kin(word, verb) for word in words for verb in brief.others):
        return "it asks for something else"
    return ""


def _distinct(brief: Brief) -> tuple[frozenset[str], ...]:
    """The wishes without nouns that point at rows, where the draft has more: others name them."""
    if len(brief.wishes) < 2:
        return brief.wishes
    nouns = {word for phrase in brief.phrases for word in _plain(phrase)}
    draft = _plain(_rest(brief.draft, brief))
    found = []
    for wish in brief.wishes:
        telling = frozenset(sign for sign in wish if not any(kin(sign, noun) for noun in nouns))
        told = any(kin(sign, word) for sign in telling for word in draft)
        found.append(telling if told else wish)
    return tuple(found)


def _sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.!?])\s+", text)


def _tells(sentence: str, wish: frozenset[str]) -> bool:
    return any(kin(word, sign) for word in _plain(sentence) for sign in wish)


def _asks(sentence: str, brief: Brief) -> bool:
    """Whether a sentence wants something: "payment PM-1 has gone out" only states it."""
    for clause in re.split(r"[,;:]\s+|\b(?:and|so|then)\b", sentence):
        words = [word for word in _plain(clause) if word not in _LEADING]
        if words and (words[0] in VERBS | LIGHT or words[0] in brief.verbs):
            return True  # an imperative
    return _WANT.search(sentence) is not None


def _denials(rest: str, brief: Brief) -> int:
    # "Not this one but that one" denies nothing that is wanted.
    return len(_NOT.findall(_NOT_OLD.sub("", rest) if brief.revision else rest))


def _order(text: str, brief: Brief, prompt: str) -> str:
    if brief.second is not None:
        first, then = (
            [text.lower().find(value.lower()) for value in part] for part in brief.second
        )
        if first and then and max(first) > min(then):
            return "it puts the second choice first"
        if not brief.foreign and not _SECOND.search(text[: min(then)] if then else text):
            return "it does not say that the second wish is only for when the first is refused"
    if brief.revision is not None and not brief.foreign:
        new, old = (re.escape(value) for value in brief.revision)
        if not re.search(_AWAY + old, text, re.IGNORECASE):
            return f"it does not say what is replaced: {brief.revision[1]}"
        if re.search(_DROPPED + new, text, re.IGNORECASE):
            return f"it does not say what is wanted now: {brief.revision[0]}"
    return ""


def _language(text: str, brief: Brief, prompt: str) -> str:
    rest = _rest(text, brief)
    words = [word.lower() for word in re.findall(r"[^\W\d_]+(?:['\u2019]\w+)?", rest)]
    english = sum(word in _ENGLISH for word in words)
    letters = [char for char in rest if char.isalpha()]
    if brief.foreign:
        fits = english <= _MOSTLY * len(words) and spoken_in(words, brief.foreign)
        return "" if fits else f"it is not in {brief.foreign}"
    strange = sum(not char.isascii() for char in letters)
    return "it is not in English" if strange > 0.1 * len(letters) else ""


def _echo(text: str, brief: Brief, prompt: str) -> str:
    said_, told, known = (_runs(_rest(words, brief)) for words in (text, prompt, brief.draft))
    return "it repeats what you were told" if said_ & told - known else ""


_CHECKS: Sequence[Callable[[str, Brief, str], str]] = (
    _form, _values, _places, figures_hold, _additions, asks_no_more, _side, _circles, _sense,
    _order, points_alike, wishes_in_order, _language, _echo, says_no_more,
)  # fmt: skip


def _rest(text: str, brief: Brief) -> str:
    return masked(text, brief.keep)


def _count(text: str, value: str) -> int:
    return masked(text, [value]).count("\u2022")


def _runs(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[at : at + ECHO]) for at in range(len(words) - ECHO + 1)}


def _plain(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())
