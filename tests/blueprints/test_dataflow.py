"""Blueprints: what they promise, and that each operator does what its name says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache

import pytest

from tdscaling.bindings import resolve, rows
from tdscaling.blueprints._refer import spoken
from tdscaling.blueprints.dataflow import COMPUTING, ORDER, DataFlowBlueprints
from tdscaling.catalog import Catalog
from tdscaling.clusters.dataflow import DataFlowClusters
from tdscaling.declared.domain import Domain
from tdscaling.declared.world import world
from tdscaling.errors import BlueprintError
from tdscaling.schema import Blueprint, Cluster, Draw, Operator, Request, digest
from tdscaling.tools.declared import DeclaredTools
from tests.conversations import mixed

NAMES = ["airline", "bank", "library", "webshop"]


@cache
def domains() -> dict[str, Domain]:
    return DeclaredTools(domains=NAMES, paths=[]).load().domains


@cache
def clusters() -> tuple[Cluster, ...]:
    return DataFlowClusters(min_tools=3).build(Catalog({}, domains()))


def sampler(**changes: object) -> DataFlowBlueprints:
    options: dict[str, object] = {
        "seed": 1,
        "worlds": 2,
        "operators": [operator for operator in ORDER if operator not in COMPUTING],
        "max_operators": 3,
        "calls": (1, 12),
        "depth": 3,
        "tries": 6,
        "transient_errors": ["request timed out, please try again"],
        "voices": {},
    }
    return DataFlowBlueprints(**(options | changes))  # type: ignore[arg-type]


def made(
    operators: Sequence[Operator] = (), calls: int = 4, count: int = 6, start: int = 0
) -> list[Blueprint]:
    """Some blueprints for one kind of request, over all clusters."""
    found: list[Blueprint] = []
    for index in range(start, start + 40 * count):
        cluster = clusters()[index % len(clusters())]
        request = Request(cluster.id, tuple(operators), calls)
        try:
            found.append(
                sampler().make(Draw(index, 0, digest(["t", index]), request), cluster, domains())
            )
        except BlueprintError:
            continue
        if len(found) == count:
            return found
    raise AssertionError(f"only {len(found)} blueprints with {operators}")


def test_the_plan_executes_to_what_the_blueprint_promises() -> None:
    for blueprint in made(("extend",), calls=6) + made(("cross",), calls=4):
        sessions = {n: world(domains()[n], s).open() for n, s in blueprint.worlds.items()}
        seen: dict[int, str] = {}
        for number, step in enumerate(blueprint.plan):
            arguments = resolve(step, blueprint.facts, seen)
            assert arguments == step.gold
            seen[number] = sessions[step.domain].execute(step.tool, arguments).content
            assert seen[number] == step.observation
        changes = {k: v for s in sessions.values() for k, v in s.changes().items()}
        assert changes == blueprint.final_state


def test_same_draw_same_blueprint_and_another_draw_another() -> None:
    first, again, other = made(count=1), made(count=1), made(count=1, start=500)
    assert first == again
    assert first[0].id != other[0].id


def test_blueprints_survive_json() -> None:
    for blueprint in made(("withhold",), count=3):
        assert Blueprint.from_json(json.loads(json.dumps(blueprint.to_json()))) == blueprint


@pytest.mark.parametrize("calls", [1, 3, 8, 12])
def test_paths_reach_the_number_of_calls(calls: int) -> None:
    lengths = [len(blueprint.plan) for blueprint in made(("extend",) if calls > 1 else (), calls)]
    assert min(lengths) >= min(calls, 2) - (calls == 1)
    assert max(lengths) >= calls
    assert sum(lengths) / len(lengths) <= calls + 3


def test_long_paths_depend_on_each_other() -> None:
    bound = [
        sum("step" in binding for step in blueprint.plan for binding in step.arguments.values())
        for blueprint in made(("extend",), calls=12)
    ]
    assert min(bound) >= 3


def test_extend_spreads_goals_over_turns() -> None:
    for blueprint in made(("extend",)):
        assert "extend" in blueprint.operators
        assert len(blueprint.turns) > 1
        assert {step.turn for step in blueprint.plan} == set(range(len(blueprint.turns)))


def test_branch_puts_independent_calls_in_one_batch() -> None:
    sizes = []
    for blueprint in made(("branch",)):
        batches = [step.batch for step in blueprint.plan]
        sizes.append(max(batches.count(batch) for batch in batches))
        for step in blueprint.plan:
            used = [b["step"] for b in step.arguments.values() if "step" in b]
            assert all(blueprint.plan[other].batch < step.batch for other in used)
    assert min(sizes) >= 2


def test_without_branch_calls_are_made_one_by_one() -> None:
    for blueprint in made(calls=5):
        batches = [step.batch for step in blueprint.plan]
        assert len(set(batches)) == len(batches)


def test_withhold_keeps_a_fact_out_of_the_words() -> None:
    for blueprint in made(("withhold",), count=8):
        [turn] = [turn for turn in blueprint.turns if turn.withheld]
        [(fact, question, reply)] = turn.withheld
        assert question.endswith("?")
        value = blueprint.facts[fact]
        shown = f"{value:.0f}" if isinstance(value, float) and value == int(value) else str(value)
        assert shown in reply or isinstance(value, bool | list)
        assert fact not in turn.facts


def test_perturb_injects_an_error_into_a_call_that_is_made() -> None:
    for blueprint in made(("perturb",)):
        [injection] = blueprint.injections
        calls = [step for step in blueprint.plan if step.tool == injection.tool]
        assert len(calls) > injection.nth
        assert calls[injection.nth].expect == "ok"


def test_an_injected_error_has_no_write_beside_it() -> None:
    beside = 0
    for blueprint in made(("branch", "perturb"), count=12):
        [injection] = blueprint.injections
        calls = [step for step in blueprint.plan if step.tool == injection.tool]
        batch = calls[injection.nth].batch
        mates = [step for step in blueprint.plan if step.batch == batch]
        beside += len(mates) > 1
        if len(mates) > 1:
            assert not any(domains()[s.domain].tools[s.tool].writes for s in mates)
    assert beside > 0


def test_revise_replaces_a_stated_fact() -> None:
    for blueprint in made(("revise",)):
        revising = [turn for turn in blueprint.turns if turn.revises]
        assert len(revising) == 1
        old = blueprint.facts[revising[0].revises[0]]
        turn = blueprint.turns.index(revising[0])
        second = next(step for step in blueprint.plan if step.turn == turn)
        first = next(step for step in blueprint.plan if step.tool == second.tool)
        assert first.turn == turn - 1
        assert old in first.gold.values()
        assert first.gold != second.gold


def test_cross_carries_a_value_into_the_other_domain() -> None:
    for blueprint in made(("cross",)):
        home, _, other = blueprint.domain.partition("+")
        returned = {
            str(value)
            for step in blueprint.plan
            if step.domain == home
            for row in rows(step.observation)
            for value in row.values()
        }
        carried = [
            step.gold[name]
            for step in blueprint.plan
            if step.domain == other
            for name in step.arguments
            if str(step.gold[name]) in returned
        ]
        assert carried


def test_refuse_meets_a_rule_and_must_be_explained() -> None:
    explained = 0
    for blueprint in made(("refuse",), count=10):
        refused = [n for n, step in enumerate(blueprint.plan) if step.expect == "refused"]
        assert refused
        assert all("error" in json.loads(blueprint.plan[n].observation) for n in refused)
        explained += sum(answer.refusal is not None for answer in blueprint.answers)
    assert explained > 0


def test_words_name_no_tool_and_no_row_id_that_only_the_database_knows() -> None:
    for blueprint in made(("extend",), calls=8, count=10):
        words = " ".join(turn.request for turn in blueprint.turns)
        for step in blueprint.plan:
            assert step.tool not in words
            for name, binding in step.arguments.items():
                parameter = domains()[step.domain].parameter(step.tool, name)
                if "step" in binding and not parameter.known:
                    assert str(step.gold[name]) not in words or "pick" in binding


def test_everything_the_plan_needs_from_the_user_is_said_in_time() -> None:
    for blueprint in made(("extend", "withhold"), calls=6, count=8):
        said: set[str] = set()
        for number, turn in enumerate(blueprint.turns):
            said |= set(turn.facts) | {fact for fact, _, _ in turn.withheld}
            needed = {
                binding["fact"]
                for step in blueprint.plan
                if step.turn == number
                for binding in step.arguments.values()
                if "fact" in binding
            }
            assert needed <= said


def test_a_fact_that_counts_as_said_stands_in_the_words() -> None:
    blueprints = made(("extend", "revise"), calls=8, count=8) + made(("branch",), count=6)
    for blueprint in blueprints:
        for turn in blueprint.turns:
            for fact in turn.facts:
                assert spoken(blueprint.facts[fact]) in turn.request


def test_answers_are_values_that_the_dry_run_observed() -> None:
    for blueprint in made(("extend",), calls=6):
        assert blueprint.answers
        for answer in blueprint.answers:
            assert blueprint.plan[answer.step].turn == answer.turn
            observed = blueprint.plan[answer.step].observation
            assert all(value.removesuffix(".0") in observed for value in answer.values)


def test_the_menu_offers_all_combinations_up_to_the_maximum() -> None:
    menu = sampler(max_operators=2, calls=(2, 5)).menu(clusters())
    assert len(menu.operators) == 1 + 7 + 21
    assert menu.calls == (2, 3, 4, 5)
    assert menu.operators[0] == ()


def test_operators_off_the_menu_are_never_offered() -> None:
    menu = sampler(operators=["extend", "refuse"]).menu(clusters())
    assert {operator for combination in menu.operators for operator in combination} == {
        "extend",
        "refuse",
    }


def test_a_lone_domain_cannot_be_crossed() -> None:
    alone = DeclaredTools(domains=["airline"], paths=[]).load().domains
    [cluster] = DataFlowClusters(min_tools=3).build(Catalog({}, alone))
    draw = Draw(0, 0, "s", Request(cluster.id, ("cross",), 3))
    with pytest.raises(BlueprintError, match="no domain to cross with"):
        sampler().make(draw, cluster, alone)


def test_more_worlds_mean_more_initial_states() -> None:
    def seeds(worlds: int) -> set[str]:
        found = set()
        for index in range(12):
            cluster = clusters()[0]
            draw = Draw(index, 0, digest(["w", index]), Request(cluster.id, (), 2))
            found |= set(sampler(worlds=worlds).make(draw, cluster, domains()).worlds.values())
        return found

    assert len(seeds(1)) == 1
    assert len(seeds(8)) > 3


def test_only_a_second_choice_is_told_in_place_of_a_refusal() -> None:
    """A further wish of the same kind right after a refused one is no second choice."""
    seen = 0
    for blueprint in mixed(120):
        told = {answer.step for answer in blueprint.answers}
        for number, step in enumerate(blueprint.plan):
            if step.expect == "refused" and step.purpose != "lookup" and number not in told:
                after = blueprint.plan[number + 1]
                assert (after.purpose, after.tool) == ("fallback", step.tool)
                said = blueprint.turns[step.turn].request
                assert any(words in said for words in ("if that is refused", "failing that"))
                seen += 1
    assert seen
