"""The last words of a run.

Enters: the ledger and the figures. Leaves: on the terminal, what was made, how diverse it is, why
the rest was rejected, where it all lies; and after an early end, what to type to go on.
"""

from __future__ import annotations

import json
import shlex
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from tdscaling.catalog import Skipped
from tdscaling.diversity import coding_share, found_words
from tdscaling.store import Store

_INDENT = 12
"""Columns of the names."""
_NO_MODEL = "tdscaling.llm.none.NoEndpoint"
SKIPPED_SHOWN = 3
"""Skipped entries of sources that are named."""
_PAID = """SELECT sum(calls)::BIGINT AS calls, sum(failed)::BIGINT AS failed,
    sum(cached)::BIGINT AS cached, sum(prompt_tokens + completion_tokens)::BIGINT AS tokens,
    sum(cost_usd) AS usd,
    greatest(sum(calls)::BIGINT - (SELECT count(*) FROM llm_calls), 0) AS unfinished
    FROM spending HAVING sum(calls) > 0"""
_REASONS = 4
"""Reasons that are listed by name."""


def print_summary(
    console: Console,
    store: Store,
    figures: Mapping[str, Any],
    files: Sequence[Path],
    why: str,
) -> None:
    """Print what a run has come to."""
    for name, words in _rows(store, figures, why):
        text = textwrap.fill(words, console.width - _INDENT, subsequent_indent=" " * _INDENT)
        console.print(f"{name:{_INDENT}}{text}", highlight=False, markup=False)
    for path in (*files, store.path):
        name = "ledger" if path == store.path else "written"
        line = f"{name:{_INDENT}}{_near(path)}"
        console.print(line, soft_wrap=True, highlight=False, markup=False)


def _rows(store: Store, figures: Mapping[str, Any], why: str) -> Iterator[tuple[str, str]]:
    ended = f"; ended with {why}" if why else ""
    yield "accepted", f"{store.accepted} of {store.next_index} attempted{ended}"
    if store.accepted < store.next_index:
        yield "rejected", _rejections(store)
    voiced = ["voice"] if figures["voice_support"] else []
    for name in ("domain", "mode", "signature", *voiced):
        yield f"{name}s", _entropy(figures, name)
    yield (
        "complexity",
        f"{figures['complexity_mean']:.1f} per trajectory of {figures['calls_mean']:.1f} calls, "
        f"{figures['complexity_per_call']:.2f} per call",
    )
    share = coding_share(store)
    if share.draws:
        yield "coding", f"{share.accepted:.1%} of the accepted, {share.drawn:.1%} of the draws"
    yield "coverage", f"{figures['cells_covered']} cells, {figures['tools_covered']} tools"
    found = found_words(store)
    if found.texts:
        yield "words", f"{found.by_model:,} of {found.texts:,} by a model, the others by templates"
    if paid := store.query(_PAID):
        yield from _spent(paid[0], store, figures)


