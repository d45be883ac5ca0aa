"""Stage `evolution`: from what was accepted to what is drawn next.

Enters: outcomes of rounds <= r - lag, in the order of their index, and the menu of what exists.
Leaves: the requests of round r and the reasons for them; and, from the watch that every option
has, alarms when diversity collapses.
"""

from __future__ import annotations

from typing import Protocol

from tdscaling.evolution._watch import Alarm, Watch
from tdscaling.schema import Menu, Outcome, Steering

__all__ = ["Alarm", "Evolution", "Watch"]


class Evolution(Protocol):
    """Decides what a round draws."""

    watch: Watch
    """Sees every committed outcome at once; `Watched` in `_watch.py` makes it of the config."""

    learns: bool
    """Whether `observe` changes what `steer` decides; where it does not, no round waits."""

    def observe(self, outcome: Outcome) -> None:
        """Learn from one committed outcome; called in index order."""
        ...

    def steer(self, round_: int, size: int, menu: Menu, seed: int) -> Steering:
        """The `size` requests of a round: a pure function of arguments and outcomes observed."""
        ...
