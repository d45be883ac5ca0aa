"""Names runs by what their configs differ in, the seed left out.

Enters: configs. Leaves: one label per config; runs of one label differ in nothing but their seed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tdscaling.schema import canonical

_TARGET = "_target_"
SAME = "all"
"""Label where nothing but the seed differs."""


def labels(configs: Sequence[Mapping[str, Any]]) -> list[str]:
    """One label per config, such as `evolution=none`; options are named as in `conf/`."""
    flat = [dict(_leaves(config)) for config in configs]
    keys = sorted({key for one in flat for key in one} - {"seed"})
    chosen = [key for key in keys if key.endswith(f".{_TARGET}") and _varies(flat, key)]
    parents = tuple(key.removesuffix(_TARGET) for key in chosen)
    # A knob that only some options have is implied by the option, unless it varies among those.
    knobs = [
        key
        for key in keys
        if not key.endswith(_TARGET) and _varies(flat, key, implied=key.startswith(parents))
    ]
    return [_label(one, chosen, knobs) for one in flat]


def _varies(flat: Sequence[Mapping[str, str]], key: str, implied: bool = False) -> bool:
    values = {one.get(key) for one in flat}
    return len(values - {None} if implied else values) > 1


def _label(one: Mapping[str, str], chosen: Sequence[str], knobs: Sequence[str]) -> str:
    parts = [
        f"{key.removesuffix(f'.{_TARGET}').replace('.', '/')}={_option(one[key])}"
        for key in chosen
        if key in one
    ]
    parts += [f"{key}={one[key]}" for key in knobs if key in one]
    return " ".join(parts) or SAME


def _option(target: str) -> str:
    """The option's name: the module that its class is in."""
    path = target.strip('"').split(".")
    return path[-2] if len(path) > 1 else path[-1]


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}" if path else str(key))
    else:
        whole = isinstance(value, float) and value.is_integer()
        yield path, canonical(int(value) if whole else value)
