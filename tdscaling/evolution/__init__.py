"""Stage `evolution`: from what was accepted to what is drawn next.

Enters: outcomes of rounds <= r-2, in the order of their index, and the menu of what exists.
Leaves: the requests of round r and the reasons for them.
"""

from __future__ import annotations

from typing import Protocol

from tdscaling.schema import Menu, Outcome, Steering


class Evolution(Protocol):
    """Decides what a round draws."""

    def observe(self, outcome: Outcome) -> None:
        """Learn from one committed outcome; called in index order."""
        ...

    def steer(self, round_: int, size: int, menu: Menu, seed: int) -> Steering:
        """The `size` requests of a round: a pure function of arguments and outcomes observed."""
        ...
