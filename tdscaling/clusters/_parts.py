"""Parts of a service's data-flow graph that make one cluster each.

Enters: edges of one service with their scores. Leaves: sets of tool names, neither too small nor
too large: connected parts, the large ones split where they hold together least.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import networkx as nx

from tdscaling.schema import Edge

Part = frozenset[int]


def parts(
    edges: Iterable[Edge], names: Sequence[str], least: int, most: int, seed: int
) -> list[list[str]]:
    """Groups of tools that edges tie, each in the order of `names`, the first tool's group first.

    Args:
        edges: of one service.
        names: its tools.
        least: tools of a group, at least.
        most: tools of a group, at most.
        seed: of the splits.
    """
    # Numbers, because the order in which a set of names is walked differs between processes.
    numbers = {name: number for number, name in enumerate(names)}
    graph: nx.Graph[int] = nx.Graph()
    for edge in edges:
        ends = numbers[edge.producer], numbers[edge.consumer]
        weight = graph.edges[ends]["weight"] if graph.has_edge(*ends) else 0.0
        graph.add_edge(*ends, weight=max(weight, edge.score))
    found: list[Part] = []
    for component in nx.connected_components(graph):
        if len(component) >= least:
            found += _split(_sub(graph, component), frozenset(component), least, most, seed)
    return [[names[number] for number in sorted(part)] for part in sorted(found, key=min)]


def _sub(graph: nx.Graph[int], part: Iterable[int]) -> nx.Graph[int]:
    """A part of a graph, its nodes and edges in order."""
    nodes = set(part)
    copy: nx.Graph[int] = nx.Graph()
    copy.add_nodes_from(sorted(nodes))
    for a in sorted(nodes):
        for b in sorted(nodes.intersection(graph[a])):
            copy.add_edge(a, b, weight=graph.edges[a, b]["weight"])
    return copy


def _split(graph: nx.Graph[int], part: Part, least: int, most: int, seed: int) -> list[Part]:
    if len(part) <= most:
        return [part]
    groups = nx.community.louvain_communities(graph, weight="weight", seed=seed)
    if len(groups) < 2:
        groups = _chunks(graph, most)
    pieces: list[Part] = []
    for group in sorted(groups, key=min):
        sub = _sub(graph, group)
        for piece in sorted(nx.connected_components(sub), key=min):
            pieces += _split(_sub(sub, piece), frozenset(piece), least, most, seed)
    return _merged(graph, pieces, least, most)


def _chunks(graph: nx.Graph[int], most: int) -> list[set[int]]:
    """A part without communities, such as a star, cut along a walk from its first tool."""
    walk = list(nx.bfs_tree(graph, min(graph)))
    count = -(-len(walk) // most)
    size = -(-len(walk) // count)
    return [set(walk[start : start + size]) for start in range(0, len(walk), size)]


def _merged(graph: nx.Graph[int], pieces: list[Part], least: int, most: int) -> list[Part]:
    """Pieces that are too small join the neighbour they are tied to most; others are dropped."""
    large = [piece for piece in pieces if len(piece) >= least]
    for small in sorted((p for p in pieces if len(p) < least), key=min):
        weights = [
            (sum(graph.edges[a, b]["weight"] for a in small for b in graph[a] if b in piece), index)
            for index, piece in enumerate(large)
            if len(piece) + len(small) <= most
        ]
        weight, index = max(weights, key=lambda pair: (pair[0], -pair[1]), default=(0.0, 0))
        if weight > 0:
            large[index] |= small
    return large
