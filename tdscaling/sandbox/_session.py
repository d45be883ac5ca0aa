"""Sessions: one conversation's snippets and files in one sandbox.

Enters: a running sandbox and the limits. Leaves: results. Nothing that a snippet does raises: what
fails in a snippet is its result, what fails around it is `sandbox_lost`, and only a file that
can't be moved is an error. Arguments of wrong types are the caller's mistake, and raise.
"""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self, TypeVar, get_args

from tdscaling.errors import SandboxError
from tdscaling.sandbox import LANGUAGES, Language, Mode, Result, Status
from tdscaling.sandbox._box import Box, LostError
from tdscaling.sandbox._limits import MB, SPARE_KB, Limits

GRACE_SECONDS = 10.0
"""How much longer than a snippet's own time the host waits: the runner sweeps for 5 at most."""

FILE_SECONDS = 30.0
T = TypeVar("T")


class BoxSession:
    """A session over a running sandbox."""

    def __init__(self, box: Box, limits: Limits) -> None:
        self._box, self._limits = box, limits
        self._turn = threading.Lock()
        self._lost = ""

    @property
    def lost(self) -> bool:
        """Whether the sandbox is gone."""
        return bool(self._lost)

    def run(
        self,
        code: str | bytes,
        language: Language,
        *,
        mode: Mode = "notebook",
        seconds: float | None = None,
        ours: bool = False,
    ) -> Result:
        """Run a snippet; see the protocol. Only arguments of wrong types raise."""
        spare = SPARE_KB if ours else 0
        data, objection = self._checked(code, language, mode, self._limits.code_kb + spare)
        if seconds is not None and not (math.isfinite(seconds) and seconds > 0):
            objection = f"seconds: expected a positive number, got {seconds!r}"
        if objection:
            return Result("refused", None, "", f"sandbox: {objection}\n", False, 0.0)
        allowed = min(self._limits.seconds if seconds is None else seconds, self._limits.seconds)
        keep = self._limits.output_kb << 10
        request = {
            "do": "run", "language": language, "mode": mode, "seconds": allowed, "keep": keep,
            "flood": self._limits.flood_mb * MB,
        }  # fmt: skip
        try:
            reply, said = self._ask(request, data, most=2 * keep, seconds=allowed + GRACE_SECONDS)
            return _result(reply, said)
        except (LostError, KeyError, TypeError, ValueError) as error:
            self._lose(str(error))
            return Result("sandbox_lost", None, "", f"sandbox: {self._lost}\n", False, 0.0, True)

    def _checked(
        self, code: str | bytes, language: str, mode: str, most_kb: int
    ) -> tuple[bytes, str]:
        """The snippet's bytes, and what speaks against running it."""
        if language not in LANGUAGES:
            return b"", f"unknown language {language!r}; expected one of {', '.join(LANGUAGES)}"
        if mode not in get_args(Mode):
            return b"", f"unknown mode {mode!r}; expected one of {', '.join(get_args(Mode))}"
        try:
            data = code.encode() if isinstance(code, str) else code
            text = data.decode()
        except UnicodeError as error:
            return b"", f"the snippet is not UTF-8 text: {error}"
        if not text.strip():
            return b"", "the snippet is empty"
        if "\0" in text:
            return b"", "the snippet has null bytes"
        most = most_kb << 10
        if len(data) > most:
            return b"", f"the snippet has {len(data)} bytes, {most} are allowed (sandbox.code_kb)"
        return data, ""

    def put(self, path: str, data: bytes) -> None:
        """Write a file of the workspace.

        Raises:
            SandboxError: if the file is too large or can't be written.
        """
        most = self._limits.file_mb * MB
        if len(data) > most:
            raise SandboxError(
                f"sandbox: {path!r} has {len(data)} bytes, {most} are allowed; type for example "
                f"sandbox.file_mb={len(data) // MB + 1}"
            )
        self._file({"do": "put", "path": _relative(path)}, data, most=0)

    def get(self, path: str) -> bytes:
        """Read a regular file of the workspace; no link is followed.

        Raises:
            SandboxError: if it is none, or too large.
        """
        most = self._limits.file_mb * MB
        return self._file({"do": "get", "path": _relative(path), "most": most}, b"", most=most)

    def _file(self, request: dict[str, Any], data: bytes, *, most: int) -> bytes:
        try:
            reply, found = self._ask(request, data, most=most, seconds=FILE_SECONDS)
        except LostError as error:
            self._lose(str(error))
            raise SandboxError(f"sandbox: {self._lost}") from error
        if "error" in reply:
            raise SandboxError(
                f"sandbox: {request['do']} {request['path']!r}: {str(reply['error'])[:200]}"
            )
        return found

    def _ask(
        self, request: dict[str, Any], blob: bytes, *, most: int, seconds: float
    ) -> tuple[dict[str, Any], bytes]:
        with self._turn:
            if self._lost:
                raise LostError(self._lost)
            return self._box.ask(request, blob, most=most, seconds=seconds)

    def _lose(self, reason: str) -> None:
        if not self._lost:
            known = self._box.reason()
            self._lost = f"the sandbox is lost ({reason}{': ' + known if known else ''})"
            self._box.kill()

    def close(self) -> None:
        """End the sandbox. A snippet under way ends as `sandbox_lost`."""
        self._lost = self._lost or "the session is closed"
        self._box.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _relative(path: str) -> str:
    odd = "\0" in path or any("\ud800" <= letter <= "\udfff" for letter in path)
    if odd or any(part in ("", ".", "..") for part in path.split("/")):
        raise SandboxError(
            f"sandbox: expected a path within the workspace such as data/a.csv, got {path!r}"
        )
    return path


