"""Stage `sandbox`: where untrusted code runs.

Enters: snippets of Python, bash and SQL, one conversation's in one session. Leaves: what each said
and how it ended, and never more than its limits allow. Options differ in what they isolate with;
there is none that runs code unprotected.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Protocol, Self

Language = Literal["python", "bash", "sql"]
LANGUAGES: tuple[Language, ...] = ("python", "bash", "sql")

Mode = Literal["notebook", "fork", "fresh"]
"""How Python runs: in names that are kept between snippets; in a fork of a warm interpreter that
keeps nothing; in an interpreter of its own. Bash and SQL always run in a process of their own."""

Status = Literal["ok", "timeout", "output_limit", "memory_limit", "refused", "sandbox_lost"]
"""How a snippet ended.

    ok            it ended by itself, with whatever exit code
    timeout       it was killed when its time was over; what it said before is there
    output_limit  it was killed for saying too much
    memory_limit  it, or a part of it, was killed for lack of memory
    refused       it was not run: it is empty, too long or no text; `stderr` says what to change
    sandbox_lost  the sandbox is gone, and all its state; nothing is known of the snippet
"""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one snippet."""

    status: Status
    exit_code: int | None
    """As a shell tells it, 128 and more for signals; None where it did not end by itself."""
    stdout: str
    stderr: str
    """Bytes that are no UTF-8 are replaced. Any control character may be in here."""
    truncated: bool
    """Whether it said more than is kept."""
    seconds: float
    """Wall time. Differs from run to run: keep it out of observations."""
    state_lost: bool = False
    """Whether Python's variables are gone; files are kept unless the sandbox is lost."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One limit as a probe saw it."""

    limit: str
    enforced: bool | None
    """None where the trial came to no end, so that nothing is known."""
    seen: str
    """What was tried and what came of it; what to do where it is not enforced."""


class Session(Protocol):
    """One conversation's sandbox. Not for several threads at a time."""

    @property
    def lost(self) -> bool:
        """Whether the sandbox is gone; then every snippet ends as `sandbox_lost`."""
        ...

    def run(
        self, code: str | bytes, language: Language, *,
        mode: Mode = "notebook", seconds: float | None = None, ours: bool = False,
    ) -> Result:  # fmt: skip
        """Run a snippet; `seconds` may shorten the configured time.

        Whatever text or bytes a snippet is, nothing is raised: the result tells. Arguments of
        other types than these are a mistake of the caller's and raise as Python does.
        What is `ours` may be longer than snippets of an assistant's: `code_kb` is about those.
        """
        ...

    def put(self, path: str, data: bytes) -> None:
        """Write a file; the path is relative to the workspace."""
        ...

    def get(self, path: str) -> bytes:
        """Read a regular file of the workspace."""
        ...

    def close(self) -> None:
        """End the sandbox with all that is in it."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class AsyncSession(Protocol):
    """The same for an event loop, which goes on meanwhile."""

    @property
    def lost(self) -> bool:
        """Whether the sandbox is gone."""
        ...

    async def run(
        self, code: str | bytes, language: Language, *,
        mode: Mode = "notebook", seconds: float | None = None,
    ) -> Result:  # fmt: skip
        """Run a snippet."""
        ...

    async def put(self, path: str, data: bytes) -> None:
        """Write a file of the workspace."""
        ...

    async def get(self, path: str) -> bytes:
        """Read a file of the workspace."""
        ...


class Sandbox(Protocol):
    """Makes sessions. Can be pickled; what it holds is made at first use."""

    @property
    def name(self) -> str:
        """Which isolation it is: docker, bubblewrap or none."""
        ...

    @property
    def required(self) -> bool:
        """Whether it was asked for by name, so that work must not go on without it."""
        ...

    def why_not(self) -> str | None:
        """None if a snippet really ran; otherwise what is amiss and how to mend it."""
        ...

    def open(self, seed: str) -> Session:
        """A fresh session, from the pool if one is ready.

        Raises:
            SandboxError: if none can be started, with the fix.
        """
        ...

    def session(self, seed: str) -> AbstractAsyncContextManager[AsyncSession]:
        """A fresh session for `async with`."""
        ...

    def describe(self) -> Mapping[str, Any]:
        """Backend, image digest and limits: what a trajectory records."""
        ...

    def probe(self) -> tuple[Finding, ...]:
        """Try every limit by running snippets against it."""
        ...

    def close(self) -> None:
        """End all sandboxes that wait in the pool. A later `open` starts anew."""
        ...
