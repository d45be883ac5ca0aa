"""From an entry to a domain.

Enters: an entry, and how tools of strangers are made plain. Leaves: a `LiveDomain`: the tools that
work, in the words of people, tied by data-flow that was seen to hold.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tdscaling.declared.definition import DomainFile, Parameter, ToolFile
from tdscaling.declared.domain import ToolSpec
from tdscaling.errors import AttemptError, ToolsError
from tdscaling.live import _loop, _probe, _wording
from tdscaling.live._pool import Launch, started
from tdscaling.live.domain import LiveDomain, definition
from tdscaling.live.entry import Entry, State
from tdscaling.phrasing import kind_of, words
from tdscaling.schema import Edge, Tool, digest

MOST_TOOLS = 300
"""Tools of one server, at most."""
SHORT = 120
"""Characters of a value that an answer may have to tell."""
NAMES = ("title", "name", "subject", "label", "summary")
"""Columns by which a person points at a row."""
JOINED = {"person", "email", "phone", "address", "city"}
"""Kinds of value over which a conversation may go on to another service."""

Clean = Callable[[Mapping[str, Any]], Tool]
"""Makes a tool out of what a server lists; raises `ValueError` where it is not usable."""


@dataclass(frozen=True, slots=True)
class Discovered:
    """A domain, and tools of its server that are left out."""

    domain: LiveDomain
    skipped: tuple[tuple[str, str], ...]
    """Tool and reason."""


def launch(entry: Entry, home: Path, ahead: int) -> Launch:
    """What starts the server here.

    Raises:
        ToolsError: if its program is not installed.
    """
    if entry.command is None:
        return Launch(entry, (), ahead)
    found = next((p for p in _places(entry, home) if p.is_file()), None)
    program = str(found) if found else shutil.which(entry.command)
    if program is None:
        if entry.install is not None:
            raise ToolsError(
                f"{entry.name} is not installed. Type: tdscaling servers install=[{entry.name}]"
            )
        raise ToolsError(f"{entry.name}: there is no program {entry.command!r} on PATH")
    return Launch(entry, (program, *entry.args), ahead)


def place(entry: Entry, home: Path) -> Path:
    """The folder that the entry's server is installed in, of its own."""
    install = entry.install
    what = (install.pypi or install.npm or "") if install else ""
    return home / f"{entry.name}-{digest(what, 8)}"


def _places(entry: Entry, home: Path) -> Iterable[Path]:
    if entry.install is not None and entry.command:
        yield place(entry, home) / "bin" / entry.command
        yield place(entry, home) / "node_modules" / ".bin" / entry.command


def listed(launch: Launch) -> list[dict[str, Any]]:
    """The tools of a server as it lists them.

    Raises:
        EnvironmentFailure: if it does not start or does not answer.
    """

    async def ask() -> list[dict[str, Any]]:
        server = await started(launch)
        try:
            tools = await server.tools()
        finally:
            await server.close()
        return [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools]

    return _loop.wait(ask())[:MOST_TOOLS]


def discover(launch: Launch, clean: Clean) -> Discovered:
    """Start a server, find out what its tools do, and make a domain of them.

    Raises:
        ToolsError: if nothing of it can be used; says why.
    """
    entry = launch.entry
    try:
        return _discovered(launch, clean)
    except AttemptError as error:
        raise ToolsError(str(error)) from error
    except ValidationError as error:
        raise ToolsError(f"{entry.name}: {error.errors()[0]['msg']}") from error


def _discovered(launch: Launch, clean: Clean) -> Discovered:
    entry = launch.entry
    skipped: list[tuple[str, str]] = []
    tools, names = _offered(entry, listed(launch), clean, skipped)
    said = _wording.said(entry, tools, skipped)
    tools = [tool for tool in tools if tool.name in said]
    if not tools:
        raise _useless(entry, skipped)
    draft = _draft(launch, tools, names, said)
    subject = _probe.Subject(
        tools=tools,
        parameters=said,
        infer=lambda columns: _wording.edges(entry, tools, columns),
        clock=entry.clock,
        tries=entry.probes,
        tracked=isinstance(entry.state, State),
    )
    findings, launch, unstable = _probed(draft, subject, launch)
    for tool in tools:
        found = findings.tools[tool.name]
        why = unstable.get(tool.name) or ("" if found.worked else found.error)
        if why:
            skipped.append((tool.name, why))
    left = {name for name, _ in skipped}
    tools = [tool for tool in tools if tool.name not in left]
    if not tools:
        raise _useless(entry, skipped)
    return Discovered(_domain(launch, tools, names, said, findings), tuple(skipped))


def _useless(entry: Entry, skipped: Sequence[tuple[str, str]]) -> ToolsError:
    why = f" The first: {skipped[0][0]}: {skipped[0][1]}" if skipped else ""
    return ToolsError(f"{entry.name}: none of its tools can be used.{why}")


def _offered(
    entry: Entry, raw: Sequence[dict[str, Any]], clean: Clean, skipped: list[tuple[str, str]]
) -> tuple[list[Tool], dict[str, str]]:
    """Tools that are not hidden, by the names that chat APIs take."""
    tools: list[Tool] = []
    names: dict[str, str] = {}
    for item in raw:
        name = str(item.get("name"))
        if name in entry.hide:
            continue
        try:
            tool = clean(_without(item, entry.hide_arguments.get(name, {})))
        except ValueError as error:
            skipped.append((name[:100], str(error)))
            continue
        if tool.name in names:
            skipped.append((name[:100], "that name again"))
            continue
        names[tool.name] = name
        tools.append(replace(tool, domain=entry.name, category=entry.category))
    return tools, names


