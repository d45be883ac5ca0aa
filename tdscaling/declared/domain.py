"""A domain as the stages use it.

Enters: a `DomainFile` and what compiling its SQL told. Leaves: `Domain` and `ToolSpec`: which
columns a tool returns, whether it writes, which data-flow ties it to others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import fastjsonschema

from tdscaling.declared.definition import DomainFile, Parameter, Rule, ToolFile
from tdscaling.declared.session import Session
from tdscaling.schema import Edge, Provenance, Tool


@dataclass(frozen=True, slots=True, eq=False)
class ToolSpec:
    """One tool of a declared domain."""

    name: str
    file: ToolFile
    columns: tuple[str, ...]
    """Columns of its result."""
    case_columns: tuple[str, ...]
    """Columns of its `cases`."""
    reads: frozenset[str]
    """Tables that it reads."""
    writes: frozenset[str]
    """Tables that it changes; empty for a read."""

    @property
    def schema(self) -> dict[str, Any]:
        """JSON Schema of the arguments."""
        if self.file.published is not None:
            return self.file.published
        parameters = self.file.parameters
        return {
            "type": "object",
            "properties": {name: p.json_schema() for name, p in parameters.items()},
            "required": [name for name, p in parameters.items() if not p.optional],
            "additionalProperties": False,
        }

    def problem(self, arguments: Mapping[str, Any]) -> str | None:
        """Why arguments do not fit the schema, None where they do."""
        try:
            _validator(self)(dict(arguments))
        except fastjsonschema.JsonSchemaException as error:
            return str(error).replace("data must", "arguments must", 1)
        return None

    def bind(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments as SQL values: absent ones are NULL, lists are JSON text."""
        return {name: sql_value(arguments.get(name)) for name in self.file.parameters}

    def refusal(self, rule: Rule, values: Mapping[str, Any]) -> str:
        """The words of a rule that refuses."""
        return rule.error.format(**values)

    def source(self, parameter: str) -> str:
        """Column whose values the parameter takes."""
        return self.file.parameters[parameter].source or parameter

    def noun(self, parameter: str) -> str:
        """What a person calls a parameter."""
        return self.file.parameters[parameter].noun or noun(self.source(parameter))


def noun(column: str) -> str:
    """What a person calls a column: `flight_id` is a flight."""
    return re.sub(r"_id$", "", column).replace("_", " ")


@lru_cache(maxsize=4096)
def _validator(tool: ToolSpec) -> Any:
    return fastjsonschema.compile(tool.schema, use_default=False)


def sql_value(value: Any) -> Any:
    """A JSON value as SQLite holds it: lists are JSON text, booleans 0 or 1."""
    if isinstance(value, list | dict):
        return json.dumps(value)
    return int(value) if isinstance(value, bool) else value


@dataclass(frozen=True, slots=True, eq=False)
class Domain:
    """A checked domain."""

    name: str
    file: DomainFile
    digest: str
    """Digest of the file's content."""
    tables: tuple[str, ...]
    keys: frozenset[str]
    """Columns that identify rows: primary and foreign keys."""
    homes: dict[str, str]
    """Column to the table whose single primary key it is."""
    statuses: frozenset[str]
    """Words that a CHECK (... IN ...) of a table allows: states of its status machines."""
    tools: dict[str, ToolSpec]
    edges: tuple[Edge, ...] = field(default=())

    @property
    def provenance(self) -> Provenance:
        """Of what its calls observe."""
        return "simulated" if self.file.simulates else "executed"

    @property
    def blocking(self) -> bool:
        """Whether executing a call waits for something outside of this process."""
        return False

    def open(self, seed: str) -> Session:
        """A session on a fresh copy of the initial state that a seed names."""
        from tdscaling.declared.world import world

        return world(self, seed).open()

    def definition(self) -> dict[str, Any] | None:
        """What a run keeps of it as plain JSON data; None where its file can be read again."""
        return None

    def volatile(self, table: str) -> frozenset[str]:
        """Columns of a table that do not count in the final state."""
        return frozenset(
            entry.partition(".")[2] for entry in self.file.volatile if entry.startswith(f"{table}.")
        )

    def parameter(self, tool: str, name: str) -> Parameter:
        """A parameter of a tool."""
        return self.tools[tool].file.parameters[name]

    def as_tools(self) -> tuple[Tool, ...]:
        """The tools as the other stages see them."""
        return tuple(
            Tool(
                name=spec.name,
                description=spec.file.description,
                parameters=spec.schema,
                domain=self.name,
                category=spec.file.category or self.file.category,
                returns=spec.columns,
                writes=bool(spec.writes),
            )
            for spec in self.tools.values()
        )


def edges(tools: Mapping[str, ToolSpec], keys: frozenset[str], file: DomainFile) -> list[Edge]:
    """Data-flow: a result column that another tool's parameter names.

    A column that is a key ties tools strongly (`key`); one with a kind of value ties them too
    (`value`). Other equal names (a status, a note) are no data-flow.
    """
    found = []
    for consumer in tools.values():
        for slot, parameter in consumer.file.parameters.items():
            column = consumer.source(slot)
            if column in keys:
                kind = "key"
            elif parameter.kind and file.kinds.get(column) == parameter.kind:
                kind = "value"
            else:
                continue
            found += [
                Edge(producer.name, consumer.name, column, slot, kind)  # type: ignore[arg-type]
                for producer in tools.values()
                if producer is not consumer
                and column in producer.columns
                and not (kind == "value" and _takes(producer, column))
            ]
    return found


def _takes(tool: ToolSpec, column: str) -> bool:
    # A tool that needs the value itself only echoes it.
    return any(tool.source(name) == column for name in tool.file.parameters)
