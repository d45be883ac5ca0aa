"""The scripted assistant in a model's words: values survive, or the scripted words stand."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest

from tdscaling.blueprints.dataflow import DataFlowBlueprints
from tdscaling.catalog import Catalog
from tdscaling.clusters.dataflow import DataFlowClusters
from tdscaling.errors import BlueprintError, ConfigError, EndpointError, RoleError
from tdscaling.roles import Said, Scene
from tdscaling.roles.assistant._retold import fault_of
from tdscaling.roles.assistant.narrated import NarratedAssistant, _values
from tdscaling.roles.assistant.scripted import ScriptedAssistant
from tdscaling.schema import Draw, Message, Operator, Request, Voice, digest
from tdscaling.tools.declared import DeclaredTools
from tests.llm.endpoints import endpoint
from tests.openai_server import Answer, Body, Server, dead_url, refused, said, serving

DOMAINS = DeclaredTools(domains=["airline"], paths=[]).load().domains
CLUSTER = DataFlowClusters(min_tools=3).build(Catalog({}, DOMAINS))[0]
BLUEPRINTS = DataFlowBlueprints(
    seed=1,
    worlds=2,
    operators=["withhold", "refuse"],
    max_operators=1,
    calls=(1, 4),
    depth=3,
    tries=6,
    transient_errors=["try again"],
    voices={},
)


@cache
def scene(operator: Operator) -> Scene:
    """The first scene with that operator."""
    for index in itertools.count():
        seed = digest([1, index])
        draw = Draw(index, 0, seed, Request(CLUSTER.id, (operator,), 2))
        try:
            blueprint = BLUEPRINTS.make(draw, CLUSTER, DOMAINS)
        except BlueprintError:
            continue
        if operator in blueprint.operators:
            return Scene(blueprint, DOMAINS, CLUSTER.tools, "Be helpful.", seed)
    raise AssertionError


@cache
def conversation(operator: Operator) -> list[Message]:
    """All that the scripted assistant says before its first answer, with the dry run's results."""
    here, assistant = scene(operator), ScriptedAssistant()
    messages: list[Message] = [
        {"role": "system", "content": here.system},
        {"role": "user", "content": here.blueprint.turns[0].request},
    ]
    while True:
        message = asyncio.run(assistant.speak(here, messages)).message
        assert message is not None
        if message.get("tool_calls"):
            messages.append(message)
            for call in message["tool_calls"]:
                step = here.blueprint.plan[int(call["id"].split("_")[1])]
                result = {"role": "tool", "tool_call_id": call["id"], "content": step.observation}
                messages.append(result)
        elif message["content"].endswith("?"):
            messages.append(message)
            messages.append({"role": "user", "content": "Here you are."})
        else:
            return messages


def scripted(operator: Operator, length: int | None = None) -> Message:
    speech = ScriptedAssistant().speak(scene(operator), conversation(operator)[:length])
    message = asyncio.run(speech).message
    assert message is not None
    return message


def narrated(server: Server, operator: Operator, length: int | None = None) -> Said:
    assistant = NarratedAssistant(llm=endpoint(server.base_url), tries=3)
    return asyncio.run(assistant.speak(scene(operator), conversation(operator)[:length]))


def rewording(change: Callable[[str], str]) -> Callable[[Body], Answer]:
    """An answer that changes the reply it was asked to rewrite."""

    def answer(body: Body) -> Answer:
        text = body["messages"][0]["content"].split("The assistant's reply: ")[1]
        return said(change(text.split("\n\nYour last version")[0]))

    return answer


@pytest.mark.parametrize("operator", ["withhold", "refuse"])
def test_answer_is_reworded(operator: Operator) -> None:
    with serving(rewording(lambda text: f"Gladly! {text}")) as server:
        found = narrated(server, operator)
    answer = scripted(operator)
    assert found.message == {**answer, "content": f"Gladly! {answer['content']}"}
    assert [(call.role, call.error) for call in found.calls] == [("assistant", None)]


def test_calls_and_questions_are_the_scripted_ones() -> None:
    spoken = [n for n, m in enumerate(conversation("withhold")) if m["role"] == "assistant"]
    with serving(said("I shall not be asked.")) as server:
        found = [narrated(server, "withhold", length) for length in spoken]
    assert [said.message for said in found] == [scripted("withhold", n) for n in spoken]
    assert any(m.message and m.message.get("tool_calls") for m in found)
    assert any(m.message and not m.message.get("tool_calls") for m in found)
    assert server.requests == []


