"""The domain file as typed data.

Enters: the mapping read from YAML. Leaves: a `DomainFile`, whose shape is checked but whose SQL has
not run yet. Every key of the file format is documented here, under its field.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
ParameterName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")]
ToolName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Sql = Annotated[str, StringConstraints(min_length=6, strip_whitespace=True)]


class Strict(BaseModel):
    """Base of all parts of a file: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Parameter(BaseModel):
    """One parameter of a tool: JSON Schema keywords plus what binds and words it."""

    model_config = ConfigDict(extra="allow", frozen=True, populate_by_name=True)

    type: Literal["string", "integer", "number", "boolean", "array", "object"]
    description: Text
    source: ParameterName | None = Field(default=None, alias="from")
    """Result column that means the same; the parameter's own name if absent."""
    kind: Name | None = None
    """Kind of value (person, email, phone, address, city, amount, date, ...) for joins with other
    domains."""
    sample: Any = None
    """Generator (as in `rows`) of a value that no data-flow and no `cases` column gives."""
    noun: Text | None = None
    """What a person calls it; derived from the name if absent."""
    ask: Text | None = None
    """Question with which an assistant asks for it."""
    known: bool = False
    """True for a key that a person would know, such as an order number."""
    optional: bool = False

    @model_validator(mode="after")
    def _refers_to_nothing(self) -> Parameter:
        if _has_reference(self.model_extra):
            raise ValueError("`$ref` is not followed; write the schema out")
        return self

    def json_schema(self) -> dict[str, Any]:
        """The parameter's JSON Schema, without our extensions."""
        extra = self.model_extra or {}
        return {"type": self.type, "description": self.description, **extra}


def _has_reference(schema: Any) -> bool:
    if isinstance(schema, dict):
        return "$ref" in schema or any(map(_has_reference, schema.values()))
    return isinstance(schema, list) and any(map(_has_reference, schema))


class Rule(Strict):
    """A precondition of a tool."""

    check: Sql
    """SELECT that yields a row where the call is allowed."""
    error: Text
    """What the tool says otherwise; `{parameter}` is filled in."""


class ToolFile(Strict):
    """One tool."""

    description: Text
    category: Name | None = None
    """Label of its business area, where it differs from the file's."""
    published: dict[str, Any] | None = None
    """JSON Schema of the arguments as the service itself publishes it; offered to the assistant
    in place of the one that `parameters` make. What it asks for beyond them is never given."""
    parameters: dict[ParameterName, Parameter] = Field(default_factory=dict)
    requires: tuple[Rule, ...] = ()
    effects: tuple[Sql, ...] = ()
    returns: Sql = ""
    """SELECT that yields the result, after the effects."""
    result: Literal["one", "many"] = "one"
    """`one`: an object, no row is an error; `many`: an array, possibly empty."""
    cases: Sql | None = None
    """SELECT over the current state whose columns are parameters: argument values that belong
    together, allowed or refused by the rules."""
    first: Text | None = None
    """For `many` with an ORDER BY: what the first row is, such as `cheapest flight`."""
    intents: tuple[Text, ...] = Field(min_length=3)
    """Ways in which a person asks for it, imperative, without tool names; `{parameter}` slots."""
    context: tuple[Text, ...] = ()
    """Ways in which a person gives the parameters without asking for anything."""
    answers: tuple[Text, ...] = Field(min_length=3)
    """Ways in which an assistant reports the result; slots are result columns, for `many` also
    `{count}` and `{items}`."""
    item: Text | None = None
    """For `many`: how one row reads in `{items}`."""
    tell: tuple[ParameterName, ...] = ()
    """Result columns that must be told; all occur in every answer (or in `item`)."""

    @model_validator(mode="after")
    def _lists_have_items(self) -> ToolFile:
        if self.result == "many" and not self.item:
            raise ValueError("`result: many` needs `item`: how one row reads in an answer")
        if self.result == "one" and (self.item or self.first):
            raise ValueError("`item` and `first` go with `result: many`")
        return self


class Rows(Strict):
    """Seeded rows of one table."""

    count: int = Field(ge=0, le=2000)
    columns: dict[Annotated[str, StringConstraints(pattern=r"^_?[A-Za-z]\w*$")], Any]
    """Column to generator, see `tdscaling.declared.rows`; filled in this order."""


class DomainFile(Strict):
    """A whole domain file."""

    category: Name
    about: Text
    clock: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\d \d\d:\d\d$")]
    """The time that it is in this domain, `YYYY-MM-DD HH:MM`; it stands still in a conversation."""
    simulates: Text | None = None
    """Service whose tools it imitates; what they return counts as `simulated` then."""
    tables: Sql = ""
    rows: dict[Name, Rows] = Field(default_factory=dict)
    """In the order in which they are filled: referenced tables first."""
    kinds: dict[ParameterName, Name] = Field(default_factory=dict)
    """Kind of value of result columns, for joins with other domains."""
    phrases: dict[ParameterName, Text] = Field(default_factory=dict)
    """How a person picks a row by a column, such as `departs: leaving at {}`."""
    volatile: tuple[Annotated[str, StringConstraints(pattern=r"^\w+\.\w+$")], ...] = ()
    """Columns `table.column` whose exact content does not matter in the final state."""
    tools: dict[ToolName, ToolFile] = Field(min_length=1)

    @field_validator("clock")
    @classmethod
    def _clock_exists(cls, clock: str) -> str:
        try:
            dt.datetime.fromisoformat(clock)
        except ValueError as error:
            raise ValueError(f"no such time: {error}") from error
        return clock
