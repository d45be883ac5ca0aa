"""The parts that made a dataset.

Enters: the path of a dataset. Leaves: tools, environments and metrics as the config of the run that
it lies in names them, so that a run of changed weights or domains of one's own is verified with
nothing to type. The config came with the dataset, perhaps from a stranger: it may choose among
shipped options and give them plain values, and nothing in it is resolved or called otherwise. How
strictly the dataset is judged is not its own choice.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tdscaling.configuration import conf_dir
from tdscaling.errors import ConfigError, TdscalingError
from tdscaling.store import FILE
from tdscaling.typecheck import problems

STAGES = ("tools", "clusters", "environments", "metrics")
"""What a dataset's run may choose. Not the verification, which judges it."""
CONFIG = Path(".hydra") / "config.yaml"
RECORD = "hydra.yaml"
LIVE = (
    "tdscaling.tools.mcp.McpTools",
    "tdscaling.tools.client_config.ClientConfigTools",
)
"""Sources that start programs."""
INSTEAD = "If you trust it, type parts=here and {stage}=OPTION"


def parts_of_run(dataset: Path) -> tuple[dict[str, Any], Path | None]:
    """Built parts by stage, and the config that names them; nothing where there is none.

    Raises:
        ConfigError: if the config names what is no shipped option, holds more than plain values,
            or an option refuses them.
    """
    folders = dataset.absolute().parents[:2]
    config = next((folder / CONFIG for folder in folders if (folder / CONFIG).is_file()), None)
    if config is None:
        return {}, None
    data = _without_servers(_read(config), config)
    nodes = {stage: _options(config, stage, data.get(stage)) for stage in STAGES}
    paths = nodes["tools"][1].get("paths")
    if isinstance(paths, list):
        nodes["tools"][1]["paths"] = [_placed(config, path) for path in paths]
    built = {stage: {"_target_": _name(make), **values} for stage, (make, values) in nodes.items()}
    unfit = problems(built)
    if unfit:
        raise ConfigError(f"{config}: {unfit[0]}. Type parts=here to do without it")
    try:
        return {stage: make(**values) for stage, (make, values) in nodes.items()}, config
    except TdscalingError as error:
        raise ConfigError(
            f"{config}: {error} To name the parts yourself, type parts=here, and "
            "tools.paths=[FILE] for domains of your own"
        ) from error
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{config}: {error}. Type parts=here to do without it") from error


def recording(parts: Mapping[str, Any]) -> str:
    """The ledger that stands for live servers, empty where there are none."""
    cassette = getattr(parts.get("tools"), "cassette", "")
    return cassette if isinstance(cassette, str) else ""


def _without_servers(data: dict[str, Any], config: Path) -> dict[str, Any]:
    """The config with a recording in place of live servers.

    What they are started with came with the dataset, so it is never run.
    """
    node = data.get("tools")
    if not isinstance(node, Mapping) or node.get("_target_") not in LIVE:
        return data
    cassette = {"cassette": str(config.parents[1] / FILE)}
    if not Path(cassette["cassette"]).is_file():
        raise ConfigError(
            f"{config}: the run was over live servers, and its {FILE} is gone. Type parts=here and "
            "tools=mcp tools.servers=[...] to have them execute the calls again"
        )
    return data | {
        "tools": {"_target_": "tdscaling.tools.recorded.RecordedTools", **cassette},
        "environments": {
            "_target_": "tdscaling.environments.replay.ReplayEnvironments",
            **cassette,
        },
    }


def _read(path: Path) -> dict[str, Any]:
    """The file as plain data, interpolations left as they stand."""
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError

    try:
        data: Any = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
    except (OmegaConfBaseException, YAMLError, OSError, ValueError) as error:
        raise ConfigError(f"{path}: {error}. Type parts=here to do without it") from error
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: expected a mapping. Type parts=here to do without it")
    return data


def _options(config: Path, stage: str, node: object) -> tuple[Callable[..., Any], dict[str, Any]]:
    """The option's class and its values."""
    values: dict[str, Any] = {**node} if isinstance(node, Mapping) else {}
    target = values.pop("_target_", None)
    make = _shipped(stage).get(target) if isinstance(target, str) else None
    if make is None:
        instead = INSTEAD.format(stage=stage)
        raise ConfigError(f"{config}: {stage} names {target}, which is not shipped. {instead}")
    known = inspect.signature(make).parameters
    for name, value in values.items():
        if name not in known or not _is_plain(value):
            raise ConfigError(
                f"{config}: {stage}.{name}: expected a plain value of an option of {target}; "
                f"nothing else is taken from a dataset. {INSTEAD.format(stage=stage)}"
            )
    return make, values


def _shipped(stage: str) -> dict[str, Callable[..., Any]]:
    """The class of each shipped option by its `_target_`."""
    from hydra.utils import get_class

    found: dict[str, Callable[..., Any]] = {}
    for path in sorted((conf_dir() / stage).glob("[!_]*.yaml")):
        target = str(_read(path)["_target_"])
        found[target] = get_class(target)
    return found


def _name(make: Callable[..., Any]) -> str:
    return f"{make.__module__}.{make.__qualname__}"


def _is_plain(value: object) -> bool:
    if isinstance(value, list):
        return all(not isinstance(item, list) and _is_plain(item) for item in value)
    if isinstance(value, str):
        return "${" not in value  # an interpolation could read the environment
    return value is None or isinstance(value, bool | int | float)


def _placed(config: Path, path: object) -> object:
    """A path as the run meant it: from where it was started, if that is on record."""
    if not isinstance(path, str) or Path(path).is_absolute():
        return path
    record = config.parent / RECORD
    hydra = _read(record).get("hydra") if record.is_file() else None
    runtime = hydra.get("runtime") if isinstance(hydra, dict) else None
    started = runtime.get("cwd") if isinstance(runtime, dict) else None
    meant = Path(started) / path if isinstance(started, str) else Path(path)
    return str(meant) if meant.exists() else path
