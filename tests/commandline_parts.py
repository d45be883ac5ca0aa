"""A tiny command with parts of every annotated kind, for tests of the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Protocol, TypedDict

from pydantic import Field

from tdscaling.errors import ConfigError, DatasetError

if TYPE_CHECKING:
    from decimal import Decimal


class Budget(TypedDict):
    trajectories: int
    tokens: int | None


class Part(Protocol):
    def size(self) -> int: ...


@dataclass(frozen=True)
class Fixed:
    """A part with one knob of each kind."""

    count: int
    on_full: Literal["stop", "wait"]
    weights: dict[str, float]
    names: tuple[str, ...]
    later: Decimal | None = None

    def __post_init__(self) -> None:
        if self.count < 0:
            raise ConfigError("part.count: expected 0 or more")

    def size(self) -> int:
        return self.count


class Doubled:
    """Another option of the same group."""

    def __init__(self, *, inner: Part, rate: float) -> None:
        self.inner, self.rate = inner, rate

    def size(self) -> int:
        return int(self.inner.size() * self.rate)


@dataclass(frozen=True)
class Phase:
    name: str
    until: float | None


class Hard:
    """Annotations that are hard to check."""

    def __init__(
        self,
        *,
        phases: Sequence[Phase],
        rate: Annotated[int, Field(ge=1)],
        part: Part | None,
        parts: Sequence[Part],
        kinds: Mapping[str, Sequence[Literal["a", "b"]]],
        pair: tuple[int, float],
    ) -> None:
        raise AssertionError("is only looked at")


def run(
    *,
    seed: int,
    budget: Budget,
    part: Part,
    run_dir: Path,
    tags: Sequence[str],
    outcome: Literal["done", "failed", "refused", "bug", "interrupted"],
) -> int:
    """Write what was got, then end as `outcome` says."""
    (Path(run_dir) / "got.txt").write_text(f"{seed} {budget} {part.size()} {tags!r}")
    if outcome == "refused":
        raise DatasetError("data.jsonl: expected JSON lines, got a picture")
    if outcome == "bug":
        raise ZeroDivisionError("a bug")
    if outcome == "interrupted":
        raise KeyboardInterrupt
    return {"done": 0, "failed": 1}[outcome]
