"""From the text of a domain file to a checked `Domain`.

Enters: a path. Leaves: a domain whose every statement compiled, whose every parameter is used and
can be filled, whose words name only what exists, and whose every tool succeeded at least once.
"""

from __future__ import annotations

import difflib
import json
import re
import reprlib
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import ValidationError

from tdscaling.declared.arguments import candidates, fillable
from tdscaling.declared.compile import (
    Compiled,
    compile_tool,
    key_columns,
    open_schema,
    table_names,
    table_problems,
)
from tdscaling.declared.connection import cause
from tdscaling.declared.definition import DomainFile
from tdscaling.declared.domain import Domain, ToolSpec, edges
from tdscaling.declared.read import read
from tdscaling.declared.rows import GeneratorError, Generators
from tdscaling.declared.session import Session
from tdscaling.declared.words import phrase_problems, word_problems
from tdscaling.declared.world import World
from tdscaling.errors import DomainError, EnvironmentFailure
from tdscaling.schema import digest

CHECK_SEEDS = ("check-0", "check-1", "check-2")
TRIES = 400
"""Candidate arguments per world and tool before a tool counts as one that cannot succeed."""
_STATUS = re.compile(
    r"\b\w*(?:status|state|stage)\b[^,]*?CHECK\s*\(\s*\w+\s+IN\s*\(([^)]*)\)", re.IGNORECASE
)
_TOOL = re.compile(r"tool ([\w-]+)[:,]")
_QUOTED = re.compile(r"'([^']+)'")


class RefusedError(DomainError):
    """A domain with a problem; of which tool, where it is one tool's."""

    def __init__(self, message: str, tool: str | None = None, problem: str = "") -> None:
        super().__init__(message)
        self.tool = tool
        self.problem = problem or message

    def __reduce__(self) -> tuple[type[RefusedError], tuple[str, str | None, str]]:
        """Errors cross process boundaries, and by default only their text would."""
        return type(self), (str(self), self.tool, self.problem)


class _BrokenError(Exception):
    """A domain whose rows or tools cannot even be run."""


def load(path: Path) -> Domain:
    """Read and check a domain file.

    Raises:
        DomainError: naming file, tool and cause.
    """
    name = path.stem
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise DomainError(
            f"{path}: a file's name is its domain's name: expected small letters, digits and `_`, "
            f"got {name!r}. Rename the file."
        )
    try:
        file = DomainFile.model_validate(read(path))
    except ValidationError as error:
        raise _refused(path, _shape_problem(error)) from error
    return checked(name, file, path)


def checked(name: str, file: DomainFile, path: Path | None = None) -> Domain:
    """Compile and check a domain.

    Args:
        name: of the domain.
        file: its content.
        path: where it was read; None for one that was made.

    Raises:
        RefusedError: naming tool and cause.
    """
    domain = _compiled(path, name, file)
    for problem in _problems(domain):
        raise _refused(path, problem)
    return domain


def rule_problems(domain: Domain) -> Iterator[str]:
    """Rules that refused none of the candidate arguments: they may be dead words."""
    seen = {(tool, rule): False for tool in domain.tools for rule in _rules(domain, tool)}
    for seed in CHECK_SEEDS:
        for tool, errors in _outcomes(domain, seed, stop_at_success=False):
            for rule in _rules(domain, tool):
                seen[tool, rule] |= any(_says(rule, error) for error in errors)
    for (tool, rule), refused in seen.items():
        if not refused:
            yield f"tool {tool}: the rule {rule!r} never refuses; let rows or `cases` break it"


def _rules(domain: Domain, tool: str) -> list[str]:
    return [rule.error for rule in domain.tools[tool].file.requires]


def _says(template: str, error: str | None) -> bool:
    pattern = re.sub(r"\\{\w+\\}", ".*", re.escape(template))
    return error is not None and re.fullmatch(pattern, error, re.DOTALL) is not None


def _refused(path: Path | None, problem: str) -> RefusedError:
    found = _TOOL.match(problem)
    tool = found[1] if found else None
    if path is None:
        return RefusedError(problem, tool)
    advice = f"Mend the file, then run `tdscaling domains check={path}`."
    return RefusedError(f"{path}: {problem}. {advice}", tool, problem)


def _shape_problem(error: ValidationError) -> str:
    first = error.errors()[0]
    parts = [str(part) for part in first["loc"]]
    where = _where(parts)
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(parts[-1], _known_keys(), 1)
        hint = f", did you mean `{near[0]}`?" if near else ""
        return f"{where}: unknown key `{parts[-1]}`{hint}"
    count = len(error.errors())
    more = f" (and {count - 1} more)" if count > 1 else ""
    # Not repr(): short text may stand for a value of any size.
    got = reprlib.repr(first["input"])
    return f"{where}: {first['msg'].removeprefix('Value error, ')}, got {got[:80]}{more}"


def _where(parts: list[str]) -> str:
    if len(parts) > 1 and parts[0] == "tools":
        return f"tool {parts[1]}" + (f", {'.'.join(parts[2:])}" if parts[2:] else "")
    return ".".join(parts) or "the file"


def _known_keys() -> list[str]:
    from tdscaling.declared.definition import Parameter, Rows, Rule, ToolFile

    models = (DomainFile, ToolFile, Parameter, Rows, Rule)
    return [field for model in models for field in model.model_fields]


