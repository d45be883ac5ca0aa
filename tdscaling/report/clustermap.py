"""Layout of business clusters as graphs.

Enters: clusters (tools tied by data-flow). Leaves: boxes, values and arrows with positions, which
`templates/graph.js` draws. Most tools of a service return most of its keys, so an arrow for every
edge would be a thicket. Drawn are the shortest ways: a value comes from the tools that can return
it earliest, and goes through one node to all that need it. The other edges are lists of a tool.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, NamedTuple

from tdscaling.schema import Cluster, Edge

BOX_HEIGHT, VALUE_HEIGHT, STEP, LANE, GAP, MARGIN = 42, 22, 60, 18, 52, 24
LABEL_CHARS, CHAR_WIDTH = 28, 7.3


class Value(NamedTuple):
    """Fields that some tools return, on the way to the tools that need them."""

    columns: tuple[str, ...]
    producers: tuple[str, ...]


Place = tuple[str, Any, Any, int]
"""What takes room in a column: `("tool", name, "", column)`, `("value", value, "", column)`, or
`("lane", value, consumer, column)` where an arrow passes."""

Needs = dict[str, dict[str, list[Edge]]]
"""Edges into each tool by its parameter."""


def _needs(cluster: Cluster) -> Needs:
    names = {tool.name for tool in cluster.tools}
    needs: Needs = {name: defaultdict(list) for name in sorted(names)}
    for edge in cluster.edges:
        if edge.producer in names and edge.consumer in names and edge.producer != edge.consumer:
            needs[edge.consumer][edge.slot].append(edge)
    return needs


def _depths(needs: Needs) -> dict[str, int]:
    """Calls that must come before a tool when nothing but its other arguments is known."""
    depths: dict[str, int] = {}

    def unmet(tool: str) -> int:
        return sum(not any(e.producer in depths for e in edges) for edges in needs[tool].values())

    depth = 0
    while len(depths) < len(needs):
        waiting = [tool for tool in needs if tool not in depths]
        ready = [tool for tool in waiting if not unmet(tool)]
        # Where tools only feed each other, one is entered with a value that the user knows.
        for tool in ready or [min(waiting, key=lambda tool: (unmet(tool), tool))]:
            depths[tool] = depth
        depth += 1
    return depths


def _ways(needs: Needs, depths: Mapping[str, int]) -> dict[Value, dict[str, set[str]]]:
    """Consumers of each value, and the parameters that it fills there."""
    ways: dict[Value, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for tool, slots in needs.items():
        for slot, edges in slots.items():
            first = min(depths[edge.producer] for edge in edges)
            if first < depths[tool]:
                chosen = [edge for edge in edges if depths[edge.producer] == first]
                columns = tuple(sorted({edge.column for edge in chosen}))
                value = Value(columns, tuple(sorted({edge.producer for edge in chosen})))
                ways[value][tool].add(slot)
    return ways


class _Drawing:
    """Columns of tools (even) and values (odd), and what takes room in each."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        needs = _needs(cluster)
        self._depths = _depths(needs)
        self.ways = _ways(needs, self._depths)
        self.before: dict[Place, list[Place]] = defaultdict(list)
        self._columns: dict[int, list[Place]] = defaultdict(list)
        for tool in self._depths:
            self._add(self.tool(tool))
        for value, consumers in self.ways.items():
            self._add(self.value(value))
            self.before[self.value(value)] = [self.tool(name) for name in value.producers]
            for consumer in consumers:
                chain = [self.value(value), *self.lanes(value, consumer), self.tool(consumer)]
                for start, end in pairwise(chain):
                    self.before[end].append(start)
                for lane in chain[1:-1]:
                    self._add(lane)
        self.lefts, self.widths = self._spans()
        self.tops = self._stack()

    def _add(self, place: Place) -> None:
        self._columns[place[3]].append(place)

    def tool(self, name: str) -> Place:
        return ("tool", name, "", 2 * self._depths[name])

    def value(self, value: Value) -> Place:
        return ("value", value, "", 2 * self._depths[value.producers[0]] + 1)

    def lanes(self, value: Value, consumer: str) -> list[Place]:
        passed = range(self.value(value)[3] + 1, 2 * self._depths[consumer])
        return [("lane", value, consumer, column) for column in passed]

    def _spans(self) -> tuple[dict[int, float], dict[int, float]]:
        """Left edge and width of each column."""
        left, lefts, widths = float(MARGIN), {}, {}
        for column in sorted(self._columns):
            labels = [_label(place) for place in self._columns[column]]
            lefts[column] = round(left, 1)
            widths[column] = round(max(len(label) for label in labels) * CHAR_WIDTH + 24, 1)
            left += widths[column] + GAP
        return lefts, widths

    def _stack(self) -> dict[Place, float]:
        """Top of each place, near what leads to it and from it, so that few arrows cross."""
        after: dict[Place, list[Place]] = defaultdict(list)
        for end, starts in self.before.items():
            for start in starts:
                after[start].append(end)
        for places in self._columns.values():
            places.sort(key=str)
        tops = self._tops()
        columns = sorted(self._columns)
        for order, beside in ((columns, self.before), (columns[::-1], after)) * 2:
            for column in order:
                self._columns[column].sort(key=lambda place: _mean(tops, beside[place], place))
                tops = self._tops()
        return tops

    def _tops(self) -> dict[Place, float]:
        tallest = max((self._height(column) for column in self._columns), default=0)
        tops = {}
        for column, places in self._columns.items():
            top = MARGIN + (tallest - self._height(column)) / 2
            for place in places:
                room, height = _room(place)
                tops[place] = round(top + (room - height) / 2, 1)
                top += room
        return tops

    def _height(self, column: int) -> int:
        return sum(_room(place)[0] for place in self._columns[column])


