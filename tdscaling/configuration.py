"""From words on the command line to a checked config, and from a config to a call.

Enters: a command, Hydra overrides, perhaps a folder of the user's own configs. Leaves: a composed
config that has been checked before any work is done, or one `ConfigError` that says what to type;
and, from a job's config, the command's function with its parts built.

Hydra is imported inside functions: `tdscaling --help` and `conf_dir()` need none of it.
"""

from __future__ import annotations

import difflib
import functools
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tdscaling import typecheck
from tdscaling.errors import ConfigError, TdscalingError

if TYPE_CHECKING:
    from hydra._internal.config_loader_impl import ConfigLoaderImpl
    from hydra.core.override_parser.types import Override
    from omegaconf import DictConfig

VERSION_BASE = "1.3"


def conf_dir() -> Path:
    """Folder of the shipped configs: the checkout's `conf/`, or the wheel's copy of it."""
    return (Path(__file__).parent / "conf").resolve()


@dataclass(frozen=True, slots=True)
class Invocation:
    """What the user asked for."""

    command: str
    overrides: tuple[str, ...]
    config_dir: Path | None = None
    """The user's own configs, searched before the shipped ones."""
    multirun: bool = False

    @property
    def folders(self) -> list[Path]:
        """Config folders, the user's first."""
        return [*([self.config_dir] if self.config_dir else []), conf_dir()]


def commands(folders: Iterable[Path]) -> dict[str, Path]:
    """Each command and its primary config: the YAML files at the top of the folders."""
    found: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(folder.glob("*.yaml")):
            found.setdefault(path.stem, path)
    return dict(sorted(found.items()))


def groups(folders: Iterable[Path]) -> dict[str, list[str]]:
    """Each config group, such as `roles/user`, with its options."""
    found: dict[str, set[str]] = {}
    for folder in folders:
        for path in folder.glob("*/**/*.yaml"):
            group = path.parent.relative_to(folder).as_posix()
            found.setdefault(group, set()).add(path.stem)
    return {group: sorted(options) for group, options in sorted(found.items())}


def nearest(word: str, candidates: Iterable[str]) -> list[str]:
    """All candidates, the most similar first; a match of the last part counts as much."""

    def distance(candidate: str) -> float:
        tails = word.rsplit(".", 1)[-1], candidate.rsplit(".", 1)[-1]
        whole = difflib.SequenceMatcher(None, word, candidate).ratio()
        return -max(whole, difflib.SequenceMatcher(None, *tails).ratio() - 0.05)

    return sorted(set(candidates), key=lambda candidate: (distance(candidate), candidate))


def _loader(invocation: Invocation) -> ConfigLoaderImpl:
    from hydra import version
    from hydra._internal.config_loader_impl import ConfigLoaderImpl
    from hydra._internal.utils import create_config_search_path
    from hydra.core.config_search_path import SearchPathQuery
    from hydra.core.utils import JobRuntime, setup_globals

    version.setbase(VERSION_BASE)
    setup_globals()
    JobRuntime.instance().set("name", invocation.command)
    path = create_config_search_path(str(conf_dir()))
    if invocation.config_dir:
        own = f"file://{invocation.config_dir.absolute()}"
        path.prepend("command-line", own, SearchPathQuery(provider="schema"))
    return ConfigLoaderImpl(path)


def compose(invocation: Invocation) -> DictConfig:
    """The composed config, with its `hydra` node; no sweeps.

    Raises:
        ConfigError: with the nearest valid names, if an override does not fit.
    """
    return _compose(invocation, _loader(invocation), invocation.overrides)


def _compose(
    invocation: Invocation, loader: ConfigLoaderImpl, overrides: Iterable[str]
) -> DictConfig:
    from hydra.errors import HydraException
    from hydra.types import RunMode

    words = list(overrides)
    try:
        return loader.load_configuration(invocation.command, words, run_mode=RunMode.RUN)
    except HydraException as error:
        reason = _diagnose(invocation, loader, words) or _paragraph(error)
        raise ConfigError(reason) from error