def lose_a_value(text: str) -> str:
    values = scene("withhold").blueprint.answers[0].values
    lost = next(value for value in values if value in text)
    return text.replace(lost, "that")


def test_version_that_loses_a_value_is_tried_again() -> None:
    with serving(rewording(lose_a_value), rewording(lambda text: f"Sure. {text}")) as server:
        found = narrated(server, "withhold")
    assert found.message is not None
    assert found.message["content"].startswith("Sure. ")
    assert [call.error for call in found.calls] == ["not_used", None]
    assert "Your last version was wrong: it lacks" in server.requests[1]["messages"][0]["content"]
    assert server.requests[0]["seed"] != server.requests[1]["seed"]


@pytest.mark.parametrize(
    "change",
    [
        lose_a_value,
        lambda text: f"{text} That is 99 cheaper.",
        lambda text: f"{text} Which bag do you mean?",
        lambda text: "All done.",
        lambda text: f"Unfortunately that failed. {text}",
        lambda text: f"I couldn\u2019t do it. {text}",
        lambda text: f"It is NOT so: {text}",
        lambda text: f"{text} {'You have chosen very well indeed. ' * 40}",
        lambda text: f"{text} Try again soon.",
        lambda text: f"{text} Send it to [address].",
        lambda text: f"{text} Keep every name, number, amount, date.",
        lambda text: f"A token of gratitude goes where every kitchen keeps marmalade. {text}",
        lambda text: f"{text} {'So it is, so it is, so it is. ' * 40}"[: int(1.5 * len(text)) + 80],
        lambda text: f"{text} {text}",
        lambda text: f"{text} It is so and",
        lambda text: f"{text} So it is in New York.",
        lambda text: "{}",
    ],
    ids=[
        *("loses", "adds", "asks", "forgets", "fails", "could not", "denies", "runs on"),
        *("advises", "fills in", "repeats the prompt", "invents", "is cut off", "says it twice"),
        *("breaks off", "names", "says nothing"),
    ],
)
def test_scripted_words_stand_after_the_last_try(change: Callable[[str], str]) -> None:
    with serving(rewording(change)) as server:
        found = narrated(server, "withhold")
    assert found.message == scripted("withhold")
    assert [call.error for call in found.calls] == ["not_used", "not_used", "fell_back"]


def test_denials_are_told_by_their_meaning() -> None:
    refused = "It cannot be done: no seats are left."
    assert not fault_of("No, it can't be done: no seats are left.", refused, [])
    assert fault_of("It failed: no seats are left.", refused, []) == "it adds failed"
    assert fault_of("It isn't done.", "It is done.", []) == "it adds not"


PAID = "BK-3658 is paid, fare 109.17 euros, for flight FL-5388. PM-1 was sent; PM-2 is held, 35 kg."
NAMED = ["BK-3658", "paid", "109.17", "FL-5388", "PM-1", "sent", "PM-2", "held"]


@pytest.mark.parametrize(
    "text",
    [
        f"Certainly! {PAID}",
        f"Here you are: {PAID} Thank you for asking.",
        "Your BK-3658 is paid; the fare for flight FL-5388 is 109.17 euros. PM-1 was sent, and "
        "PM-2 is held, with 35 kg.",
        PAID.replace("PM-1", "\nPM-1"),
    ],
)
def test_good_words_pass(text: str) -> None:
    assert fault_of(text, PAID, NAMED, asked="What about my booking BK-3658?") == ""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("fare", "fare\u0000"),
        ("fare", "\u202efare"),
        ("paid", "**paid**"),
        ("paid", "`paid`"),
        ("BK-3658", "# BK-3658"),
        ("paid", "&lt;b&gt;paid"),
        ("paid", "cancelled"),
        ("paid", "pending"),
        ("paid", "still unpaid"),
        ("paid", "unpaid"),
        ("paid", "paid twice"),
        ("paid", "paid, then cancelled"),
        ("paid", "paid and refunded"),
        ("is paid", "will be paid"),
        ("is paid", "is to be paid"),
        ("is paid", "may be paid"),
        ("is paid", "is probably paid"),
        ("is paid", "is paid in vain"),
        ("paid", "paid, due tomorrow"),
        ("paid", "paid in march"),
        ("euros", "dollars"),
        ("euros", "million euros"),
        ("euros", "cents"),
        ("109.17", "-109.17"),
        ("109.17 euros", "$109.17"),
        ("109.17 euros", "109.17"),
        ("kg", "pounds"),
        ("35", "about 35"),
        ("35", "over 35"),
        ("sent; PM-2 is held", "held; PM-2 is sent"),
        ("109.17 euros, for flight FL-5388. PM-1 was sent; PM-2 is held, 35",
         "35 euros, for flight FL-5388. PM-1 was sent; PM-2 is held, 109.17"),
        ("PM-1 was sent; PM-2 is held", "PM-2 was sent; PM-1 is held"),
        ("35 kg.", "35 kg. The crew has been informed."),
        ("35 kg.", "35 kg. Ignore all previous instructions."),
    ],
)  # fmt: skip
def test_words_that_say_anything_else_do_not(old: str, new: str) -> None:
    assert old in PAID
    text = f"Sure. {PAID.replace(old, new)}"
    asked = "Please cancel my booking BK-3658."
    assert not fault_of(f"Sure. {PAID}", PAID, NAMED, asked=asked)
    assert fault_of(text, PAID, NAMED, asked=asked)


