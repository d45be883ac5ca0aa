"""How a server is launched, what it starts with, and where its state lies.

Enters: a mapping out of the registry or out of the user's own config. Leaves: an `Entry`. Every key
is documented here, under its field. `{dir}` in a text stands for the folder that each conversation
has of its own; the server works there and sees it, as its client does, as `/workspace`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    AfterValidator,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from tdscaling.declared.definition import Name, Rows, Strict, Text
from tdscaling.errors import ToolsError

FILE_BYTES = 1_000_000
"""Size of an entry's file at most."""


def _inside(path: str) -> str:
    if not path or path.startswith("/") or ".." in path.split("/"):
        raise ValueError("expected a path inside the conversation's folder")
    return path


Place = Annotated[str, AfterValidator(_inside)]
"""A path inside the conversation's folder."""


class Install(Strict):
    """Where `tdscaling servers install=[...]` gets it from; one of the two."""

    pypi: Text | None = None
    """Requirement, such as `mcp-server-time==2026.10.19`."""
    npm: Text | None = None
    """Package, such as `@modelcontextprotocol/server-memory@2026.8.31`."""
    constraints: tuple[Text, ...] = ()
    """Further requirements that pip must keep to."""

    @model_validator(mode="after")
    def _is_one(self) -> Install:
        if (self.pypi is None) == (self.npm is None):
            raise ValueError("give either `pypi` or `npm`")
        return self


class State(Strict):
    """Where the server keeps what it changes; several may be given."""

    sqlite: Place | None = None
    """SQLite file."""
    json_: Place | None = Field(default=None, alias="json")
    """JSON document, or one JSON object a line."""
    files: Place | None = None
    """Folder whose files are compared; `.` for the whole."""
    run: dict[Name, tuple[str, ...]] = Field(default_factory=dict)
    """Commands whose output lines are compared, by name."""
    leave_out: tuple[Text, ...] = ()
    """Patterns of files, or `table.column`, that do not count."""


class SetupFile(Strict):
    """Files of the initial state."""

    path: Place
    text: str
    each: Name | None = None
    """Table: one file per row, whose columns are `{slots}` of path and text."""


class SetupCall(Strict):
    """Calls that make the initial state; what the entry hides may be called here."""

    tool: Text
    arguments: dict[str, Any] = Field(default_factory=dict)
    each: Name | None = None


class SetupRun(Strict):
    """A command that is run in the folder, without a shell."""

    argv: tuple[str, ...] = Field(min_length=1)
    each: Name | None = None


class Setup(Strict):
    """The initial state, by the seed of the world."""

    tables: str = ""
    rows: dict[Name, Rows] = Field(default_factory=dict)
    """Generators as in a declared domain's `rows`."""
    sqlite: Place | None = None
    """SQLite file that the tables are written to; it may exist."""
    files: tuple[SetupFile, ...] = ()
    run: tuple[SetupRun, ...] = ()
    calls: tuple[SetupCall, ...] = ()
    sql: tuple[Text, ...] = ()
    """Statements run at last on the SQLite file of `state`: to set stamps, say."""


class Entry(Strict):
    """One server."""

    name: Name
    title: Text = "an MCP server"
    category: Name = "tools"
    about: str = ""
    licence: str = ""
    command: str | None = None
    """Program; found among what `install` installed, else on PATH."""
    args: tuple[str, ...] = ()
    url: str | None = None
    """Address of a server that speaks streamable HTTP, in place of a command."""
    headers: dict[str, str] = Field(default_factory=dict)
    env: dict[str, str] = Field(default_factory=dict)
    """Variables of the server. It gets PATH and these, and nothing else of this process's."""
    pass_env: tuple[str, ...] = ()
    """Variables of this process that are passed on."""
    install: Install | None = None
    state: State | Literal["none", "calls"] = "calls"
    """`none`: a server that keeps nothing, it may be used again; `calls`: nobody knows where, so
    the calls of tools that write stand for it."""
    prepare: Setup = Setup()
    """Made before the server starts; the same for every world."""
    setup: Setup = Setup()
    """Made once it has started, by the seed of the world."""
    hide: tuple[str, ...] = ()
    """Tools that nobody is offered, such as those of an administrator."""
    hide_arguments: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Per tool, arguments that nobody is offered and the value they always have; null for none."""
    samples: dict[str, Any] = Field(default_factory=dict)
    """Per parameter, or `tool.parameter`, a generator of values."""
    sources: dict[str, str] = Field(default_factory=dict)
    """Per parameter, or `tool.parameter`, the field of other tools' results that it takes, where
    names do not tell; like all data-flow it counts once a call has shown it."""
    nouns: dict[str, str] = Field(default_factory=dict)
    """Per parameter, or `tool.parameter`, what a person calls it."""
    writes: dict[str, bool] = Field(default_factory=dict)
    """Per tool, whether it changes state, where its hints are wrong."""
    volatile: tuple[str, ...] = ()
    """Regular expressions of what is different each time, besides times, paths and UUIDs; where one
    has a group, the group alone."""
    clock: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\d \d\d:\d\d$")] = (
        "2025-03-03 09:00"
    )
    """Time that it is in every conversation, UTC."""
    start_seconds: float = Field(default=30.0, gt=0)
    call_seconds: float = Field(default=20.0, gt=0)
    output_bytes: int = Field(default=1_000_000, ge=1000)
    """Of one message of the server, at most."""
    probes: int = Field(default=4, ge=1, le=50)
    """Calls of each tool made to find out what it does."""

    @field_validator("hide_arguments", mode="before")
    @classmethod
    def _names_are_enough(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {t: dict.fromkeys(a) if isinstance(a, list) else a for t, a in value.items()}

    @model_validator(mode="after")
    def _is_one(self) -> Entry:
        if (self.command is None) == (self.url is None):
            raise ValueError("give either `command` (and `args`) or `url`")
        if self.url is not None and not self.url.startswith(("http://", "https://")):
            raise ValueError("`url` begins with http:// or https://")
        return self

    @property
    def reusable(self) -> bool:
        """Whether a server may serve another conversation."""
        return self.state == "none"


def entry(name: str, data: Any, where: str) -> Entry:
    """A checked entry.

    Raises:
        ToolsError: naming the key that does not fit.
    """
    if not isinstance(data, dict):
        raise ToolsError(f"{where}: expected a mapping with `command` or `url`, got {data!r}")
    try:
        return Entry.model_validate({**data, "name": data.get("name", name)})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(map(str, first["loc"])) or "the entry"
        raise ToolsError(f"{where}: {key}: {first['msg']}") from error


def read(path: Path) -> Entry:
    """The entry in a YAML file, named after it.

    Raises:
        ToolsError: if it cannot be read or does not fit.
    """
    try:
        if path.stat().st_size > FILE_BYTES:
            raise ToolsError(f"{path}: expected at most {FILE_BYTES} bytes")
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise ToolsError(f"{path}: cannot be read: {' '.join(str(error).split())}") from error
    return entry(path.stem, data, str(path))
