"""What a message's words do: ask, refuse, take leave, change a goal.

Enters: the text of one message. Leaves: yes or no. The reader works on foreign data as well, where
nothing but words tells; the cues are English.
"""

from __future__ import annotations

import re

_COURTESY = re.compile(
    r"\b(anything else|any other (question|request)s?|something else|any further|any more help|"
    r"(can|may|could|shall) i (help|assist)|help you with|assist you|need any(thing| more)|"
    r"if you (have|need|want|would like|'d like) (any|more|further|help|some|to know)|"
    r"is that all|what can i do for you|does that help|sounds? good|"
    r"isn't (it|that)|right\?|okay\?|ok\?|how (is|are|was) (your|the) day|how are you)",
    re.IGNORECASE,
)
_REQUEST = re.compile(
    r"\b(?:(?:please|kindly)\s+(?:provide|share|give|tell|send|confirm|specify|enter|reply|state|"
    r"choose|select|pick|let me know)\b|let me know\s+(?!if\b)\w|"
    r"(?:i|we)(?:'ll)?(?: (?:will|would|do|just|also|still)){0,3}\s+"
    r"need\s+(?:you to|your|to know|the (?:following|name|date|number))\b)",
    re.IGNORECASE,
)
_TO_USER = re.compile(
    r"\b(which|what|when|where|who|how (many|much|long)|could you|can you|would you|do you|"
    r"shall i|should i|your)\b",
    re.IGNORECASE,
)
_REFUSAL = re.compile(
    r"\b(?P<who>(?:i|we)(?:'m|'re)?"
    r"(?: (?:\w{1,20}ly|am|are|was|were|just|still|also|therefore)){0,3} )?"
    r"(can't|can not|cannot|won't|will not be able|unable to|"
    r"not able to|(is|are|was|were) ?(n't|not) (possible|allowed|permitted|eligible)|"
    r"not possible to|could(n't| not) be (done|made|completed|processed|changed|cancelled)|"
    r"do(n't| not) have (access|permission|the (ability|right|means)|any way)|"
    r"against (our|the|my|company) (\w+ )?(policy|policies|rules)|not in a position to|"
    r"must (refuse|decline)|have to (refuse|decline))\b(?P<rest>[^.!?\n]*)",
    re.IGNORECASE,
)
_NO_REFUSAL = re.compile(
    r"^\s*(wait|help but|thank|imagine|agree more|go wrong|stress)\b", re.IGNORECASE
)
_HYPOTHETICAL = re.compile(
    r"\b(if|in case|unless|should you|whenever|so (that )?you)\b[^,;]*$", re.IGNORECASE
)
_QUOTED = re.compile(r"\"[^\"\n]*\"|\u201c[^\u201d\n]*\u201d|(?<!\w)'[^'\n]*'(?!\w)")
# "Send my order to Oslo instead" is a wish like any other; "take Oslo instead" takes one back.
_REVISION = re.compile(
    r"(?:(?:^|[.!?,;\u2014-]\s*|\b(?:no|oh|wait|hmm|well|sorry|but|and|so)\s+)actually\b"
    r"(?![,\s]+(?:thanks|thank|that'?s (?:all|it|fine|great|perfect)|yes|perfect|great))"
    r"|\b(?:i|i'd|let's|can we|could you|can you|please)\s+actually\s+"
    r"(?:want|need|prefer|meant|like|make|change|book|take|go|do|have)\b"
    r"|\binstead of\b|\bchange of plans?\b|\bchang(?:ed|e) my mind\b"
    r"|\bon (?:second thoughts?|reflection)\b|\b(?:scratch|never ?mind) (?:that|the)\b|\bi meant\b"
    r"|(?<!won't )(?<!can't )(?<!i )(?<!i'll )(?<!we )(?<!they )(?<!not )(?<!to )"
    r"\bmake (?:that|it)\b"
    r"(?! (?:to|on time|in time|work|clear|possible|happen|through|there|back)\b)"
    r"|\b(?:scrap|forget) (?:that|it|what i said)(?! \w)|\brather\b.{0,80}?\bthan\b"
    r"|\b(?:let's|go with|take|use|do|try|pick|choose|prefer)\b[^.!?\n]{0,60}\binstead\b)"
    r"|(?:^|[.!?]\s+)instead\b",
    re.IGNORECASE | re.DOTALL,
)
_WHY = re.compile(r"\b(?:why|how come)\b[^.!?\n]*\?", re.IGNORECASE)
_SENTENCE = re.compile(r"[^.!?\n]*(?:[.!?](?=\w)[^.!?\n]*)*[.!?\n]*")
_LONGEST = 2000
"""Characters that are read at either end of a message: what follows a cue is searched again and
again, which a pasted document would make slow."""
_TAIL = 2
"""Sentences that may follow a question that still waits for its answer."""


def asks(text: str) -> bool:
    """Whether the text waits for an answer, courtesies left out.

    Its last sentence is a question, or one of the last three asks the user for something; what
    others are quoted with does not count.
    """
    stripped = _QUOTED.sub("it", _straight(text)).rstrip().rstrip("\"')*_ ")
    sentences = [part.strip() for part in _SENTENCE.findall(stripped) if part.strip()]
    for place, sentence in enumerate(reversed(sentences[-1 - _TAIL :])):
        bare = sentence.rstrip("\"')*_ ")
        if _COURTESY.search(bare):
            continue
        if bare.endswith("?") and (place == 0 or _TO_USER.search(bare)):
            return True
        if _REQUEST.search(bare):
            return True
    return False


def refuses(text: str, done: bool = False) -> bool:
    """Whether the text says that something asked for cannot or will not be done.

    Args:
        text: of the message.
        done: whether the assistant has just changed something as asked: then a rule that it tells
            along the way ("it cannot be refunded") is no refusal, only what it says of itself is.
    """
    plain = _straight(text)
    if done:
        plain = _QUOTED.sub(" ", plain)
    for match in _REFUSAL.finditer(plain):
        before = re.split(r"[.!?\n]", plain[: match.start()])[-1]
        if _NO_REFUSAL.match(match["rest"]) or _HYPOTHETICAL.search(before):
            continue
        if not done or match["who"]:
            return True
    return False


def revises(text: str) -> bool:
    """Whether the text takes back or replaces what was said before; quotations do not count."""
    return bool(_REVISION.search(_WHY.sub(" ", _QUOTED.sub(" ", _straight(text)))))


def _straight(text: str) -> str:
    """The first and last words of a text, typographic quotes as plain ones: models write either."""
    if len(text) > 2 * _LONGEST:
        text = f"{text[:_LONGEST]}\n{text[-_LONGEST:]}"
    return text.replace("\u2019", "'").replace("\u201d", '"').replace("\u201c", '"')
