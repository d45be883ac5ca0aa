"""Words that a model finds: they hold, or the template's words stand."""

from __future__ import annotations

import asyncio
import itertools
import json
import pickle
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tdscaling.__main__ import main
from tdscaling.blueprints._briefs import Brief, briefs, ordered
from tdscaling.blueprints._faults import _order, fault
from tdscaling.blueprints.composed import FELL_BACK, NOT_USED, ComposedBlueprints
from tdscaling.configuration import conf_dir
from tdscaling.errors import BlueprintError, ConfigError, EndpointError, RoleError
from tdscaling.phrasing.faithful import kind
from tdscaling.schema import Blueprint, Draw, LlmCall, Operator, Request, Voice, digest
from tests.blueprints.composer import draft_of, german, message, polite, values_of, wording
from tests.blueprints.test_dataflow import clusters, domains, made, sampler
from tests.conversations import domains as all_domains
from tests.conversations import mixed, play
from tests.llm.endpoints import endpoint
from tests.openai_server import Answer, Body, dead_url, refused, said, serving

DRAW = Draw(3, 0, "a seed", Request("c", (), 3))


def composer(url: str, **changes: Any) -> ComposedBlueprints:
    """As shipped, the plans those of `sampler`, without voices."""
    shipped = yaml.safe_load((conf_dir() / "blueprints" / "dataflow.yaml").read_text())
    knobs = {name: value for name, value in shipped.items() if name != "_target_"}
    plain = {"seed": 1, "worlds": 2, "transient_errors": ["request timed out, please try again"]}
    return ComposedBlueprints(**knobs | plain | {"llm": endpoint(url), "versions": 3} | changes)


def composed(
    contract: Blueprint, *script: Answer | Callable[[Body], Answer], **changes: Any
) -> tuple[Blueprint, tuple[LlmCall, ...], list[Body]]:
    with serving(*script) as server:
        stage = composer(server.base_url, **changes)
        found, calls = asyncio.run(stage.compose(contract, DRAW, all_domains()))
    return found, calls, server.requests


@cache
def some() -> list[Blueprint]:
    return mixed(120)


@cache
def contract(operator: Operator) -> Blueprint:
    return next(b for b in some() if operator in b.operators and b.domain.count("+") == 0)


def texts(blueprint: Blueprint) -> list[str]:
    return [
        text
        for turn in blueprint.turns
        for text in (turn.request, *(words for _, _, words in turn.withheld))
    ]


@pytest.mark.parametrize("operator", ["extend", "withhold", "revise", "refuse", "branch"])
def test_words_are_the_models_and_all_else_is_as_it_was(operator: Operator) -> None:
    before = contract(operator)
    after, calls, requests = composed(before, wording(polite))
    assert set(after.authors) == set(before.places())
    spoken = {place for place, author in after.authors.items() if author == "model"}
    assert spoken >= set(before.places()) - {"goal"}
    assert texts(after) == [polite(text) for text in texts(before)]
    assert len(calls) == len(requests) == len(spoken)
    assert {(call.role, call.error) for call in calls} == {("composer", None)}
    bare = replace(after, goal=before.goal, turns=before.turns, authors={})
    assert bare == before
    questions = [(f, q) for turn in before.turns for f, q, _ in turn.withheld]
    assert [(f, q) for turn in after.turns for f, q, _ in turn.withheld] == questions
    assert Blueprint.from_json(json.loads(json.dumps(after.to_json()))) == after


def test_plans_are_those_of_dataflow() -> None:
    found = 0
    for number in range(12):
        cluster = clusters()[number % len(clusters())]
        draw = Draw(number, 0, digest(["p", number]), Request(cluster.id, ("extend",), 4))
        try:
            planned = sampler().make(draw, cluster, domains())
        except BlueprintError:
            continue
        found += 1
        assert composer("http://127.0.0.1:9/v1").make(draw, cluster, domains()) == planned
    assert found > 5
    assert asyncio.run(sampler().compose(planned, draw, domains())) == (planned, ())


