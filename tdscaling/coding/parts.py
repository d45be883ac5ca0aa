"""What a run needs for its coding tasks.

Enters: the knobs `coding` and a sandbox. Leaves: domains, clusters and the share of draws; all
empty, with a reason, where no sandbox works and none was asked for by name.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypedDict

from tdscaling.coding.areas import AREAS, CALCULATIONS, TASKS
from tdscaling.coding.domain import CodeDomain, cluster_of, code_domain
from tdscaling.declared.domain import Domain
from tdscaling.errors import ConfigError, SandboxError
from tdscaling.schema import Cluster

if TYPE_CHECKING:
    from tdscaling.sandbox import Sandbox


class CodingOptions(TypedDict):
    """The keys under `coding`; `conf/synthesize.yaml` explains them."""

    share: float
    areas: list[str]
    recover_share: float
    glue_share: float


@dataclass(frozen=True, slots=True)
class Coding:
    """Coding tasks of a run."""

    share: float
    """Of draws that are about code, 0 to 1."""
    domains: Mapping[str, CodeDomain] = field(default_factory=dict)
    clusters: tuple[Cluster, ...] = ()
    """Of the areas with tasks of their own."""
    off: str = ""
    """Why there are none, although a share was asked for."""
    sandbox: Mapping[str, Any] = field(default_factory=dict)
    """Backend, image digest and limits; empty where nothing runs in it."""

    def joined(self, domains: Mapping[str, Domain]) -> Mapping[str, Domain]:
        """Domains with those of the areas.

        Raises:
            ConfigError: if one has the name of an area.
        """
        for name in self.domains:
            if name in domains:
                raise ConfigError(
                    f"coding: a domain of yours is called {name}, as an area of coding tasks is. "
                    "Rename it, or type coding.share=0"
                )
        # No copy: a domain may be made only when it is asked for.
        return ChainMap(dict(self.domains), domains) if self.domains else domains  # type: ignore[arg-type]


def coding_parts(
    sandbox: Sandbox, *, share: float, areas: list[str], recover_share: float, glue_share: float
) -> Coding:
    """The coding tasks of a run.

    Args:
        sandbox: runs the code; it is tried before anything is promised.
        share: of draws that are about code, 0 to 1.
        areas: with tasks of their own; empty for `compute` alone.
        recover_share: share of tasks whose first snippet fails and is mended, 0 to 1.
        glue_share: share of computed figures that are given to a further call, 0 to 1.

    Raises:
        ConfigError: naming the knob that is out of range.
        SandboxError: if a sandbox that was asked for by name does not work.
    """
    shares = {"share": share, "recover_share": recover_share, "glue_share": glue_share}
    for name, value in shares.items():
        if not 0 <= value <= 1:
            raise ConfigError(f"coding.{name}: expected 0 to 1, got {value:g}")
    for area in areas:
        if area not in TASKS:
            raise ConfigError(f"coding.areas: expected some of {', '.join(TASKS)}, got {area!r}")
    if share == 0:
        return Coding(0.0)
    reason = sandbox.why_not()
    if reason is not None and sandbox.required:
        raise SandboxError(f"{reason}; or go on without code: type sandbox=auto, or coding.share=0")
    if reason is not None:
        return Coding(0.0, off=reason)
    chosen = sorted({*areas, CALCULATIONS})
    domains = {
        name: code_domain(name, sandbox, recover_share=recover_share, glue_share=glue_share)
        for name in chosen
    }
    clusters = tuple(cluster_of(domains[name]) for name in chosen if name != CALCULATIONS)
    return Coding(share, domains, clusters, sandbox=dict(sandbox.describe()))


def with_areas(domains: Mapping[str, Domain], sandbox: Sandbox) -> Mapping[str, Domain]:
    """Domains with those of all areas: for what is verified rather than made."""
    areas = {name: code_domain(name, sandbox, recover_share=0.0, glue_share=0.0) for name in AREAS}
    return ChainMap(domains, areas)  # type: ignore[arg-type]
