"""The scripted assistant, its answers in a model's words.

Enters: what the scripted assistant says. Leaves: the same calls and questions, and answers that a
model has rephrased. The model gets no say in the facts: words that could say anything else are
tried again; after the last try the scripted words stand.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tdscaling.errors import ConfigError
from tdscaling.llm import Endpoint, NoReply, endpoint_of
from tdscaling.llm._text import one_text, text_in
from tdscaling.roles import Said, Scene
from tdscaling.roles._prompts import fill, told
from tdscaling.roles.assistant.scripted import ScriptedAssistant
from tdscaling.schema import LlmCall, Message

NARRATED = "narrated"
"""Its kind, in `meta.roles`."""
FELL_BACK = "fell_back"
"""`LlmCall.error` of the last try, where the scripted words were used."""
NOT_USED = "not_used"
"""`LlmCall.error` of an earlier try whose words were not used."""


class NarratedAssistant:
    """Acts by the plan, answers in a model's words.

    Args:
        llm: the endpoint.
        tries: versions of one answer that are asked for, at least 1.
    """

    def __init__(self, *, llm: Endpoint, tries: int) -> None:
        self._llm = endpoint_of(llm, "assistant")
        if tries < 1:
            raise ConfigError(f"roles.assistant.tries: expected at least 1, got {tries}")
        self._tries = tries
        self._scripted = ScriptedAssistant()
        self.name = f"{NARRATED}:{self._llm.model}"
        self.prompts: Mapping[str, str] = told("assistant", "narrate")

    async def speak(self, scene: Scene, messages: Sequence[Message]) -> Said:
        """The scripted message, or the answer in other words.

        Raises:
            RoleError: if the scripted assistant cannot go on, or a request fails.
            EndpointError: if the endpoint cannot be used at all.
        """
        said = await self._scripted.speak(scene, messages)
        message = said.message
        # Questions keep their words: by them the scripted roles see that one was asked.
        if not message or message.get("tool_calls") or _is_question(scene, message["content"]):
            return said
        text, calls = await self._reworded(scene, messages, message["content"])
        return Said({**message, "content": text}, calls)

    async def _reworded(
        self, scene: Scene, messages: Sequence[Message], answer: str
    ) -> tuple[str, tuple[LlmCall, ...]]:
        # Loads generators of sample values, which mistakes on a command line should not wait for.
        from tdscaling.roles.assistant._retold import fault_of, longest

        asked = next((m["content"] for m in reversed(messages) if m["role"] == "user"), "")
        wanted = _values(scene, messages, answer)
        voice = scene.blueprint.voice
        language = voice.foreign if voice else ""
        calls: list[LlmCall] = []
        fault = ""
        for number in range(self._tries):
            prompt = fill("narrate", asked=asked, answer=answer, missing=fault, language=language)
            seed = f"{scene.seed}:narrated:{len(messages)}:{number}"
            request = [{"role": "user", "content": prompt}]
            try:
                reply = await self._llm.chat(
                    "assistant", request, seed=seed, json_schema=one_text(longest(answer))
                )
            except NoReply as error:
                raise NoReply(str(error), (*calls, *error.calls)) from error
            text = text_in(str(reply.message["content"] or ""))
            fault = fault_of(
                text, answer, wanted, asked=asked, prompt=prompt, foreign=bool(language)
            )
            if not fault:
                return text, (*calls, reply.call)
            calls.append(replace(reply.call, error=NOT_USED))
        return answer, (*calls[:-1], replace(calls[-1], error=FELL_BACK))


def _is_question(scene: Scene, text: str) -> bool:
    return any(
        question in text for turn in scene.blueprint.turns for _, question, _ in turn.withheld
    )


def _values(scene: Scene, messages: Sequence[Message], answer: str) -> list[str]:
    """What was observed, known or must be told, as far as the answer names it."""
    known = [str(value) for value in scene.blueprint.facts.values()]
    for message in messages:
        if message["role"] == "tool":
            known += map(str, _scalars(_parsed(message["content"])))
    known += [value for told in scene.blueprint.answers for value in told.values]
    known += [value.replace("_", " ") for value in known]  # how the answers tell a status
    return sorted({value for value in known if value.strip() and value in answer})


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:  # an observation in plain words is one value
        return text


def _scalars(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _scalars(item)
    elif value is not None and not isinstance(value, bool):
        yield value