def _spent(
    paid: Mapping[str, Any], store: Store, figures: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """What models cost, and what it bought."""
    tokens, dollars = paid["tokens"], paid["usd"]
    parts = [f"{paid['calls']:,} calls, {tokens:,} tokens, {dollars:.2f} USD"]
    for what in ("failed", "cached"):
        if paid[what]:
            parts.append(f"{paid[what]:,} {what}")
    if paid["unfinished"]:
        parts.append(f"{paid['unfinished']:,} in conversations that were not finished")
    yield "models", "; ".join(parts)
    bought = (("accepted trajectory", store.accepted), ("new cell", figures["cells_covered"]))
    each = [
        f"{tokens / count:,.0f} tokens and {dollars / count:.4f} USD per {what}"
        for what, count in bought
        if count
    ]
    yield "cost", "; ".join(each)


def _rejections(store: Store) -> str:
    reasons = store.query(
        "SELECT reason, count(*) AS n FROM trajectories WHERE NOT accepted "
        "GROUP BY reason ORDER BY n DESC, reason"
    )
    told = [f"{row['n']} {row['reason']}" for row in reasons[:_REASONS]]
    if others := sum(row["n"] for row in reasons[_REASONS:]):
        told.append(f"{others} for other reasons")
    return ", ".join(told)


def _entropy(figures: Mapping[str, Any], name: str) -> str:
    entropy = float(figures[f"{name}_entropy"])
    return f"{entropy:.2f} bits, {2**entropy:.1f} effective of {figures[f'{name}_support']} seen"


def print_skipped(console: Console, skipped: Sequence[Skipped]) -> None:
    """Name what the sources hold that could not be used, the first few of them."""
    if not skipped:
        return
    console.print(f"skipped     {len(skipped)} entries of the sources, for example:", markup=False)
    _print_first(console, skipped)
    if len(skipped) > SKIPPED_SHOWN:
        console.print("            all of them are in the ledger's table skipped", markup=False)


def print_idle_model(console: Console, config_file: Path) -> None:
    """Say so where a model was chosen and nothing asks it; in a sweep that may be meant."""
    config = yaml.safe_load(config_file.read_text(encoding="utf-8"))
    chosen = config.pop("llm")
    if chosen["_target_"] == _NO_MODEL or "${llm" in json.dumps(config):
        return
    console.print(
        "no model plays in this run, although llm chooses one: type what it is to play, such as"
        " roles/assistant=llm roles/user=llm roles/judge=llm",
        soft_wrap=True,
        highlight=False,
        markup=False,
    )


def print_unclustered(console: Console, services: Sequence[Skipped], count: int) -> None:
    """Name the services that take no part in a run, the first few of them.

    Args:
        console: where it is printed.
        services: those without a cluster, and why.
        count: all services of the sources.
    """
    if not services:
        return
    head = f"{len(services)} of {count} services take no part, since no cluster came of them:"
    console.print(f"left out    {head}", markup=False, highlight=False, soft_wrap=True)
    _print_first(console, services)
    if len(services) > SKIPPED_SHOWN:
        more = f"and {len(services) - SKIPPED_SHOWN} more"
        line = f"            {more}; all of them are in the ledger's table skipped"
        console.print(line, markup=False, highlight=False)


def _print_first(console: Console, entries: Sequence[Skipped]) -> None:
    for entry in entries[:SKIPPED_SHOWN]:
        text = "".join(c if c.isprintable() else " " for c in f"{entry.where}: {entry.why}")
        console.print(f"            {text[:200]}", markup=False, highlight=False, soft_wrap=True)


def print_continuation(console: Console, run_dir: Path) -> None:
    """Print the command line that goes on where a run ended early."""
    console.print("Finished work is kept. To go on, type:", highlight=False)
    console.print(
        f"  {continuation(run_dir, sys.argv)}", soft_wrap=True, highlight=False, markup=False
    )


def continuation(run_dir: Path, argv: Sequence[str]) -> str:
    """The command line that was typed, with the directory that it did not name.

    A job of a sweep is continued by the sweep, whose directory is the same for all its jobs.
    """
    hydra = yaml.safe_load((run_dir / ".hydra" / "hydra.yaml").read_text(encoding="utf-8"))["hydra"]
    if str(hydra["mode"]).endswith("MULTIRUN"):
        key = "hydra.sweep.dir"
        directory = next(
            p for p in (run_dir, *run_dir.absolute().parents) if (p / "multirun.yaml").exists()
        )
    else:
        key, directory = "hydra.run.dir", run_dir
    command = hydra["job"]["config_name"]
    words = [command] if command != "synthesize" and "--config-name" not in argv else []
    # The command line names jobs of a sweep by itself.
    words += [word for word in argv[1:] if not word.startswith("hydra.job.config.override_dirname")]
    if not any(word.startswith(f"{key}=") for word in words):
        words.append(f"{key}={_near(directory)}")
    return shlex.join([Path(argv[0]).name, *words])


def _near(path: Path) -> str:
    """The path as somebody would type it from here."""
    absolute, here = path.absolute(), Path.cwd()
    return str(absolute.relative_to(here) if absolute.is_relative_to(here) else absolute)
