"""Whether a tool writes, read off its name, for data that does not say.

Enters: a tool's name. Leaves: whether a call can change state. The first verb in the name decides;
a name without a known verb reads, since most nouns (`weather`, `calculator`) do.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import zip_longest

_READS = """
analyze calc calculate calculator check compare compute convert count describe detect estimate
evaluate explain fetch filter find get inspect is list load look lookup peek preview query quote
read retrieve review scan search show stat summarize think track translate validate verify view
watch which
"""
_READING = frozenset(_READS.split())
_WRITES = """
accept activate add adjust answer appeal apply approve archive assign attach authorize ban block
book borrow buy cancel change charge checkin checkout claim clear close comment commit complete
confirm copy create deactivate decline delete deposit disable dismiss dispatch downgrade draft drop
edit empty enable enrol enroll escalate exchange execute extend file fill finish follow forward
freeze fund grant guarantee hand hire hold import insert invite issue join kick label leave like
link lock log make mark merge mkdir modify move mute mv open order park patch pause pay pin place
play post publish purchase push put qualify rate react rebook recall reconnect record redeem
redirect refund register reimburse reinstate reject release remove rename renew rent reopen reorder
replace reply report request reschedule reserve reset resolve restart restore resume return revoke
rm run save schedule seat send set settle share ship sign snooze split start stop store submit
subscribe suspend swap switch tag terminate top touch transfer trigger turn unassign unblock undo
unfollow unfreeze unlock unsubscribe update upgrade upload use waive withdraw write
"""
_WRITING = frozenset(_WRITES.split())
"""`run` of code is the event `code` before anything else is asked."""
_NOUN_VERBS = """
book charge claim comment exchange file flight group label order place post record report request
schedule share store tag transfer
"""
_NOUNS = frozenset(_NOUN_VERBS.split())
"""Verbs that are nouns in names like `order_status` and `schedule_details`."""
_ASPECT_WORDS = """
balance detail details history id info list status summary
"""
_ASPECTS = frozenset(_ASPECT_WORDS.split())
_PHRASES = frozenset((("check", "in"), ("check", "out"), ("call", "off")))
"""Verbs of two words that change state, though the first alone does not."""
_NAMESPACE = re.compile(r"^.*(?:__|[./:])(?=\w)")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@lru_cache(maxsize=4096)
def seems_to_write(tool: str) -> bool:
    """Whether the first verb of a tool's name, namespaces left out, changes state."""
    words = words_of(tool)
    if len(words) > 1 and words[0] in _NOUNS and words[-1] in _ASPECTS:
        return False
    for word, after in zip_longest(words, words[1:]):
        if (word, after) in _PHRASES:
            return True
        if word in _READING:
            return False
        if word in _WRITING:
            return True
    return False


def words_of(tool: str) -> list[str]:
    """Words of a tool's name, lower case: `shop.getOrder_details` gives get, order, details."""
    return [word.lower() for word in _WORD.findall(_NAMESPACE.sub("", tool))]
