"""Services, their tools, and the business clusters that data-flow ties tools into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Tool:
    """Something that an assistant can call."""

    name: str
    description: str
    parameters: dict[str, Any]
    """JSON Schema of the arguments; always an object."""
    domain: str
    """Name of the service it belongs to."""
    category: str
    """Label of the business area of that service; empty where nothing is known of it."""
    returns: tuple[str, ...] = ()
    """Fields of the result, where they are known."""
    writes: bool = False
    """Whether a call can change state."""
    read_only: bool | None = None
    """The source's own hint that a call changes nothing; None where it gives none."""
    destructive: bool | None = None
    """The source's own hint that a call may destroy something; None where it gives none."""
    result: dict[str, Any] | None = None
    """JSON Schema of the result, where the source states one."""

    def openai(self) -> dict[str, Any]:
        """The tool in the format of the OpenAI `tools` parameter."""
        return {
            "type": "function",
            "function": {
                "name": self.name,
                "description": self.description,
                "parameters": self.parameters,
            },
        }


@dataclass(frozen=True, slots=True)
class Service:
    """What one source offers: an MCP server, an API, a declared domain."""

    name: str
    """Unique among the services of a catalog; small letters, digits and `_`."""
    title: str
    """As its source calls it."""
    category: str
    """Label of its business area as its source states it; empty where it states none."""
    about: str
    """What it is for, one line; may be empty."""
    tools: tuple[Tool, ...]
    source: str
    """Where it was read from: a file, a command, an address."""
    licence: str = ""
    """As the source states it; empty where it does not."""


@dataclass(frozen=True, slots=True)
class Edge:
    """Data-flow: a field of the producer's result is what the consumer's parameter needs."""

    producer: str
    consumer: str
    column: str
    """Field of the producer's result."""
    slot: str
    """Parameter of the consumer."""
    kind: Literal["key", "value"]
    """`key` where the field identifies a row; `value` where both merely mean the same thing."""
    score: float = 1.0
    """Belief that the consumer accepts what the producer returns, 0 to 1."""
    reasons: tuple[str, ...] = ()
    """What the score is made of, for people."""
    confirmed: bool = False
    """Whether execution has shown it: the consumer accepted a value that the producer returned."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Business cluster: tools tied by data-flow."""

    id: str
    """Name with a digest of its content."""
    domain: str
    """Name of the domain that executes it."""
    category: str
    tools: tuple[Tool, ...]
    edges: tuple[Edge, ...]
    partners: tuple[str, ...] = ()
    """Domains that `cross` can join, over a shared kind of value."""
    services: tuple[str, ...] = ()
    """Services that the tools come from; more than one in a composition."""
