"""Arguments that a person could give a tool in the present state.

Enters: a session and a tool. Leaves: candidate arguments, in a seeded order: some the rules allow,
some they refuse; executing them tells which.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tdscaling.declared.definition import Parameter
from tdscaling.declared.domain import Domain, ToolSpec, sql_value
from tdscaling.declared.rows import Generators
from tdscaling.declared.session import Session

OPTIONAL_SHARE = 0.5
"""Probability that an optional parameter is used where a value for it is at hand."""


def candidates(
    session: Session,
    spec: ToolSpec,
    generators: Generators,
    fixed: Mapping[str, Any],
    limit: int,
) -> Iterator[dict[str, Any]]:
    """Arguments in a seeded order, each of the tool's JSON types.

    Args:
        session: the state out of which values are drawn.
        spec: the tool.
        generators: the random stream.
        fixed: parameters that are bound already; their `cases` rows must agree with them.
        limit: rows of `cases` to draw, at most.
    """
    names = spec.case_columns
    rows: list[tuple[Any, ...]] = [()]
    if spec.file.cases:
        shared = {name: sql_value(value) for name, value in fixed.items() if name in names}
        found = session.table(spec.file.cases, shared)
        rows = generators.random.sample(found, min(limit, len(found)))
    homes: dict[str, list[Any]] = {}
    for row in rows:
        given = {**dict(zip(names, row, strict=True)), **fixed}
        arguments = _fill(session, spec, generators, given, homes)
        if arguments is not None:
            yield arguments


def _fill(
    session: Session,
    spec: ToolSpec,
    generators: Generators,
    given: Mapping[str, Any],
    homes: dict[str, list[Any]],
) -> dict[str, Any] | None:
    arguments: dict[str, Any] = {}
    for name, parameter in spec.file.parameters.items():
        value = given.get(name)
        if value is None and parameter.optional and generators.random.random() > OPTIONAL_SHARE:
            continue
        if value is None:
            value = _draw(session, spec, name, generators, homes)
        if value is None:
            if parameter.optional:
                continue
            return None
        arguments[name] = typed(value, parameter)
    return arguments


def _draw(
    session: Session,
    spec: ToolSpec,
    name: str,
    generators: Generators,
    homes: dict[str, list[Any]],
) -> Any:
    parameter = spec.file.parameters[name]
    extra = parameter.model_extra or {}
    if parameter.sample is not None:
        return generators.draw(parameter.sample, {})
    if "enum" in extra:
        return generators.random.choice(extra["enum"])
    if parameter.type == "boolean":
        return generators.random.random() < 0.5
    if name not in homes:
        homes[name] = _home_values(session, spec.source(name))
    return generators.random.choice(homes[name]) if homes[name] else None


def _home_values(session: Session, column: str) -> list[Any]:
    table = home(session.domain, column)
    if table is None:
        return []
    return [value for (value,) in session.table(f'SELECT "{column}" FROM "{table}" ORDER BY 1')]


def home(domain: Domain, column: str) -> str | None:
    """The table whose single primary key the column is."""
    return domain.homes.get(column)


def fillable(domain: Domain, name: str, parameter: Parameter, cased: frozenset[str]) -> bool:
    """Whether some source of values for a parameter exists, data-flow aside."""
    column = parameter.source or name
    has_value = parameter.sample is not None or "enum" in (parameter.model_extra or {})
    return (
        has_value
        or name in cased
        or parameter.type == "boolean"
        or home(domain, column) is not None
    )


def _listed(value: str) -> list[Any]:
    """A list as SQLite holds it, or a column's single value as a list of one."""
    try:
        found = json.loads(value)
    except ValueError:
        return [value]
    return found if isinstance(found, list) else [value]


def typed(value: Any, parameter: Parameter) -> Any:
    """A value out of SQL as the parameter's JSON type."""
    if parameter.type == "boolean":
        return bool(value)
    if parameter.type == "object" and isinstance(value, str):
        return json.loads(value)
    if parameter.type == "array" and isinstance(value, str):
        return _listed(value)
    if parameter.type == "string" and not isinstance(value, str):
        return str(value)
    if parameter.type == "number" and isinstance(value, int):
        return float(value)
    return value
