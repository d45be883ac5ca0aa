"""Verbs of tools: what they do to the world.

Enters: a word. Leaves: its base form, and the class of action that it stands for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

Action = Literal["get", "list", "create", "update", "delete", "status", "compute", "act"]

_BY_ACTION: dict[Action, str] = {
    "get": "get fetch retrieve read show view describe lookup inspect load see return open display "
    "download query obtain check access ask tell give provide summarize review explain preview "
    "locate",
    "list": "list search find browse discover explore query scan enumerate lookup filter count",
    "create": "create add new insert register post upload make book schedule submit save write "
    "send publish draft log record store invite request order reserve fork clone copy import "
    "duplicate generate append push reply comment raise issue mint subscribe enroll apply attach "
    "upsert report buy sell place purchase deposit withdraw transfer pay mail notify propose setup",
    "update": "update edit modify set rename change patch move assign replace adjust configure "
    "reschedule extend transition put tag label rate mark star link merge resize",
    "delete": "delete remove destroy drop erase purge unregister uninstall clear",
    "status": "cancel close complete finish approve reject archive activate deactivate enable "
    "disable start stop pause resume lock unlock accept decline resolve reopen restore confirm "
    "suspend terminate pin unpin verify release deploy block unblock mute unmute merge restart "
    "abort end ship refund return undo trash untrash unarchive "
    "unpublish unassign unconfirm unpost unfreeze unarchive unlink unstar expire schedule "
    "acknowledge dismiss revoke ban unban void redeem",
    "compute": "convert calculate compute estimate predict translate validate compare evaluate "
    "analyze analyse measure encode decode format parse detect classify extract transform "
    "subtract multiply divide sum generate solve simulate score rank geocode reverse hash encrypt "
    "decrypt count diff render recommend suggest identify assess forecast determine",
    "act": "run execute call click type press navigate go scroll hover wait select drag drop fill "
    "connect disconnect login logout authenticate play take capture test ping reset refresh sync "
    "build install use switch focus tap swipe launch track monitor perform train join leave "
    "follow unfollow like unlike vote trigger invoke crawl scrape export process initialize init "
    "handle manage control think debug format lint screenshot echo greet plan help "
    "deploy evaluate watch listen interact select attach detach swap stake bridge sign roll draw "
    "flip spawn kill mount sort renew prescribe increment migrate reload rotate toggle upgrade "
    "downgrade grant hire kick promote demote provision react rebase exec delegate redelegate "
    "unstake unsubscribe upvote downvote shutdown rollback snooze allocate",
}  # fmt: skip


def listed(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


ACTIONS: dict[str, Action] = {}
for _action, _words in _BY_ACTION.items():
    for _word in _words.split():
        ACTIONS.setdefault(_word, _action)
VERBS = frozenset(ACTIONS)
_ASKED = listed("status state history")
_STATING = listed(
    """set update change clear reset edit modify put patch post create add delete remove share
    publish send save store write log record toggle mark archive purge import restore rename append
    upsert submit transition move switch enable disable advance force apply assign rotate manage
    handle register insert erase wipe drop report"""
)
"""Verbs that are done to a status, a state or a history."""


def asks(words: Sequence[str]) -> bool:
    """Whether a name of two words and more asks how something is: `refund_status` refunds nothing.

    Args:
        words: of the name, in small letters.
    """
    return len(words) > 1 and words[-1] in _ASKED and _STATING.isdisjoint(words)


def base(word: str) -> str:
    """Base form of a verb in the third person: `Retrieves` is retrieve; others unchanged."""
    word = word.lower()
    if word in VERBS or not word.endswith("s"):
        return word
    options = [word[:-1], word[:-2] if word.endswith("es") else "", f"{word[:-3]}y"]
    return next((option for option in options if option in VERBS), word)


PAST: dict[str, str] = {
    "send": "sent", "set": "set", "write": "written", "make": "made", "put": "put", "get": "found",
    "read": "read", "pay": "paid", "buy": "bought", "sell": "sold", "withdraw": "withdrawn",
    "draw": "drawn", "new": "created", "find": "found", "run": "run", "undo": "undone",
    "label": "labelled", "upsert": "saved", "take": "taken", "leave": "left", "setup": "set up",
    "control": "controlled", "cancel": "cancelled", "go": "done", "do": "done", "build": "built",
    "reset": "reset", "think": "thought out", "init": "initialized", "wait": "waited for",
    "spin": "spun", "kick": "kicked", "shutdown": "shut down", "rollback": "rolled back",
    "exec": "run", "split": "split", "hit": "hit", "cut": "cut",
}  # fmt: skip
_DOUBLED = listed("debug transfer submit refer commit patrol admit permit defer prefer omit")
"""Verbs of more than one syllable that double their last letter."""
_SHORT = re.compile(r"(?:un|re)?[^aeiou]*[aeiou][^aeiouwxy]")
"""Those of one syllable, with one vowel and one consonant at the end, all do: `pin`, `unpin`."""


def past(verb: str) -> str:
    """Past participle: `archive` is archived."""
    if verb in PAST:
        return PAST[verb]
    if verb.endswith("e"):
        return f"{verb}d"
    if verb in _DOUBLED or _SHORT.fullmatch(verb):
        return f"{verb}{verb[-1]}ed"
    if verb.endswith("y") and verb[-2:-1] not in "aeiou":
        return f"{verb[:-1]}ied"
    return f"{verb}ed"
