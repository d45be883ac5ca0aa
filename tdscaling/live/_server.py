"""One server: a process, or an address, and the SDK's session with it.

Enters: an entry. Leaves: results of calls, or an `EnvironmentFailure` that names server, tool and
what happened. All of it happens on the servers' loop, and the contexts of the SDK are entered and
left by one task. After a failure the server is of no use any more.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
from mcp import ClientSession, McpError, types

from tdscaling.errors import EnvironmentFailure
from tdscaling.live import _http, _loop
from tdscaling.live._pipes import Incoming, Outgoing, Pipes
from tdscaling.live.entry import Entry

PAGES = 50
"""Pages of a list of tools that are read, at most."""
GRACE_SECONDS = 0.3
"""How long a server may take to end by itself once its stdin is closed; then it is killed."""
CLOSE_SECONDS = 10.0
"""How long closing may take on a busy machine before it is cut short."""
FIXED = {
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "TERM": "dumb",
    "USER": "user",
    "LOGNAME": "user",
    "SHELL": "/bin/sh",
    "PYTHONHASHSEED": "0",
    "PYTHONUNBUFFERED": "1",
    "NO_COLOR": "1",
}
"""What every server finds in its environment, so that no two of them differ."""


class Server:
    """A server that is running or has failed; make it with `start`."""

    def __init__(self, entry: Entry, command: tuple[str, ...]) -> None:
        self.entry = entry
        self.root = Path(os.path.realpath(tempfile.mkdtemp(prefix="tdscaling-live-")))
        self.group = 0
        self.failed = ""
        self._command = command
        self._session: ClientSession | None = None
        self._pipes: Pipes | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._closing = asyncio.Event()
        self._life: asyncio.Task[None] | None = None
        _loop.own(0, str(self.root))
        for name in ("home", "tmp", "workspace"):
            (self.root / name).mkdir()

    @property
    def workspace(self) -> Path:
        """The folder that the server works in."""
        return self.root / "workspace"

    @property
    def environment(self) -> dict[str, str]:
        """All variables that the server gets."""
        entry = self.entry
        passed = {name: os.environ[name] for name in entry.pass_env if name in os.environ}
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.root / "home"),
            "TMPDIR": str(self.root / "tmp"),
            **FIXED,
            **passed,
            **{name: self.placed(value) for name, value in entry.env.items()},
        }

    def placed(self, text: str) -> str:
        """A text of the entry with the conversation's own folder in it."""
        return text.replace("{dir}", str(self.workspace))

    async def start(self) -> None:
        """Start and shake hands.

        Raises:
            EnvironmentFailure: if it does not start in time, or not at all.
        """
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._life = asyncio.ensure_future(self._live(ready))
        try:
            await asyncio.wait_for(ready, self.entry.start_seconds)
        except TimeoutError:
            self.failed = f"did not start within {self.entry.start_seconds:g} s"
        except (OSError, McpError, RuntimeError, ValueError, anyio.ClosedResourceError) as error:
            self.failed = f"did not start: {error}"
        except Exception as error:  # noqa: BLE001 whatever a transport raises, it did not start
            self.failed = f"did not start: {type(error).__name__}: {error}"
        if self.failed:
            failure = self._failure("", self.failed)
            await self.close()
            raise failure

    async def tools(self) -> list[types.Tool]:
        """What it offers.

        Raises:
            EnvironmentFailure: if it does not say.
        """
        found: list[types.Tool] = []
        cursor: str | None = None
        for _ in range(PAGES):
            request = types.ListToolsRequest(params=types.PaginatedRequestParams(cursor=cursor))
            page = await self._ask("tools/list", request, types.ListToolsResult)
            found += page.tools
            cursor = page.nextCursor
            if not cursor:
                return found
        return found

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> types.CallToolResult:
        """Call a tool.

        Raises:
            EnvironmentFailure: if no answer comes, or none that can be used.
        """
        params = types.CallToolRequestParams(name=tool, arguments=dict(arguments))
        request = types.CallToolRequest(params=params)
        result: types.CallToolResult = await self._ask(tool, request, types.CallToolResult)
        return result

    def fail(self, why: str, what: str) -> EnvironmentFailure:
        """Have it count as failed; the failure to raise."""
        self.failed = why
        return self._failure(what, why)

    async def close(self) -> None:
        """End it, kill what is left of its process group, remove its folder."""
        self._closing.set()
        if self._life is not None:
            if self._session is None:
                self._life.cancel()  # it never got as far as to wait for its end
            done, _ = await asyncio.wait({self._life}, timeout=CLOSE_SECONDS)
            if not done:
                self._life.cancel()
                await asyncio.wait({self._life}, timeout=CLOSE_SECONDS)
        try:
            await asyncio.to_thread(self._remove)
        except RuntimeError:  # the interpreter is ending: its threads have already
            self._remove()

    def _remove(self) -> None:
        _loop.disown(self.group, str(self.root))
        _loop.disown(0, str(self.root))

    async def _ask(self, what: str, request: Any, kind: Any) -> Any:
        if self.failed or self._session is None:
            raise self._failure(what, self.failed or "is not running")
        seconds = self.entry.call_seconds
        try:
            # Not `call_tool`, which would hold results against schemas of the server's own making.
            return await self._session.send_request(
                types.ClientRequest(request), kind, timedelta(seconds=seconds)
            )
        except McpError as error:
            if error.error.code == types.CONNECTION_CLOSED or self._is_gone:
                self.failed = await self._end()
            elif error.error.code == 408:
                self.failed = f"gave no answer within {seconds:g} s"
            else:
                raise _Refused(error.error.message) from error
        except (anyio.ClosedResourceError, anyio.BrokenResourceError):
            self.failed = await self._end()
        except (ValueError, RuntimeError) as error:
            self.failed = f"gave an answer that is none: {' '.join(str(error).split())[:300]}"
        raise self._failure(what, self.failed)

    @property
    def is_usable(self) -> bool:
        """Whether it runs and has not failed."""
        return not self.failed and self._session is not None and not self._is_gone

    @property
    def _is_gone(self) -> bool:
        return self._process is not None and self._process.returncode is not None

    async def _end(self) -> str:
        pipes, process = self._pipes, self._process
        if pipes is None or process is None:
            return "closed the connection"
        if pipes.broken:
            return pipes.broken
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), GRACE_SECONDS)
        code = "" if process.returncode is None else f" (exit code {process.returncode})"
        return f"ended in the middle of the call{code}"

    def _failure(self, what: str, why: str) -> EnvironmentFailure:
        last = self._pipes.last_words if self._pipes else ""
        said = f"; it said: {last[-300:]}" if last else ""
        named = f"{self.entry.name}.{what}" if what else self.entry.name
        return EnvironmentFailure(f"{named}: the server {why}{said}")

    async def _live(self, ready: asyncio.Future[None]) -> None:
        try:
            async with AsyncExitStack() as stack:
                read, write = await stack.enter_async_context(self._transport())
                session = await stack.enter_async_context(ClientSession(read, write))
                await session.initialize()
                self._session = session
                if not ready.done():
                    ready.set_result(None)
                await self._closing.wait()
        except BaseException as error:
            self.failed = self.failed or f"failed: {error}"
            if isinstance(error, asyncio.CancelledError):
                raise
            # What goes wrong while it is closed is nobody's business any more.
            if not ready.done():
                ready.set_exception(_innermost(error))

    def _transport(self) -> contextlib.AbstractAsyncContextManager[tuple[Incoming, Outgoing]]:
        if self.entry.url is None:
            return self._stdio()
        return _http.transport(self.entry)

    @asynccontextmanager
    async def _stdio(self) -> AsyncIterator[tuple[Incoming, Outgoing]]:
        process = await asyncio.create_subprocess_exec(
            *map(self.placed, self._command),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self.environment,
            cwd=self.workspace,
            start_new_session=True,
            limit=self.entry.output_bytes,
        )
        self._process, self.group = process, process.pid
        _loop.own(process.pid, str(self.root))
        self._pipes = Pipes(process, self.entry.output_bytes)
        try:
            yield self._pipes.incoming, self._pipes.outgoing
        finally:
            await self._end_process(process, self._pipes)

    async def _end_process(self, process: asyncio.subprocess.Process, pipes: Pipes) -> None:
        try:
            if process.stdin is not None:
                process.stdin.close()
            if not self.failed:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), GRACE_SECONDS)
        finally:
            _loop.kill(process.pid)
            # First of all: a pipe that is full, or held by a grandchild, would keep `wait` waiting.
            process._transport.close()  # type: ignore[attr-defined]
            await pipes.close()
            await process.wait()


class _Refused(Exception):
    """The server answered with a protocol error: that is an answer, too."""


def refusal(error: Exception) -> str | None:
    """The words of an answer that is a protocol error; None for other errors."""
    return str(error) if isinstance(error, _Refused) else None


def _innermost(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    return error
