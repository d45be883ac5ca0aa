"""Says in one paragraph what is wrong with overrides, and what would be right.

Enters: overrides that Hydra refuses, and what it would take. Leaves: the paragraph, with the
nearest valid names.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from tdscaling.errors import ConfigError

if TYPE_CHECKING:
    from hydra.core.config_loader import ConfigLoader
    from hydra.core.override_parser.types import Override
    from omegaconf import DictConfig


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
        return _unknown_key(plain, dotted_keys(compose(rest)), offered)
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


def _unknown_key(plain: list[Override], known: set[str], offered: Iterable[str]) -> str | None:
    for override in plain:
        key = override.key_or_group
        hidden = key.rsplit(".", 1)[-1].startswith("_")
        if key in known or hidden or override.is_add() or override.is_force_add():
            continue
        like = [k for k in known if k.startswith("hydra.") == key.startswith("hydra.")]
        names = ", ".join(nearest(key, {*like, *offered})[:3])
        return f"{key}: there is no such key or group; nearest: {names}"
    return None


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
