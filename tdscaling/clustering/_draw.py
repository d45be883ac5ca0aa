"""Pictures of clusters as text.

Enters: clusters. Leaves: Mermaid, Markdown with Mermaid, DOT or JSON Lines, by the ending of the
file's name. Names and descriptions come from strangers: each format's own escapes keep them text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from tdscaling.errors import ConfigError
from tdscaling.schema import Cluster, Edge
from tdscaling.writable import unwritable_file

_LABEL = 60
"""Characters of a label."""


def check_writable(path: Path) -> None:
    """Refuse a file before the work that it is for.

    Raises:
        ConfigError: if its ending is unknown or it cannot be written.
    """
    if path.suffix not in FORMS:
        raise ConfigError(f"out={path}: expected a file that ends with {', '.join(FORMS)}")
    if reason := unwritable_file(path):
        raise ConfigError(f"out={path}: expected a file that can be written: {reason}")


def write(path: Path, clusters: Sequence[Cluster]) -> None:
    """Write a picture or data of clusters.

    Raises:
        ConfigError: if the file cannot be written.
    """
    try:
        text = FORMS[path.suffix](clusters)
        path.write_text(text, encoding="utf-8", errors="replace")
    except OSError as error:
        raise ConfigError(f"out={path}: expected a file that can be written: {error}") from error


def plain(text: str) -> str:
    """One line without control characters."""
    return "".join(char if char.isprintable() else " " for char in text)


def mermaid(clusters: Sequence[Cluster]) -> str:
    """A flowchart; tools that change something have round ends."""
    lines = ["flowchart LR"]
    for number, cluster in enumerate(clusters):
        lines.append(f'  subgraph c{number}["{_mermaid(cluster.id)}"]')
        ids = {tool.name: f"c{number}t{at}" for at, tool in enumerate(cluster.tools)}
        for tool in cluster.tools:
            left, right = ('(["', '"])') if tool.writes else ('["', '"]')
            lines.append(f"    {ids[tool.name]}{left}{_mermaid(tool.name)}{right}")
        lines.append("  end")
        for edge in _inside(cluster):
            arrow = "-->" if edge.kind == "key" else "-.->"
            label = _mermaid(edge.slot)
            lines.append(f'  {ids[edge.producer]} {arrow}|"{label}"| {ids[edge.consumer]}')
    return "\n".join([*lines, ""])


def _mermaid(text: str) -> str:
    # Entities, in Mermaid's own spelling; `#` first, since it begins them.
    kept = plain(text)[:_LABEL]
    return "".join(
        char if char.isalnum() or char in " _-.,:/" else f"#{ord(char)};" for char in kept
    )


def _markdown(clusters: Sequence[Cluster]) -> str:
    parts = []
    for cluster in clusters:
        head = f"## {cluster.id}\n\n{cluster.category}: {len(cluster.tools)} tools, "
        head += f"{len(cluster.edges)} data-flow edges, from {', '.join(cluster.services)}\n\n"
        parts.append(f"{head}```mermaid\n{mermaid([cluster])}```\n")
    return "\n".join(parts)


def _dot(clusters: Sequence[Cluster]) -> str:
    lines = ["digraph clusters {", "  rankdir=LR;", "  node [shape=box];"]
    for number, cluster in enumerate(clusters):
        lines += [f"  subgraph cluster_{number} {{", f"    label={_quoted(cluster.id)};"]
        ids = {tool.name: f"c{number}t{at}" for at, tool in enumerate(cluster.tools)}
        for tool in cluster.tools:
            style = ", style=rounded" if tool.writes else ""
            said = _quoted(tool.description)
            lines.append(
                f"    {ids[tool.name]} [label={_quoted(tool.name)}, tooltip={said}{style}];"
            )
        lines.append("  }")
        for edge in _inside(cluster):
            dashed = "" if edge.kind == "key" else ", style=dashed"
            ends = f"{ids[edge.producer]} -> {ids[edge.consumer]}"
            lines.append(f"  {ends} [label={_quoted(edge.slot)}{dashed}];")
    return "\n".join([*lines, "}", ""])


def _quoted(text: str) -> str:
    kept = plain(text)[:_LABEL].replace("\\", "\\\\").replace('"', '\\"')
    return f'"{kept}"'


def _lines(clusters: Sequence[Cluster]) -> str:
    return "".join(json.dumps(asdict(cluster), ensure_ascii=True) + "\n" for cluster in clusters)


def _inside(cluster: Cluster) -> Iterator[Edge]:
    names = {tool.name for tool in cluster.tools}
    return (e for e in cluster.edges if e.producer in names and e.consumer in names)


FORMS: dict[str, Callable[[Sequence[Cluster]], str]] = {
    ".md": _markdown,
    ".mmd": mermaid,
    ".dot": _dot,
    ".jsonl": _lines,
}
"""Ending of a file's name to what is written."""
