"""Which keys of a composed config decide the data, and how two configs differ in them.

Enters: composed configs as plain data. Leaves: differences by dotted key. A run can be continued
only by a config that would have written the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tdscaling.errors import ConfigError, RunDirectoryError
from tdscaling.schema import canonical, digest

IGNORED = {
    "concurrency": "order of commits does not depend on it",
    "execution": "where a conversation runs does not change it",
    "export": "rewritten from the ledger at every end of a run",
    "hydra": "paths and logging",
    "reply_cache": "spares paying for a reply, and does not change it",
    "report": "rewritten from the ledger as well",
    "run_dir": "the run directory itself may be moved",
    "sandbox": "what code ran in is recorded as it was found, under RAN_IN",
}
"""Top-level keys that do not decide the data, each with its reason."""

REACH = (
    *("base_url", "timeout", "retries", "api_key_env"),
    *("max_concurrency", "adaptive_concurrency", "backoff", "backoff_max", "retry_after_max"),
    *("price_prompt", "price_completion"),
    *("slots", "threads", "context", "start_seconds"),
)
"""Keys of an endpoint that say how to reach it and at what price, not what it answers: a server may
move, be treated more gently, and one of the run's own may be given less of the machine."""

RAISABLE = "budget"
"""Numbers under this key may grow (or become null, no limit): a longer run starts with the same
bytes as a shorter one. They may not shrink, because what they forbid may be stored already."""

_FREE = "budget.seconds"
"""It cuts a run where the clock stands, so it may be changed in any direction."""

RAN_IN = "ran_in"
"""Key of what a run found its code to run in: backend, digest of its image, limits."""

_REPLAY = "tdscaling.llm.replay.ReplayEndpoint"
"""`_target_` of what plays another run's replies again."""

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


def replayed(config: Mapping[str, Any]) -> dict[str, Any]:
    """The config with endpoints that replay a run put back as that run had them.

    The data is that of the other run, so what decides it is what decided it there.

    Raises:
        ConfigError: if the rest of the config is not that run's.
    """
    sources = {path: node["run"] for path, node in _replays(config, "") if node.get("run")}
    if not sources:
        return dict(config)
    run = next(iter(sources.values()))
    file = Path(run) / ".hydra" / "config.yaml"
    if not file.is_file():
        raise ConfigError(f"llm.run={run}: expected the directory of a run; there is no {file}")
    other = yaml.safe_load(file.read_text(encoding="utf-8"))
    whole: dict[str, Any] = json.loads(json.dumps(config, default=str))
    for path in sources:
        *above, last = path.split(".")
        here, there = whole, other
        for key in above:
            here, there = here[key], there.get(key) or {}
        here[last] = there.get(last)
    found = [
        one for one in _differences(deciding(other), deciding(whole)) if not _is_budget(one[0])
    ]
    if found:
        shown = "; ".join(f"{key} was {old}, now {new}" for key, old, new in found[:_SHOWN])
        raise ConfigError(
            f"llm.run={run}: that run had another config: {shown}. Type its overrides again, they"
            f" are in {Path(run) / '.hydra' / 'overrides.yaml'}"
        )
    return whole


def _is_budget(key: str) -> bool:
    return key.startswith(f"{RAISABLE}.")


def _replays(node: object, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(node, Mapping):
        if node.get("_target_") == _REPLAY:
            yield path, node
        for key, item in node.items():
            yield from _replays(item, f"{path}.{key}" if path else str(key))


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
    if key == _FREE or (_is_budget(key) and (before, after) == (_MISSING, None)):
        return True
    if not _is_budget(key) or not isinstance(before, int | float):
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
