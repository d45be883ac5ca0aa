"""One conversation with a server of its own.

Enters: a live domain and the seed of its world. Leaves: results of calls as the assistant sees
them, made stable; the changes of the server's state. The server is taken from the pool with the
first call, so that nobody waits for one that is never called.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from mcp import types

from tdscaling.declared.session import Result, Row, StateChanges
from tdscaling.errors import EnvironmentFailure
from tdscaling.live import _loop, _setup, _state
from tdscaling.live._pool import Pool, pool
from tdscaling.live._server import Server, refusal
from tdscaling.live._times import Times
from tdscaling.live.cassette import told
from tdscaling.live.entry import Entry, State
from tdscaling.live.recording import begin, follow, keep_call, keep_changes
from tdscaling.live.stable import Stable
from tdscaling.schema import Provenance, canonical

if TYPE_CHECKING:
    from tdscaling.live.domain import LiveDomain


class LiveSession:
    """Executes calls on a real server, one after the other."""

    provenance: Provenance = "executed"

    def __init__(self, domain: LiveDomain, seed: str) -> None:
        self.domain = domain
        self._entry: Entry = domain.launch.entry
        self._seed = seed
        self._key = begin(domain.digest, seed)
        self._pool: Pool | None = None
        self._server: Server | None = None
        self._stable: Stable | None = None
        self._before: _state.Reading = {}
        self._made: Counter[str] = Counter()
        self._written: list[Row] = []
        self._lock: asyncio.Lock | None = None
        self._closed = False

    def execute(self, name: str, arguments: Mapping[str, Any]) -> Result:
        """Call a tool and wait.

        Raises:
            KeyError: if the domain has no such tool.
            EnvironmentFailure: if the server is broken.
        """
        refused = self._invalid(name, arguments)
        return self._kept(name, arguments, refused or _loop.wait(self._call(name, arguments)))

    async def call(self, name: str, arguments: Mapping[str, Any]) -> Result:
        """As `execute`, without holding up other conversations."""
        refused = self._invalid(name, arguments)
        if refused is None:
            refused = await asyncio.wrap_future(_loop.submit(self._call(name, arguments)))
        return self._kept(name, arguments, refused)

    def attempt(
        self, name: str, arguments: Mapping[str, Any], wanted: Callable[[Result], bool]
    ) -> Result | None:
        """Call a tool; None where the result is not the wanted one. Nothing is undone."""
        result = self.execute(name, arguments)
        return result if wanted(result) else None

    def table(self, query: str, where: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """None: the state is the server's own."""
        return []

    def changes(self) -> StateChanges:
        """Difference between the initial state and now.

        Raises:
            EnvironmentFailure: if the state cannot be read.
        """
        found = self._changes()
        keep_changes(self.domain.name, self._key, found)
        return found

    def close(self) -> None:
        """Give the server back; nobody waits for its end."""
        self._closed = True
        _loop.submit(self._release())

    def _invalid(self, name: str, arguments: Mapping[str, Any]) -> Result | None:
        problem = self.domain.tools[name].problem(arguments)
        return _failed(f"invalid arguments: {problem}") if problem else None

    def _kept(self, name: str, arguments: Mapping[str, Any], result: Result) -> Result:
        self._key = follow(self._key, name, dict(arguments))
        keep_call(self.domain.name, self._key, name, result.ok, result.content)
        if result.ok and self.domain.tools[name].writes:
            self._written.append({"tool": name, "arguments": dict(arguments)})
        return result

    def _changes(self) -> StateChanges:
        state = self._entry.state
        if state == "none" or self._server is None or self._stable is None:
            return {}
        if state == "calls":
            # Nobody knows where this server keeps its state: what was written stands for it.
            added = sorted(self._written, key=canonical)
            return {f"{self.domain.name}.calls": {"added": added}} if added else {}
        after = _state.read(self._server, state)
        return _state.difference(
            self.domain.name, self._before, after, self._stable, state.leave_out
        )

    async def _call(self, name: str, arguments: Mapping[str, Any]) -> Result:
        self._lock = self._lock or asyncio.Lock()
        async with self._lock:
            server, stable = await self._ready()
            text, ok = await self._said(
                server, stable, self.domain.real(name), {**self.domain.fixed(name), **arguments}
            )
        return _result(text, ok)

    async def _said(
        self, server: Server, stable: Stable, tool: str, arguments: Mapping[str, Any]
    ) -> tuple[str, bool]:
        asked = canonical(dict(arguments))
        number = self._made[f"{tool}:{asked}"]
        self._made[f"{tool}:{asked}"] += 1
        try:
            result = await server.call(tool, stable.inward(dict(arguments)))
        except EnvironmentFailure:
            raise
        except Exception as error:
            words = refusal(error)
            if words is None:
                raise
            return stable.outward(words, f"{tool}:{asked}:{number}", asked), False
        text = content(result)
        if len(text) > self._entry.output_bytes:
            raise server.fail(f"answered with more than {self._entry.output_bytes} bytes", tool)
        return stable.outward(text, f"{tool}:{asked}:{number}", asked), not result.isError

    async def _ready(self) -> tuple[Server, Stable]:
        if self._server is not None and self._stable is not None:
            return self._server, self._stable
        if self._closed:
            raise EnvironmentFailure(f"{self.domain.name}: the session is closed")
        self._pool = self._pool or await pool(self.domain.launch)
        server = await self._pool.take()
        self._server, self._stable = server, stable_of(server, self._seed)
        tables = await asyncio.to_thread(_setup.put, server, self._entry.setup, self._seed)
        stable = self._stable

        async def call(tool: str, arguments: Mapping[str, Any]) -> bool:
            text, ok = await self._said(server, stable, tool, arguments)
            return _result(text, ok).ok

        await _setup.make_calls(self._entry.setup, tables, call, self._entry.name)
        if isinstance(self._entry.state, State):
            path = self._entry.state.sqlite
            await asyncio.to_thread(_setup.run_sql, server, self._entry.setup, path)
            self._before = await asyncio.to_thread(_state.read, server, self._entry.state)
        return server, stable

    async def _release(self) -> None:
        if self._lock is not None and self._lock.locked() and self._server is not None:
            self._server.fail("was left in the middle of a call", "")
        if self._pool is not None and self._server is not None:
            self._pool.give_back(self._server)
            self._pool = None