_STATUSES: dict[str, Status] = {
    "ok": "ok", "timeout": "timeout", "output_limit": "output_limit",
    "memory_limit": "memory_limit",
}  # fmt: skip


def _result(reply: dict[str, Any], said: bytes) -> Result:
    """A runner's reply as a result; anything odd about it raises."""
    if "error" in reply:
        raise LostError(f"cannot run snippets any more: {str(reply['error'])[:200]}")
    cut, total, code = int(reply["stdout"]), int(reply["total"]), reply["exit"]
    return Result(
        status=_STATUSES[reply["status"]],
        exit_code=None if code is None else int(code),
        stdout=said[:cut].decode(errors="replace"),
        stderr=said[cut:].decode(errors="replace"),
        truncated=total > len(said),
        seconds=float(reply["seconds"]),
        state_lost=bool(reply["lost"]),
    )


class LoopSession:
    """A session for an event loop: the waiting is done in a thread of the session's own.

    A pool of threads that others use, too, could be full of conversations that wait.
    """

    def __init__(self, session: BoxSession, thread: ThreadPoolExecutor) -> None:
        self._session, self._thread = session, thread

    @property
    def lost(self) -> bool:
        """Whether the sandbox is gone."""
        return self._session.lost

    async def run(
        self,
        code: str | bytes,
        language: Language,
        *,
        mode: Mode = "notebook",
        seconds: float | None = None,
    ) -> Result:
        """Run a snippet."""
        return await self._away(
            lambda: self._session.run(code, language, mode=mode, seconds=seconds)
        )

    async def put(self, path: str, data: bytes) -> None:
        """Write a file of the workspace."""
        await self._away(lambda: self._session.put(path, data))

    async def get(self, path: str) -> bytes:
        """Read a file of the workspace."""
        return await self._away(lambda: self._session.get(path))

    async def _away(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


@asynccontextmanager
async def in_loop(start: Callable[[], BoxSession]) -> AsyncIterator[LoopSession]:
    """Open a session in a thread of its own, and end it whatever happens."""
    loop = asyncio.get_running_loop()
    thread = ThreadPoolExecutor(1, "sandbox")
    opening = thread.submit(start)
    try:
        session = await asyncio.wrap_future(opening, loop=loop)
    except BaseException:
        # Cancelled while it was being opened: it must not stay open.
        opening.add_done_callback(_close_unwanted)
        thread.shutdown(wait=False)
        raise
    try:
        yield LoopSession(session, thread)
    finally:
        await asyncio.shield(asyncio.to_thread(session.close))
        thread.shutdown(wait=False)


def _close_unwanted(opening: Any) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