def test_a_request_shows_its_own_text_and_nothing_that_is_held_back() -> None:
    before = contract("withhold")
    _, _, requests = composed(before, wording(polite))
    drafts = [draft_of(body) for body in requests]
    assert drafts[: len(texts(before))] == texts(before)
    for place, body in zip(before.places()[1:], requests, strict=False):
        sent = json.dumps(body["messages"])
        assert not any(step.tool in sent or step.observation in sent for step in before.plan)
        for fact, _, _ in (w for turn in before.turns for w in turn.withheld):
            value = str(before.facts[fact])
            assert "withheld" in place or value not in sent or any(value in d for d in drafts[:1])
    shapes = [body["response_format"]["json_schema"]["schema"] for body in requests]
    assert all(shape["properties"]["message"]["maxLength"] > 100 for shape in shapes)
    assert len({body["seed"] for body in requests}) == len(requests)


BAD: list[Callable[[str], str]] = [
    lambda draft: draft,
    lambda draft: f'"{draft}"',
    lambda draft: "",
    lambda draft: "Please do it.",
    lambda draft: f"{polite(draft)} And BK-9999 as well.",
    lambda draft: f"{polite(draft)} It is for two people.",
    lambda draft: f"{polite(draft)} By tomorrow, please.",
    lambda draft: f"{polite(draft)} Do that every week.",
    lambda draft: f"{polite(draft)} I'm looking at that.",
    lambda draft: f"{polite(draft)} My name is Bob.",
    lambda draft: f"{polite(draft)} Write to me at me@home.",
    lambda draft: f"{polite(draft)} I have booked it already.",
    lambda draft: f"{polite(draft)} I will take care of that.",
    lambda draft: f"{polite(draft)} How can I help you?",
    lambda draft: f"Certainly! {polite(draft)}",
    lambda draft: f"{polite(draft)} Your booking has been changed.",
    lambda draft: f"User: {polite(draft)}",
    lambda draft: f"{polite(draft)}\nAssistant: done",
    lambda draft: f"**{polite(draft)}**",
    lambda draft: f"{polite(draft)} [name]",
    lambda draft: f"{polite(draft)} \u202e",
    lambda draft: f"{polite(draft)} {'I am very glad to be here. ' * 40}",
    lambda draft: f"{polite(draft)} Never do it.",
    lambda draft: f"{polite(draft)} please, please, please",
    lambda draft: f"{polite(draft)} There is no information on it.",
    lambda draft: f"{polite(draft)} The paint is dark green.",
    lambda draft: f"{polite(draft)} You can use the system for it.",
    lambda draft: f"{polite(draft)} {draft}",
    lambda draft: f"{polite(draft)} My old neighbour sings under a big blue umbrella.",
    lambda draft: f"{polite(draft)} Use search_flights for it.",
    lambda draft: f"{polite(draft)} Ask for everything that the draft asks for.",
    lambda draft: (
        f"{polite(draft)} \u041f\u043e\u0436\u0430\u043b\u0443\u0439\u0441\u0442\u0430 "
        "\u0441\u0434\u0435\u043b\u0430\u0439\u0442\u0435 \u044d\u0442\u043e \u0434\u043b\u044f me"
    ),
]


@pytest.mark.parametrize("bad", BAD, ids=range(len(BAD)))
def test_templates_stand_after_the_last_version(bad: Callable[[str], str]) -> None:
    before = contract("withhold")
    after, calls, _ = composed(before, wording(bad))
    assert set(after.authors.values()) == {"template"}
    assert replace(after, authors={}) == before
    assert [call.error for call in calls] == [NOT_USED, NOT_USED, FELL_BACK] * len(
        briefs(before, all_domains())
    )


@pytest.mark.parametrize("content", ["no JSON {", "{", '{"message": 3}', '{"message": "', "[]"])
def test_a_reply_that_is_no_message_is_a_version_that_failed(content: str) -> None:
    after, calls, _ = composed(contract("withhold"), said(content), versions=1)
    assert set(after.authors.values()) == {"template"}
    assert {call.error for call in calls} == {FELL_BACK}


def test_plain_words_of_a_server_without_schemas_do() -> None:
    after, _, _ = composed(contract("withhold"), lambda body: said(polite(draft_of(body))))
    assert after.by_model == len(texts(after)) + (after.authors.get("goal") == "model")