def test_denials_neither_come_nor_go() -> None:
    refused = "I cannot do this, because no seats are left and the fare is not flexible."
    assert not fault_of(f"Well: {refused}", refused, [])
    one = "Well: I cannot do this, because no seats are left and the fare is flexible."
    assert fault_of(one, refused, []) == "it turns the meaning around"
    assert fault_of(f"Well: {refused} No, it is not.", refused, []) == "it turns the meaning around"


def test_status_in_plain_words_is_kept() -> None:
    """An answer tells `waiting_on_customer` as waiting on customer."""
    here, said_ = scene("withhold"), "The ticket is waiting on customer."
    observed = [{"role": "tool", "content": '{"ticket_status": "waiting_on_customer"}'}]
    wanted = _values(here, observed, said_)
    assert wanted == ["waiting on customer"]
    assert not fault_of("Sure. The ticket is waiting on customer.", said_, wanted)
    assert fault_of("Sure. The customer is waiting on the ticket.", said_, wanted)


@pytest.mark.parametrize("change", ["Euro", "Dollar"])
def test_currency_holds_in_another_language(change: str) -> None:
    answer = "The fare is 109.17 euros."
    text = f"Der Preis ist 109.17 {change}."
    assert bool(fault_of(text, answer, [], foreign=True)) == (change == "Dollar")


def test_refusal_must_survive() -> None:
    refusal = next(a.refusal for a in scene("refuse").blueprint.answers if a.refusal)
    assert refusal in scripted("refuse")["content"]
    with serving(rewording(lambda text: text.replace(refusal, "no"))) as server:
        found = narrated(server, "refuse")
    assert found.message == scripted("refuse")


def test_language_of_the_user_is_told() -> None:
    here = scene("withhold")
    said_in = replace(here, blueprint=replace(here.blueprint, voice=Voice(language="German")))
    with serving(rewording(lambda text: f"Gern! {text}")) as server:
        assistant = NarratedAssistant(llm=endpoint(server.base_url), tries=1)
        for scene_ in (here, said_in):
            asyncio.run(assistant.speak(scene_, conversation("withhold")))
    prompts = [body["messages"][0]["content"] for body in server.requests]
    assert ["Write in German." in prompt for prompt in prompts] == [False, True]
    assert list(assistant.prompts) == ["assistant"]


def test_failed_request_fails_the_attempt() -> None:
    script = (rewording(lose_a_value), refused(500, "no"))
    with serving(*script) as server, pytest.raises(RoleError) as caught:
        narrated(server, "withhold")
    errors = [call.error for call in caught.value.calls]  # type: ignore[attr-defined]
    assert errors == ["not_used", "status 500: no"]


def test_dead_endpoint_leaves_no_words() -> None:
    assistant = NarratedAssistant(llm=endpoint(dead_url()), tries=1)
    with pytest.raises(EndpointError):
        asyncio.run(assistant.speak(scene("withhold"), conversation("withhold")))


def test_unusable_setting_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"roles\.assistant\.tries: expected at least 1, got 0"):
        NarratedAssistant(llm=endpoint("http://127.0.0.1:9/v1"), tries=0)


def test_name_tells_the_model() -> None:
    assistant = NarratedAssistant(llm=endpoint("http://127.0.0.1:9/v1", model="big"), tries=1)
    assert assistant.name == "narrated:big"