def _mean(tops: Mapping[Place, float], beside: list[Place], place: Place) -> float:
    """Height of the middle of what a place is tied to; its own where it is tied to nothing."""
    middles = [tops[p] + _room(p)[1] / 2 for p in beside or [place]]
    return sum(middles) / len(middles)


def _room(place: Place) -> tuple[int, int]:
    """Height that a place takes with the space around it, and without."""
    return {"tool": (STEP, BOX_HEIGHT), "value": (STEP, VALUE_HEIGHT), "lane": (LANE, 0)}[place[0]]


def _short(name: str) -> str:
    return name if len(name) <= LABEL_CHARS else name[: LABEL_CHARS - 1] + "…"


def _label(place: Place) -> str:
    if place[0] == "lane":
        return ""
    return _short(", ".join(place[1].columns) if place[0] == "value" else place[1])


def _node(drawn: _Drawing, place: Place, **more: Any) -> dict[str, Any]:
    return {
        "label": _label(place),
        "x": drawn.lefts[place[3]],
        "y": drawn.tops[place],
        "w": drawn.widths[place[3]],
        "h": _room(place)[1],
        **more,
    }


def _nodes(drawn: _Drawing) -> list[dict[str, Any]]:
    """Tools in the order of the cluster, then values."""
    tools = [
        _node(
            drawn,
            drawn.tool(tool.name),
            kind="write" if tool.writes else "read",
            name=tool.name,
            description=tool.description,
        )
        for tool in drawn.cluster.tools
    ]
    values = [
        _node(drawn, drawn.value(value), kind="value", name=", ".join(value.columns))
        for value in drawn.ways
    ]
    return tools + values


def _arrows(drawn: _Drawing) -> list[dict[str, Any]]:
    place = {tool.name: i for i, tool in enumerate(drawn.cluster.tools)}
    arrows: list[dict[str, Any]] = []
    for at, (value, consumers) in enumerate(drawn.ways.items(), len(place)):
        arrows += [{"from": place[p], "to": at, "via": [], "slots": []} for p in value.producers]
        for consumer, slots in consumers.items():
            via = []
            for lane in drawn.lanes(value, consumer):
                left, y = drawn.lefts[lane[3]], drawn.tops[lane]
                via += [[left, y], [round(left + drawn.widths[lane[3]], 1), y]]
            named = sorted(slots - set(value.columns))
            arrows.append({"from": at, "to": place[consumer], "via": via, "slots": named})
    return arrows


def drawing(cluster: Cluster, attempted: int, accepted: int) -> dict[str, Any]:
    """A cluster with positions, ready for the page."""
    drawn = _Drawing(cluster)
    nodes = _nodes(drawn)
    return {
        "id": cluster.id,
        "domain": cluster.domain,
        "category": cluster.category,
        "attempted": attempted,
        "accepted": accepted,
        "nodes": nodes,
        "arrows": _arrows(drawn),
        "edges": [[e.producer, e.column, e.consumer, e.slot, e.kind] for e in cluster.edges],
        "width": round(max((n["x"] + n["w"] for n in nodes), default=0) + MARGIN, 1),
        "height": round(max((n["y"] + n["h"] for n in nodes), default=0) + MARGIN, 1),
    }
