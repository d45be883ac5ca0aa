"""What an evolution chooses from, and what it decides."""

from __future__ import annotations

from dataclasses import dataclass

from tdscaling.schema.blueprint import Blueprint
from tdscaling.schema.tools import Cluster
from tdscaling.schema.words import Operator


@dataclass(frozen=True, slots=True)
class Menu:
    """What an evolution can choose from."""

    clusters: tuple[Cluster, ...]
    operators: tuple[tuple[Operator, ...], ...]
    """Combinations of operators on offer; the empty one is the plain blueprint."""
    calls: tuple[int, ...]
    """Numbers of tool calls that a plan may aim at, ascending, each at least 1."""


@dataclass(frozen=True, slots=True)
class Request:
    """What one draw asks for."""

    cluster: str
    """Id of the cluster."""
    operators: tuple[Operator, ...]
    calls: int
    """Number of gold tool calls to aim at, at least 1."""
    parent: str | None = None
    """Id of the accepted blueprint to mutate; None for a fresh one."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One reason for what a round draws: a row of the table `steering`."""

    round: int
    factor: str
    """What was weighted, such as `category`, `operators` or `calls`; `phase` for the schedule's."""
    choice: str
    weight: float
    """Probability of the choice, 0 to 1."""
    why: str


@dataclass(frozen=True, slots=True)
class Steering:
    """What an evolution decides for one round."""

    requests: tuple[Request, ...]
    decisions: tuple[Decision, ...] = ()


@dataclass(frozen=True, slots=True)
class Draw:
    """One attempt to be made: everything its result may depend on besides the config."""

    index: int
    """Position in the run, from 0; outcomes are committed in this order."""
    round: int
    seed: str
    """Digest of (run seed, index); each use derives a stream of its own from it."""
    request: Request
    parent: Blueprint | None = None
    """The blueprint that the request names as parent."""
