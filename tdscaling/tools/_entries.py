"""Tools as JSON states them.

Enters: entries of `tools/list` results and of OpenAI's `tools` lists. Leaves: tools, or the reason
why an entry is skipped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tdscaling.schema import Service, Tool
from tdscaling.tools._fields import fields
from tdscaling.tools._keywords import shortened
from tdscaling.tools._messages import shown
from tdscaling.tools._schema import Cleaner, SchemaProblem
from tdscaling.tools._service import DESCRIPTION, Shelf, hint, label, sentence, slug, tool_name
from tdscaling.tools._verbs import changes

SCHEMAS = ("inputSchema", "input_schema", "parameters")
RESULTS = ("outputSchema", "output_schema")


def tool(entry: Any) -> Tool:
    """A tool whose service is not known yet.

    Raises:
        ValueError: if the entry is none, or its schema is not usable; says why.
    """
    if not isinstance(entry, Mapping):
        raise ValueError(f"expected a tool, got {shown(entry)}")
    if isinstance(entry.get("function"), Mapping):
        entry = entry["function"]
    name = entry.get("name")
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"expected a tool with a name, got {shown(name)}")
    stated = entry.get("description") or ""
    if not isinstance(stated, str):
        raise ValueError("its description is no text")
    stated = stated or _text(entry.get("title"))
    description = shortened(stated, DESCRIPTION)
    hints = entry.get("annotations")
    hints = hints if isinstance(hints, Mapping) else {}
    read_only, destructive = hint(hints.get("readOnlyHint")), hint(hints.get("destructiveHint"))
    arguments = _first(entry, SCHEMAS)
    parameters = Cleaner(arguments).parameters(arguments)
    outcome = _first(entry, RESULTS)
    result = Cleaner(outcome).result(outcome)
    if read_only is None:
        writes = destructive is True or changes(name, description) is True
    else:
        writes = not read_only
    return Tool(
        name=tool_name(name.strip()),
        description=description,
        parameters=parameters,
        domain="",
        category="",
        returns=fields(result),
        writes=writes,
        read_only=read_only,
        destructive=destructive,
        result=result,
    )


def usable(entries: Iterable[Any], where: str, shelf: Shelf) -> tuple[Tool, ...]:
    """The tools of entries; those that are none are skipped and named."""
    found = []
    for number, entry in enumerate(entries, 1):
        try:
            found.append(tool(entry))
        except (SchemaProblem, ValueError) as error:
            named = _text(entry.get("name")) if isinstance(entry, Mapping) else ""
            shelf.skip(f"{where}: {named[:100] or f'tool {number}'}", str(error))
    return tuple(found)


def service(server: Mapping[str, Any], title: str, source: str, shelf: Shelf) -> Service:
    """A service out of a server object with `tools`; `title` is for one that has no name."""
    info = server.get("serverInfo")
    info = info if isinstance(info, Mapping) else {}
    named = [server.get(key) for key in ("server", "name", "title")]
    named += [info.get("title"), info.get("name")]
    title = next((text.strip() for text in map(_text, named) if text.strip()), title)
    about = [_text(server.get(key)) for key in ("about", "description", "instructions")]
    return Service(
        name=slug(title),
        title=title[:200],
        category=label(server.get("label") or server.get("category")),
        about=next((sentence(text) for text in about if text.strip()), ""),
        tools=usable(server["tools"], f"{source}: {title}", shelf),
        source=source,
        licence=_text(server.get("licence") or server.get("license"))[:200],
    )


def _first(entry: Mapping[str, Any], keys: Iterable[str]) -> Any:
    return next((entry[key] for key in keys if entry.get(key) is not None), None)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
