"""An area of coding tasks as a domain.

Enters: an area's name and a sandbox. Leaves: a `Domain` whose worlds are workspaces: the world
`ranking.4711` is the task that the family `ranking` makes out of that number, and its session runs
code.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from tdscaling.coding.areas import AREAS, CALCULATIONS, definition, worlds
from tdscaling.coding.task import Task
from tdscaling.declared.domain import Domain, ToolSpec
from tdscaling.schema import Cluster, Provenance, digest

if TYPE_CHECKING:
    from tdscaling.coding.session import CodeSession
    from tdscaling.sandbox import Sandbox

NUMBERS = 100_000
"""Tasks of a family that a run may draw; some differ in words and numbers only."""
WRITERS = frozenset({"run_python", "run_bash", "edit_file"})
"""Tools that can change files. Queries may, too, but nobody is asked to."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CodeDomain(Domain):
    """An area of coding tasks."""

    sandbox: Sandbox
    recover_share: float
    """Probability that a task's first snippet fails and is mended, 0 to 1."""
    glue_share: float
    """Probability that a computed figure is given to a further call, where one fits, 0 to 1."""

    @property
    def provenance(self) -> Provenance:
        """Code really runs."""
        return "executed"

    @property
    def blocking(self) -> bool:
        """A snippet runs in a process outside of this one."""
        return True

    def open(self, seed: str) -> CodeSession:
        """A session in a fresh workspace."""
        from tdscaling.coding.session import CodeSession

        return CodeSession(self, seed)

    def draw(self, random: Random) -> str:
        """The name of a random world."""
        number = 0 if self.name == CALCULATIONS else random.randrange(NUMBERS)
        return f"{random.choice(worlds(self.name))}.{number}"

    def task(self, world: str) -> Task:
        """The task of a world.

        Raises:
            KeyError: if the area has no such family.
        """
        return _task(self.name, world)


@lru_cache(maxsize=256)
def _task(area: str, world: str) -> Task:
    return AREAS[area].families[world.partition(".")[0]](Random(f"{area}:{world}:task"))


def code_domain(
    name: str, sandbox: Sandbox, *, recover_share: float, glue_share: float
) -> CodeDomain:
    """The domain of an area.

    Raises:
        KeyError: if there is no such area.
    """
    file, writers = definition(name), WRITERS if name != CALCULATIONS else frozenset()
    tools = {
        tool: ToolSpec(
            name=tool,
            file=content,
            columns=("exit_code", "stdout", "stderr"),
            case_columns=(),
            reads=frozenset(),
            writes=frozenset({"workspace"} if tool in writers else ()),
        )
        for tool, content in file.tools.items()
    }  # fmt: skip
    return CodeDomain(
        name=name,
        file=file,
        digest=digest([file.model_dump(mode="json", by_alias=True), _sources()]),
        tables=(),
        keys=frozenset(),
        homes={},
        statuses=frozenset(),
        tools=tools,
        sandbox=sandbox,
        recover_share=recover_share,
        glue_share=glue_share,
    )


@cache
def _sources() -> str:
    """Digest of what makes the tasks: a changed family makes other worlds under the same names."""
    folder = Path(__file__).parent
    paths = sorted([*folder.rglob("*.py"), *folder.rglob("*.yaml")])
    return digest([path.read_text(encoding="utf-8") for path in paths])


def cluster_of(domain: CodeDomain) -> Cluster:
    """The one cluster of an area."""
    id_ = f"{domain.name}-{digest([domain.digest, sorted(domain.tools)], 8)}"
    return Cluster(
        id_, domain.name, domain.file.category, domain.as_tools(), (), (), (domain.name,)
    )
