"""What a server's tools do, found out by calling them.

Enters: a domain of tools that are known by their schemas, and the edges that the schemas suggest.
Leaves: which tools work, what their results look like, which of them write, and which edges hold:
a tool took a value that another one had returned. All of it happens on scratch servers, and twice:
a tool that says something else the second time cannot be part of a conversation that repeats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tdscaling.bindings import read
from tdscaling.dataflow import action
from tdscaling.declared.arguments import typed
from tdscaling.declared.definition import Parameter
from tdscaling.declared.rows import GeneratorError, Generators
from tdscaling.declared.session import Result, Session, StateChanges
from tdscaling.schema import Edge, Tool

PASSES = 3
"""Rounds over the tools: what one round creates, the next one can use."""
ROWS = 40
"""Rows of a tool's results that are kept."""
_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str, "integer": int, "number": (int, float), "boolean": (), "array": list,
    "object": dict,
}  # fmt: skip
"""Values that a parameter takes from another tool as they are."""
_ORDER = {"login": 0, "create": 1, "list": 2, "read": 3, "other": 4, "update": 5, "delete": 6}


@dataclass(slots=True)
class Finding:
    """What is known of one tool."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    many: bool = False
    writes: bool = False
    worked: int = 0
    error: str = "it was never called: no value for its parameters was found"
    refused: set[str] = field(default_factory=set)
    """Optional parameters with which it fails."""
    given: set[str] = field(default_factory=set)
    """Optional parameters with which it works."""


@dataclass(slots=True)
class Findings:
    """What is known of a server."""

    tools: dict[str, Finding]
    confirmed: set[tuple[str, str, str, str]] = field(default_factory=set)
    """Producer, consumer, column and slot of edges that hold."""
    calls: list[tuple[str, dict[str, Any], str]] = field(default_factory=list)
    """Every call with what it observed."""
    changes: StateChanges = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Subject:
    """What is probed."""

    tools: Sequence[Tool]
    parameters: Mapping[str, Mapping[str, Parameter]]
    infer: Callable[[Mapping[str, Sequence[str]]], Iterable[Edge]]
    """Edges, given the columns that tools were seen to return."""
    clock: str
    tries: int
    tracked: bool
    """Whether a change of the state can be seen."""


class Probe:
    """Calls tools on one scratch session."""

    def __init__(self, subject: Subject, session: Session) -> None:
        self._subject, self._session = subject, session
        self.found = Findings({tool.name: Finding() for tool in subject.tools})
        self._last: StateChanges = {}

    def run(self) -> Findings:
        """Call every tool until it works, or there is nothing left to try.

        Raises:
            EnvironmentFailure: if the server breaks.
        """
        order = sorted(self._subject.tools, key=lambda tool: _ORDER[action(tool)])
        for number in range(PASSES):
            for tool in order:
                edges = self._edges(tool.name)
                deletes = action(tool) == "delete"
                if deletes and number < PASSES - 1:
                    continue
                self._probe(tool, edges, number)
        self.found.changes = self._session.changes()
        return self.found

    def _edges(self, consumer: str) -> dict[str, list[Edge]]:
        columns = {
            name: tuple(dict.fromkeys(column for row in found.rows for column in row))
            for name, found in self.found.tools.items()
            if found.worked
        }
        edges: dict[str, list[Edge]] = {}
        for edge in self._subject.infer(columns):
            if edge.consumer == consumer and edge.column in columns.get(edge.producer, ()):
                edges.setdefault(edge.slot, []).append(edge)
        return edges

    def _probe(self, tool: Tool, edges: Mapping[str, list[Edge]], number: int) -> None:
        parameters = self._subject.parameters[tool.name]
        optional = [name for name, parameter in parameters.items() if parameter.optional]
        for turn in range(self._subject.tries):
            generators = Generators(f"probe:{tool.name}:{number}:{turn}", self._subject.clock, None)
            used: list[Edge] = []
            arguments: dict[str, Any] = {}
            for name, parameter in parameters.items():
                if parameter.optional:
                    continue
                value = self._value(name, parameter, edges.get(name, []), turn, generators, used)
                if value is None:
                    return
                arguments[name] = value
            extra = optional[(turn - 1) % len(optional)] if turn and optional else None
            if extra is not None:
                value = _drawn(parameters[extra], generators)
                if value is not None:
                    arguments[extra] = value
            ok = self._call(tool.name, arguments, used)
            self._learn(tool.name, extra if extra in arguments else None, ok)

    def _learn(self, tool: str, extra: str | None, ok: bool) -> None:
        found = self.found.tools[tool]
        if extra is not None and ok:
            found.given.add(extra)
        elif extra is not None and found.worked:
            found.refused.add(extra)

    def _value(
        self,
        name: str,
        parameter: Parameter,
        edges: Sequence[Edge],
        turn: int,
        generators: Generators,
        used: list[Edge],
    ) -> Any:
        """A value that another tool returned where one is known to, else an invented one."""
        known = [
            (edge, values)
            for edge in edges
            if (values := self._values(edge, parameter)) and edge.producer != edge.consumer
        ]
        if known:
            edge, values = known[turn % len(known)]
            used.append(edge)
            return values[generators.random.randrange(len(values))]
        return _drawn(parameter, generators)

    def _values(self, edge: Edge, parameter: Parameter) -> list[Any]:
        rows = self.found.tools[edge.producer].rows
        kind = _TYPES[parameter.type]
        values = [row.get(edge.column) for row in rows]
        return [v for v in values if v != "" and isinstance(v, kind) and type(v) is not bool]

    def _call(self, name: str, arguments: dict[str, Any], used: Sequence[Edge]) -> bool:
        result = self._session.execute(name, arguments)
        found = self.found.tools[name]
        self.found.calls.append((name, arguments, result.content))
        if not result.ok or not result.rows:
            if not found.worked:
                found.error = f"no call of it worked: {result.content[:200]}"
            return False
        found.worked += 1
        observed, many = read(result.content)
        found.many = found.many or many
        found.rows = [*observed, *found.rows][:ROWS]
        if self._subject.tracked:
            changes = self._session.changes()
            found.writes = found.writes or changes != self._last
            self._last = changes
        self.found.confirmed |= {(e.producer, name, e.column, e.slot) for e in used}
        return True


def _drawn(parameter: Parameter, generators: Generators) -> Any:
    extra = parameter.model_extra or {}
    try:
        if parameter.sample is not None:
            return typed(generators.draw(parameter.sample, {}), parameter)
    except (GeneratorError, ValueError):
        return None
    if extra.get("enum"):
        return generators.random.choice(extra["enum"])
    return generators.random.random() < 0.5 if parameter.type == "boolean" else None


def differing(findings: Findings, session: Session) -> tuple[dict[str, str], bool]:
    """Make the same calls once more; tools that say something else, and whether the state agrees.

    Raises:
        EnvironmentFailure: if the server breaks.
    """
    unstable: dict[str, str] = {}
    for name, arguments, content in findings.calls:
        result: Result = session.execute(name, arguments)
        if result.content != content and name not in unstable:
            same = zip(content, result.content, strict=False)
            at = max(0, next((n for n, (a, b) in enumerate(same) if a != b), 0) - 20)
            first, second = content[at : at + 60], result.content[at : at + 60]
            unstable[name] = f"it says something else each time: {first!r}, then {second!r}"
    return unstable, session.changes() == findings.changes


def kept(edges: Iterable[Edge], findings: Findings) -> list[Edge]:
    """Confirmed edges, with one column per slot: the one that most producers have."""
    confirmed = [
        replace(edge, confirmed=True)
        for edge in edges
        if (edge.producer, edge.consumer, edge.column, edge.slot) in findings.confirmed
    ]
    votes: dict[tuple[str, str], dict[str, float]] = {}
    for edge in confirmed:
        of_slot = votes.setdefault((edge.consumer, edge.slot), {})
        of_slot[edge.column] = of_slot.get(edge.column, 0.0) + edge.score
    chosen = {slot: max(sorted(found), key=found.__getitem__) for slot, found in votes.items()}
    return [edge for edge in confirmed if chosen[edge.consumer, edge.slot] == edge.column]