def test_what_was_wrong_is_told_but_not_what_is_held_back() -> None:
    before = contract("withhold")
    fact = next(f for turn in before.turns for f, _, _ in turn.withheld)
    secret = "home-address-of-mine"
    before = replace(before, facts=before.facts | {fact: secret})
    leak = message(f"{polite(before.turns[0].request)} It is {secret}.")
    before = replace(before, turns=before.turns[:1], plan=tuple(before.plan))
    found, calls, requests = composed(before, leak, wording(polite))
    assert found.authors["turns.0.request"] == "model"
    assert [call.error for call in calls][:2] == [NOT_USED, None]
    assert (
        "Your last version was wrong: it says something" in requests[1]["messages"][-1]["content"]
    )
    assert secret not in json.dumps(requests[:2])


def brief_of(operator: Operator, wanted: Callable[[Brief], object]) -> Brief:
    for blueprint in some():
        if operator in blueprint.operators:
            for brief in briefs(blueprint, all_domains()):
                if wanted(brief):
                    return brief
    raise AssertionError(operator)


def test_a_revision_keeps_its_direction() -> None:
    brief = brief_of("revise", lambda b: b.revision and " instead of " in b.draft)
    assert brief.revision
    new, old = brief.revision
    turned = brief.draft.replace(new, "\0").replace(old, new).replace("\0", old)
    assert not fault(polite(brief.draft), brief, "")
    assert _order(polite(turned), brief, "") == f"it does not say what is replaced: {old}"
    assert fault(polite(turned), brief, "")
    assert fault(polite(brief.draft.replace("instead of", "and")), brief, "")


def test_values_that_changed_places_are_seen() -> None:
    """From A to B, with both values still there, asks for the opposite."""
    seen = 0
    for blueprint in some():
        for brief in briefs(blueprint, all_domains()):
            coded = [value for value in brief.keep if re.fullmatch(r"[\w-]*\d[\w-]{3,}", value)]
            for one, other in itertools.combinations(coded, 2):
                if kind(one) != kind(other):
                    continue  # a date is never taken for a code
                swapped = brief.draft.replace(one, "\0").replace(other, one).replace("\0", other)
                assert fault(polite(swapped), brief, ""), brief.draft
                seen += not brief.revision
            assert ordered(polite(brief.draft), brief.keep) == ordered(brief.draft, brief.keep)
    assert seen > 5


def test_a_second_choice_stays_the_second() -> None:
    brief = brief_of("refuse", lambda b: b.second and all(b.second))
    assert brief.second
    joiner = next(
        j for j in (", and if that is refused, ", ", or failing that, ") if j in brief.draft
    )
    assert not fault(polite(brief.draft), brief, "")
    assert "second" in fault(polite(brief.draft.replace(joiner, " and also ")), brief, "")
    first, _, second = brief.draft.rstrip(".?").partition(joiner)
    assert fault(f"If not {second}, then {first} please", brief, "")


def test_another_wish_is_no_wording_of_it() -> None:
    brief = brief_of("extend", lambda b: b.others and b.keep and "list" in b.draft.lower())
    verb = min(brief.others)
    assert (
        fault(f"{polite(brief.draft)} Also {verb} it.", brief, "") == "it asks for something else"
    )
    assert fault(f"Good day, something about {' and '.join(brief.keep)}.", brief, "")


def test_a_statement_asks_for_nothing() -> None:
    brief = brief_of("extend", lambda b: "whether payment" in b.draft and len(b.keep) == 1)
    assert not fault(f"Has payment {brief.keep[0]} gone out?", brief, "")
    told = f"Payment {brief.keep[0]} has gone out. Please check it."
    assert fault(told, brief, "") == "it does not ask for it"


def test_a_reply_says_no_more_than_its_draft() -> None:
    brief = brief_of("withhold", lambda b: b.kind == "reply" and b.draft.startswith("The "))
    assert not fault(f"{brief.keep[0]}, please.", brief, "")
    assert fault(f"The latest one is {brief.keep[0]}.", brief, "") == "it says more than the draft"


