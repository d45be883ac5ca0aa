"""Words that say how something is said, and nothing of what.

Enters: a rewording's words. Leaves: those that neither its draft nor a courtesy accounts for. One
that is left may be a wish, a condition or a claim of a model's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from tdscaling.phrasing.verbs import PAST, listed

SHORT = 2
"""Letters of a word, at most, that says nothing by itself."""
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
_PLAIN = listed(
    "the and for with that this these those from what which when where who whom whose how why are "
    "was were has have had having been being its into onto out off one ones you your yours about "
    "there their them they our ours mine myself whether than then some such too also well very "
    "much just right now here really quite can could may might shall should will would did does "
    "going gone got way ways bit lot don isn aren wasn won wouldn couldn didn doesn hasn haven "
    "shouldn not nor never cannot something thing things own self although though because still "
    "yet however along together ahead straight via after afterwards thereafter following followed "
    "next finally lastly additionally furthermore moreover plus namely specifically exactly "
    "precisely particular currently current presently present moment now already actually indeed "
    "simply regarding concerning concerns related called named listed mentioned number available "
    "associated corresponding respective respectively"
)
_POLITE = listed(
    "please kindly thanks thank thankful grateful gratefully appreciate appreciated appreciation "
    "hello hey hiya dear greetings good great nice lovely fine okay sure surely yes yeah yep day "
    "perhaps maybe possible possibly able hope hoping hoped wonder wondering wondered glad "
    "pleased sorry excuse pardon bother busy mind thought thinking think guess suppose believe "
    "seem seems help helping helpful assist assistance hand favour favor question questions quick "
    "quickly matter information info detail details curious interested advance addition kind "
    "cheers best obliged ideally honestly basically folks team support convenience convenient "
    "welcome time chance oblige ever"
)
_LIGHT = listed(
    "make making take taking have get getting put putting give giving let set setting keep "
    "keeping check checking see seeing tell telling show showing find finding look looking know "
    "knowing need needs needed want wants wanted wanting wish wishes like love prefer rather try "
    "trying use using come coming say saying ask asking read note like liked proceed learn hear "
    "understand happens happening regards done"
)
USERS = _PLAIN | _POLITE | _LIGHT
"""Words of a user."""
ASSISTANTS = _PLAIN | listed(
    "hello dear greetings sure certainly gladly course absolutely alright okay yes great good "
    "fine nice thanks thank thanking patience asking happy glad pleased pleasure confirm "
    "confirming note noting see look looks looking found find finding shows show showing comes "
    "come stands listed list lists have has get got give gives given giving tell telling told "
    "information info detail details according result results request requested regarding let "
    "know like liked appears appear seems needed name named want wanted wish"
)
"""Words of an assistant."""


def unknown(text: str, known: Iterable[str], courtesies: frozenset[str]) -> list[str]:
    """Words of a text that are no courtesies and of no kin to what is known."""
    familiar = {word.lower() for word in known}
    kindred = {stem for word in familiar for stem in stems(word)}
    found = []
    for whole in _WORD.findall(text):
        word = re.split("['\u2019]", whole)[0].lower()
        if len(word) <= SHORT or word in courtesies or word in familiar:
            continue
        if not stems(word) & kindred:
            found.append(word)
    return found


def words_of(texts: Iterable[str]) -> set[str]:
    """All words of texts, in small letters."""
    return {word.lower() for text in texts for word in re.findall(r"[^\W\d_]+", text)}


_ENDINGS = (
    *("ations", "ation", "ments", "ment", "ings", "ing", "ies", "ied", "ers", "ed", "er", "es"),
    *("ly", "al", "s", "e", "y"),
)
_PRESENT = {past: present for present, past in PAST.items() if past != "found"}


def stems(word: str) -> set[str]:
    """A word without its endings: booked, booking and books are of a stem."""
    word = _PRESENT.get(word, word)
    found = {word, word.rstrip("e")}
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            stem = word[: -len(ending)]
            found |= {stem, stem[:-1]} if stem[-1] == stem[-2] else {stem}
            if ending in ("ies", "ied", "y"):
                found.add(f"{stem}y")
    return {stem for stem in found if len(stem) >= 3}
