"""A service that a model plays: its session and what its answers must keep to.

Enters: calls. Leaves: results that fit the tool's columns and agree with a state that this module,
not the model, keeps: ids exist as long as their rows do, reads change nothing, and the same call
in the same state has the same answer. What does not hold fails the attempt and is never content.
"""

from __future__ import annotations

import asyncio
import copy
import functools
import json
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from tdscaling.declared.domain import Domain, ToolSpec
from tdscaling.declared.session import Result, Row, Session, StateChanges
from tdscaling.declared.world import world
from tdscaling.errors import EnvironmentFailure
from tdscaling.llm import Endpoint, NoReply
from tdscaling.llm._text import value_in
from tdscaling.schema import Provenance, canonical, digest

if TYPE_CHECKING:
    from jinja2 import Environment

T = TypeVar("T")
State = dict[str, dict[str, Row]]
REMEMBERED = 20_000
"""Answers that a process remembers."""
_SCALAR = {"type": ["string", "number", "integer", "boolean", "null"]}
_ROW = {"type": "object", "additionalProperties": _SCALAR}


class InconsistentError(ValueError):
    """An answer that does not agree with the state, or is none."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered to a call, checked."""

    result: Result
    changes: tuple[tuple[str, str, Row | None], ...]


_memory: OrderedDict[str, Answer] = OrderedDict()
_lock = Lock()


@dataclass(frozen=True, slots=True, eq=False)
class ImaginedDomain(Domain):
    """A drafted domain whose calls a model answers."""

    llm: Endpoint = None  # type: ignore[assignment] # after fields that have defaults
    tries: int = 1

    @property
    def provenance(self) -> Provenance:
        """A model is no service."""
        return "simulated"

    @property
    def blocking(self) -> bool:
        """A model takes its time."""
        return True

    def open(self, seed: str) -> Session:
        """A session in the state that a seed names."""
        return ImaginedSession(self, seed)


