"""An assistant that follows the gold plan.

Enters: the blueprint and the messages so far. Leaves: questions for withheld facts, calls whose
arguments are bound from *actual* observations, answers worded from actual results. It does not
repair a world that differs from the dry run: it says what it sees, and verification decides.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from random import Random
from typing import Any

from tdscaling.bindings import BindingError, resolve
from tdscaling.errors import RoleError
from tdscaling.roles import Said, Scene
from tdscaling.roles.assistant._phrases import answer
from tdscaling.schema import Message, Step, canonical, digest

PREFACES = (
    "Let me check that.",
    "One moment.",
    "I'll look into it.",
    "On it.",
    "I'll see to that now.",
    "Just a second.",
    "Right away.",
    "Certainly, I'm on it.",
    "Sure, one moment.",
    "Give me a moment.",
    "Let me look that up.",
    "Let me see.",
    "Of course, I'll do that.",
    "Happy to help with that.",
    "I'll take care of it.",
    "Thanks, I'll check.",
    "Let me pull that up.",
    "Okay, looking now.",
    "Sure thing.",
    "Understood, checking now.",
    "I'll get that for you.",
    "Working on it.",
    "Let me have a look.",
    "Very well, one second.",
    "Bear with me.",
    "I'm looking that up now.",
    "All right, let me see to it.",
    "Absolutely, a moment.",
    "Got it, I'll go through that.",
    "Let me find out.",
    "I'll find that out for you.",
    "I'll get right on it.",
    "Let me go ahead with that.",
    "No problem, one moment.",
    "All right, just a moment.",
    "I'll start with that now.",
    "Okay, let me take care of that.",
    "Sure, I'll look.",
    "Let me check the system.",
    "I'll check that for you.",
    "Certainly, give me a second.",
    "Understood, I'll do that now.",
    "Let me see what I can find.",
    "Thanks, let me see.",
    "Of course, one moment please.",
    "I'm on it.",
)
SILENT = 0.4
"""Share of calls that nothing is said before."""
AGAIN = (
    "Let me try that again.",
    "That failed for a moment, I'll repeat it.",
    "I'll give it another try.",
    "Once more.",
    "Something went wrong there, trying again.",
    "I'll run that again.",
    "That looks temporary, so I'll make one more attempt.",
    "Let me repeat the call.",
    "That did not go through, so I'll repeat the step.",
    "I'll make another attempt.",
    "I'll send it again.",
    "That was a temporary error, so I'll repeat the call.",
    "The service did not respond properly; trying once more.",
    "No result yet, I'll repeat the request.",
    "That attempt failed. Here is another one.",
    "The call was cut off, so I'm making it again.",
    "This looks like a passing problem, I'll retry.",
    "Let me give that another go.",
    "I did not get through; once again.",
)
MENDS = (
    "That failed; I see what is wrong and correct it.",
    "An error. Let me fix that.",
    "The error message says what is wrong; I'll correct it.",
    "That was not right yet. Here is the corrected version.",
    "The error shows me what to change.",
    "Not quite, let me correct that.",
    "I'll repair that and run it again.",
    "My mistake; this should do it.",
    "I made a slip there. Corrected:",
    "I see the problem; let me fix it.",
    "That did not run. I'll change the part that failed.",
    "There was an error in what I sent, so here it is again without it.",
    "I overlooked something there; this is the fixed version.",
    "The last attempt had a mistake in it. Let me put it right.",
)
ALIKE = 0.6
"""Similarity of two calls from which on one is the other corrected, 0 to 1."""
ALIKE_CODE = 0.8
"""The same for code: a failing run of the tests and a look at the module are not alike."""
RETRIES = 2
"""Further tries of a call whose error says that it may be tried again."""
_TRANSIENT = ("again", "retry")


class ScriptedAssistant:
    """Follows the gold plan."""

    name = "scripted"
    prompts: Mapping[str, str] = {}

    async def speak(self, scene: Scene, messages: Sequence[Message]) -> Said:
        """The next question, calls or answer.

        Raises:
            RoleError: if an argument cannot be bound from what was observed.
        """
        turn = _turn(scene, messages)
        progress = _Progress(scene, messages)
        question = _question(scene, messages, turn)
        if question:
            return Said({"role": "assistant", "content": question})
        repeated = progress.to_retry()
        pending = repeated or progress.next_batch(turn)
        if not pending:
            return Said({"role": "assistant", "content": answer(scene, turn, progress.results)})
        try:
            calls = [_call(scene, number, progress, len(messages)) for number in pending]
        except BindingError as error:
            raise RoleError(f"assistant: {error}") from error
        random = Random(f"{scene.seed}:assistant:{len(messages)}")
        mending = progress.mending(pending)
        preface = random.choice(AGAIN if repeated else MENDS if mending else PREFACES)
        content = preface if repeated or mending or random.random() >= SILENT else None
        return Said({"role": "assistant", "content": content, "tool_calls": calls})


class _Progress:
    """Which steps of the plan were made, read off the messages."""

    def __init__(self, scene: Scene, messages: Sequence[Message]) -> None:
        self._plan = scene.blueprint.plan
        self.results: dict[int, str] = {}
        self._tries: dict[int, int] = {}
        self._failed: list[int] = []
        for number, content in _made(messages):
            self._tries[number] = self._tries.get(number, 0) + 1
            self.results[number] = content
        last = _last_made(messages)
        self._failed = [n for n in last if _transient(self.results[n], self._plan[n])]

    def to_retry(self) -> list[int]:
        """Steps of the last message whose error asks for another try."""
        return [number for number in self._failed if self._tries[number] <= RETRIES]

    def mending(self, numbers: Sequence[int]) -> bool:
        """Whether a step is the corrected form of the one before, which was to fail."""
        if len(numbers) != 1 or numbers[0] == 0:
            return False
        return mends(self._plan[numbers[0]], self._plan[numbers[0] - 1])

    def next_batch(self, turn: int) -> list[int]:
        """Steps that are made next in a turn, empty if there are none left."""
        left = [
            number
            for number, step in enumerate(self._plan)
            if step.turn == turn and number not in self.results
        ]
        return [n for n in left if self._plan[n].batch == self._plan[left[0]].batch]


def mends(step: Step, before: Step) -> bool:
    """Whether a step is the corrected form of the one before, which was to fail."""
    failed = before.expect == "refused" and before.purpose == "lookup"
    if not failed or step.tool != before.tool:
        return False
    # Short commands are alike by what they are wrapped in; only the code itself counts.
    texts = [[bound["text"] for bound in one.arguments.values() if "text" in bound]
             for one in (before, step)]  # fmt: skip
    if all(texts):
        was, now = map("\n".join, texts)
        return SequenceMatcher(None, was, now, autojunk=False).ratio() > ALIKE_CODE
    same = SequenceMatcher(None, canonical(before.arguments), canonical(step.arguments))
    return same.ratio() > ALIKE


def _made(messages: Sequence[Message]) -> Iterator[tuple[int, str]]:
    for message in messages:
        if message["role"] == "tool":
            yield _step_of(message["tool_call_id"]), str(message["content"])


def _last_made(messages: Sequence[Message]) -> list[int]:
    calls = messages[-1]["role"] == "tool"
    last = next((m for m in reversed(messages) if m.get("tool_calls")), None)
    if not calls or last is None:
        return []
    return [_step_of(call["id"]) for call in last["tool_calls"]]


def _step_of(call_id: str) -> int:
    return int(call_id.split("_")[1])


def _transient(content: str, step: Step) -> bool:
    if step.expect == "refused" or not content.startswith('{"error"'):
        return False
    return any(word in content for word in _TRANSIENT)


def _turn(scene: Scene, messages: Sequence[Message]) -> int:
    """The user turn that is being served: replies to questions are no new turns."""
    users: int = sum(message["role"] == "user" for message in messages)
    return min(users - 1 - _asked(scene, messages), len(scene.blueprint.turns) - 1)


def _asked(scene: Scene, messages: Sequence[Message]) -> int:
    questions = {q for turn in scene.blueprint.turns for _, q, _ in turn.withheld}
    texts = [m.get("content") for m in messages[:-1] if m["role"] == "assistant"]
    return sum(any(q in str(text) for q in questions) for text in texts)


def _question(scene: Scene, messages: Sequence[Message], turn: int) -> str | None:
    withheld = scene.blueprint.turns[turn].withheld
    if not withheld or messages[-1]["role"] != "user":
        return None
    text = " ".join(question for _, question, _ in withheld)
    asked = any(text in str(m.get("content")) for m in messages if m["role"] == "assistant")
    return None if asked else text


def _call(scene: Scene, number: int, progress: _Progress, position: int) -> dict[str, Any]:
    step = scene.blueprint.plan[number]
    arguments = resolve(step, scene.blueprint.facts, progress.results)
    return {
        # The step is part of the id: progress is read off the messages alone.
        "id": f"call_{number}_{digest(canonical([scene.seed, number, position]), 8)}",
        "type": "function",
        "function": {"name": step.tool, "arguments": json.dumps(arguments, ensure_ascii=False)},
    }
