"""The command `domains`: what there is, whether a file is good, what a domain looks like.

Enters: the stages that make tools into blueprints. Leaves: tables on the terminal, and an exit code
that a script can use before it starts a run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tdscaling.blueprints import Blueprints
from tdscaling.catalog import Catalog
from tdscaling.clusters import Clusters
from tdscaling.declared.domain import Domain, ToolSpec
from tdscaling.declared.load import load, rule_problems
from tdscaling.errors import BlueprintError, ConfigError, DomainError
from tdscaling.schema import Cluster, Draw, Request
from tdscaling.tools import Tools

_PLAIN_WIDTH = 160
"""Columns where the output is no terminal: wide enough that no figure is cut."""


def domains(
    *,
    tools: Tools,
    clusters: Clusters,
    blueprints: Blueprints,
    check: str | None,
    show: str | None,
    samples: int,
    seed: int,
) -> int:
    """List all domains, check files or show one domain.

    Args:
        tools: where domains come from.
        clusters: groups them.
        blueprints: makes the samples.
        check: file or folder whose domain files are checked; the list is left out then.
        show: name of the domain to show; the list is left out then.
        samples: conversations per domain whose requests are printed, at least 0.
        seed: of the samples.

    Returns:
        0, or 1 if a checked file is refused.

    Raises:
        ConfigError, DomainError: if there is no such file or domain.
    """
    console = Console()
    if not console.is_terminal:
        console = Console(width=_PLAIN_WIDTH)
    if check is not None:
        good = [_check(console, path) for path in _files(Path(check))]
        for domain in filter(None, good):
            _print_samples(console, domain, _samples(domain, clusters, blueprints, samples, seed))
        return int(None in good)
    known = tools.load().domains
    if show is None:
        console.print(_list(known, _partners(clusters, known)))
        return 0
    if show not in known:
        raise ConfigError(f"show={show}: there is no such domain, there are {', '.join(known)}")
    partners = _partners(clusters, known).get(show, ())
    _show(console, known[show], partners)
    drawn = _samples(known[show], clusters, blueprints, samples, seed)
    _print_samples(console, known[show], drawn)
    return 0


def _files(path: Path) -> list[Path]:
    found = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    if not found or not all(file.is_file() for file in found):
        raise ConfigError(
            f"check={path}: expected a domain file or a folder with *.yaml files. Type for example "
            "check=my/bookshop.yaml"
        )
    return found


def _check(console: Console, path: Path) -> Domain | None:
    try:
        domain = load(path)
    except DomainError as error:
        console.print(f"refused: {error}", style="red", markup=False, soft_wrap=True)
        return None
    about = (
        f"{path}: good. {_count(domain.tools)}, {len(domain.tables)} tables, "
        f"{len(domain.edges)} data-flow edges, {_rules(domain)} rules"
    )
    console.print(about, markup=False, soft_wrap=True)
    for warning in rule_problems(domain):
        console.print(f"warning: {warning}", style="yellow", markup=False, soft_wrap=True)
    return domain


def _list(known: Mapping[str, Domain], partners: Mapping[str, tuple[str, ...]]) -> Table:
    table = Table(title=f"{len(known)} domains")
    for column in ("domain", "category", "tools"):
        table.add_column(column)
    for column in ("tables", "data-flow edges", "rules", "can cross with"):
        table.add_column(column, justify="right")
    for name, domain in known.items():
        numbers = (
            len(domain.tables),
            len(domain.edges),
            _rules(domain),
            len(partners.get(name, ())),
        )
        table.add_row(name, domain.file.category, _count(domain.tools), *map(str, numbers))
    return table


def _count(tools: Mapping[str, ToolSpec]) -> str:
    writes = sum(bool(tool.writes) for tool in tools.values())
    return f"{len(tools)} tools ({len(tools) - writes} read, {writes} write)"


def _rules(domain: Domain) -> int:
    return sum(len(tool.file.requires) for tool in domain.tools.values())


def _partners(clusters: Clusters, known: Mapping[str, Domain]) -> dict[str, tuple[str, ...]]:
    return {cluster.domain: cluster.partners for cluster in clusters.build(Catalog({}, known))}


def _show(console: Console, domain: Domain, partners: tuple[str, ...]) -> None:
    console.print(f"{domain.name} ({domain.file.category}): {domain.file.about}", markup=False)
    console.print(f"can cross with: {', '.join(partners) or 'none'}", markup=False)
    table = Table(title=f"Tools of {domain.name}", show_lines=True)
    for column in ("tool", "writes", "parameters", "fed by"):
        table.add_column(column)
    for tool in domain.tools.values():
        parameters = "\n".join(
            f"{name}: {parameter.type}{' (optional)' if parameter.optional else ''}"
            for name, parameter in tool.file.parameters.items()
        )
        written = ", ".join(sorted(tool.writes))
        table.add_row(tool.name, written, parameters, "\n".join(_feeds(domain, tool.name)))
    console.print(table)


def _feeds(domain: Domain, consumer: str) -> Iterator[str]:
    """Per parameter the tools whose results hold it."""
    producers: dict[tuple[str, str], list[str]] = {}
    for edge in domain.edges:
        if edge.consumer == consumer:
            producers.setdefault((edge.slot, edge.column), []).append(edge.producer)
    for (slot, column), names in producers.items():
        origin = "" if slot == column else f" (column {column})"
        yield f"{slot}{origin} <- {', '.join(names)}"


def _samples(
    domain: Domain, clusters: Clusters, blueprints: Blueprints, count: int, seed: int
) -> Iterator[str]:
    """What the users of some conversations ask for, turn by turn."""
    if not count:
        return
    known = {domain.name: domain}
    try:
        cluster = clusters.build(Catalog({}, known))[0]
    except DomainError as error:
        yield str(error)
        return
    for number in range(count):
        yield _sample(cluster, known, blueprints, number, seed)


def _sample(
    cluster: Cluster, known: Mapping[str, Domain], blueprints: Blueprints, number: int, seed: int
) -> str:
    request = Request(cluster.id, (), 1 + 2 * number)
    try:
        blueprint = blueprints.make(Draw(number, 0, f"{seed}:{number}", request), cluster, known)
    except BlueprintError as error:
        return f"no blueprint: {error}"
    calls = ", ".join(
        f"{step.tool}({json.dumps(step.gold, ensure_ascii=False)})" for step in blueprint.plan
    )
    return "\n".join([*(f"user: {turn.request}" for turn in blueprint.turns), f"plan: {calls}"])


def _print_samples(console: Console, domain: Domain, samples: Iterator[str]) -> None:
    for number, sample in enumerate(samples, 1):
        console.print(f"\n{domain.name}, sample {number}", style="bold")
        console.print(sample, markup=False, soft_wrap=True)