def _without(item: dict[str, Any], hidden: Mapping[str, Any]) -> dict[str, Any]:
    schema = item.get("inputSchema")
    if not hidden or not isinstance(schema, dict):
        return item
    properties = schema.get("properties") or {}
    kept = {name: value for name, value in properties.items() if name not in hidden}
    required = [name for name in schema.get("required") or () if name not in hidden]
    return {**item, "inputSchema": {**schema, "properties": kept, "required": required}}


def _probed(
    draft: LiveDomain, subject: _probe.Subject, launch: Launch
) -> tuple[_probe.Findings, Launch, dict[str, str]]:
    session = draft.open("probe")
    try:
        findings = _probe.Probe(subject, session).run()
    finally:
        session.close()
    again = draft.open("probe")
    try:
        unstable, agrees = _probe.differing(findings, again)
    finally:
        again.close()
    if not agrees and not unstable:
        # Its state is different each time in ways that nobody listed: the calls stand for it.
        launch = replace(launch, entry=launch.entry.model_copy(update={"state": "calls"}))
    return findings, launch, unstable


def _draft(
    launch: Launch,
    tools: Sequence[Tool],
    names: Mapping[str, str],
    said: Mapping[str, Mapping[str, Parameter]],
) -> LiveDomain:
    """The domain before anything is known of its results."""
    files = {tool.name: _tool_file(tool, said[tool.name], (), False) for tool in tools}
    return _built(launch, files, dict.fromkeys(files, ()), {}, (), frozenset(), names, "")


def _domain(
    launch: Launch,
    tools: Sequence[Tool],
    names: Mapping[str, str],
    said: Mapping[str, Mapping[str, Parameter]],
    findings: _probe.Findings,
) -> LiveDomain:
    entry = launch.entry
    columns = {t.name: _columns(findings.tools[t.name].rows) for t in tools}
    edges = tuple(_probe.kept(_wording.edges(entry, tools, columns), findings))
    sources = {(edge.consumer, edge.slot): edge.column for edge in edges}
    files, writes = {}, {}
    for tool in tools:
        found = findings.tools[tool.name]
        usable = {
            name: parameter.model_copy(update={"source": sources.get((tool.name, name))})
            for name, parameter in said[tool.name].items()
            if not parameter.optional or (name in found.given and name not in found.refused)
        }
        told = _tellable(found.rows)
        # A list none of whose columns can be said is reported as one thing.
        files[tool.name] = _tool_file(tool, usable, told, found.many and bool(told))
        if _writes(entry, tool, found, names[tool.name]):
            writes[tool.name] = frozenset({"state"})
    keys = frozenset(edge.column for edge in edges if edge.kind == "key")
    shown = {column for names_ in columns.values() for column in names_}
    domain = _built(launch, files, columns, writes, edges, keys, names, "", shown)
    content = {**definition(domain), "entry": entry.model_dump(mode="json", by_alias=True)}
    return replace(domain, digest=digest(content))


def _writes(entry: Entry, tool: Tool, found: _probe.Finding, name: str) -> bool:
    if name in entry.writes:
        return entry.writes[name]
    if entry.state == "none":
        return False
    return found.writes if isinstance(entry.state, State) else tool.writes


def _columns(rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(column for row in rows for column in row))


def _tellable(rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Columns that every row has, with values that can be said in a sentence."""
    return tuple(
        column
        for column in _columns(rows)
        if column.isidentifier()
        and all(column in row and _is_short(row[column]) for row in rows)
        and any(row[column] is not None for row in rows)
        and column not in ("success", "ok", "isError")
    )


def _is_short(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= SHORT and "\n" not in value and "{" not in value
    return value is None or isinstance(value, bool | int | float)


def _tool_file(
    tool: Tool, said: Mapping[str, Parameter], columns: Sequence[str], many: bool
) -> ToolFile:
    text = words(tool, said, columns, many)
    return ToolFile.model_validate(
        {
            "description": tool.description.strip() or tool.name,
            "published": tool.parameters,
            "parameters": dict(said),
            "result": "many" if many else "one",
            "first": text.first,
            "intents": text.intents,
            "context": text.context,
            "answers": text.answers,
            "item": text.item,
            "tell": text.tell,
        }
    )


def _built(
    launch: Launch,
    files: Mapping[str, ToolFile],
    columns: Mapping[str, tuple[str, ...]],
    writes: Mapping[str, frozenset[str]],
    edges: tuple[Edge, ...],
    keys: frozenset[str],
    names: Mapping[str, str],
    mark: str,
    shown: Iterable[str] = (),
) -> LiveDomain:
    entry = launch.entry
    usable = sorted(column for column in shown if column.isidentifier() and column.isascii())
    kinds = {column: kind for column in usable if (kind := kind_of(column, {})) in JOINED}
    file = DomainFile.model_validate(
        {
            "category": entry.category,
            "about": entry.about.strip() or f"Tools of {entry.title}.",
            "clock": entry.clock,
            "kinds": kinds,
            "phrases": {column: "called {}" for column in usable if column in NAMES},
            "tools": dict(files),
        }
    )
    specs = {
        name: ToolSpec(
            name=name,
            file=file.tools[name],
            columns=columns[name],
            case_columns=(),
            reads=frozenset(),
            writes=writes.get(name, frozenset()),
        )
        for name in files
    }
    return LiveDomain(
        name=entry.name,
        file=file,
        digest=mark,
        tables=(),
        keys=keys,
        homes={},
        statuses=frozenset(),
        tools=specs,
        edges=edges,
        launch=launch,
        names=dict(names),
    )
