"""Edges proven by execution.

Enters: edges of a service and a domain that executes its calls. Leaves: the same edges, those
marked whose consumer accepted a value that the producer returned. What an edge's score only
believes, a call shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from tdscaling.dataflow._infer import entity
from tdscaling.dataflow._meaning import meaning
from tdscaling.declared.arguments import candidates, typed
from tdscaling.declared.domain import Domain, ToolSpec
from tdscaling.declared.rows import Generators
from tdscaling.declared.session import Session
from tdscaling.schema import Edge, Tool

VALUES = 16
"""Values that are offered to the consumer: of many things, few are in the right state."""
RESULTS = 6
"""Results of the producer out of which they are taken."""
CALLS = 40
"""Arguments that are tried per tool and world."""
ACCEPTED = "execution: accepted"
SELECTIVE = "execution: accepted, and a made-up value refused"
_MADE_UP = {"string": "no-such-thing-0", "integer": 987654321, "number": 987654321.5}


def confirm(domain: Domain, edges: Iterable[Edge], *, seed: str, worlds: int) -> tuple[Edge, ...]:
    """The edges, confirmed where some world shows them.

    Args:
        domain: executes the calls; edges of tools that it has not stay as they are.
        edges: in any order.
        seed: names the worlds and the arguments.
        worlds: initial states in which each edge is tried.
    """
    about = {tool.name: tool for tool in domain.as_tools()}
    return tuple(_tried(domain, about, edge, seed, worlds) for edge in edges)


def _tried(domain: Domain, about: dict[str, Tool], edge: Edge, seed: str, worlds: int) -> Edge:
    if edge.confirmed or edge.producer not in about or edge.consumer not in about:
        return edge
    if edge.slot not in domain.tools[edge.consumer].file.parameters:
        return edge
    for number in range(worlds):
        session = domain.open(f"{seed}:{number}")
        try:
            said = _shown(session, about[edge.producer], edge, f"{seed}:{number}")
        finally:
            session.close()
        if said:
            return replace(edge, confirmed=True, reasons=(*edge.reasons, said))
    return edge


def _shown(session: Session, producer: Tool, edge: Edge, seed: str) -> str:
    """How execution showed an edge; empty where it did not."""
    consumer = session.domain.tools[edge.consumer]
    for value in islice(_values(session, producer, edge, seed), VALUES):
        if _accepts(session, consumer, edge.slot, value, seed):
            fake = _MADE_UP.get(consumer.file.parameters[edge.slot].type)
            refused = fake is not None and not _accepts(session, consumer, edge.slot, fake, seed)
            return SELECTIVE if refused else ACCEPTED
    return ""


def _values(session: Session, producer: Tool, edge: Edge, seed: str) -> Iterator[Any]:
    """Different values that the producer returns."""
    seen: list[Any] = []
    results = 0
    for arguments in _arguments(session, session.domain.tools[edge.producer], {}, seed):
        result = session.execute(edge.producer, arguments)
        if not result.ok:
            continue
        found = [value for row in result.rows if (value := _value(row, producer, edge)) is not None]
        for value in found:
            if value not in seen:
                seen.append(value)
                yield value
        results += bool(found)
        if results == RESULTS:
            return


def _value(row: dict[str, Any], producer: Tool, edge: Edge) -> Any:
    """The edge's field of a row: by its name, else by what the name means."""
    if edge.column in row:
        return row[edge.column]
    own = entity(producer)
    wanted = meaning(edge.column, own)
    for name, value in row.items():
        if meaning(name, own) == replace(wanted, own=meaning(name, own).own):
            return value
    return None


def _accepts(session: Session, consumer: ToolSpec, slot: str, value: Any, seed: str) -> bool:
    parameter = consumer.file.parameters[slot]
    if parameter.type == "array" and not isinstance(value, list):
        value = [value]
    given = {slot: typed(value, parameter)}
    for arguments in _arguments(session, consumer, given, seed):
        arguments = {**arguments, **given}
        if consumer.problem(arguments) is None and session.attempt(
            consumer.name, arguments, lambda result: result.ok
        ):
            return True
    return False


def _arguments(
    session: Session, spec: ToolSpec, fixed: dict[str, Any], seed: str
) -> Iterator[dict[str, Any]]:
    generators = Generators(f"{seed}:{spec.name}", session.domain.file.clock, None)
    for _ in range(1 if spec.file.cases else 8):
        yield from candidates(session, spec, generators, fixed, CALLS)
