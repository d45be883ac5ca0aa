"""From words on the command line to a checked config, and from a config to a call.

Enters: a command, Hydra overrides, perhaps a folder of the user's own configs. Leaves: a composed
config that has been checked before any work is done, or one `ConfigError` that says what to type;
and, from a job's config, the command's function with its parts built.

Hydra is imported inside functions: `tdscaling --help` and `conf_dir()` need none of it.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tdscaling import diagnosis, typecheck
from tdscaling.errors import ConfigError, TdscalingError

if TYPE_CHECKING:
    from hydra._internal.config_loader_impl import ConfigLoaderImpl
    from hydra.core.override_parser.types import Override
    from omegaconf import DictConfig

VERSION_BASE = "1.3"

NAMING = "hydra.job.config.override_dirname.exclude_keys"
"""Keys that `${hydra.job.override_dirname}` leaves out."""

_RUN_DIR, _OUTPUT_DIR = "run_dir=", "${hydra:runtime.output_dir}"

_SECRET = re.compile(r"(?:^|[&;?_-])(?:\w*key|\w*token|secret|password|passwd|pwd|auth|sig)=", re.I)
"""Parameters of an address that hold what nobody else may know."""

_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]{0,63}")
NO_VARIABLE = (
    "expected the name of an environment variable, in capitals, such as OPENAI_API_KEY; what was"
    " typed is none and may be a key, so it is not repeated here: put the key into that variable"
)
"""What is said of a key where the name of its variable belongs."""


def conf_dir() -> Path:
    """Folder of the shipped configs: the checkout's `conf/`, or the wheel's copy of it."""
    return (Path(__file__).parent / "conf").resolve()


@dataclass(frozen=True, slots=True)
class Invocation:
    """What the user asked for."""

    command: str
    overrides: tuple[str, ...]
    config_dir: Path | None = None
    """The user's own configs; a shipped one of the same name goes first, as Hydra has it."""
    multirun: bool = False

    @property
    def folders(self) -> list[Path]:
        """Config folders in the order of search."""
        return [conf_dir(), *([self.config_dir] if self.config_dir else [])]


def commands(folders: Iterable[Path]) -> dict[str, Path]:
    """Each command and its primary config: the YAML files at the top of the folders."""
    found: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(folder.glob("*.yaml")):
            found.setdefault(path.stem, path)
    return dict(sorted(found.items()))


def groups(folders: Iterable[Path]) -> dict[str, list[str]]:
    """Each config group, such as `roles/user`, with its options; `_x.yaml` is a part of options."""
    found: dict[str, set[str]] = {}
    for folder in folders:
        for path in folder.glob("*/**/*.yaml"):
            group = path.parent.relative_to(folder).as_posix()
            if not path.stem.startswith("_"):
                found.setdefault(group, set()).add(path.stem)
    return {group: sorted(options) for group, options in sorted(found.items())}


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
        reason = diagnosis.explain(
            words,
            groups(invocation.folders),
            loader,
            functools.partial(_compose, invocation, loader),
        )
        raise ConfigError(reason or diagnosis.paragraph(error)) from error


def check(invocation: Invocation) -> DictConfig:
    """Compose and type-check every value asked for, swept ones too, before any work.

    Returns:
        The config with the first value of each sweep.

    Raises:
        ConfigError: naming the first override that does not fit, and what would.
    """
    parsed = diagnosis.parse(invocation.overrides)
    offered = groups(invocation.folders)
    loader = _loader(invocation)
    compose = functools.partial(_compose, invocation, loader)
    for override in parsed:
        _check_form(override, offered)
        if override.is_sweep_override() and not invocation.multirun:
            raise ConfigError(
                diagnosis.several(override, parsed, functools.partial(_fits, compose))
            )
    try:
        return _checked(invocation, loader, parsed)
    except ConfigError as error:
        if told := diagnosis.settings_below(parsed, offered, compose):
            raise ConfigError(told) from error
        raise


def _checked(
    invocation: Invocation, loader: ConfigLoaderImpl, parsed: list[Override]
) -> DictConfig:
    values = [_values(override, loader) for override in parsed]
    first = [options[0] for options in values]
    config = _compose(invocation, loader, first)
    _check_types(config, parsed)
    for position, override in enumerate(parsed):
        others = values[position][1:]
        if override.is_range_sweep():
            others = others[-1:]  # what fits both ends fits between
        for value in others:
            words = [*first[:position], value, *first[position + 1 :]]
            _check_types(_compose(invocation, loader, words), [override])
    return config


def placed(invocation: Invocation, words: Iterable[str]) -> tuple[str, ...]:
    """Words with `run_dir=PATH` in Hydra's own, for a command that makes this directory.

    Other commands take the directory of a run under the same name.
    """
    from omegaconf import OmegaConf

    path = commands(invocation.folders)[invocation.command]
    raw = OmegaConf.to_container(OmegaConf.load(path))
    if not isinstance(raw, dict) or raw.get(_RUN_DIR[:-1]) != _OUTPUT_DIR:
        return tuple(words)
    name = "hydra.sweep.dir=" if invocation.multirun else "hydra.run.dir="
    return tuple(re.sub(f"^{_RUN_DIR}", name, word) for word in words)


