"""Rules that a model thinks of, once per cluster.

Enters: a draft and an endpoint. Leaves: the draft with further rules and wordings. Each is data
until execution has checked it: what does not compile, blocks a tool, or never refuses is dropped
with its reason. The result is frozen as a file, so that no run depends on the model.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from tdscaling.catalog import Skipped
from tdscaling.declared.definition import DomainFile
from tdscaling.declared.domain import Domain
from tdscaling.declared.load import RefusedError, checked, rule_problems
from tdscaling.llm import Endpoint, NoReply
from tdscaling.llm._text import value_in
from tdscaling.phrasing.clean import plain

if TYPE_CHECKING:
    from jinja2 import Environment

ROUNDS = 2
"""Requests for one draft, at most: the first answer and what mends it."""
MOST_PARTS = 40
_TEXT = {"type": "string", "maxLength": 400}
SHAPE = {
    "name": "rules",
    "schema": {
        "type": "object",
        "properties": {
            "rules": {
                "type": "array",
                "maxItems": MOST_PARTS,
                "items": {
                    "type": "object",
                    "properties": {"tool": _TEXT, "check": _TEXT, "error": _TEXT},
                    "required": ["tool", "check", "error"],
                    "additionalProperties": False,
                },
            },
            "wordings": {
                "type": "array",
                "maxItems": MOST_PARTS,
                "items": {
                    "type": "object",
                    "properties": {
                        "tool": _TEXT,
                        "answers": {"type": "array", "items": _TEXT, "minItems": 3, "maxItems": 5},
                        "item": _TEXT,
                    },
                    "required": ["tool", "answers"],
                    "additionalProperties": False,
                },
            },
        },
        "required": ["rules", "wordings"],
        "additionalProperties": False,
    },
}


@dataclass(slots=True)
class Ruled:
    """A draft with a model's rules."""

    file: DomainFile
    added: int = 0
    dropped: list[Skipped] = field(default_factory=list)
    """Parts of the model's answers that were not taken, and why."""


async def ruled(name: str, file: DomainFile, llm: Endpoint, seed: str) -> Ruled:
    """A draft with the rules and wordings that a model adds.

    Args:
        name: of the domain.
        file: the draft, which passes its checks.
        llm: the model.
        seed: of the requests.

    Raises:
        NoReply: if the first answer is not usable.
        EndpointError: if the endpoint cannot be used at all.
    """
    result = Ruled(file)
    problems: list[str] = []
    for turn in range(ROUNDS):
        prompt = _prompt(checked(name, result.file), problems)
        try:
            reply = await llm.chat(
                "rules",
                [{"role": "user", "content": prompt}],
                seed=f"{seed}:{turn}",
                json_schema=SHAPE,
            )
            parts = list(_parts(str(reply.message["content"])))
        except NoReply as error:
            if turn == 0:
                raise
            result.dropped.append(Skipped(f"{name}, answer {turn + 1}", str(error)))
            break
        refused = list(_applied(name, result, parts))
        result.dropped += refused
        problems = [f"{entry.where}: {entry.why}" for entry in refused]
        if not problems:
            break
    return result


def _applied(name: str, result: Ruled, parts: Sequence[Mapping[str, Any]]) -> Iterator[Skipped]:
    """Take what holds; the rest, with reasons."""
    for part in parts:
        tool = str(part.get("tool"))
        where = f"{name}.{plain(tool, 60)}"
        try:
            file = _changed(result.file, tool, part)
            domain = checked(name, file)
        except (ValidationError, RefusedError, ValueError) as error:
            yield Skipped(where, _why(error))
            continue
        idle = _never_refuses(domain, tool, part)
        if idle:
            yield Skipped(where, idle)
            continue
        result.file, result.added = file, result.added + 1


def _never_refuses(domain: Domain, tool: str, part: Mapping[str, Any]) -> str | None:
    if "check" not in part:
        return None
    rule = domain.tools[tool].file.requires[-1].error
    found = [p for p in rule_problems(domain) if p.startswith(f"tool {tool}:") and repr(rule) in p]
    return f"the rule {plain(rule, 120)} never refuses" if found else None


def _changed(file: DomainFile, tool: str, part: Mapping[str, Any]) -> DomainFile:
    if tool not in file.tools:
        raise ValueError(f"there is no tool {plain(tool, 60)}")
    content = file.model_dump(mode="json", by_alias=True, exclude_unset=True)
    entry = content["tools"][tool]
    if "check" in part:
        rule = {"check": str(part["check"]), "error": " ".join(str(part["error"]).split())}
        entry["requires"] = [*entry.get("requires", ()), rule]
    else:
        entry["answers"] = [" ".join(str(answer).split()) for answer in part["answers"]]
        if entry.get("result") == "many" and part.get("item"):
            entry["item"] = " ".join(str(part["item"]).split())
    return DomainFile.model_validate(content)


def _why(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return plain(error.errors()[0]["msg"], 200)
    return plain(error, 200)


def _parts(text: str) -> Iterator[dict[str, Any]]:
    """The parts of an answer.

    Raises:
        NoReply: if it is not of the shape that was asked for.
    """
    try:
        said = value_in(text)
        found = [*said["rules"], *said["wordings"]]
    except (ValueError, KeyError, TypeError) as error:
        raise NoReply(f"rules: malformed answer: {plain(text, 120)}") from error
    for part in found[: 2 * MOST_PARTS]:
        complete = isinstance(part, dict) and (
            {"tool", "check", "error"} <= part.keys()
            or ("tool" in part and isinstance(part.get("answers"), list))
        )
        if not complete:
            raise NoReply(f"rules: malformed answer: {plain(part, 120)}")
        yield part


def _prompt(domain: Domain, problems: Sequence[str]) -> str:
    tools = [
        {
            "name": spec.name,
            "description": plain(spec.file.description, 300),
            "parameters": ", ".join(
                f"{name} ({p.type}{', optional' if p.optional else ''})"
                for name, p in spec.file.parameters.items()
            )
            or "none",
            "columns": ", ".join(spec.columns) + (" (list)" if spec.file.result == "many" else ""),
            "rules": "; ".join(rule.error for rule in spec.file.requires) or "none",
        }
        for spec in domain.tools.values()
    ]
    return (
        _environment()
        .get_template("rules.jinja")
        .render(
            title=domain.file.simulates or domain.name,
            tables=domain.file.tables,
            tools=tools,
            problems=list(problems),
        )
        .strip()
    )


@functools.cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "prompts"),
        undefined=StrictUndefined,
        autoescape=False,  # the reader is a model, not a browser
        trim_blocks=True,
        lstrip_blocks=True,
    )
