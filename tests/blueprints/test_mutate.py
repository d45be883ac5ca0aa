"""Mutation: operators on an accepted blueprint give a new one that keeps the parent's plan."""

from __future__ import annotations

import dataclasses

import pytest

from tdscaling.errors import BlueprintError
from tdscaling.schema import Blueprint, Draw, Operator, Request, digest
from tests.blueprints.test_dataflow import clusters, domains, made, sampler


def mutants(
    parents: list[Blueprint], operators: tuple[Operator, ...], more: int = 0
) -> list[tuple[Blueprint, Blueprint]]:
    by_id = {cluster.id: cluster for cluster in clusters()}
    found = []
    for number, parent in enumerate(parents):
        request = Request(parent.cluster, operators, len(parent.plan) + more, parent.id)
        draw = Draw(number, 0, digest(["m", number]), request, parent)
        try:
            found.append((parent, sampler().make(draw, by_id[parent.cluster], domains())))
        except BlueprintError:
            continue
    return found


def tools(blueprint: Blueprint) -> list[tuple[str, str]]:
    return sorted((step.tool, str(step.gold)) for step in blueprint.plan)


@pytest.mark.parametrize(
    "operators",
    [("extend",), ("branch",), ("withhold",), ("perturb",), ("revise",), ("cross",), ("refuse",)],
)
def test_each_operator_changes_a_plain_parent(operators: tuple[Operator, ...]) -> None:
    parents = made(calls=3, count=8)
    found = mutants(parents, operators)
    assert len(found) >= 4
    for parent, mutant in found:
        assert mutant.parent == parent.id
        assert mutant.id != parent.id
        assert set(operators) <= set(mutant.operators)
        assert all(call in tools(mutant) for call in tools(parent))


@pytest.mark.parametrize("first", [("extend",), ("branch",), ("revise",), ("refuse",), ("cross",)])
def test_mutants_keep_what_their_parents_have(first: tuple[Operator, ...]) -> None:
    found = mutants(made(first, count=6), ("withhold", "extend"), more=2)
    assert len(found) >= 3
    for parent, mutant in found:
        assert set(parent.operators) <= set(mutant.operators)
        assert len(mutant.plan) > len(parent.plan)
        assert mutant.worlds.items() >= parent.worlds.items()


def test_longer_and_longer_lines_of_descent() -> None:
    line = made(calls=2, count=3)
    for _ in range(3):
        line = [mutant for _, mutant in mutants(line, ("extend",), more=2)]
    assert line
    assert all(len(blueprint.plan) >= 8 for blueprint in line)


def test_a_parent_of_another_world_is_refused() -> None:
    [parent] = made(calls=3, count=1)
    elsewhere = dataclasses.replace(parent, worlds=dict.fromkeys(parent.worlds, "elsewhere"))
    assert mutants([elsewhere], ("extend",)) == []
