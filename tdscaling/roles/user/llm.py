"""A user played by a model.

Enters: goal, facts and the words said so far. Leaves: the user's next words, or nothing more. The
model never sees the plan, the tools, a call or an observation: it knows what a customer knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tdscaling.errors import ConfigError
from tdscaling.llm import Endpoint, NoReply, endpoint_of
from tdscaling.roles import Said, Scene
from tdscaling.roles._prompts import fill, told
from tdscaling.schema import LlmCall, Message

STOP = "[DONE]"
"""What the model writes when it has nothing more to say."""


class LlmUser:
    """Speaks in a model's words.

    Args:
        llm: the endpoint.
        tries: requests for one message, at least 1; a further one is made when the model wants to
            stop before every wish can have been brought up.
    """

    def __init__(self, *, llm: Endpoint, tries: int) -> None:
        self._llm = endpoint_of(llm, "user")
        if tries < 1:
            raise ConfigError(f"roles.user.tries: expected at least 1, got {tries}")
        self._tries = tries
        self.name = f"llm:{self._llm.model}"
        self.prompts: Mapping[str, str] = told("user", "user", "user_turn")

    async def speak(self, scene: Scene, messages: Sequence[Message]) -> Said:
        """The next words, or nothing more.

        Raises:
            NoReply: if the model says nothing usable, or stops too early each time.
            EndpointError: if its endpoint cannot be used at all.
        """
        voiced = sum(message["role"] == "user" for message in messages)
        done = voiced >= len(scene.blueprint.turns)
        calls: list[LlmCall] = []
        for number in range(self._tries):
            prompt = _prompt(scene, messages, too_early=number > 0)
            seed = f"{scene.seed}:user:{len(messages)}:{number}"
            try:
                reply = await self._llm.chat("user", prompt, seed=seed)
            except NoReply as error:
                raise NoReply(str(error), (*calls, *error.calls)) from error
            calls.append(reply.call)
            text = str(reply.message["content"] or "").strip()
            if STOP not in text and text:
                return Said({"role": "user", "content": text}, tuple(calls))
            if done and text:
                return Said(None, tuple(calls))
        wishes = len(scene.blueprint.turns)
        raise NoReply(f"user: stopped after {voiced} of {wishes} wishes", calls)


def _prompt(scene: Scene, messages: Sequence[Message], *, too_early: bool) -> list[Message]:
    blueprint = scene.blueprint
    instructions = fill(
        "user",
        goal=blueprint.goal,
        wishes=blueprint.turns,
        facts=blueprint.facts,
        withheld={fact for turn in blueprint.turns for fact, _, _ in turn.withheld},
        voice=blueprint.voice,
        stop=STOP,
    )
    # As one text: chat roles would be the wrong way round for a model that plays the user.
    names = {"user": "Customer", "assistant": "Assistant"}
    lines = [
        (names[message["role"]], message["content"])
        for message in messages
        if message["role"] in names and message.get("content")
    ]
    turn = fill("user_turn", lines=lines, too_early=too_early, stop=STOP)
    return [{"role": "system", "content": instructions}, {"role": "user", "content": turn}]
