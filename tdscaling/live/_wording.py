"""What people can say to tools that a server lists, and which ones may feed which.

Enters: an entry and its tools. Leaves: parameters with nouns and samples, the entry's own going
first; edges that schemas, columns seen in results, or the entry suggest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tdscaling.dataflow import infer
from tdscaling.declared.definition import Parameter
from tdscaling.live.entry import Entry
from tdscaling.phrasing import UnphrasableError, kind_of, parameters
from tdscaling.schema import Edge, Service, Tool


def said(
    entry: Entry, tools: Sequence[Tool], skipped: list[tuple[str, str]]
) -> dict[str, dict[str, Parameter]]:
    """Parameters in the words of people; tools that nobody could ask for are left out."""
    found = {}
    for tool in tools:
        try:
            found[tool.name] = {
                name: _told(entry, tool, name, parameter)
                for name, parameter in parameters(_simple(entry, tool)).items()
            }
        except UnphrasableError as error:
            skipped.append((tool.name, str(error)))
    return found


def _simple(entry: Entry, tool: Tool) -> Tool:
    """The tool with any parameter that the entry has values for as plain as can be."""
    properties = tool.parameters.get("properties") or {}
    plain = {
        name: {"enum": ["one", "two"], "description": str(schema.get("description") or "")}
        if _sampled(entry, tool, name)
        else schema
        for name, schema in properties.items()
        if isinstance(schema, dict)
    }
    return replace(tool, parameters={**tool.parameters, "properties": plain})


def _told(entry: Entry, tool: Tool, name: str, parameter: Parameter) -> Parameter:
    if _sampled(entry, tool, name):
        parameter = Parameter(
            type=_type(tool, name) or "string",  # type: ignore[arg-type]
            description=parameter.description,
            noun=parameter.noun,
            ask=f"What should the {parameter.noun} be?",
            kind=kind_of(name, {}),
            optional=parameter.optional,
        )
    changes: dict[str, Any] = {}
    for key, texts in (("sample", entry.samples), ("noun", entry.nouns)):
        value = texts.get(f"{tool.name}.{name}", texts.get(name))
        if value is not None:
            changes[key] = value
    if "noun" in changes:
        changes["ask"] = f"Which {changes['noun']} should it be?"
    return parameter.model_copy(update=changes)


def _sampled(entry: Entry, tool: Tool, name: str) -> bool:
    return f"{tool.name}.{name}" in entry.samples or name in entry.samples


def _type(tool: Tool, name: str) -> str:
    stated = (tool.parameters.get("properties") or {}).get(name, {}).get("type")
    return stated if isinstance(stated, str) and stated != "null" else ""


def edges(
    entry: Entry, tools: Sequence[Tool], columns: Mapping[str, Sequence[str]]
) -> tuple[Edge, ...]:
    seen = tuple(
        replace(tool, returns=tuple(columns[tool.name]), result=None)
        if tool.name in columns
        else tool
        for tool in tools
    )
    found = infer(Service(entry.name, entry.title, entry.category, entry.about, seen, "", ""))
    stated = tuple(_stated(entry, seen))
    # What the entry has samples of, or names the source of, needs no guessing.
    told = {(tool.name, name) for tool in tools for name in _slots(tool) if _set(entry, tool, name)}
    return (*stated, *(edge for edge in found if (edge.consumer, edge.slot) not in told))


def _slots(tool: Tool) -> Iterable[str]:
    return tool.parameters.get("properties") or {}


def _set(entry: Entry, tool: Tool, name: str) -> bool:
    named = {name, f"{tool.name}.{name}"}
    return _sampled(entry, tool, name) or bool(named & entry.sources.keys())


def _stated(entry: Entry, tools: Sequence[Tool]) -> Iterator[Edge]:
    """Data-flow that the entry tells."""
    why = ("the entry says so",)
    for consumer in tools:
        for slot in _slots(consumer):
            column = entry.sources.get(f"{consumer.name}.{slot}", entry.sources.get(slot))
            for producer in tools:
                if column and column in producer.returns and producer is not consumer:
                    yield Edge(producer.name, consumer.name, column, slot, "key", reasons=why)
