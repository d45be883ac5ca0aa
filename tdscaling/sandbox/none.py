"""No sandbox: the code tool is off.

Enters: nothing. Leaves: a refusal that says how to turn it on. Nothing runs unprotected instead.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any, NoReturn

from tdscaling.errors import SandboxError
from tdscaling.sandbox import Finding

TURN_ON = (
    "type sandbox=bubblewrap (apt-get install bubblewrap) or sandbox=docker (a running engine); "
    "`tdscaling doctor` says which works here"
)


class NoSandbox:
    """Refuses to run anything.

    Args:
        reason: why it is off; empty where it was asked for.
    """

    name = "none"
    required = False

    def __init__(self, *, reason: str = "") -> None:
        self.reason = reason

    def why_not(self) -> str:
        """Why it is off, and how to turn it on."""
        because = f" ({self.reason})" if self.reason else ""
        return f"the code tool is off{because}: {TURN_ON}"

    def open(self, seed: str) -> NoReturn:
        """Raises `SandboxError`."""
        raise SandboxError(self.why_not())

    def session(self, seed: str) -> AbstractAsyncContextManager[Any]:
        """Raises `SandboxError`."""
        raise SandboxError(self.why_not())

    def describe(self) -> dict[str, Any]:
        """What a trajectory records."""
        return {"backend": self.name}

    def probe(self) -> tuple[Finding, ...]:
        """Nothing runs, so nothing is to be limited."""
        return ()

    def close(self) -> None:
        """Nothing to end."""
