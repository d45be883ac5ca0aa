"""Edges of a service, whatever they are known from.

Enters: a catalog. Leaves: the derived edges of a domain, or the inferred ones of schemas; explained
in words.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence

from tdscaling.catalog import Catalog
from tdscaling.dataflow import LEAST, infer, properties
from tdscaling.diagnosis import nearest
from tdscaling.errors import ConfigError
from tdscaling.schema import Edge, Service


def edges_of(catalog: Catalog, name: str) -> tuple[Edge, ...]:
    """The edges of a service of a catalog."""
    if name in catalog.domains:
        return catalog.domains[name].edges
    return infer(catalog.services[name])


def asked(catalog: Catalog, why: str) -> tuple[Service, str, str]:
    """The service and the two tools that `why` names.

    Raises:
        ConfigError: if there are none, or several services have them.
    """
    service, slash, pair = why.rpartition("/")
    producer, colon, consumer = pair.partition(":")
    if not colon or not producer or not consumer:
        raise ConfigError(f"why={why}: expected PRODUCER:CONSUMER, such as create_order:pay_order")
    if slash and service not in catalog.services:
        raise ConfigError(
            f"why={why}: there is no service {service!r}{near(service, catalog.services)}"
        )
    known = [catalog.services[service]] if slash else list(catalog.services.values())
    names = {tool.name for found in known for tool in found.tools}
    for name in (producer, consumer):
        if name not in names:
            raise ConfigError(f"why={why}: there is no tool {name!r}{near(name, names)}")
    having = [s for s in known if {producer, consumer} <= {tool.name for tool in s.tools}]
    if not having:
        raise ConfigError(f"why={why}: no service has both; edges tie tools of one service")
    if len(having) > 1:
        listed = ", ".join(found.name for found in having[:8])
        raise ConfigError(
            f"why={why}: {len(having)} services have both ({listed}); type "
            f"why={having[0].name}/{producer}:{consumer}"
        )
    return having[0], producer, consumer


def near(word: str, known: Iterable[str]) -> str:
    """`; did you mean ...?`, or those that are the least far."""
    names = sorted(known)
    if found := difflib.get_close_matches(word, names, 3, 0.5):
        return f"; did you mean {' or '.join(found)}?"
    return f"; nearest: {', '.join(nearest(word, names)[:3])}" if names else ""


def explained(
    edges: Sequence[Edge], service: Service, producer: str, consumer: str
) -> Iterator[str]:
    """Lines that explain the edges between two tools, or that there is none."""
    found = [e for e in edges if e.producer == producer and e.consumer == consumer]
    for edge in found:
        state = "confirmed by execution" if edge.confirmed else "not confirmed by execution"
        yield f"{producer} -> {consumer}: {edge.column} -> {edge.slot} ({edge.kind})"
        yield f"  score {edge.score:.3f}, {state}"
        yield from (f"  {reason}" for reason in edge.reasons or _derived(edge))
    if not found:
        yield f"{producer} -> {consumer}: no edge with a score of {LEAST} or more"
        yield from _others(edges, service, consumer)


def _derived(edge: Edge) -> list[str]:
    return [f"derived: the domain declares that {edge.slot} takes values of {edge.column}"]


def _others(edges: Sequence[Edge], service: Service, consumer: str) -> Iterator[str]:
    """What fills the consumer's parameters instead."""
    tool = next(tool for tool in service.tools if tool.name == consumer)
    for slot in properties(tool):
        givers = [e for e in edges if e.consumer == consumer and e.slot == slot]
        listed = ", ".join(f"{e.producer} ({e.score:.2f})" for e in givers)
        yield f"  {slot} <- {listed or 'nobody: generic, context, a choice, or no tool returns it'}"
