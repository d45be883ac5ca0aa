"""A user who follows the blueprint's schedule.

Enters: the blueprint's turns. Leaves: wishes in varied words; a fact that is held back is told when
the assistant asks for something.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from tdscaling.roles import Said, Scene
from tdscaling.schema import Message, UserTurn

GREETINGS = ("Hi. ", "Hello, ", "Good morning. ", "Hey, ", "", "", "", "")
FOLLOW_UPS = ("Thanks. ", "Great. ", "Okay. ", "One more thing. ", "Perfect, thank you. ", "", "")
CLOSINGS = ("", "", "", " Thank you!", " Thanks in advance.", " Much appreciated.")


class ScriptedUser:
    """Reveals the goal turn by turn."""

    name = "scripted"

    async def speak(self, scene: Scene, messages: Sequence[Message]) -> Said:
        """The next turn, the reply to a question, or nothing more."""
        spoken = [message for message in messages if message["role"] == "user"]
        turns, replies = scene.blueprint.turns, 0
        for number, turn in enumerate(turns):
            position = number + replies
            if position == len(spoken):
                return Said({"role": "user", "content": _voice(scene, number, turn)})
            if turn.withheld and position + 1 == len(spoken) and _asks(messages[-1]):
                return Said({"role": "user", "content": " ".join(w for _, _, w in turn.withheld)})
            if turn.withheld and _was_asked(messages, position):
                replies += 1
        return Said(None)


def _asks(message: Message) -> bool:
    text = str(message.get("content") or "").rstrip()
    return message["role"] == "assistant" and not message.get("tool_calls") and text.endswith("?")


def _was_asked(messages: Sequence[Message], position: int) -> bool:
    """Whether a question was the answer to the user message at a position among user messages."""
    users = [n for n, message in enumerate(messages) if message["role"] == "user"]
    return position + 1 < len(users) and _asks(messages[users[position + 1] - 1])


def _voice(scene: Scene, number: int, turn: UserTurn) -> str:
    random = Random(f"{scene.seed}:user:{number}")
    before = FOLLOW_UPS if number else GREETINGS
    if turn.revises:
        before = ("",)
    start = random.choice(before)
    request = turn.request
    if start.endswith(", ") and request[:2] not in ("I ", "I'"):
        request = request[0].lower() + request[1:]
    return start + request + random.choice(CLOSINGS)
