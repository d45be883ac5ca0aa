"""Credits: what `meta` says of who spoke."""

from __future__ import annotations

from dataclasses import replace

from tdscaling.credits import counted, narrated, player_of, told_of, voiced
from tdscaling.roles.assistant.scripted import ScriptedAssistant
from tdscaling.roles.judge.scripted import ScriptedJudge
from tdscaling.roles.user.llm import LlmUser
from tdscaling.roles.user.scripted import ScriptedUser
from tdscaling.schema import LlmCall, Voice
from tests.blueprints.test_dataflow import sampler
from tests.llm.endpoints import endpoint
from tests.roles import marked

VOICE = Voice("a nurse", "", "German")


def test_a_voice_that_no_model_spoke_with_is_left_out() -> None:
    contract = replace(marked.blueprint(), voice=VOICE)
    model = LlmUser(llm=endpoint("http://127.0.0.1:9/v1"), tries=1)
    assert voiced(contract, ScriptedUser()).voice is None
    assert voiced(contract, model) == contract
    worded = replace(contract, authors={"turns.0.request": "model"})
    assert voiced(worded, ScriptedUser()) == worded
    fell_back = replace(contract, authors={"turns.0.request": "template"})
    assert voiced(fell_back, ScriptedUser()).voice is None


def test_nothing_is_told_where_no_model_plays() -> None:
    cast = (sampler(), ScriptedUser(), ScriptedAssistant(), ScriptedJudge())
    assert told_of(marked.blueprint(), *cast) == {}
    assert counted(marked.blueprint()) == ""


def test_names_of_players() -> None:
    assert player_of("scripted") == ("scripted", "")
    assert player_of("llm:a, words of llm:b (c) (3 of 4)") == ("llm:a", "3 of 4")
    assert player_of("scripted, words of llm:b") == ("scripted, words of llm:b", "")


def test_a_voice_by_name() -> None:
    assert VOICE.name == "a nurse | German"
    assert VOICE.to_json() == {"persona": "a nurse", "language": "German"}
    assert (VOICE.foreign, Voice(language="English").foreign, Voice().foreign) == ("German", "", "")


def test_answers_that_a_model_worded_are_counted() -> None:
    asked = [("assistant", error) for error in (None, "not_used", "fell_back", "not_used", None)]
    calls = [
        LlmCall(role, "m", 1, 1, 1.0, 0.0, error=error)
        for role, error in [("composer", "fell_back"), *asked]
    ]
    roles = {"user": "scripted", "assistant": "narrated:m", "judge": "scripted"}
    assert narrated(roles, calls) == {**roles, "assistant": "narrated:m (2 of 3)"}
    played = {**roles, "assistant": "llm:m"}
    assert narrated(played, calls) == played
