"""The scripted user: one wish per turn, and a reply to a question."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from tdscaling.attempt import scene_of
from tdscaling.roles import Scene
from tdscaling.roles._questions import asks, wants_yes
from tdscaling.roles.user.scripted import CONSENTS, ScriptedUser
from tdscaling.schema import Blueprint, Message
from tests.conversations import blueprint, domains, mixed, play, says, text

TWO = ("extend",)


def two_turns(found: Blueprint) -> bool:
    return len(found.turns) == 2 and not any(turn.withheld for turn in found.turns)


def withholds_first(found: Blueprint) -> bool:
    return len(found.turns) == 2 and bool(found.turns[0].withheld)


def conversation(contract: Blueprint, *answers: str) -> list[str | None]:
    """What the user says where the assistant says these things."""
    scene = scene_of(contract, domains(), "a seed")
    messages: list[Message] = [{"role": "system", "content": scene.system}]
    said: list[str | None] = []
    for answer in (*answers, ""):
        message = asyncio.run(ScriptedUser().speak(scene, messages)).message
        said.append(message and message["content"])
        if message is None:
            break
        messages += [message, text(answer)]
    return said


def test_one_wish_a_turn_then_nothing_more() -> None:
    contract = blueprint("airline", two_turns, TWO)
    first, second, end = conversation(contract, "Done.", "Done.")
    wishes = [turn.request for turn in contract.turns]
    assert wishes[0][1:] in (first or "")
    assert wishes[1][1:] in (second or "")
    assert end is None


def test_a_question_is_answered_once_a_turn() -> None:
    contract = blueprint("airline", two_turns, TWO)
    plain = conversation(contract, "Done.", "Done.")
    said = conversation(contract, "Shall I go ahead?", "Really?", "Is that all right?", "Done.")
    assert said == [plain[0], said[1], plain[1], said[3], None]
    assert {said[1], said[3]} <= set(CONSENTS)


def test_a_courtesy_is_no_question() -> None:
    contract = blueprint("airline", two_turns, TWO)
    words = "Done. Is there anything else I can help you with?"
    assert conversation(contract, words, words) == conversation(contract, "Done.", "Done.")


def test_an_open_question_is_answered_with_the_wish() -> None:
    contract = blueprint("airline", two_turns, TWO)
    said = conversation(contract, "Which flight do you mean?", "Done.", "Done.")
    assert contract.turns[0].request in (said[1] or "")


def test_what_is_held_back_is_told_when_asked() -> None:
    contract = blueprint("airline", withholds_first, ("withhold", "extend"))
    told = " ".join(words for _, _, words in contract.turns[0].withheld)
    plain = conversation(contract, "Done.", "Done.")
    assert len(plain) == 3
    assert told not in str(plain)
    asked = conversation(contract, "Which one?", "Shall I?", "Done.", "Done.")
    assert asked == [plain[0], told, asked[2], plain[1], None]
    assert asked[2] in CONSENTS


def test_words_do_not_depend_on_what_was_asked_before() -> None:
    contract = blueprint("airline", two_turns, TWO)
    assert conversation(contract, "Ok?", "Done.", "Done.")[2] == conversation(contract, "", "")[1]


def test_an_assistant_that_asks_first_is_accepted() -> None:
    def careful(scene: Scene, messages: Sequence[Message], message: Message) -> Message:
        asked = any(m.get("content") == "Shall I go ahead?" for m in messages)
        # Not to be taken by the scripted part for the start of the next turn.
        return message if asked or says(message) else text("Shall I go ahead?")

    contract = blueprint("airline", _one_turn)
    transcript, verdict = play(contract, assistant=careful)
    assert verdict.accepted, verdict.detail
    assert [m["content"] in CONSENTS for m in transcript.messages if m["role"] == "user"] == [
        False,
        True,
    ]


def _one_turn(found: Blueprint) -> bool:
    return len(found.turns) == 1 and not found.turns[0].withheld


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Which seat would you like?", (True, False)),
        ("Shall I go ahead?", (True, True)),
        ("Could you confirm that? I will then cancel it.", (True, True)),
        ('Do you want "BK-1023" cancelled?"', (True, True)),
        ("Shall I pay 25.50?", (True, True)),
        ("Do you prefer the aisle or the window?", (True, False)),
        ("**Shall I proceed?**", (True, True)),
        ("Done.", (False, True)),
        ("Why? Since it is full. So it stays. Sorry.", (False, True)),
        ("All done! Anything else?", (False, True)),
        ("Can I help you with anything else today?", (False, True)),
        ("It is done. What else can I do for you? Have a nice day!", (False, True)),
        ("Do you have any other questions?", (False, True)),
        ("", (False, True)),
    ],
)
def test_questions(words: str, expected: tuple[bool, bool]) -> None:
    assert (asks(words), wants_yes(words)) == expected


def test_scripted_assistants_ask_only_for_what_is_held_back() -> None:
    for contract in mixed(60):
        transcript, _ = play(contract)
        questions = {
            " ".join(question for _, question, _ in turn.withheld) for turn in contract.turns
        }
        spoken: list[Any] = [m for m in transcript.messages if m["role"] == "assistant"]
        asked = {m["content"] for m in spoken if says(m) and asks(m["content"])}
        assert asked == questions - {""}


def test_shipped_questions_are_questions_and_answers_are_not() -> None:
    from tdscaling.tools.declared import DeclaredTools

    catalog = DeclaredTools(domains=["bank", "clinic", "hotel"], paths=[]).load()
    for domain in catalog.domains.values():
        for tool in domain.tools.values():
            for parameter in tool.file.parameters.values():
                assert parameter.ask is None or asks(parameter.ask), parameter.ask
            assert not any(asks(answer) for answer in tool.file.answers), tool.name
