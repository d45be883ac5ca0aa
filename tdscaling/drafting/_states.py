"""Status machines out of verbs.

Enters: the verbs that tools apply to one thing, and the states that their schemas name. Leaves: the
states, the one that a new thing is in, and per verb the state that it leads to and what forbids it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tdscaling.declared.guard import wall_clock
from tdscaling.phrasing.verbs import past

_STATE = {
    "enable": "enabled", "activate": "active", "deactivate": "inactive", "start": "running",
    "resume": "running", "reopen": "open", "restore": "active", "restart": "running",
    "unlock": "unlocked", "unpin": "unpinned", "unmute": "unmuted", "unblock": "unblocked",
    "finish": "completed", "complete": "completed", "terminate": "terminated", "end": "ended",
    "decline": "rejected", "undo": "open", "verify": "verified", "accept": "accepted",
}  # fmt: skip
_OPPOSITE = {
    "enabled": "disabled", "disabled": "enabled", "active": "inactive", "inactive": "active",
    "running": "stopped", "stopped": "running", "locked": "unlocked", "unlocked": "locked",
    "pinned": "unpinned", "unpinned": "pinned", "muted": "unmuted", "unmuted": "muted",
    "blocked": "unblocked", "unblocked": "blocked", "paused": "running", "approved": "pending",
    "rejected": "pending", "accepted": "pending", "verified": "pending", "confirmed": "pending",
    "archived": "active", "released": "pending", "deployed": "pending", "suspended": "active",
}  # fmt: skip
_FINAL = frozenset(
    {"cancelled", "completed", "closed", "rejected", "terminated", "ended", "refunded", "returned",
     "archived", "merged", "aborted"}
)  # fmt: skip
_RETURNING = frozenset({"reopen", "restore", "undo", "reactivate", "resume", "restart"})
MOST_STATES = 40


@dataclass(frozen=True, slots=True)
class Machine:
    """States of one thing."""

    states: tuple[str, ...]
    initial: str
    final: frozenset[str]


def machine(verbs: Iterable[str], named: Iterable[str]) -> Machine | None:
    """The status machine; None where nothing tells of states.

    Args:
        verbs: of class `status` that are applied to the thing.
        named: states that schemas name.
    """
    reached = list(dict.fromkeys(state_of(verb) for verb in verbs))
    stated = list(dict.fromkeys(named))
    if not (reached or stated) or len(stated) > MOST_STATES or not all(map(usable, stated)):
        return None
    if stated:
        initial = stated[0]
    else:
        initial = next((_OPPOSITE[s] for s in reached if s in _OPPOSITE), "open")
    states = dict.fromkeys([initial, *stated, *reached])
    final = frozenset(state for state in states if state in _FINAL and state != initial)
    if len(states) == 1:
        states["done" if initial != "done" else "open"] = None
    return Machine(tuple(states), initial, final)


def usable(state: str) -> bool:
    """Whether a state can be one of a CHECK: it would be taken for the wall clock otherwise."""
    return 0 < len(state) <= 80 and state.isprintable() and wall_clock(f"'{state}'") is None


def state_of(verb: str) -> str:
    """The state that a verb leads to: cancel leads to cancelled."""
    return _STATE.get(verb) or past(verb)


def forbidden(verb: str, states: Machine) -> tuple[str, ...]:
    """Other final states out of which a verb is refused."""
    if verb in _RETURNING:
        return ()
    return tuple(sorted(states.final - {state_of(verb)}))