class ImaginedSession:
    """One conversation with a service that a model plays."""

    def __init__(self, domain: ImaginedDomain, seed: str) -> None:
        self.domain: Domain = domain
        self.provenance: Provenance = domain.provenance
        self._own = domain
        self._seed = seed
        # The plan draws ids out of the rows that the model's world begins with.
        self._drawn = world(domain, seed).open()
        self._before = _state(domain, seed)
        self._now = copy.deepcopy(self._before)
        self._writes: list[str] = []
        self._log: list[str] = []

    def execute(self, name: str, arguments: Mapping[str, Any]) -> Result:
        """Call a tool; waits for the model.

        Raises:
            KeyError: if the domain has no such tool.
            EnvironmentFailure: if the model gives no usable answer.
        """
        tool = self.domain.tools[name]
        problem = tool.problem(arguments)
        if problem:
            return _failed(f"invalid arguments: {problem}")
        call = canonical([name, dict(arguments)])
        answer = self._answer(tool, arguments, call)
        if answer.changes:
            self._writes.append(call)
            _apply(self._now, answer.changes)
        self._log = [*self._log, f"{call} -> {answer.result.content}"]
        return answer.result

    async def call(self, name: str, arguments: Mapping[str, Any]) -> Result:
        """As `execute`, in a thread."""
        return await asyncio.to_thread(self.execute, name, arguments)

    def attempt(
        self, name: str, arguments: Mapping[str, Any], wanted: Callable[[Result], bool]
    ) -> Result | None:
        """Call a tool, and undo the call where its result is not the wanted one."""
        before = copy.deepcopy(self._now), list(self._writes), self._log
        result = self.execute(name, arguments)
        if wanted(result):
            return result
        self._now, self._writes, self._log = before
        return None

    def table(self, query: str, where: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Rows of the initial state."""
        return self._drawn.table(query, where)

    def changes(self) -> StateChanges:
        """Difference between the initial state and now."""
        return {
            f"{self.domain.name}.{table}": difference
            for table in sorted(self._before.keys() | self._now.keys())
            if (difference := _difference(self._before.get(table, {}), self._now.get(table, {})))
        }

    def close(self) -> None:
        """Free the state."""
        self._drawn.close()

    def _answer(self, tool: ToolSpec, arguments: Mapping[str, Any], call: str) -> Answer:
        """The answer to a call after the writes so far; asked once per process."""
        key = digest([self._own.llm.model, self.domain.digest, self._seed, self._writes, call], 32)
        with _lock:
            if key in _memory:
                _memory.move_to_end(key)
                return _memory[key]
        answer = self._asked(tool, arguments, key)
        with _lock:
            # The first of two that were asked at once stands.
            answer = _memory.setdefault(key, answer)
            if len(_memory) > REMEMBERED:
                _memory.popitem(last=False)
        return answer

    def _asked(self, tool: ToolSpec, arguments: Mapping[str, Any], key: str) -> Answer:
        problem = ""
        for number in range(self._own.tries):
            prompt = self._prompt(tool, arguments, problem)
            # A copy, because connections belong to one event loop, and roles have theirs.
            request = copy.copy(self._own.llm).chat(
                "environment",
                [{"role": "user", "content": prompt}],
                seed=f"{key}:{number}",
                json_schema={"name": "answer", "schema": _shape(tool)},
            )
            try:
                reply = _wait(request)
                return checked_answer(
                    str(reply.message["content"]), tool, arguments, self._now, self.domain
                )
            except (NoReply, InconsistentError) as error:
                problem = str(error)
        raise EnvironmentFailure(f"{self.domain.name}.{tool.name}: {problem}")

    def _prompt(self, tool: ToolSpec, arguments: Mapping[str, Any], problem: str) -> str:
        file = self.domain.file
        text: str = _template().render(
            title=file.simulates or self.domain.name,
            clock=file.clock,
            state=json.dumps(self._now, ensure_ascii=False),
            calls=self._log,
            tool={"name": tool.name, "description": tool.file.description},
            arguments=json.dumps(dict(arguments), ensure_ascii=False),
            shape=json.dumps(_shape(tool)["properties"]["result"]),
            writes=bool(tool.writes),
            many=tool.file.result == "many",
            columns=", ".join(tool.columns),
            problem=problem,
        )
        return text


def checked_answer(
    text: str, tool: ToolSpec, arguments: Mapping[str, Any], state: State, domain: Domain
) -> Answer:
    """A model's answer as a result.

    Raises:
        InconsistentError: if it is no answer, or does not agree with the state.
    """
    import fastjsonschema

    try:
        said = value_in(text)
        fastjsonschema.compile(_shape(tool), use_default=False)(said)
    except ValueError as error:
        raise InconsistentError(f"malformed answer: {str(error)[:200]}") from error
    changes = tuple((c["table"], str(c["key"]), c["row"]) for c in said["changes"])
    if not said["ok"]:
        if changes or said["result"]:
            raise InconsistentError("a call that fails has no result and changes nothing")
        return Answer(_failed(str(said.get("error") or "the call failed")[:300]), ())
    rows = tuple({name: row[name] for name in tool.columns} for row in said["result"])
    _agree(tool, arguments, rows, changes, state, domain)
    if tool.file.result == "many":
        return Answer(Result(True, rows, json.dumps(list(rows), ensure_ascii=False)), changes)
    if len(rows) != 1:
        raise InconsistentError(f"expected one row, got {len(rows)}")
    return Answer(Result(True, rows, json.dumps(rows[0], ensure_ascii=False)), changes)


def _agree(
    tool: ToolSpec,
    arguments: Mapping[str, Any],
    rows: tuple[Row, ...],
    changes: tuple[tuple[str, str, Row | None], ...],
    state: State,
    domain: Domain,
) -> None:
    if changes and not tool.writes:
        raise InconsistentError("a tool that only reads changed the state")
    for table, key, row in changes:
        if table not in domain.tables:
            raise InconsistentError(f"there is no table {table[:60]!r}")
        if row is None and key not in state.get(table, {}):
            raise InconsistentError(f"{table} has no {key[:60]!r} to remove")
    after = copy.deepcopy(state)
    _apply(after, changes)
    for name, value in arguments.items():
        home = domain.homes.get(tool.source(name)) if name in tool.file.parameters else None
        if home and value is not None and not _there(state, home, value) and not tool.writes:
            raise InconsistentError(f"{name} {value!r} is not in the state, yet the call succeeds")
    for row in rows:
        for column, value in row.items():
            home = domain.homes.get(column)
            if home and value is not None and not _there(after, home, value):
                raise InconsistentError(f"{column} {value!r} is in the result but not in the state")


def _there(state: State, table: str, value: Any) -> bool:
    return str(value) in state.get(table, {})


def _apply(state: State, changes: tuple[tuple[str, str, Row | None], ...]) -> None:
    for table, key, row in changes:
        if row is None:
            state.get(table, {}).pop(key, None)
        else:
            state.setdefault(table, {})[key] = dict(row)


def _shape(tool: ToolSpec) -> dict[str, Any]:
    row = {
        "type": "object",
        "properties": dict.fromkeys(tool.columns, _SCALAR),
        "required": list(tool.columns),
        "additionalProperties": False,
    }
    change = {
        "type": "object",
        "properties": {
            "table": {"type": "string"},
            "key": {"type": ["string", "integer"]},
            "row": {"anyOf": [_ROW, {"type": "null"}]},
        },
        "required": ["table", "key", "row"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {
            "ok": {"type": "boolean"},
            "error": {"type": ["string", "null"]},
            "result": {"type": "array", "items": row, "maxItems": 50},
            "changes": {"type": "array", "items": change, "maxItems": 50},
        },
        "required": ["ok", "result", "changes"],
        "additionalProperties": False,
    }


def _state(domain: Domain, seed: str) -> State:
    """The rows that a world begins with, by table and key; tables of canned answers left out."""
    origin = world(domain, seed)
    found: State = {}
    for table, rows in origin.tables.items():
        columns, keys = origin.columns[table]
        if table in domain.homes.values() and columns[keys[0]] != "no":
            found[table] = {str(row[keys[0]]): dict(zip(columns, row, strict=True)) for row in rows}
    return found


def _difference(before: dict[str, Row], after: dict[str, Row]) -> dict[str, Any]:
    changed = {
        key: {"row": [before[key], after[key]]}
        for key in sorted(before.keys() & after.keys())
        if before[key] != after[key]
    }
    parts = {
        "added": [{"key": key, **after[key]} for key in sorted(after.keys() - before.keys())],
        "removed": [{"key": key, **before[key]} for key in sorted(before.keys() - after.keys())],
        "changed": changed,
    }
    return {name: part for name, part in parts.items() if part}


def _failed(error: str) -> Result:
    return Result(False, (), json.dumps({"error": error}, ensure_ascii=False))


def _wait(request: Coroutine[Any, Any, T]) -> T:
    """The result of a request: plans are made in plain functions, on any thread.

    Each request has an event loop and connections of its own, which end with it: a model's answer
    takes longer than connecting, and nothing is left open in threads that come and go.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(request)
    with ThreadPoolExecutor(1) as thread:
        # Requests are charged to the attempt that makes them.
        return thread.submit(copy_context().run, asyncio.run, request).result()


@functools.cache
def _template() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment: Environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "prompts"),
        undefined=StrictUndefined,
        autoescape=False,  # the reader is a model, not a browser
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("call.jinja")
