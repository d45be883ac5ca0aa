"""Which keys of a composed config decide the data, and how two configs differ in them.

Enters: composed configs as plain data. Leaves: differences by dotted key. A run can be continued
only by a config that would have written the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tdscaling.errors import RunDirectoryError
from tdscaling.schema import canonical, digest

IGNORED = {
    "concurrency": "order of commits does not depend on it",
    "execution": "where a conversation runs does not change it",
    "export": "rewritten from the ledger at every end of a run",
    "hydra": "paths and logging",
    "report": "rewritten from the ledger as well",
    "run_dir": "the run directory itself may be moved",
    "sandbox": "what code ran in is recorded as it was found, under RAN_IN",
}
"""Top-level keys that do not decide the data, each with its reason."""

REACH = ("base_url", "timeout", "retries", "api_key_env")
"""Keys of an endpoint that say how to reach it, not what it answers: a server may move."""

RAISABLE = "budget"
"""Numbers under this key may grow (or become null, no limit): a longer run starts with the same
bytes as a shorter one. They may not shrink, because what they forbid may be stored already."""

RAN_IN = "ran_in"
"""Key of what a run found its code to run in: backend, digest of its image, limits."""

_SECRETS = ("api_key", "token", "password", "secret")
_MISSING = "not set"
_SHOWN = 6


def deciding(config: Mapping[str, Any]) -> dict[str, Any]:
    """The config without ignored keys, secrets masked: what the table `config` holds."""
    plain: dict[str, Any] = json.loads(
        json.dumps({k: v for k, v in config.items() if k not in IGNORED}, default=str)
    )
    return {key: _masked(value) for key, value in plain.items()}


def config_digest(config: Mapping[str, Any]) -> str:
    """Digest of what decides the data, the budget left out since it may be raised."""
    return digest({k: v for k, v in deciding(config).items() if k != RAISABLE})


def check_same(stored: Mapping[str, Any], config: Mapping[str, Any], where: str) -> None:
    """Refuse to continue a run with a config that would write other data.

    Raises:
        RunDirectoryError: naming the dotted keys that differ, with both values.
    """
    differences = list(_differences(stored, deciding(config)))
    if not differences:
        return
    shown = "; ".join(f"{key} was {old}, now {new}" for key, old, new in differences[:_SHOWN])
    more = f" (and {len(differences) - _SHOWN} more)" if len(differences) > _SHOWN else ""
    raise RunDirectoryError(
        f"{where} holds a run of another config: {shown}{more}. To continue that run, type its"
        " overrides again (they are in .hydra/overrides.yaml beside it; budgets may be raised,"
        " concurrency, execution and export may change). To start a new run, type"
        " hydra.run.dir=outputs/ANOTHER_NAME"
    )


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    was, now = dict(_leaves(old)), dict(_leaves(new))
    for key in sorted({*was, *now}):
        if "llm." in key and key.rpartition(".")[2] in REACH:
            continue
        before, after = was.get(key, _MISSING), now.get(key, _MISSING)
        if key.startswith(f"{RAN_IN}.") and after is _MISSING:
            continue  # not known before a sandbox was tried; without one the tools differ
        if not _equal(before, after) and not _raised(key, before, after):
            yield key, _show(before), _show(after)


def _equal(before: object, after: object) -> bool:
    # 2 and 2.0 are one number to whoever types them; True and 1 are not.
    same_kind = isinstance(before, bool) == isinstance(after, bool)
    return canonical(before) == canonical(after) or (same_kind and before == after)


def _raised(key: str, before: object, after: object) -> bool:
    if not key.startswith(f"{RAISABLE}.") or not isinstance(before, int | float):
        return False
    return after is None or (isinstance(after, int | float) and after >= before)


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}" if path else str(key))
    else:
        yield path, value


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            k: "***" if k in _SECRETS and isinstance(v, str) else _masked(v)
            for k, v in value.items()
        }
    if isinstance(value, list):
        return [_masked(item) for item in value]
    return value


def _show(value: object) -> str:
    return _MISSING if value is _MISSING else canonical(value)
