"""Command `measure`: how diverse is a dataset, whoever made it.

Enters: a JSONL file in OpenAI chat format. Leaves: the figures of `docs/metrics.md` on the terminal
and an exit code for floors, so that a pipeline stops where diversity falls. Conversations are read
as they are: no blueprint, no tool definitions and no provenance are needed. Memory grows with the
number of trajectories by some words each, not with their length.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tdscaling.dataset import file_of, numbered, parsed
from tdscaling.errors import ConfigError, DatasetError
from tdscaling.metrics import Metrics
from tdscaling.metrics._entropy import Rarefied, rarefy
from tdscaling.schema import Outcome, Request, Trace, Verdict, Voice
from tdscaling.writable import unwritable_file

UNKNOWN = "unknown"
"""Category of a line that names none."""
OVER = ("domain", "mode", "signature", "voice")
_PLAIN_WIDTH = 120
"""Columns where the output is no terminal: wide enough that no figure is cut."""
_PLAIN = (
    "complexity_mean",
    "complexity_per_call",
    "calls_mean",
    "cells_covered",
    "tools_covered",
    "tool_pairs_covered",
    "shapes_covered",
    "dataset_tokens",
    "novelty_per_ktok_total",
)
"""Figures that are shown besides the entropies."""


def measure(
    *,
    dataset: str,
    category: str,
    equal_n: int | None,
    draws: int,
    seed: int,
    out: str | None,
    floors: Mapping[str, float | None],
    metrics: Metrics,
) -> int:
    """Measure a dataset.

    Args:
        dataset: a JSONL file, or the directory of a run.
        category: where a line has its category, a path such as `meta.category`.
        equal_n: trajectories that entropies are cut down to as well; None for all there are.
        draws: subsamples where a mean over them is needed, at least 1.
        seed: of the subsampling.
        out: file for the figures as JSON; None writes none.
        floors: least value of figures by name; None asks for nothing.
        metrics: reads traces and keeps the figures.

    Returns:
        0, or 1 where a figure is below its floor.

    Raises:
        DatasetError: if there is no such dataset, or a line is no conversation.
        ConfigError: if `equal_n` is more than there are, or a floor names no figure.
    """
    if draws < 1:
        raise ConfigError(f"draws: expected 1 or more, got {draws}. Type for example draws=100")
    if out is not None and (reason := unwritable_file(Path(out))):
        raise ConfigError(f"out={out}: cannot be written: {reason}. Type out=FILE")
    path, console = file_of(Path(dataset)), Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_PLAIN_WIDTH)
    figures, rows = _read(path, category, metrics)
    n = figures["accepted_total"]
    if equal_n is not None and not 1 <= equal_n <= n:
        raise ConfigError(
            f"equal_n: expected 1 to {n}, the trajectories in {path}, got {equal_n}. Type for"
            f" example equal_n={n}"
        )
    _check_floors(floors, figures)
    cut = {over: rarefy(rows[over], equal_n or n, str(seed), draws) for over in OVER}
    _show(console, path, figures, cut, rows["domain"])
    if out is not None:
        _write(Path(out), figures, cut)
    return _judge(console, floors, figures)


def _read(
    path: Path, category: str, metrics: Metrics
) -> tuple[dict[str, Any], dict[str, list[dict[str, float]]]]:
    """The figures, and the masses of every trajectory for each entropy."""
    rows: dict[str, list[dict[str, float]]] = {over: [] for over in OVER}
    for index, (line, data) in enumerate(_lines(path)):
        provenance = _at(data, "meta.provenance")
        known = provenance if isinstance(provenance, list) else []
        trace = metrics.read(data["messages"], None, [str(source) for source in known])
        found = _at(data, category)
        name = found if isinstance(found, str) and found else UNKNOWN
        voice = _voice(_at(data, "meta.voice"))
        metrics.observe(_outcome(index, name, trace, line, voice))
        rows["domain"].append({name: 1.0})
        rows["mode"].append({trace.mode: 1.0})
        rows["signature"].append({trace.signature: 1.0})
        rows["voice"].append({voice: 1.0} if voice else {})
    if not rows["mode"]:
        raise DatasetError(f"{path}: expected one conversation a line, got an empty file")
    return metrics.figures(), rows


def _voice(told: object) -> str:
    """The voice of the user, as the data of a run names it."""
    if not isinstance(told, dict):
        return ""
    parts = {name: str(told.get(name, "")) for name in ("persona", "style", "language")}
    return Voice(**parts).name


def _outcome(index: int, category: str, trace: Trace, line: str, voice: str) -> Outcome:
    return Outcome(
        index=index,
        round=0,
        id=str(index),
        seed="",
        request=Request("", (), 0),
        category=category,
        domain="",
        categories={category: 1.0},
        verdict=Verdict(True),
        blueprint_id="",
        trace=trace,
        turns=0,
        line=line,
        voice=voice,
    )


def _lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, line in numbered(path):
        data = _conversation(line, f"{path}:{number}")
        yield line.decode(), data


def _conversation(line: bytes, where: str) -> dict[str, Any]:
    try:
        data = parsed(line)
    except DatasetError as error:
        raise DatasetError(f"{where}: {error}") from None
    messages = data.get("messages") if isinstance(data, dict) else data
    if not isinstance(messages, list) or not all(isinstance(m, dict) for m in messages):
        raise DatasetError(
            f"{where}: expected a field messages with a list of chat messages, got "
            f"{line.decode()[:60]!r}"
        )
    return data if isinstance(data, dict) else {"messages": messages}


def _at(data: Mapping[str, Any], place: str) -> Any:
    """The value at a path such as `meta.category`; None where there is none."""
    value: Any = data
    for name in place.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _check_floors(floors: Mapping[str, float | None], figures: Mapping[str, Any]) -> None:
    for name in floors:
        if name.removeprefix("min_") not in figures:
            known = ", ".join(f"min_{figure}" for figure in sorted(figures))
            raise ConfigError(f"floors.{name}: there is no such figure; known: {known}")


def _judge(console: Console, floors: Mapping[str, float | None], figures: Mapping[str, Any]) -> int:
    low = 0
    for name, least in floors.items():
        got = figures[name.removeprefix("min_")]
        if least is not None and got < least:
            low += 1
            console.print(
                f"below its floor: {name}={least:g}, got {got:g}", markup=False, soft_wrap=True
            )
    return int(low > 0)


def _show(
    console: Console,
    path: Path,
    figures: Mapping[str, Any],
    cut: Mapping[str, Rarefied],
    categories: list[dict[str, float]],
) -> None:
    console.print(f"{path}: {figures['accepted_total']} trajectories", markup=False, soft_wrap=True)
    table = Table(title="Entropies (bits); 95% interval in brackets", title_justify="left")
    table.add_column("over")
    at = f"H at N={cut['mode'].n}"
    for title in ("K", "H", "2^H", "H/log2 K", "Miller-Madow", "singletons", at):
        table.add_column(title, justify="right")
    for over in OVER:
        if over == "voice" and not figures["voice_support"]:
            continue
        names = ("entropy", "effective", "evenness", "miller_madow", "singleton_share")
        values = [f"{figures[f'{over}_{name}']:.3f}" for name in names]
        one = cut[over]
        interval = f"{one.entropy:.3f} [{one.entropy_low:.2f}, {one.entropy_high:.2f}]"
        table.add_row(over, str(figures[f"{over}_support"]), *values, interval)
    console.print(table)
    for name in _PLAIN:
        console.print(f"{name:24}{figures[name]:g}", markup=False)
    missing = sum(UNKNOWN in row for row in categories)
    if missing:
        console.print(
            f"{missing} lines name no category; type category=PATH to where they have one",
            markup=False,
            soft_wrap=True,
        )


def _write(out: Path, figures: Mapping[str, Any], cut: Mapping[str, Rarefied]) -> None:
    at_equal_n = {
        over: {
            "n": one.n,
            "entropy": one.entropy,
            "low": one.entropy_low,
            "high": one.entropy_high,
            "support": one.support,
        }
        for over, one in cut.items()
    }
    try:
        out.write_text(json.dumps({**figures, "equal_n": at_equal_n}, indent=2) + "\n")
    except OSError as error:
        raise ConfigError(f"out={out}: cannot be written: {error}. Type out=FILE") from error
