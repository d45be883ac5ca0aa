"""What ends a run.

Enters: the options under `budget`. Leaves: when there is enough, and what models may cost until
then. Counts of trajectories end a run at the same outcome each time; caps of tokens, dollars and
time cut it where they are reached, which what was committed before does not depend on.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypedDict

from tdscaling.diagnosis import nearest
from tdscaling.errors import ConfigError
from tdscaling.llm import part_of
from tdscaling.spending.account import ALL, Account, Caps
from tdscaling.spending.journal import FILE

ROLES = ("user", "assistant", "judge", "composer", "environment")
"""Who asks models in a run, and so may have caps of their own."""
_OURS = "tdscaling.llm."
"""Where endpoints lie that know prices by the names of ours; those of others may not."""
_REPLAY = "tdscaling.llm.replay.ReplayEndpoint"
"""What costs nothing and counts for no cap: a run is played again with the caps that it had."""
_PRICES = ("price_prompt", "price_completion")


class BudgetOptions(TypedDict):
    """The keys under `budget`; `conf/synthesize.yaml` explains them."""

    trajectories: int
    attempts: int | None
    patience: int
    seconds: float | None
    tokens: int | None
    prompt_tokens: int | None
    completion_tokens: int | None
    dollars: float | None
    roles: dict[str, Caps]


@dataclass(frozen=True, slots=True)
class Budget:
    """Ends of a run; the first that is reached counts."""

    trajectories: int
    """Accepted trajectories to reach, at least 1."""
    tokens: int | None
    """Tokens to spend: those that models counted, plus, for conversations without a model, a
    quarter of the characters of the dataset line."""
    attempts: int | None
    """Attempts to make, accepted or not."""
    patience: int
    """Rounds in a row without any accepted trajectory after which a start gives up, at least 1."""
    seconds: float | None = None
    """Wall clock of one start."""
    caps: tuple[tuple[str, Caps], ...] = ()
    """Hard limits of what models may cost, by role; `ALL` for all together."""

    @classmethod
    def of(cls, options: BudgetOptions) -> Budget:
        """Check the options.

        Raises:
            ConfigError: naming the option that is out of range.
        """
        plain: Mapping[str, Any] = options  # as configs hold them: mappings all the way down
        whole = Caps(**{field.name: plain.get(field.name) for field in fields(Caps)})
        roles = {name: Caps(**caps) for name, caps in (plain.get("roles") or {}).items()}
        for name in ("trajectories", "attempts", "patience", "seconds"):
            _check(f"budget.{name}", plain.get(name), name in ("trajectories", "patience"))
        _check_caps("budget", whole)
        for name, caps in roles.items():
            if name not in ROLES:
                raise ConfigError(
                    f"budget.roles.{name}: there is no role of that name to cap; nearest first:"
                    f" {', '.join(nearest(name, ROLES))}"
                )
            _check_caps(f"budget.roles.{name}", caps)
        given = {ALL: whole, **roles}
        return cls(
            trajectories=plain["trajectories"],
            tokens=plain.get("tokens"),
            attempts=plain.get("attempts"),
            patience=plain["patience"],
            seconds=plain.get("seconds"),
            caps=tuple((name, caps) for name, caps in given.items() if caps != Caps()),
        )

    def check_prices(self, config_file: Path) -> None:
        """Refuse a cap of dollars that could never be reached.

        Args:
            config_file: of the run, as Hydra wrote it.

        Raises:
            ConfigError: if no model that a cap of dollars concerns has a price.
        """
        from omegaconf import OmegaConf

        capped = [name for name, caps in self.caps if caps.dollars is not None]
        if not capped:
            return
        config = OmegaConf.load(config_file)
        played = {role: OmegaConf.select(config, f"{part_of(role)}.llm") for role in ROLES}
        for name in capped:
            concerned = {
                role: node
                for role, node in played.items()
                if node and name in (ALL, role) and node.get("_target_") != _REPLAY
            }
            if concerned and all(map(_free, concerned.values())):
                raise _no_price(name, concerned, config)

    def account(self, run_dir: Path, cache: str | None) -> Account:
        """What models may cost from now on.

        Args:
            run_dir: keeps the replies.
            cache: file of replies that runs share; None for none.
        """
        deadline = time.time() + self.seconds if self.seconds is not None else None
        shared = Path(cache).expanduser() if cache else None
        return Account(run_dir / FILE, shared, dict(self.caps), deadline)


def _free(endpoint: Mapping[str, Any]) -> bool:
    """Whether a request costs nothing, as an endpoint is set."""
    ours = str(endpoint.get("_target_")).startswith(_OURS)
    return ours and not any(endpoint.get(price) for price in _PRICES)


def _no_price(cap: str, concerned: Mapping[str, Mapping[str, Any]], config: Any) -> ConfigError:
    from omegaconf import OmegaConf

    where = f"budget.roles.{cap}" if cap else "budget"
    for role, endpoint in concerned.items():
        if _PRICES[0] in endpoint:
            part = part_of(role)
            shared = OmegaConf.is_interpolation(OmegaConf.select(config, part), "llm")
            place = "llm" if shared else f"{part}.llm"
            typed = " and ".join(f"{place}.{price}=USD" for price in _PRICES)
            advice = f"type {typed} (per 1,000,000 tokens), or cap tokens: {where}.tokens=NUMBER"
            break
    else:
        advice = f"a model of your own machine has none; cap tokens instead: {where}.tokens=NUMBER"
    return ConfigError(
        f"{where}.dollars: it would never be reached, since no model that plays"
        f" ({', '.join(concerned)}) has a price: {advice}"
    )


def _check_caps(where: str, caps: Caps) -> None:
    for field in fields(Caps):
        value = getattr(caps, field.name)
        if field.name == "dollars":
            if value is not None and value <= 0:
                raise ConfigError(f"{where}.dollars: expected null or above 0, got {value}")
        else:
            _check(f"{where}.{field.name}", value, required=False)


def _check(where: str, value: Any, required: bool) -> None:
    if (value is None and required) or (value is not None and value < 1):
        wanted = "at least 1" if required else "null or at least 1"
        raise ConfigError(f"{where}: expected {wanted}, got {value}")
