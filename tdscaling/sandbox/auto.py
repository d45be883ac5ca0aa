"""The sandbox that works here.

Enters: both backends. Leaves: the first that ran a snippet; none, with the reasons, where neither
did. Which one it was is in what `describe` records, for results may differ between images.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from tdscaling.sandbox import AsyncSession, Finding, Sandbox, Session
from tdscaling.sandbox.none import NoSandbox


class AutoSandbox:
    """Chooses at first use.

    Args:
        docker: tried first.
        bubblewrap: tried second.
    """

    required = False

    def __init__(self, *, docker: Sandbox, bubblewrap: Sandbox) -> None:
        self.docker, self.bubblewrap = docker, bubblewrap
        self._settle()

    def _settle(self) -> None:
        self._chosen: Sandbox | None = None
        self._choosing = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        return {"docker": self.docker, "bubblewrap": self.bubblewrap}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._settle()

    @property
    def chosen(self) -> Sandbox:
        """The one that works; which is found out by running a snippet in it."""
        with self._choosing:
            if self._chosen is None:
                self._chosen = self._choose()
            return self._chosen

    def _choose(self) -> Sandbox:
        reasons = []
        for candidate in (self.docker, self.bubblewrap):
            reason = candidate.why_not()
            if reason is None:
                return candidate
            candidate.close()
            reasons.append(reason)
        return NoSandbox(reason="; ".join(reasons))

    @property
    def name(self) -> str:
        """The chosen one's."""
        return self.chosen.name

    def why_not(self) -> str | None:
        """None if the chosen one ran a snippet."""
        return self.chosen.why_not() if self.chosen.name == "none" else None

    def open(self, seed: str) -> Session:
        """A fresh session of the chosen one."""
        return self.chosen.open(seed)

    def session(self, seed: str) -> AbstractAsyncContextManager[AsyncSession]:
        """A fresh session of the chosen one for `async with`."""
        return self.chosen.session(seed)

    def describe(self) -> Mapping[str, Any]:
        """What a trajectory records of the chosen one."""
        return self.chosen.describe()

    def probe(self) -> tuple[Finding, ...]:
        """The chosen one's limits."""
        return self.chosen.probe()

    def close(self) -> None:
        """End what waits in its pool."""
        if self._chosen is not None:
            self._chosen.close()
