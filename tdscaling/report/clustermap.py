"""Layout of business clusters as graphs.

Enters: clusters (tools tied by data-flow). Leaves: boxes and arrows with positions, producers left
of their consumers, which `templates/graph.js` draws. An arrow that passes a column takes a place
of its own in it, so that it runs between the boxes and not behind them.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from tdscaling.schema import Cluster

BOX_HEIGHT, BOX_STEP, LANE_STEP, COLUMN_GAP, MARGIN = 42, 66, 30, 112, 40
LABEL_CHARS, CHAR_WIDTH = 30, 7.3

Place = tuple[str, ...]
"""`(tool,)` for a box, `(producer, consumer, column)` for an arrow that passes a column."""


def _columns(cluster: Cluster) -> dict[str, int]:
    """Column of each tool: its depth in the data-flow graph, cycles taken as one place."""
    import networkx as nx  # needed only when a report is written

    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(sorted(tool.name for tool in cluster.tools))
    graph.add_edges_from(_pairs(cluster))
    whole = nx.condensation(graph)
    return {
        tool: depth
        for depth, places in enumerate(nx.topological_generations(whole))
        for place in places
        for tool in whole.nodes[place]["members"]
    }


def _pairs(cluster: Cluster) -> list[tuple[str, str]]:
    names = {tool.name for tool in cluster.tools}
    return sorted(
        {(e.producer, e.consumer) for e in cluster.edges if {e.producer, e.consumer} <= names}
    )


def _links(cluster: Cluster, columns: Mapping[str, int]) -> Iterator[tuple[Place, Place]]:
    """Each arrow as links between neighbouring columns."""
    for producer, consumer in _pairs(cluster):
        passed = range(columns[producer] + 1, columns[consumer])
        chain: list[Place] = [(producer,), *((producer, consumer, str(c)) for c in passed)]
        if columns[producer] < columns[consumer]:
            chain.append((consumer,))
        yield from itertools.pairwise(chain)


def _positions(cluster: Cluster, columns: Mapping[str, int]) -> dict[Place, float]:
    """Top of each place: ordered near what leads to it, so that fewer arrows cross."""
    before: dict[Place, list[Place]] = defaultdict(list)
    stacks: dict[int, set[Place]] = defaultdict(set)
    for tool, column in columns.items():
        stacks[column].add((tool,))
    for start, end in _links(cluster, columns):
        before[end].append(start)
        if len(end) > 1:
            stacks[int(end[2])].add(end)
    tops: dict[Place, float] = {}
    heights: dict[int, float] = {}
    for column in sorted(stacks):

        def near(place: Place) -> tuple[float, int, Place]:
            above = [tops[p] for p in before[place]]
            return (sum(above) / len(above) if above else 0.0, -len(place), place)

        top = 0.0
        for place in sorted(stacks[column], key=near):
            tops[place] = top
            top += BOX_STEP if len(place) == 1 else LANE_STEP
        heights[column] = top
    tallest = max(heights.values(), default=0.0)
    centred = {column: MARGIN + (tallest - height) / 2 for column, height in heights.items()}
    return {
        p: top + centred[columns[p[0]] if len(p) == 1 else int(p[2])] for p, top in tops.items()
    }


def _label(name: str) -> str:
    return name if len(name) <= LABEL_CHARS else name[: LABEL_CHARS - 1] + "…"


def _spans(cluster: Cluster, columns: Mapping[str, int]) -> dict[int, tuple[float, float]]:
    """Left edge and width of each column."""
    widths: dict[int, float] = defaultdict(lambda: 72.0)
    for tool in cluster.tools:
        width = len(_label(tool.name)) * CHAR_WIDTH + 24
        widths[columns[tool.name]] = max(widths[columns[tool.name]], width)
    left, spans = float(MARGIN), {}
    for column in sorted(widths):
        spans[column] = (round(left, 1), round(widths[column], 1))
        left += widths[column] + COLUMN_GAP
    return spans


def drawing(cluster: Cluster, attempted: int, accepted: int) -> dict[str, Any]:
    """A cluster with positions, ready for the page."""
    columns = _columns(cluster)
    spans = _spans(cluster, columns)
    tops = _positions(cluster, columns)
    nodes = [
        {
            "name": tool.name,
            "label": _label(tool.name),
            "description": tool.description,
            "writes": tool.writes,
            "x": spans[columns[tool.name]][0],
            "y": round(tops[tool.name,], 1),
            "w": spans[columns[tool.name]][1],
            "h": BOX_HEIGHT,
        }
        for tool in cluster.tools
    ]
    return {
        "id": cluster.id,
        "domain": cluster.domain,
        "category": cluster.category,
        "attempted": attempted,
        "accepted": accepted,
        "nodes": nodes,
        "edges": _arrows(cluster, spans, tops),
        "flows": len(cluster.edges),
        "width": round(
            max((left + width for left, width in spans.values()), default=0) + MARGIN, 1
        ),
        "height": round(max(tops.values(), default=0) + BOX_HEIGHT + MARGIN, 1),
    }


def _arrows(
    cluster: Cluster, spans: Mapping[int, tuple[float, float]], tops: Mapping[Place, float]
) -> list[dict[str, Any]]:
    """One arrow per pair of tools; what flows along it is listed on the arrow."""
    place = {tool.name: i for i, tool in enumerate(cluster.tools)}
    arrows = []
    for producer, consumer in _pairs(cluster):
        flows = [e for e in cluster.edges if (e.producer, e.consumer) == (producer, consumer)]
        via = []
        for column, (left, width) in spans.items():
            lane = (producer, consumer, str(column))
            if lane in tops:
                y = round(tops[lane] + LANE_STEP / 2, 1)
                via += [[left, y], [round(left + width, 1), y]]
        arrows.append(
            {
                "from": place[producer],
                "to": place[consumer],
                "via": via,
                "slots": list(dict.fromkeys(edge.slot for edge in flows)),
                "flows": [f"{edge.column} fills {edge.slot}" for edge in flows],
                "kind": "key" if any(edge.kind == "key" for edge in flows) else "value",
            }
        )
    return arrows
