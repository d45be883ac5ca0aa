"""Words of requests: no wish twice, no thing that nobody spoke of, references that read well."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

from tdscaling.blueprints._refer import PERSONAL, DraftStep, picks, reference
from tdscaling.blueprints._spoken import Heard, around
from tdscaling.blueprints._wording import FALLBACKS, JOINERS, Wording
from tdscaling.blueprints.dataflow import COMPUTING, ORDER, DataFlowBlueprints
from tdscaling.catalog import Catalog
from tdscaling.clusters.dataflow import DataFlowClusters
from tdscaling.declared.domain import Domain
from tdscaling.declared.rows import Generators
from tdscaling.declared.session import Result
from tdscaling.errors import BlueprintError
from tdscaling.schema import Blueprint, Draw, Operator, Request, digest
from tdscaling.tools.declared import DeclaredTools

NAMES = ["city_hall", "insurance", "library", "mobile_carrier", "parcel", "streaming"]
_JOINED = re.compile(
    "|".join(re.escape(j.replace("{0}", "")) for j in (*FALLBACKS, *JOINERS) if j != " and {0}")
)
_OPENING = re.compile(r".*?(?:Please|I'd like you to|[Cc]ould you|[Cc]an you|I need you to|need:) ")


@cache
def domains() -> Mapping[str, Domain]:
    return DeclaredTools(domains=NAMES, paths=[]).load().domains


@cache
def sampled() -> tuple[Blueprint, ...]:
    """Some hundred blueprints of all kinds."""
    stage = DataFlowBlueprints(
        seed=1, worlds=2, operators=[o for o in ORDER if o not in COMPUTING], max_operators=3,
        calls=(1, 12), depth=3, tries=6, transient_errors=["please try again"], voices={},
    )  # fmt: skip
    clusters = DataFlowClusters(min_tools=3).build(Catalog({}, domains()))
    asked: list[tuple[Operator, ...]] = [
        (), ("refuse",), ("withhold", "refuse"), ("branch",), ("branch", "withhold"), ("cross",),
    ]  # fmt: skip
    found = []
    for index, (operators, cluster) in enumerate(itertools.product(asked * 5, clusters)):
        draw = Draw(index, 0, digest(["s", index]), Request(cluster.id, operators, 1 + index % 7))
        try:
            found.append(stage.make(draw, cluster, domains()))
        except BlueprintError:
            continue
    assert len(found) > 100
    return tuple(found)


def requests() -> list[str]:
    return [turn.request for blueprint in sampled() for turn in blueprint.turns]


def wording(*steps: DraftStep, **facts: Any) -> Wording:
    return Wording(steps, Generators("1", "2025-01-01 00:00", None), {}, facts)


def step(domain: str, tool: str, values: dict[str, Any], row: dict[str, Any], **more: Any) -> Any:
    """A step whose values are facts of the same name, but where `more` binds them."""
    spec = domains()[domain].tools[tool]
    bound = {name: {"fact": name} for name in values} | more.pop("bindings", {})
    result = Result(True, (row,), json.dumps([row]))
    return DraftStep(domain, spec, 0, "goal", "ok", bound, values, result, **more)


def test_no_two_wishes_of_a_turn_have_the_same_words() -> None:
    for request in requests():
        wishes = [_OPENING.sub("", part).strip(" .?") for part in _JOINED.split(request)]
        assert len(set(wishes)) == len(wishes), request


def test_two_wishes_that_nobody_can_tell_apart_are_no_plan() -> None:
    spec = domains()["library"].tools["get_hold"]
    plain = sum("{" not in words for words in spec.file.intents)
    for wishes in (plain, plain + 1):
        steps = [step("library", "get_hold", {}, {"hold_id": "HO-1"}) for _ in range(wishes)]
        if wishes > plain:
            with pytest.raises(BlueprintError, match="same words"):
                wording(*steps).turns(withhold=False)
        else:
            assert wording(*steps).turns(withhold=False)


def test_a_value_that_was_told_is_said_again_where_another_one_was_told_too() -> None:
    holds = [step("library", "get_hold", {"hold_id": f"HO-{n}"}, {"hold_id": n}) for n in (1, 2, 1)]
    for number, one in enumerate(holds):
        one.bindings = {"hold_id": {"fact": f"hold_{one.values['hold_id'][-1]}"}}
        one.turn = number
    for seed in range(8):
        words = Wording(
            holds, Generators(str(seed), "2025-01-01 00:00", None), {},
            {"hold_1": "HO-1", "hold_2": "HO-2"},
        ).turns(withhold=False)  # fmt: skip
        assert "HO-1" in words[2].request


def test_what_is_found_with_a_thing_is_named_after_it_unless_it_was_spoken_of() -> None:
    claim = step(
        "insurance",
        "get_loss_claim",
        {"claim_id": "CM-1"},
        {"claim_id": "CM-1", "policy_id": "PL-1"},
    )
    taking = {"step": 0, "column": "policy_id", "pick": "first"}
    policy = step(
        "insurance", "get_policy", {}, {"policy_id": "PL-1"},
        bindings={"policy_id": taking}, phrases={"policy_id": "that policy"},
        needed=frozenset({"policy_id"}),
    )  # fmt: skip
    (turn,) = wording(claim, policy, claim_id="CM-1").turns(withhold=False)
    assert "the policy of claim CM-1" in turn.request
    heard = wording(claim, policy, claim_id="CM-1")
    heard._heard.add("What about my policies?")
    assert "that policy" in heard.turns(withhold=False)[0].request


def test_nobody_says_that_of_what_a_first_request_has_not_named() -> None:
    for blueprint in sampled():
        request = blueprint.turns[0].request
        for found in re.finditer(r"\b(?<!of )that (policyholder|title|reader record)\b", request):
            heard = Heard()
            heard.add(request[: found.start()])
            assert heard.of(found[1]), request


def test_the_same_is_said_of_values_that_were_spoken() -> None:
    for blueprint in sampled():
        for number, one in enumerate(blueprint.plan):
            spec = domains()[one.domain].tools[one.tool]
            for name, bound in one.arguments.items():
                kind = PERSONAL.get(spec.file.parameters[name].kind or "")
                request = blueprint.turns[one.turn].request
                if "step" not in bound or not kind or f"that same {kind}" not in request:
                    continue
                facts = list(blueprint.facts.values())
                told = [v for a in blueprint.answers if a.turn < one.turn for v in a.values]
                assert one.gold[name] in facts + told, (number, request)


def test_a_value_of_a_row_is_named_after_the_row_and_what_the_row_is() -> None:
    for blueprint in sampled():
        for turn in blueprint.turns:
            for kind in PERSONAL.values():
                assert not re.search(
                    rf"the {kind} (?:of|on) (?:due|called|addressed|from|by|of|with|at|for) ",
                    turn.request,
                ), turn.request


@pytest.mark.parametrize(
    ("template", "phrase", "expected"),
    [
        ("a profile named {x}", "that same person", "a profile for {x}"),
        ("the line with the number {x}", "that same phone number", "the line with {x}"),
        ("with the contact name {x}", "that same person", "with {x} as the contact name"),
        ("check the answers that {x} got", "that meeting", "check the answers which {x} got"),
        ("check the answers that {x} got", "the meeting at noon", "check the answers that {x} got"),
        ("find out who called {x}", "that meeting", "find out who called {x}"),
    ],
)  # fmt: skip
def test_templates_fit_the_words_for_a_value(template: str, phrase: str, expected: str) -> None:
    assert around(template, "x", phrase, key="meeting" in phrase) == expected


@pytest.mark.parametrize("value", ["policyholder", "workshop"])
def test_a_choice_is_told_without_a_sentence_that_it_may_not_fit(value: str) -> None:
    paid = step("insurance", "pay_out_claim", {"claim_id": "CM-1", "payee_kind": value}, {})
    name = next(n for n, p in paid.spec.file.parameters.items() if "enum" in (p.model_extra or {}))
    paid.bindings, paid.values = {name: {"fact": "to"}}, {name: value}
    for seed in range(12):
        words = Wording([paid], Generators(str(seed), "2025-01-01 00:00", None), {}, {"to": value})
        (left,) = words._left_over(paid)
        assert f" is {value}" not in left
        words._told.clear()
        assert "is " not in words._hold_back(paid, name)[2].replace("It's", "is ")


def test_a_value_that_is_one_of_several_spoken_ones_is_named_after_its_thing() -> None:
    row = {"rental_id": "RN-1", "member_id": "ME-1", "member_name": "Ada Flint"}
    other = row | {"rental_id": "RN-2", "member_name": "Bo Flint"}
    rented = [
        step("streaming", "get_rental", {"rental_id": one["rental_id"]}, one)
        for one in (row, other)
    ]
    domain = domains()["parcel"]
    spec = domain.tools["create_shipment"]
    source = {"step": 0, "column": "member_name"}
    picked = next(picks(rented[0], domains()["streaming"]))
    words = reference(rented, domain, 1, spec, "receiver_name", source, picked)
    assert words == "the person on rental RN-1"


def test_the_name_of_a_person_s_own_record_is_that_person() -> None:
    spec = domains()["parcel"].tools["create_shipment"]
    source = {"step": 0, "column": "member_name"}
    row = {"member_id": "ME-1", "member_name": "Ada Flint"}
    found = step("streaming", "find_stream_member", {"email": "a@example.org"}, row, owned=True)
    picked = next(picks(found, domains()["streaming"]))
    words = reference([found], domains()["parcel"], 1, spec, "receiver_name", source, picked)
    assert words == "my member"
    assert around("a profile called {x}", "x", words, key=False) == "a profile for {x}"