def test_names_out_of_the_world_are_no_words_of_the_user() -> None:
    brief = brief_of("extend", lambda b: any(" " in name for name in b.hidden))
    name = min(name for name in brief.hidden if " " in name)
    assert fault(f"{polite(brief.draft)} {name.lower()} knows it, {name}.", brief, "")


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_a_model_says_values_survive(data: st.DataObject) -> None:
    brief = data.draw(st.sampled_from(briefs(contract("extend"), all_domains())))
    words = data.draw(
        st.lists(st.sampled_from([*brief.draft.split(), "BK-1", "I", "please", "12"]))
    )
    text = " ".join(words)
    if not fault(text, brief, ""):
        assert all(value in text for value in brief.keep)
        assert "BK-1" not in words
        assert "12" not in words


def test_failed_request_is_no_reason_to_take_the_template() -> None:
    script = (message("Nothing."), refused(400, "too long"))
    with pytest.raises(RoleError) as caught:
        composed(contract("withhold"), *script)
    errors = [call.error for call in caught.value.calls]  # type: ignore[attr-defined]
    assert errors == [NOT_USED, "status 400: too long"]


def test_dead_endpoint_leaves_no_words() -> None:
    with pytest.raises(EndpointError):
        asyncio.run(composer(dead_url()).compose(contract("withhold"), DRAW, all_domains()))


def test_composed_words_are_said_and_the_conversation_holds() -> None:
    for operator in ("withhold", "revise", "refuse"):
        after, _, _ = composed(contract(operator), wording(polite))
        transcript, verdict = play(after)
        assert verdict.accepted, verdict.detail
        spoken = [m["content"] for m in transcript.messages if m["role"] == "user"]
        assert [text for text in texts(after) if text in spoken] == texts(after)


def test_another_language() -> None:
    voice = Voice("a student", "short", "German")
    before = replace(contract("withhold"), voice=voice)
    after, _, requests = composed(before, german)
    assert after.voice == voice
    assert all("Write in German." in body["messages"][0]["content"] for body in requests)
    assert "a student" in requests[0]["messages"][0]["content"]
    requests_said = [turn.request for turn in after.turns]
    assert all(text.startswith("Guten Tag") for text in requests_said)
    assert play(after)[1].accepted
    english, _, _ = composed(before, wording(polite))
    assert english.authors["turns.0.request"] == "template"


def test_parents_in_other_words_have_mutants() -> None:
    by_id = {cluster.id: cluster for cluster in clusters()}
    found = 0
    for number, parent in enumerate(made(calls=3, count=6)):
        with serving(wording(polite)) as server:
            stage = composer(server.base_url)
            told, _ = asyncio.run(stage.compose(parent, DRAW, domains()))
        request = Request(parent.cluster, ("extend", "revise"), 5, parent.id)
        draw = Draw(number, 0, digest(["m", number]), request, told)
        try:
            mutant = stage.make(draw, by_id[parent.cluster], domains())
        except BlueprintError:
            continue
        found += 1
        assert mutant.parent == parent.id
        assert mutant == sampler().make(
            replace(draw, parent=parent), by_id[parent.cluster], domains()
        )
    assert found > 2


def test_it_travels_and_says_who_it_is() -> None:
    stage = pickle.loads(pickle.dumps(composer("http://127.0.0.1:9/v1")))
    assert stage.author == "m"
    assert list(stage.prompts) == ["composer"]
    assert len(stage.prompts["composer"]) == 16


def test_unusable_setting_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"blueprints\.versions: expected at least 1, got 0"):
        composer("http://127.0.0.1:9/v1", versions=0)


def test_values_are_named_to_the_model() -> None:
    _, _, requests = composed(contract("extend"), wording(polite))
    for body in requests:
        assert all(value in draft_of(body) for value in values_of(body))
    assert any(values_of(body) for body in requests)


def test_help_explains_the_knobs_that_it_shares(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["synthesize", "blueprints=composed", "--help"]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "depth: 3 # lookups that may feed a goal one after the other" in lines
    assert any(line.startswith("versions: 3 # of a text") for line in lines)
