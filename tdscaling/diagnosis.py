"""Says in one paragraph what is wrong with overrides, and what would be right.

Enters: overrides that Hydra refuses, and what it would take. Leaves: the paragraph, with the
nearest valid names.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tdscaling.errors import ConfigError

if TYPE_CHECKING:
    from hydra.core.config_loader import ConfigLoader
    from hydra.core.override_parser.types import Override
    from omegaconf import DictConfig

READS = {
    "run_dir": ("dataset", "runs"),
    "dataset": ("run_dir", "runs"),
    "runs": ("dataset", "run_dir"),
    "output": ("out",),
}
"""What a command that only reads calls what another word stands for elsewhere."""

WRITES = dict.fromkeys(("out", "output", "out_dir", "output_dir", "dataset"), ("run_dir",))
"""The same for a command that makes a run directory."""

_OFF = (False, None, 0, "off", "no", "none")
"""What switches something off that has a share."""


def nearest(word: str, candidates: Iterable[str]) -> list[str]:
    """All candidates, the most similar first; a match of the last part counts as much."""

    def distance(candidate: str) -> float:
        tails = word.rsplit(".", 1)[-1], candidate.rsplit(".", 1)[-1]
        whole = difflib.SequenceMatcher(None, word, candidate).ratio()
        return -max(whole, difflib.SequenceMatcher(None, *tails).ratio() - 0.05)

    return sorted(set(candidates), key=lambda candidate: (distance(candidate), candidate))


def paragraph(error: BaseException) -> str:
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
        raise ConfigError(f"{paragraph(error)}; {hint}") from error


def check_spaces(words: Sequence[str]) -> None:
    """Refuse words that stem from `key = value`; values are not repeated, they may be secret.

    Raises:
        ConfigError: if an equals sign has a space beside it.
    """
    for before, word, after in zip(["", *words], words, [*words[1:], ""], strict=False):
        value = after if word.endswith("=") and word != "=" else ""
        if word.startswith("="):
            key = before
        elif value and "=" not in value and value[0] not in "-~":
            key = word[:-1]
        else:
            continue
        raise ConfigError(f"{key} = ...: expected no spaces around `=`; type {key}=VALUE")


def explain(
    overrides: Sequence[str],
    offered: dict[str, list[str]],
    loader: ConfigLoader,
    compose: Callable[[list[str]], DictConfig],
) -> str | None:
    """Why the overrides do not compose, in the user's words; None where Hydra says it best.

    `offered` holds the groups and their options, `compose` the config without the misfits.
    """
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
    for override in parsed:
        if override.key_or_group in offered and (told := _several(override, compose([]))):
            return told
    plain = [o for o in parsed if o.key_or_group not in offered and "/" not in o.key_or_group]
    if plain:
        rest = [word for word, o in zip(overrides, parsed, strict=True) if o not in plain]
        return _unknown_key(plain, compose(rest), offered)
    return _unknown_group(parsed, offered)


def _several(override: Override, config: DictConfig) -> str | None:
    """Why a group cannot be chosen of which the command takes several, each by its name."""
    group = f"{override.key_or_group}@"
    parts = [str(k)[len(group) :] for k in config.hydra.runtime.choices if str(k).startswith(group)]
    if not parts:
        return None
    wanted = override.value()
    say = f"type need={wanted} to ask for it, " if "need" in config and wanted in parts else ""
    listed = " and ".join(sorted(parts))
    return (
        f"{override.key_or_group}: this command takes both {listed}; {say}or set a knob of one, "
        f"such as {parts[-1]}.KEY=VALUE"
    )


def _unknown_key(plain: list[Override], config: DictConfig, offered: Iterable[str]) -> str | None:
    known, synonyms = dotted_keys(config), WRITES if config.hydra.output_subdir else READS
    for override in plain:
        key = override.key_or_group
        hidden = key.rsplit(".", 1)[-1].startswith("_")
        if key in known or hidden or override.is_add() or override.is_force_add():
            continue
        if meant := [name for name in synonyms.get(key, ()) if name in known]:
            return f"{key}: there is no such key; type {meant[0]}={_typed(override)}"
        like = [k for k in known if k.startswith("hydra.") == key.startswith("hydra.")]
        names = ", ".join(nearest(key, {*like, *offered})[:3])
        return f"{key}: there is no such key or group; nearest: {names}"
    return None


def _typed(override: Override) -> str:
    return (override.input_line or "").partition("=")[2]


def several(
    override: Override,
    parsed: Sequence[Override],
    fits: Callable[[list[str], Override], DictConfig | None],
) -> str:
    """What to type instead of several values with commas: a list, a sweep, or either.

    `fits` tells the config of words, None where a value of the override does not fit.
    """
    word, key, typed = override.input_line or "", override.get_key_element(), _typed(override)
    others = [o.input_line or "" for o in parsed if not o.is_sweep_override()]
    sweep = "several values make a sweep; add -m to run them all"
    config = None
    if override.is_discrete_sweep() and "(" not in typed:
        config = fits([*others, f"{key}=[{typed}]"], override)
    if config is None:
        return f"{word}: {sweep}"
    told = f"{word}: expected a list in brackets; type {key}=[{typed}]"
    first = f"{key}={next(override.sweep_string_iterator())}"
    runs = config.hydra.output_subdir is not None and fits([*others, first], override)
    return f"{told}; {sweep}" if runs else told


def settings_below(
    parsed: Sequence[Override],
    offered: Mapping[str, Sequence[str]],
    compose: Callable[[list[str]], DictConfig],
) -> str | None:
    """What to type where a value was given to a key that holds settings; None where none was.

    What was typed is repeated only where it is a number: a word may be secret.
    """
    from omegaconf import DictConfig, OmegaConf

    chosen = [o.input_line or "" for o in parsed if o.key_or_group in offered]
    for override in parsed:
        key, value = override.key_or_group, override.value()
        if key in offered or "/" in key or override.is_delete() or isinstance(value, dict):
            continue
        try:
            node = OmegaConf.select(compose(chosen), key)
        except ConfigError:
            return None
        if not isinstance(node, DictConfig):
            continue
        data: Any = OmegaConf.to_container(node, resolve=False)
        below = {str(name): data[name] for name in data if not str(name).startswith("_")}
        if below:
            names = ", ".join(_spelled(key, name, offered) for name in below)
            example = _example(key, value, below, offered)
            return f"{key}: it has no value but settings below it: {names}. Type {example}"
    return None


def _spelled(key: str, name: str, offered: Mapping[str, Sequence[str]]) -> str:
    group = f"{key}.{name}".replace(".", "/")
    return group if group in offered else f"{key}.{name}"


def _example(
    key: str, value: object, below: Mapping[str, Any], offered: Mapping[str, Sequence[str]]
) -> str:
    """An override that sets one of the settings below a key, near to what was meant."""
    if "share" in below and value in _OFF:
        return f"{key}.share=0 to switch it off"
    plain = [name for name, default in below.items() if not isinstance(default, dict)]
    number = isinstance(value, int | float) and not isinstance(value, bool)
    for name in plain if number else ():
        if isinstance(below[name], int | float | None) and not isinstance(below[name], bool):
            return f"for example {key}.{name}={value}"
    for name in below:
        group = _spelled(key, name, offered)
        if options := offered.get(group):
            return f"for example {group}={value if value in options else options[0]}"
    return f"for example {key}.{(plain or list(below))[0]}={'VALUE' if plain else '...'}"


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
        name = prefix + str(key)
        found.add(name)
        child = config._get_node(key)
        if isinstance(child, DictConfig) and not child._is_none() and not child._is_missing():
            found |= dotted_keys(child, f"{name}.")
    return found
