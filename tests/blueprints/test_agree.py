"""A call and the lookups that feed it ask for the same: no plan contradicts itself."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random

import pytest
import yaml

from tdscaling.blueprints._agree import alike, passed_on
from tdscaling.blueprints.dataflow import COMPUTING, ORDER, DataFlowBlueprints
from tdscaling.catalog import Catalog
from tdscaling.clusters.dataflow import DataFlowClusters
from tdscaling.coding.areas import CALCULATIONS
from tdscaling.coding.domain import code_domain
from tdscaling.declared.domain import Domain
from tdscaling.declared.load import load
from tdscaling.errors import BlueprintError
from tdscaling.schema import Blueprint, Draw, Operator, Request, Step, digest
from tdscaling.tools.declared import SHIPPED, DeclaredTools
from tests.coding.workspaces import CONF, sandbox

NAMES = sorted(path.stem for path in SHIPPED.glob("*.yaml"))
SEARCHED = ["hotel", "restaurant", "helpdesk"]
"""Those with a search for days, numbers or choices that the call which it feeds takes, too."""
PLAIN = tuple(operator for operator in ORDER if operator not in COMPUTING)


@cache
def domains() -> dict[str, Domain]:
    return dict(DeclaredTools(domains=NAMES, paths=[]).load().domains)


def made(name: str, count: int, operators: tuple[Operator, ...] | None) -> Iterator[Blueprint]:
    """What comes of a number of draws; operators of all kinds where none are given."""
    options = yaml.safe_load((CONF / "blueprints" / "dataflow.yaml").read_text())
    del options["_target_"]
    stage = DataFlowBlueprints(**{**options, "seed": 1, "operators": list(ORDER)})
    offered = dict(domains())
    if operators:
        offered[CALCULATIONS] = code_domain(
            CALCULATIONS, sandbox(), recover_share=0.0, glue_share=1.0
        )
    clusters = DataFlowClusters(min_tools=3).build(Catalog({}, domains()))
    cluster = next(cluster for cluster in clusters if cluster.domain == name)
    for number in range(count):
        random = Random(f"{name}{number}")
        some = set(random.sample(PLAIN, random.randint(0, 2)))
        asked = operators or tuple(operator for operator in PLAIN if operator in some)
        request = Request(cluster.id, asked, random.randint(1, 8))
        try:
            yield stage.make(
                Draw(number, 0, digest(["agree", name, number]), request), cluster, offered
            )
        except BlueprintError:
            continue


def fed(blueprint: Blueprint, **more: Domain) -> Iterator[tuple[Step, Step, str]]:
    """A lookup, the call that takes a value from it, a parameter of both that is no key."""
    known = domains() | more
    for step in blueprint.plan:
        for number in {bound["step"] for bound in step.arguments.values() if "step" in bound}:
            lookup = blueprint.plan[number]
            domain = known.get(step.domain)
            if domain and lookup.domain == step.domain and not domain.tools[lookup.tool].writes:
                for name in lookup.gold.keys() & step.gold.keys():
                    if domain.tools[step.tool].source(name) not in domain.keys:
                        yield lookup, step, name


@pytest.mark.parametrize("name", SEARCHED)
def test_what_is_booked_is_what_was_searched_for(name: str) -> None:
    found = list(made(name, 100, None))
    assert len(found) >= 90
    shared = [one for blueprint in found for one in fed(blueprint)]
    assert len(shared) >= 5
    for lookup, step, parameter in shared:
        assert lookup.gold[parameter] == step.gold[parameter], (lookup.tool, step.tool, parameter)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in SEARCHED])
def test_no_shipped_domain_contradicts_itself(name: str) -> None:
    for blueprint in made(name, 12, None):
        for lookup, step, parameter in fed(blueprint):
            assert lookup.gold[parameter] == step.gold[parameter]


@pytest.mark.parametrize("name", ["hotel", "restaurant"])
def test_a_figure_is_no_other_than_what_was_searched_for(name: str) -> None:
    found = list(made(name, 20, ("glue",)))
    assert len(found) >= 10
    for blueprint in found:
        for lookup, step, parameter in fed(blueprint):
            assert lookup.gold[parameter] == step.gold[parameter]


FILE = """
category: testing
about: Things on shelves.
clock: 2025-03-01 12:00
tables: |
  CREATE TABLE shelf (shelf_id TEXT PRIMARY KEY, colour TEXT NOT NULL, day TEXT);