def _paragraph(error: BaseException) -> str:
    """The message without what Hydra appends for its own developers."""
    text = re.split(r"Config search path:|See https://|object_type=", str(error))[0]
    return " ".join(text.split())


def parse(overrides: Sequence[str]) -> list[Override]:
    """The overrides as Hydra reads them.

    Raises:
        ConfigError: if one is not in the grammar of overrides.
    """
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    for word in overrides:
        if "=" not in word and not word.startswith("~"):
            raise ConfigError(
                f"`{word}`: expected an override like key=value; a command is the first word"
            )
    try:
        return OverridesParser.create().parse_overrides(list(overrides))
    except HydraException as error:
        hint = "quote a value that has special characters"
        raise ConfigError(f"{_paragraph(error)}; {hint}") from error


def _diagnose(
    invocation: Invocation, loader: ConfigLoaderImpl, overrides: Sequence[str]
) -> str | None:
    """Why the overrides do not compose, in the user's words; None where Hydra says it best."""
    offered = groups(invocation.folders)
    parsed = parse(overrides)
    offered |= {
        o.key_or_group: loader.get_group_options(o.key_or_group)
        for o in parsed
        if o.key_or_group.startswith("hydra/")
    }
    for override in parsed:
        options = offered.get(override.key_or_group)
        chosen = override.value()
        for choice in chosen if isinstance(chosen, list) else [chosen]:
            if options and isinstance(choice, str) and choice not in options:
                listed = ", ".join(nearest(choice, options))
                return f"{override.key_or_group}: no option {choice!r}; there are: {listed}"
    plain = [o for o in parsed if o.key_or_group not in offered and "/" not in o.key_or_group]
    rest = [word for word, o in zip(overrides, parsed, strict=True) if o not in plain]
    if not plain or len(rest) == len(overrides):
        return _unknown_group(parsed, offered)
    known = dotted_keys(_compose(invocation, loader, rest))
    for override in plain:
        key = override.key_or_group
        if key not in known and not override.is_add() and not override.is_force_add():
            like = [k for k in known if k.startswith("hydra.") == key.startswith("hydra.")]
            names = ", ".join(nearest(key, {*like, *offered})[:3])
            return f"{key}: there is no such key or group; nearest: {names}"
    return _unknown_group(parsed, offered)


def _unknown_group(parsed: list[Override], offered: dict[str, list[str]]) -> str | None:
    for override in parsed:
        group = override.key_or_group
        if "/" in group and group not in offered and not group.startswith("hydra/"):
            names = ", ".join(nearest(group, offered)[:3])
            return f"{group}: there is no such group; nearest: {names}"
    return None


def dotted_keys(config: DictConfig, prefix: str = "") -> set[str]:
    """Every key of the config as a dotted name."""
    from omegaconf import DictConfig

    found: set[str] = set()
    for key in config:
        if str(key).startswith("_"):
            continue
        name = f"{prefix}{key}"
        found.add(name)
        child = config._get_node(key)
        if isinstance(child, DictConfig) and not child._is_none() and not child._is_missing():
            found |= dotted_keys(child, f"{name}.")
    return found


def check(invocation: Invocation) -> DictConfig:
    """Compose and type-check every value asked for, swept ones too, before any work.

    Returns:
        The config with the first value of each sweep.

    Raises:
        ConfigError: naming the first override that does not fit, and what would.
    """
    parsed = parse(invocation.overrides)
    offered = groups(invocation.folders)
    for override in parsed:
        _check_form(override, offered, invocation.multirun)
    loader = _loader(invocation)
    values = [_values(override, loader) for override in parsed]
    first = [options[0] for options in values]
    config = _compose(invocation, loader, first)
    _check_types(config, parsed)
    for position, override in enumerate(parsed):
        for value in values[position][1:]:
            words = [*first[:position], value, *first[position + 1 :]]
            _check_types(_compose(invocation, loader, words), [override])
    return config


