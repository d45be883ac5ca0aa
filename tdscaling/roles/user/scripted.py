"""A user who follows the blueprint's schedule.

Enters: the blueprint's turns. Leaves: wishes in varied words; a fact that is held back is told when
the assistant asks for something. One further question per wish gets a reply too, so that an
assistant who asks before it acts is not answered with the next wish.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

from tdscaling.roles import Said, Scene
from tdscaling.roles._questions import asks, wants_yes
from tdscaling.schema import Message, UserTurn

GREETINGS = ("Hi. ", "Hello, ", "Good morning. ", "Hey, ", "", "", "", "")
FOLLOW_UPS = ("Thanks. ", "Great. ", "Okay. ", "One more thing. ", "Perfect, thank you. ", "", "")
CLOSINGS = ("", "", "", " Thank you!", " Thanks in advance.", " Much appreciated.")
CONSENTS = ("Yes, please go ahead.", "Yes, please do.", "Sure, go ahead.", "Yes, that's right.")
REMINDERS = ("As I said: {}", "I have nothing to add: {}", "Once more: {}")
"""For a question that a yes would not answer, and nothing is held back."""


class ScriptedUser:
    """Reveals the goal turn by turn."""

    name = "scripted"
    prompts: Mapping[str, str] = {}

    async def speak(self, scene: Scene, messages: Sequence[Message]) -> Said:
        """The next turn, the reply to a question, or nothing more."""
        questions = _questions(messages)
        position = 0
        for number, turn in enumerate(scene.blueprint.turns):
            if position == len(questions):
                return _said(_voice(scene, number, turn))
            for reply in _replies(scene, number, turn):
                question = questions[position]
                if question is None:
                    break
                position += 1
                if position == len(questions):
                    return _said(reply[wants_yes(question)])
            position += 1
        return Said(None)


def _said(words: str) -> Said:
    return Said({"role": "user", "content": words})


def _questions(messages: Sequence[Message]) -> list[str | None]:
    """Per user message, the question that it was answered with, None where it was no question."""
    found: list[str | None] = []
    for message in messages:
        if message["role"] == "user":
            found.append(None)
        elif message["role"] == "assistant" and not message.get("tool_calls"):
            text = str(message.get("content") or "")
            found[-1] = text if asks(text) else None
    return found


def _replies(scene: Scene, number: int, turn: UserTurn) -> list[tuple[str, str]]:
    """Replies to the questions of one turn, each as (to an open one, to a yes-or-no one)."""
    told = " ".join(words for _, _, words in turn.withheld)
    voice = scene.blueprint.voice
    if voice and voice.foreign:  # what is said beside the wish is in English
        return [*([(told, told)] if told else []), (turn.request, turn.request)]
    random = Random(f"{scene.seed}:user:reply:{number}")
    reminder = random.choice(REMINDERS).format(turn.request)
    consent = random.choice(CONSENTS)
    return [*([(told, told)] if told else []), (reminder, consent)]


def _voice(scene: Scene, number: int, turn: UserTurn) -> str:
    if scene.blueprint.authors.get(f"turns.{number}.request") == "model":
        return turn.request  # whole as it is, in a style and language of its own
    random = Random(f"{scene.seed}:user:{number}")
    before: tuple[str, ...] = FOLLOW_UPS if number else GREETINGS
    if turn.revises:
        before = ("",)
    start = random.choice(before)
    request = turn.request
    if start.endswith(", ") and request[:2] not in ("I ", "I'"):
        request = request[0].lower() + request[1:]
    return start + request + random.choice(CLOSINGS)
