"""The shipped evolutions, built of the files in `conf/` without composing a whole config."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from hydra.utils import get_object

FOLDER = Path(__file__).parents[2] / "conf" / "evolution"
BINS = [1.5, 2.0, 2.5]
BUDGET = 600


def shipped(name: str) -> dict[str, Any]:
    loaded = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    assert isinstance(loaded, dict)
    return loaded


def knobs(option: str, **change: Any) -> dict[str, Any]:
    """Keyword arguments of an option as it is shipped, but for the change."""
    own = shipped(option)
    values: dict[str, Any] = {}
    for part in own.pop("defaults"):
        if isinstance(part, dict):
            values["schedule"] = shipped(f"schedule/{part['schedule']}")
        else:
            values |= own if part == "_self_" else shipped(part)
    del values["_target_"]
    assert values["bins"] == "${metrics.bins}"
    values["bins"] = BINS
    if "budget" in values:
        assert values["budget"] == "${budget.trajectories}"
        values["budget"] = BUDGET
    assert change.keys() <= values.keys()
    return {**values, **change}


def made(option: str, **change: Any) -> Any:
    return get_object(shipped(option)["_target_"])(**knobs(option, **change))