def stable_of(server: Server, seed: str) -> Stable:
    """The mapping of a conversation."""
    entry = server.entry
    clock = dt.datetime.fromisoformat(f"{entry.clock}:00+00:00")
    folders = (
        (str(server.workspace), "/workspace"),
        (str(server.root / "home"), "/home/user"),
        (str(server.root / "tmp"), "/tmp/scratch"),
        (str(server.root), "/sandbox"),
    )
    return Stable(f"{entry.name}:{seed}", folders, entry.volatile, Times(clock))


def content(result: types.CallToolResult) -> str:
    """The text of a result as an assistant sees it."""
    parts = []
    for block in result.content:
        if isinstance(block, types.TextContent):
            parts.append(block.text)
        elif isinstance(block, types.EmbeddedResource):
            resource = block.resource
            if isinstance(resource, types.TextResourceContents):
                parts.append(resource.text)
            else:
                parts.append(f"[resource {resource.uri}]")
        elif isinstance(block, types.ResourceLink):
            parts.append(f"[resource {block.uri}]")
        else:
            parts.append(f"[{block.type} {block.mimeType}]")
    if not parts and result.structuredContent is not None:
        return json.dumps(result.structuredContent, ensure_ascii=False)
    return "\n".join(parts)


def _result(text: str, ok: bool) -> Result:
    if not ok:
        return _failed(text or "the tool failed and did not say why")
    if failed(text):
        return Result(False, (), text)
    return Result(True, told(text), text)


def failed(text: str) -> bool:
    """Whether a result says itself that the call failed, as many servers have it."""
    if not text.lstrip().startswith("{"):
        return text.lstrip().lower().startswith(("error:", "error ", "database error"))
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(data, dict) and bool(
        data.get("error")
        or data.get("errors")
        or data.get("isError") is True
        or data.get("success") is False
        or data.get("ok") is False
        or data.get("status") == "error"
    )


def _failed(error: str) -> Result:
    return Result(False, (), json.dumps({"error": error}, ensure_ascii=False))
