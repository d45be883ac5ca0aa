"""Whether a call may change something, judged by the words of its tool.

Enters: a name and a description. Leaves: a guess, for sources that give no hint of their own.
"""

from __future__ import annotations

import itertools
import re

from tdscaling.phrasing.verbs import asks


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


READS = _words("""
    analyse analyze ask browse calculate check compare compute convert count describe detect diff
    download estimate evaluate explain explore export extract fetch filter find format forecast get
    geocode has head identify inspect introspect is list load look lookup measure monitor parse peek
    ping poll predict preview print query rank read recommend render resolve retrieve return scan
    scrape screenshot search select show stat status suggest summarise summarize test tokenize
    translate validate verify view watch whoami
""")
"""Verbs of calls that change nothing."""

WRITES = _words("""
    accept acknowledge activate add allocate append apply approve archive assign attach ban
    block book bookmark buy cancel charge checkout claim clear click clone close comment commit
    complete configure confirm connect copy create deactivate decline define delegate delete
    demote deploy deposit destroy detach disable disconnect dismiss downgrade drag drop
    duplicate edit enable enroll exec execute expire fill finish follow fork grant hire import
    increment init initialise initialize insert install invite invoke issue join kick kill
    launch leave like link lock log make mark merge migrate mint modify move mute navigate
    notify open order patch pause pay perform pin place play post press promote provision
    publish pull purchase purge push put rate react rebase record redeem redelegate refund
    register reject release reload remove rename renew reopen replace reply report request
    reserve reset resize restart restore resume revoke rollback rotate run save scale schedule
    sell send set share shutdown sign snooze spawn split stage stake star start stash stop store
    submit subscribe swap switch sync tag terminate toggle trade transfer trash trigger type
    unarchive unassign unblock unfollow uninstall unlink unlock unpin unpublish unstake
    unsubscribe update upgrade upload upsert upvote use void vote withdraw write
""")
"""Verbs of calls that may change something."""

NOUNS = _words("""
    block book bookmark charge claim comment commit copy count delegate deposit diff download
    export filter fork format head import issue launch like link list lock log order patch pin
    place play post preview pull purchase query rank rate record release report request scale
    screenshot search set share sign split stage stake star stash stat status store swap switch
    tag test trade transfer trigger type upgrade use view vote watch
""")
"""Those that name a thing as often as they say what is done: verbs only as the first word."""


def words_of(name: str) -> list[str]:
    """The words of a name, small: `createUser`, `create-user` and `create_user` have two."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return re.findall(r"[a-z]+", spaced.lower())


def changes(name: str, description: str) -> bool | None:
    """Whether a tool may change something, by the first verb of its name or else description.

    `get_or_create` and `find_and_replace` may; `refund_status` does not. None where there is no
    verb that is known.
    """
    if asks(words_of(name[:200])):
        return False
    said = [re.sub(r"(?<=[a-z])s$", "", word) for word in words_of(description[:200])[:4]]
    for words in (words_of(name[:200]), said):
        if any(
            joint in {"and", "or"} and word in WRITES for joint, word in itertools.pairwise(words)
        ):
            return True
        for place, word in enumerate(words):
            if place and word in NOUNS:
                continue
            if word in WRITES or word in READS:
                return word in WRITES
    return None


def commands_change(name: str) -> bool:
    """Whether a name plainly tells to change something: its first word is nothing but that."""
    return words_of(name[:200])[:1] != [] and words_of(name[:200])[0] in WRITES - NOUNS