def naming(invocation: Invocation) -> str:
    """The override that names the directories of a sweep's jobs by what differs between them."""
    same = [
        o.key_or_group for o in diagnosis.parse(invocation.overrides) if not o.is_sweep_override()
    ]
    return f"{NAMING}=[{','.join(same)}]"


def _check_form(override: Override, offered: dict[str, list[str]]) -> None:
    """Refuse what Hydra would accept although it can't be meant."""
    key = override.key_or_group
    as_group = key.replace(".", "/")
    if override.is_sweep_override() or key == as_group or as_group not in offered:
        return
    if isinstance(override.value(), str):
        raise ConfigError(
            f"{key}: it is a group; type {as_group}={override.get_value_element_as_str()}"
        )


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
    values = plain(config)
    _check_secrets(values)
    problems = typecheck.problems(values, touched)
    if problems:
        raise ConfigError("\n".join(problems) + _misplaced(problems[0], config, overrides))


def _fits(
    compose: Callable[[list[str]], DictConfig], words: list[str], override: Override
) -> DictConfig | None:
    """The config if all of it fits, so far as the override is concerned."""
    try:
        config = compose(words)
        _check_types(config, [override])
    except ConfigError:
        return None
    return config


def _misplaced(problem: str, config: DictConfig, overrides: list[Override]) -> str:
    """What to type where an option was put into a part that the command does not have."""
    for override in overrides:
        group = override.key_or_group
        where = (override.package or group).partition(".")[0]
        if override.package and group in config and problem.startswith(f"{where}: "):
            chosen = override.get_value_element_as_str()
            return f"; this command has one {group} alone: type {group}={chosen}"
    return ""


def _check_secrets(node: Any, path: str = "") -> None:
    """Refuse a key or password before a run directory is made: configs are stored there."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            name = f"{path}.{key}" if path else str(key)
            if key == "base_url" and isinstance(value, str) and _tells_secret(value):
                # Not repeated here either.
                raise ConfigError(
                    f"{name}: it must not hold a name, password or key; put the key into the "
                    f"environment variable that {name.removesuffix('base_url')}api_key_env names"
                )
            if key == "api_key_env" and value is not None and not names_variable(str(value)):
                raise ConfigError(f"{name}: {NO_VARIABLE}")
            _check_secrets(value, name)


def names_variable(word: str) -> bool:
    """Whether it can be the name of an environment variable; keys have other characters."""
    return _VARIABLE.fullmatch(word) is not None


def _tells_secret(address: str) -> bool:
    authority = address.partition("://")[2] or address
    queried = _SECRET.search(address.partition("?")[2] + "&" + address.partition("#")[2])
    return "@" in re.split(r"[/?#]", authority, maxsplit=1)[0] or queried is not None


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
        raise ConfigError(diagnosis.paragraph(error)) from error
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
    parsed = diagnosis.parse(invocation.overrides)
    options = [_values(override, loader) for override in parsed]
    for number, words in enumerate(itertools.product(*options)):
        config = _compose(invocation, loader, words)
        with read_write(config), open_dict(config):
            config.hydra.job.num = number
            config.hydra.job.id = str(number)
        yield config


def _placed(message: str, told: str, config: DictConfig) -> str:
    """What an option says of its knob, by the name that is typed where it is part of another.

    Args:
        message: such as `sandbox.pids: ...`.
        told: by Hydra, which ends with the key of the part: `full_key: bubblewrap`.
        config: of the command.
    """
    named, key = re.match(r"(\w+)\.\w+:", message), re.search(r"full_key: ([\w.]+)$", told)
    if not key:
        return message
    part = key[1]
    if place := _own_endpoint(part, config):
        return re.sub(r"(?<![\w.])llm\.(?=[a-z])", f"{place}.", message)
    if not named or message.startswith((f"{part}:", f"{part}.")):
        return message
    group = named[1]
    if group in config and not part.startswith(f"{group}."):
        return message
    return part + message.removeprefix(group)


def _own_endpoint(part: str, config: DictConfig) -> str:
    """The key of a role's endpoint where it is not the one of all; `part` is the role or it."""
    from omegaconf import DictConfig, OmegaConf

    above = part.removesuffix(".llm")
    role = OmegaConf.select(config, above) if above != "llm" else None
    if not isinstance(role, DictConfig) or OmegaConf.is_missing(role, "llm"):
        return ""
    own = "llm" in role and not OmegaConf.is_interpolation(role, "llm")
    return f"{above}.llm" if own else ""


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
        if isinstance(error.__cause__, ConfigError):
            raise ConfigError(_placed(str(error.__cause__), str(error), config)) from None
        if isinstance(error.__cause__, TdscalingError):
            raise error.__cause__ from None
        raise
    return functools.partial(get_method(target), **arguments)
