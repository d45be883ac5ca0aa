"""Which draws become coding draws."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tdscaling.coding.areas import TASKS
from tdscaling.coding.domain import cluster_of
from tdscaling.coding.mix import NO_MIX, Mix
from tdscaling.coding.parts import coding_parts
from tdscaling.errors import ConfigError, SandboxError
from tdscaling.sandbox.auto import AutoSandbox
from tdscaling.sandbox.none import NoSandbox
from tdscaling.schema import Request
from tests.coding.workspaces import area, sandbox
from tests.sandbox.parts import docker_sandbox

CLUSTERS = tuple(cluster_of(area(name)) for name in TASKS)
REQUESTS = [Request("airline-1", ("extend",), 3)] * 2000


@pytest.mark.parametrize("share", [0.0, 0.15, 0.6, 1.0])
def test_share_is_measured(share: float) -> None:
    mix = Mix(share, CLUSTERS, 1)
    turned = [mix.concerns(request) for request in mix.applied(REQUESTS, 0)]
    assert sum(turned) / len(turned) == pytest.approx(share, abs=0.03)


def test_half_are_tasks_evenly_over_the_areas() -> None:
    found = Mix(1.0, CLUSTERS, 1).applied(REQUESTS, 0)
    counts = [sum(r.cluster == cluster.id for r in found) for cluster in CLUSTERS]
    assert sum(counts) == pytest.approx(1000, abs=80)
    assert max(counts) - min(counts) <= 1
    assert {r.operators for r in found} == {(), ("extend", "compute")}


def test_a_draw_depends_on_seed_and_index_alone() -> None:
    whole = Mix(0.4, CLUSTERS, 1).applied(REQUESTS[:64], 0)
    later = Mix(0.4, CLUSTERS, 1).applied(REQUESTS[:32], 32)
    turned = [r != REQUESTS[0] for r in whole[32:]]
    assert turned == [r != REQUESTS[0] for r in later]
    assert whole != Mix(0.4, CLUSTERS, 2).applied(REQUESTS[:64], 0)


def test_none_turns_nothing() -> None:
    assert NO_MIX.applied(REQUESTS, 0) == REQUESTS


def test_without_a_sandbox_there_are_none() -> None:
    code = coding_parts(
        NoSandbox(), share=0.5, areas=list(TASKS), recover_share=0.3, glue_share=0.5
    )
    assert (code.share, code.clusters, dict(code.domains)) == (0.0, (), {})
    assert "the code tool is off" in code.off


def test_sandbox_that_was_asked_for_by_name_must_work(tmp_path: Path) -> None:
    absent = docker_sandbox(None, f"unix://{tmp_path}/none.sock")
    knobs: dict[str, Any] = {"areas": list(TASKS), "recover_share": 0.3, "glue_share": 0.5}
    with pytest.raises(SandboxError, match=r"no engine answers .*coding\.share=0"):
        coding_parts(absent, share=0.5, **knobs)
    assert coding_parts(absent, share=0.0, **knobs).off == ""
    auto = AutoSandbox(docker=absent, bubblewrap=NoSandbox())
    assert "no engine answers" in coding_parts(auto, share=0.5, **knobs).off


@pytest.mark.parametrize(
    "wrong",
    [{"share": 1.5}, {"recover_share": -1.0}, {"glue_share": 2.0}, {"areas": ["poetry"]}],
    ids=str,
)
def test_knobs_are_checked(wrong: dict[str, object]) -> None:
    knobs = {"share": 0.5, "areas": list(TASKS), "recover_share": 0.3, "glue_share": 0.5} | wrong
    with pytest.raises(ConfigError, match=f"coding.{next(iter(wrong))}"):
        coding_parts(sandbox(), **knobs)  # type: ignore[arg-type]
