"""The shipped parts of a run, built like the command line builds them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import open_dict

from tdscaling import configuration
from tdscaling.attempt import Attempt
from tdscaling.configuration import Invocation
from tdscaling.spending.account import Account
from tdscaling.spending.journal import FILE


def parts(run_dir: Path, *words: str) -> dict[str, Any]:
    """The arguments of the command `synthesize`."""
    invocation = Invocation("synthesize", (*words, f"hydra.run.dir={run_dir}"))
    config = configuration.check(invocation)
    with open_dict(config):
        config.hydra.runtime.output_dir = str(run_dir)
    HydraConfig.instance().set_config(config)
    with open_dict(config):
        del config["hydra"]
    built: Any = configuration.build(config)
    return dict(built.keywords)


def attempt_of(built: dict[str, Any]) -> Attempt:
    """What makes one attempt, and its clusters."""
    catalog = built["tools"].load()
    clusters = built["clusters"].build(catalog)
    return Attempt(
        domains=built["environments"].prepare(catalog, clusters),
        clusters=clusters,
        blueprints=built["blueprints"],
        user=built["roles"]["user"],
        assistant=built["roles"]["assistant"],
        judge=built["roles"]["judge"],
        environments=built["environments"],
        graph=built["graphs"],
        verification=built["verification"],
        metrics=built["metrics"],
        account=Account(Path(built["run_dir"]) / FILE),
    )