def _compiled(path: Path | None, name: str, file: DomainFile) -> Domain:
    for part in ("tables", "rows"):
        if not getattr(file, part):
            raise _refused(path, f"{part}: Field required")
    try:
        connection = open_schema(file.tables)
    except sqlite3.Error as error:
        raise _refused(path, f"tables: {cause(error)}") from error
    tables = table_names(connection)
    for problem in table_problems(connection, file, tables):
        raise _refused(path, problem)
    specs: dict[str, ToolSpec] = {}
    for tool, content in file.tools.items():
        if not content.returns:
            raise _refused(path, f"tool {tool}, returns: Field required")
        try:
            compiled: Compiled = compile_tool(connection, content)
        except (sqlite3.Error, ValueError) as error:
            raise _refused(path, f"tool {tool}: {error}") from error
        specs[tool] = ToolSpec(
            tool,
            content,
            compiled.columns,
            compiled.case_columns,
            compiled.reads,
            compiled.writes,
        )
    keys, homes = key_columns(connection, tables)
    connection.close()
    return Domain(
        name=name,
        file=file,
        digest=digest(file.model_dump(mode="json", by_alias=True)),
        tables=tables,
        keys=keys,
        homes=homes,
        statuses=frozenset(
            word for listed in _STATUS.findall(file.tables) for word in _QUOTED.findall(listed)
        ),
        tools=specs,
        edges=tuple(edges(specs, keys, file)),
    )


def _problems(domain: Domain) -> Iterator[str]:
    yield from _volatile_problems(domain)
    yield from phrase_problems(domain.file)
    for spec in domain.tools.values():
        for problem in [*word_problems(spec), *_parameter_problems(domain, spec)]:
            yield f"tool {spec.name}: {problem}"
    yield from _execution_problems(domain)


def _volatile_problems(domain: Domain) -> Iterator[str]:
    for entry in domain.file.volatile:
        table = entry.partition(".")[0]
        if table not in domain.tables:
            yield f"volatile: {entry} names no table, there are {', '.join(domain.tables)}"


def _parameter_problems(domain: Domain, spec: ToolSpec) -> Iterator[str]:
    cased = frozenset(spec.case_columns)
    for name in cased - set(spec.file.parameters):
        yield f"cases: column {name} is no parameter"
    fed = {edge.slot for edge in domain.edges if edge.consumer == spec.name}
    for name, parameter in spec.file.parameters.items():
        is_key = spec.source(name) in domain.keys
        if is_key and not parameter.known and not parameter.optional and name not in fed:
            yield (
                f"parameter {name}: no tool returns {spec.source(name)} and a person cannot know "
                "it; return it somewhere, rename it with `from`, or set `known: true`"
            )
        elif name not in fed and not fillable(domain, name, parameter, cased):
            yield (
                f"parameter {name}: nothing tells how to fill it; add it to `cases`, give it a "
                "`sample`, or name a result column with `from`"
            )


def _execution_problems(domain: Domain) -> Iterator[str]:
    failing: dict[str, list[str]] = {}
    succeeded: set[str] = set()
    for seed in CHECK_SEEDS:
        try:
            for tool, errors in _outcomes(domain, seed, stop_at_success=True, skip=succeeded):
                if None in errors:
                    succeeded.add(tool)
                failing.setdefault(tool, []).extend(error for error in errors if error)
        except _BrokenError as error:
            yield str(error)
            return
        if len(succeeded) == len(domain.tools):
            return
    for tool in domain.tools.keys() - succeeded:
        seen = failing.get(tool) or ["no arguments could be drawn: `cases` yields no row"]
        common = max(set(seen), key=seen.count)
        yield f"tool {tool}: never succeeds in {len(seen)} tries; the usual refusal is: {common}"


def _outcomes(
    domain: Domain, seed: str, *, stop_at_success: bool, skip: Iterable[str] = ()
) -> Iterator[tuple[str, list[str | None]]]:
    """Per tool the errors of its candidate calls, None for a success."""
    try:
        origin = World(domain, seed)
    except (GeneratorError, sqlite3.Error) as error:
        raise _BrokenError(f"rows: {cause(error)}") from error
    for spec in domain.tools.values():
        if spec.name in skip:
            continue
        session = origin.open()
        try:
            errors = list(_tries(session, spec, seed, stop_at_success=stop_at_success))
        except (GeneratorError, sqlite3.Error, EnvironmentFailure) as error:
            raise _BrokenError(f"tool {spec.name}: {cause(error.__cause__ or error)}") from error
        finally:
            session.close()
        yield spec.name, errors


def _tries(
    session: Session, spec: ToolSpec, seed: str, *, stop_at_success: bool
) -> Iterator[str | None]:
    generators = Generators(f"{seed}:{spec.name}", session.domain.file.clock, None)
    for _ in range(1 if spec.file.cases else 8):
        for arguments in candidates(session, spec, generators, {}, TRIES):
            result = session.execute(spec.name, arguments)
            yield None if result.ok else _error_text(result.content)
            if result.ok and stop_at_success:
                return


def _error_text(content: str) -> str:
    return str(json.loads(content)["error"])
