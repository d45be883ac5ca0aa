"""The command `draft`: simulated services as files.

Enters: tools that are known by their schemas, and perhaps a model. Leaves: one domain file per
cluster, checked by execution, that a person can read, edit and use like any other domain.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console

from tdscaling.catalog import Catalog, Skipped
from tdscaling.clusters import Clusters
from tdscaling.declared.definition import DomainFile
from tdscaling.drafting import ruled, sketch, written
from tdscaling.errors import AttemptError, ConfigError, DomainError
from tdscaling.llm import Endpoint, endpoint_of
from tdscaling.schema import Cluster
from tdscaling.tools import Tools
from tdscaling.writable import unwritable_folder

_PLAIN_WIDTH = 160
"""Columns where the output is no terminal."""
_REASONS = 5
"""Reasons for what was left out that are listed per cluster."""


def draft(
    *,
    tools: Tools,
    clusters: Clusters,
    llm: object,
    out: str,
    cluster: str | None,
    count: int | None,
    overwrite: bool,
    seed: int,
) -> int:
    """Draft clusters into files; returns the exit code.

    Args:
        tools: where tools come from.
        clusters: groups them.
        llm: model that adds rules, if it has a name.
        out: folder for the files.
        cluster: id of a cluster, or its beginning; None for all.
        count: clusters to draft, at least 1; None for all.
        overwrite: whether files that are there already are replaced.
        seed: of the model's requests.

    Returns:
        0, or 1 if no cluster could be drafted.

    Raises:
        ConfigError: if there is no such cluster, or a file is there already.
    """
    console = Console()
    if not console.is_terminal:
        console = Console(width=_PLAIN_WIDTH)
    model = _model(llm)
    catalog = tools.load()
    chosen = _chosen(catalog, clusters.build(catalog), cluster, count)
    folder = Path(out)
    targets = {one.id: folder / f"{one.domain}.yaml" for one in chosen}
    present = [path for path in targets.values() if path.exists()]
    if present and not overwrite:
        raise ConfigError(
            f"{present[0]}: is there already, perhaps edited; choose another out=DIR, or type "
            "overwrite=true"
        )
    if reason := unwritable_folder(folder):
        raise ConfigError(f"out={out}: cannot be written: {reason}. Type out=FOLDER")
    made = sum(_drafted(console, one, targets[one.id], model, seed) for one in chosen)
    console.print(f"{made} of {len(chosen)} clusters drafted into {folder}", markup=False)
    return int(made == 0)


def _model(llm: object) -> Endpoint | None:
    """The model, where one is configured."""
    if isinstance(llm, Endpoint) and llm.model is None:
        return None
    return endpoint_of(llm, "rules")


def _chosen(
    catalog: Catalog, found: Sequence[Cluster], wanted: str | None, count: int | None
) -> list[Cluster]:
    if count is not None and count < 1:
        raise ConfigError(f"count: expected at least 1, got {count}")
    schema_only = [one for one in found if one.domain not in catalog.domains]
    if wanted is not None:
        chosen = [one for one in schema_only if one.id.startswith(wanted)]
        if not chosen:
            names = ", ".join(one.id for one in schema_only[:5]) or "none"
            raise ConfigError(f"cluster={wanted}: there is no such cluster; there are {names}")
        return chosen[:count]
    if not schema_only:
        raise ConfigError(
            "draft: all tools have something that executes them already; there is nothing to draft"
        )
    return schema_only[:count]


def _drafted(
    console: Console, cluster: Cluster, path: Path, model: Endpoint | None, seed: int
) -> bool:
    try:
        made, domain = sketch(cluster)
    except DomainError as error:
        console.print(f"refused: {error}", style="red", markup=False, soft_wrap=True)
        return False
    file, left_out = made.file, made.left_out
    rules = "rules by their names alone"
    if model is not None:
        file, added, dropped = _with_rules(domain.name, file, model, f"{seed}:{cluster.id}")
        rules = f"{added} rules and wordings by {model.model}, checked by execution"
        _list(console, dropped, "not taken")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(written(file, file.simulates or cluster.id, left_out, rules), encoding="utf-8")
    console.print(f"{path}: {len(file.tools)} of {len(cluster.tools)} tools", markup=False)
    _list(console, left_out, "left out")
    return True


def _with_rules(
    name: str, file: DomainFile, model: Endpoint, seed: str
) -> tuple[DomainFile, int, list[Skipped]]:
    """The draft with a model's rules; as it was, where the model has nothing usable to say."""
    try:
        result = asyncio.run(ruled(name, file, model, seed))
    except AttemptError as error:
        return file, 0, [Skipped(name, str(error))]
    return result.file, result.added, result.dropped


def _list(console: Console, entries: Sequence[Skipped], what: str) -> None:
    for line in _lines(entries, what):
        console.print(line, style="yellow", markup=False, soft_wrap=True)


def _lines(entries: Sequence[Skipped], what: str) -> Iterator[str]:
    for entry in entries[:_REASONS]:
        yield f"  {what}: {entry.where}: {entry.why}"
    if len(entries) > _REASONS:
        yield f"  {what}: {len(entries) - _REASONS} more"
