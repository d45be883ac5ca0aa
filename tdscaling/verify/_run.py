"""The parts that made a dataset.

Enters: the path of a dataset. Leaves: tools, environments, verification and metrics as the config
of the run that it lies in names them, so that a run of changed weights or domains of one's own is
verified with nothing to type.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tdscaling.errors import ConfigError, TdscalingError

CONFIG = Path(".hydra") / "config.yaml"


def parts_of_run(dataset: Path, stages: Sequence[str]) -> tuple[dict[str, Any], Path | None]:
    """Built parts by stage, and the config that names them; nothing where there is none.

    Raises:
        ConfigError: if the config names what is no option of a stage.
        TdscalingError: as an option's constructor raised it.
    """
    folders = dataset.absolute().parents[:2]
    config = next((folder / CONFIG for folder in folders if (folder / CONFIG).is_file()), None)
    if config is None:
        return {}, None
    from hydra.errors import InstantiationException
    from hydra.utils import instantiate
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        nodes: Any = OmegaConf.load(config)
        chosen: dict[str, Any] = {
            stage: OmegaConf.to_container(nodes[stage], resolve=True) for stage in stages
        }
        for stage, node in chosen.items():
            _check_targets(config, stage, node)
        return {stage: instantiate(node, _convert_="all") for stage, node in chosen.items()}, config
    except InstantiationException as error:
        if isinstance(error.__cause__, TdscalingError):
            raise error.__cause__ from None
        raise ConfigError(f"{config}: {error}. Type parts=here to do without it") from error
    except (OmegaConfBaseException, OSError, ValueError) as error:
        raise ConfigError(f"{config}: {error}. Type parts=here to do without it") from error


def _check_targets(config: Path, stage: str, node: object) -> None:
    # The config came with the dataset, perhaps from a stranger: it must not call what it likes.
    for target in _targets(node):
        if not str(target).startswith(f"tdscaling.{stage}."):
            raise ConfigError(
                f"{config}: {stage} names {target}, which is not shipped. If you trust it, type "
                f"parts=here and {stage}=OPTION"
            )


def _targets(node: object) -> Iterator[object]:
    if isinstance(node, dict):
        yield from (value for key, value in node.items() if key == "_target_")
        for value in node.values():
            yield from _targets(value)
    elif isinstance(node, list):
        for value in node:
            yield from _targets(value)
