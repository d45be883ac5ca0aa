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

from tdscaling.errors import ConfigError
from tdscaling.spending.account import ALL, Account, Caps
from tdscaling.spending.journal import FILE


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
    """Rounds without any accepted trajectory after which the run gives up, at least 1."""
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

    def account(self, run_dir: Path, cache: str | None) -> Account:
        """What models may cost from now on.

        Args:
            run_dir: keeps the replies.
            cache: file of replies that runs share; None for none.
        """
        deadline = time.time() + self.seconds if self.seconds is not None else None
        shared = Path(cache).expanduser() if cache else None
        return Account(run_dir / FILE, shared, dict(self.caps), deadline)


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
