"""Data-flow edges: how right they are, and what edges and clusters cost.

Claims checked: edges with a score of .75 or more are nearly always right on the labelled pairs of
`tests/dataflow`, and on the shipped domains, whose edges are known from their SQL while only names
and parameters are shown to the inference; the time per tool does not grow with the catalog.

    python benchmarks/bench_clusters.py                       quality, and synthetic services
    python benchmarks/bench_clusters.py --dump tools.jsonl    results of tools/list, too
    python benchmarks/bench_clusters.py --openapi FOLDER      API descriptions, too
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from random import Random

import yaml

from tdscaling.catalog import Catalog
from tdscaling.clusters.communities import CommunityClusters
from tdscaling.configuration import conf_dir
from tdscaling.dataflow import duplicates, infer
from tdscaling.schema import Service, Tool
from tdscaling.tools.declared import DeclaredTools
from tdscaling.tools.dump import DumpTools

DATA = Path(__file__).parents[1] / "tests" / "dataflow"
Pair = tuple[str, str, str, str]
"""Service, producer, consumer, slot."""

FIRST = ("back", "foot", "hand", "over", "rain", "side", "sun", "water")
LAST = ("board", "book", "box", "light", "line", "mark", "page", "room", "stone", "wheel", "work")
NOUNS = [f"{first}{last}" for first in FIRST for last in LAST]


def scores(services: Iterable[Service]) -> dict[Pair, float]:
    return {
        (service.name, edge.producer, edge.consumer, edge.slot): edge.score
        for service in services
        for edge in infer(service)
    }


def told(truth: Mapping[Pair, bool], found: Mapping[Pair, float]) -> None:
    """Precision and recall at several scores; a pair that nobody labelled counts as wrong."""
    edges = sum(truth.values())
    print(f"  {'score':>6} {'precision':>10} {'recall':>7} {'edges':>6}")
    for least in (0.75, 0.6, 0.3):
        kept = [pair for pair, score in found.items() if score >= least]
        right = sum(truth.get(pair, False) for pair in kept)
        print(f"  {least:6} {right / len(kept):10.3f} {right / edges:7.3f} {len(kept):6}")


def labelled() -> None:
    rows = [json.loads(line) for line in (DATA / "labelled.jsonl").read_text().splitlines()]
    truth = {
        (row["service"], row["producer"], row["consumer"], row["slot"]): row["is_edge"]
        for row in rows
    }
    services = DumpTools(paths=[str(DATA / "services.jsonl")], services=[]).load().services
    print(f"labelled: {len(rows)} pairs, {len(services)} services, {sum(truth.values())} edges")
    told(truth, scores(services.values()))


def declared() -> None:
    """Recall is by parameter: at most four producers of each are kept."""
    catalog = DeclaredTools(domains=[], paths=[]).load()
    truth = {
        (name, edge.producer, edge.consumer, edge.slot): edge.kind
        for name, domain in catalog.domains.items()
        for edge in domain.edges
    }
    bare = [
        replace(service, tools=tuple(replace(tool, returns=()) for tool in service.tools))
        for service in catalog.services.values()
    ]
    kept = [pair for pair, score in scores(bare).items() if score >= 0.75]
    right = [pair for pair in kept if pair in truth]
    slots = {(pair[0], *pair[2:]) for pair, kind in truth.items() if kind == "key"}
    filled = slots & {(pair[0], *pair[2:]) for pair in right}
    print(f"declared domains: {len(bare)}, key parameters that some tool fills: {len(slots)}")
    print(f"  precision {len(right) / len(kept):.3f}, filled {len(filled) / len(slots):.3f}")


def synthetic(tools: int) -> dict[str, Service]:
    """Services of 8 to 120 tools about a few things each, tied by ids."""
    random, found, count = Random(f"synthetic:{tools}"), {}, 0
    while count < tools:
        name = f"service_{len(found)}"
        made = tuple(_tools(name, random))[: tools - count]
        found[name] = Service(name, name, "", "", made, "synthetic")
        count += len(made)
    return found


def _tools(service: str, random: Random) -> Iterator[Tool]:
    things = random.sample(NOUNS, random.randint(2, 30))
    for thing in things:
        other = random.choice(things)
        fields = {"id": {"type": "string"}, f"{other}_id": {"type": "string"}}
        result = {"type": "object", "properties": fields}
        for verb, slots in (
            ("create", {f"{other}_id": "string", "title": "string"}),
            ("list", {"limit": "integer"}),
            ("get", {f"{thing}_id": "string"}),
            ("update", {f"{thing}_id": "string", "title": "string"}),
        ):
            schema = {
                "type": "object",
                "properties": {key: {"type": kind} for key, kind in slots.items()},
                "required": list(slots),
            }
            text = f"{verb} the {thing} of {service} beside its {other}"
            name = f"{verb}_{thing}"
            yield Tool(name, text, schema, service, "", writes=verb != "list", result=result)


def timed(title: str, services: Mapping[str, Service], compositions: int) -> tuple[int, float]:
    """Tools, and CPU seconds of edges, duplicates, clusters and compositions together."""
    settings = yaml.safe_load((conf_dir() / "clusters" / "communities.yaml").read_text())
    del settings["_target_"]
    option = CommunityClusters(**{**settings, "compositions": compositions})
    count = sum(len(service.tools) for service in services.values())
    wall, cpu = time.perf_counter(), time.process_time()
    found = option.build(Catalog(services))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    base = [cluster for cluster in found if len(cluster.services) == 1]
    sizes = [len(cluster.tools) for cluster in base]
    writes = sum(any(tool.writes for tool in cluster.tools) for cluster in base)
    print(
        f"  {title:>22}: {count:6} tools, {len(base):5} clusters of {min(sizes)} to {max(sizes)} "
        f"tools ({writes} with a write), {len(found):5} with compositions; CPU {cpu:6.1f} s, wall "
        f"{wall:6.1f} s, peak {memory():.0f} MB"
    )
    return count, cpu


def memory() -> float:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def parts(services: Mapping[str, Service]) -> None:
    started = time.process_time()
    edges = sum(len(infer(service)) for service in services.values())
    middle = time.process_time()
    same = len(duplicates(services.values(), 0.85))
    last = time.process_time()
    print(
        f"  edges {edges} in {middle - started:.1f} s, duplicates {same} in {last - middle:.1f} s"
    )


def growth(small: tuple[int, float], large: tuple[int, float]) -> None:
    exponent = math.log(large[1] / small[1]) / math.log(large[0] / small[0])
    print(f"  growth: CPU time ~ tools ^ {exponent:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dump", help="file or folder with results of tools/list")
    parser.add_argument("--openapi", help="folder with API descriptions")
    parser.add_argument("--tools", type=int, default=20_000, help="of the larger synthetic catalog")
    parser.add_argument("--compositions", type=int, default=25_000)
    options = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs")
    labelled()
    declared()
    print("synthetic services")
    small = timed("a tenth", synthetic(options.tools // 10), 0)
    growth(small, timed("all", synthetic(options.tools), 0))
    if options.dump:
        started = time.perf_counter()
        catalog = DumpTools(paths=[options.dump], services=[]).load()
        print(f"{options.dump}: read in {time.perf_counter() - started:.1f} s")
        parts(catalog.services)
        timed("results of tools/list", catalog.services, 0)
    if options.openapi:
        _openapi(options.openapi, options.compositions)


def _openapi(folder: str, compositions: int) -> None:
    from tdscaling.tools.openapi import OpenapiTools

    started = time.perf_counter()
    services = OpenapiTools(paths=[folder], services=[]).load().services
    print(f"{folder}: read in {time.perf_counter() - started:.1f} s")
    some = {name: service for at, (name, service) in enumerate(services.items()) if at % 12 == 0}
    small = timed("a twelfth of the APIs", some, 0)
    growth(small, timed("all APIs", services, 0))
    timed("with compositions", services, compositions)


if __name__ == "__main__":
    main()