rows:
  shelf:
    count: 8
    columns: {shelf_id: {id: SH}, colour: {choice: [red, green]}, day: {date: [0, 3]}}
tools:
  list_shelves:
    description: Shelves of a colour.
    parameters:
      colour: {type: string, enum: [red, green], description: Colour}
      name: {type: string, description: Name that is looked for, sample: {choice: [a, b]}}
      place: {type: string, description: Place, sample: {choice: [a, b]}}
      day: {type: string, kind: date, noun: day, description: Day, sample: {date: [0, 3]}}
    returns: >-
      SELECT shelf_id, colour FROM shelf WHERE colour = :colour
      AND day >= '2025' AND :name <> '' AND :place <> '' AND :day <> '' ORDER BY shelf_id
    result: many
    first: lowest shelf
    intents: [list a, list b, list c]
    answers: ["{items}", "These {items}", "All {items}"]
    item: "{shelf_id}"
  paint_shelf:
    description: Paint a shelf.
    parameters:
      shelf_id: {type: string, description: Shelf}
      colour: {type: string, enum: [red, green, blue], description: New colour}
      name: {type: string, description: Name of the painter, sample: {choice: [a, b]}}
      place: {type: string, description: Place, sample: {choice: [a, b]}}
      on_day: {type: string, kind: date, noun: day, description: When, sample: {date: [0, 3]}}
    requires: [{check: "SELECT 1 WHERE :name <> '' AND :place <> ''", error: no name}]
    effects: ["UPDATE shelf SET colour = :colour, day = :on_day WHERE shelf_id = :shelf_id"]
    returns: SELECT shelf_id, colour FROM shelf WHERE shelf_id = :shelf_id
    intents: [paint a, paint b, paint c]
    answers: ["{shelf_id}", "Done {shelf_id}", "Painted {shelf_id}"]
"""


def test_the_same_is_told_by_name_kind_and_words(tmp_path: Path) -> None:
    path = tmp_path / "shelves.yaml"
    path.write_text(FILE)
    domain = load(path)
    paint, listing = domain.tools["paint_shelf"], domain.tools["list_shelves"]
    assert alike(domain, paint, "colour", listing, "colour")
    assert alike(domain, paint, "place", listing, "place")
    assert alike(domain, paint, "on_day", listing, "day")
    assert not alike(domain, paint, "name", listing, "name")
    assert not alike(domain, paint, "shelf_id", listing, "place")
    assert not alike(domain, paint, "shelf_id", paint, "shelf_id")
    stated, worked_out = {"fact": "day"}, {"step": 0, "column": "stdout", "printed": "day"}
    assert passed_on(domain, paint, listing, {"on_day": stated}) == {"day": stated}
    assert passed_on(domain, paint, listing, {"on_day": worked_out}) is None
    assert passed_on(domain, paint, listing, {"name": worked_out}) == {}


def test_what_a_call_changes_may_differ_from_what_was_looked_for(tmp_path: Path) -> None:
    path = tmp_path / "shelves.yaml"
    path.write_text(FILE)
    shelves = load(path)
    options = yaml.safe_load((CONF / "blueprints" / "dataflow.yaml").read_text())
    del options["_target_"]
    stage = DataFlowBlueprints(**{**options, "seed": 1, "operators": []})
    (cluster,) = DataFlowClusters(min_tools=1).build(Catalog({}, {"shelves": shelves}))
    differ: dict[str, set[bool]] = {"colour": set(), "place": set()}
    for number in range(30):
        draw = Draw(number, 0, digest(["shelves", number]), Request(cluster.id, (), 2))
        blueprint = stage.make(draw, cluster, {"shelves": shelves})
        for lookup, step, name in fed(blueprint, shelves=shelves):
            differ.setdefault(name, set()).add(lookup.gold[name] != step.gold[name])
    assert True in differ["colour"]
    assert differ["place"] == {False}