def _check_form(override: Override, offered: dict[str, list[str]], multirun: bool) -> None:
    """Refuse what Hydra would accept although it can't be meant."""
    key, word = override.key_or_group, override.input_line
    if override.is_sweep_override():
        if not multirun:
            raise ConfigError(f"{word}: several values make a sweep; add -m to run them all")
        return
    as_group = key.replace(".", "/")
    if key != as_group and as_group in offered and isinstance(override.value(), str):
        raise ConfigError(f"{key}: it is a group; type {as_group}={override.get_value_element_as_str()}")


def _values(override: Override, loader: ConfigLoaderImpl) -> list[str]:
    """The override once per swept value; an interval counts with its ends."""
    override.config_loader = loader
    key = override.get_key_element()
    if override.is_discrete_sweep():
        values = [f"{key}={value}" for value in override.sweep_string_iterator()]
        if not values:
            raise ConfigError(f"{override.input_line}: the sweep has no values")
        return values
    if override.is_interval_sweep():
        interval: Any = override.value()
        return [f"{key}={interval.start}", f"{key}={interval.end}"]
    return [override.input_line or ""]


def _check_types(config: DictConfig, overrides: list[Override]) -> None:
    touched = [(o.package or o.key_or_group).replace("/", ".") for o in overrides]
    problems = typecheck.problems(plain(config), touched)
    if problems:
        raise ConfigError("\n".join(problems))


def plain(config: DictConfig) -> dict[str, Any]:
    """The config without its `hydra` node as plain data, interpolations resolved.

    Raises:
        ConfigError: if a value is missing or an interpolation can't be resolved.
    """
    from hydra.core.hydra_config import HydraConfig
    from omegaconf import OmegaConf, open_dict, read_write
    from omegaconf.errors import OmegaConfBaseException

    job = config.copy()
    with read_write(job), open_dict(job):
        job.hydra.runtime.output_dir = "."
    HydraConfig.instance().set_config(job)
    with read_write(job), open_dict(job):
        del job["hydra"]
    try:
        missing = sorted(OmegaConf.missing_keys(job))
        data: Any = OmegaConf.to_container(job, resolve=True)
    except OmegaConfBaseException as error:
        raise ConfigError(_paragraph(error)) from error
    if missing:
        raise ConfigError(f"{missing[0]}: a value is needed; type {missing[0]}=...")
    return data  # type: ignore[no-any-return]


def recorded(config: DictConfig) -> dict[str, Any]:
    """The job's part of the config as Hydra writes it to `.hydra/config.yaml`: unresolved."""
    from omegaconf import OmegaConf

    data: Any = OmegaConf.to_container(config, resolve=False)
    data.pop("hydra", None)
    return data  # type: ignore[no-any-return]


def jobs(invocation: Invocation) -> Iterator[DictConfig]:
    """The config of each job of a sweep, in order."""
    from omegaconf import open_dict, read_write

    loader = _loader(invocation)
    parsed = parse(invocation.overrides)
    options = [_values(override, loader) for override in parsed]
    for number, words in enumerate(itertools.product(*options)):
        config = _compose(invocation, loader, words)
        with read_write(config), open_dict(config):
            config.hydra.job.num = number
            config.hydra.job.id = str(number)
        yield config


def build(config: DictConfig) -> Callable[[], int]:
    """The command's function with every part of it built.

    The function is called by the caller and not by Hydra, which would wrap what it raises.

    Raises:
        TdscalingError: as an option's constructor raised it.
    """
    from hydra.errors import InstantiationException
    from hydra.utils import get_method, instantiate
    from omegaconf import open_dict, read_write

    parts = config.copy()
    with read_write(parts), open_dict(parts):
        target = parts.pop("_target_")
    try:
        arguments = instantiate(parts, _convert_="all")
    except InstantiationException as error:
        if isinstance(error.__cause__, TdscalingError):
            raise error.__cause__ from None
        raise
    return functools.partial(get_method(target), **arguments)
