"""Larger clusters out of two or three that can hand values to each other.

Enters: clusters known by their schemas, and the kinds of value that each offers and takes. Leaves:
compositions: the tools and edges of the parts, and edges between them. Pairs are drawn, not listed:
ten thousand clusters have fifty million.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from random import Random

from tdscaling.clusters._values import Value, Values
from tdscaling.schema import Cluster, Edge, digest

THIRD = 0.35
"""Share of compositions that have three parts."""
TRIES = 60
"""Draws per composition before there are thought to be no more."""
_CROSSING = 4
"""Edges from one part to another."""
_SCORE = 0.5
"""Of such an edge: the kind of value is the same, whether it is accepted is not known."""


def compose(
    parts: Sequence[Cluster], values: Mapping[str, Values], count: int, most: int, seed: int
) -> Iterator[Cluster]:
    """Different compositions, as many as asked for or as there are.

    Args:
        parts: clusters to choose from, in a fixed order.
        values: of each, by id.
        count: compositions to make.
        most: tools of a composition, at most.
        seed: of the draws.
    """
    takers = by_kind(parts, values)
    givers = [part for part in parts if values[part.id].offered]
    seen: set[frozenset[str]] = set()
    for number in range(TRIES * count if givers else 0):
        if len(seen) == count:
            return
        random = Random(f"{seed}:compositions:{number}")
        chain = _chain(random.choice(givers), takers, values, random, most)
        ids = frozenset(part.id for part in chain)
        if len(chain) > 1 and ids not in seen:
            seen.add(ids)
            yield _joined(chain, values)


def by_kind(parts: Sequence[Cluster], values: Mapping[str, Values]) -> dict[str, list[Cluster]]:
    """Clusters that take each kind of value, in order."""
    found: dict[str, list[Cluster]] = {}
    for part in parts:
        for kind in sorted(values[part.id].taken_kinds):
            found.setdefault(kind, []).append(part)
    return found


def apart(one: Cluster, other: Cluster) -> bool:
    """Whether two clusters can be in one conversation: no tool's name is another's."""
    names = {tool.name for tool in one.tools}
    return one.services != other.services and not any(t.name in names for t in other.tools)


def _chain(
    first: Cluster,
    takers: Mapping[str, Sequence[Cluster]],
    values: Mapping[str, Values],
    random: Random,
    most: int,
) -> list[Cluster]:
    chain = [first]
    for _ in range(2 if random.random() < THIRD else 1):
        kinds = sorted(values[chain[-1].id].offered_kinds & takers.keys())
        if not kinds:
            break
        found = random.choice(takers[random.choice(kinds)])
        size = sum(len(part.tools) for part in chain) + len(found.tools)
        if size > most or not all(apart(part, found) for part in chain):
            break
        chain.append(found)
    return chain


def _joined(chain: Sequence[Cluster], values: Mapping[str, Values]) -> Cluster:
    between = [
        edge
        for giver, taker in pairwise(chain)
        for edge in _crossing(values[giver.id], values[taker.id])
    ]
    content = digest([part.id for part in chain], 10)
    slugs = [re.sub(r"_[0-9a-f]+$", "", part.id)[:15].strip("_") for part in chain]
    name = f"{'_'.join(slugs)}_{content}"
    return Cluster(
        name,
        name,
        chain[0].category,
        tuple(tool for part in chain for tool in part.tools),
        (*(edge for part in chain for edge in part.edges), *between),
        services=tuple(dict.fromkeys(name for part in chain for name in part.services)),
    )


def _crossing(giver: Values, taker: Values) -> Iterator[Edge]:
    slots: dict[str, Value] = {}
    for value in taker.taken:
        slots.setdefault(value.kind, value)
    for value in giver.offered[: _CROSSING * 8]:
        slot = slots.pop(value.kind, None)
        if slot:
            why = f"both are of the kind {value.kind}"
            yield Edge(value.tool, slot.tool, value.name, slot.name, "value", _SCORE, (why,))
        if not slots:
            return
