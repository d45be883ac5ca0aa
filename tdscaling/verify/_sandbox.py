"""What the code of a line ran in, held against what it is run in again.

Enters: the labels of a line, and what the sandbox here says of itself. Leaves: why what the line
records cannot be true; or how it differs from here. Another image or other limits need not give
other outputs, so a difference alone condemns no line: what its code printed decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, get_type_hints

from tdscaling.errors import ConfigError
from tdscaling.sandbox._limits import Knobs, Limits
from tdscaling.verification._differences import cut

_FIELDS = {"backend": str, "image": str, "digest": str, "cgroup": bool, "limits": dict}
_WORDS = {int: "a whole number", float: "a number", str: "a text"}
_BACKENDS = ("docker", "bubblewrap")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def impossible(meta: Mapping[str, Any], *, runs_code: bool) -> str | None:
    """Why a line cannot have run in the sandbox that it records."""
    if "sandbox" not in meta:
        missing = "meta.sandbox: expected what its code ran in, which is missing"
        return missing if runs_code else None
    told = meta["sandbox"]
    if not runs_code:
        return f"meta.sandbox: expected none where no code is run, got {cut(told)}"
    if not isinstance(told, dict) or told.keys() != _FIELDS.keys():
        return f"meta.sandbox: expected the fields {', '.join(_FIELDS)}, got {cut(told)}"
    for name, kind in _FIELDS.items():
        if not isinstance(told[name], kind):
            return f"meta.sandbox.{name}: expected a {kind.__name__}, got {cut(told[name])}"
    backend = told["backend"]
    if backend not in _BACKENDS:
        return f"meta.sandbox.backend: expected {' or '.join(_BACKENDS)}, got {cut(backend)}"
    if not _DIGEST.fullmatch(told["digest"]):
        return f"meta.sandbox.digest: expected sha256:HEX, got {cut(told['digest'])}"
    return _impossible_limits(told["limits"])


def _impossible_limits(told: Mapping[str, Any]) -> str | None:
    kinds = {name: kind for name, kind in get_type_hints(Knobs).items() if name != "pool"}
    if missing := sorted(kinds.keys() - told.keys()):
        return f"meta.sandbox.limits: expected {missing[0]}, which is missing"
    if extra := sorted(told.keys() - kinds.keys()):
        return f"meta.sandbox.limits: expected {', '.join(kinds)}, got {cut(extra[0])} as well"
    for name, kind in kinds.items():
        value = told[name]
        fits = isinstance(value, (int, float) if kind is float else kind)
        if not fits or isinstance(value, bool):
            got = f"{cut(value)} ({type(value).__name__})"
            return f"meta.sandbox.limits.{name}: expected {_WORDS[kind]}, got {got}"
    try:
        Limits(**told, pool=0)
    except ConfigError as error:
        return f"meta.sandbox.limits: {cut(str(error))}"
    return None


def elsewhere(told: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    """How a line's sandbox differs from the one here; empty where it does not."""
    found = [f"{name} {cut(one)} there and {cut(other)} here"
             for (name, one), (_, other) in zip(_leaves(told), _leaves(here), strict=True)
             if one != other]  # fmt: skip
    return ", ".join(found)


def _leaves(described: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in _FIELDS:
        if name != "limits":
            yield name, described[name]
    for name in sorted(described["limits"]):
        yield f"limits.{name}", described["limits"][name]
