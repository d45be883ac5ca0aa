"""The scripted assistant, its answers in a model's words.

Enters: what the scripted assistant says. Leaves: the same calls and questions, and answers that a
model has rephrased. The model gets no say in the facts: words that lose or add a value, deny what
the answer does not deny, or run on are tried again; after the last try the scripted words stand.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tdscaling.errors import ConfigError
from tdscaling.llm import Endpoint, NoReply, endpoint_of
from tdscaling.llm._text import one_text, text_in
from tdscaling.roles import Said, Scene
from tdscaling.roles._prompts import fill, told
from tdscaling.roles._questions import asks
from tdscaling.roles.assistant.scripted import ScriptedAssistant
from tdscaling.schema import LlmCall, Message

NARRATED = "narrated"
"""Its kind, in `meta.roles`."""
FELL_BACK = "fell_back"
"""`LlmCall.error` of the last try, where the scripted words were used."""
NOT_USED = "not_used"
"""`LlmCall.error` of an earlier try whose words were not used."""

_FIGURE = re.compile(r"[^\s,;()\"']*\d[^\s;()\"']*")
_EDGES = ".,:!?*_`'\"$€£"
_DENIAL = re.compile(
    r"\b(?:not?|nor|never|none|nothing|nobody|neither|without|cannot|unable|impossible|"
    r"unfortunately|sorry|apologi[sz]e|regret|fail(?:ed|s|ure)?|refus(?:ed|es|al)|reject(?:ed|ion)|"
    r"declined?|denied|unsuccessful(?:ly)?|unavailable|instead|(?:is|are|was|were|do|does|did|has|"
    r"have|had|could|would|should|wo|ca)n['\u2019]t)\b",
    re.IGNORECASE,
)
"""Words that turn an answer into its opposite."""
_OFFER = re.compile(
    r"\b(?:please|feel free|let (?:me|us) know|again|welcome|hesitate|contact|return|hope|soon|"
    r"should|must|need to)\b",
    re.IGNORECASE,
)
"""Words of advice and offers."""
_MARKUP = re.compile(r"[\[\]{}<>|\\]|\w_\w")
_WORD = re.compile(r"[^\W\d_]{4,}")
_PLAIN = re.compile(r"\w+")
_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]{2,}")
ECHO = 5
"""Words in a row that are out of the prompt alone, from which on they were copied."""
NEW, NEW_SHARE = 5, 0.5
"""Words of its own that a version has at most, and those more per word of the scripted answer."""
LONGER, MORE = 1.5, 80
"""A version has at most that many times the characters of the scripted answer, and that many more:
what goes beyond was made up."""


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
                    "assistant", request, seed=seed, json_schema=one_text(_longest(answer))
                )
            except NoReply as error:
                raise NoReply(str(error), (*calls, *error.calls)) from error
            text = text_in(str(reply.message["content"] or ""))
            fault = _fault(text, answer, wanted, asked=asked, prompt=prompt, foreign=bool(language))
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


def _longest(answer: str) -> int:
    return int(LONGER * len(answer)) + MORE


def _fault(
    text: str,
    answer: str,
    wanted: Sequence[str],
    *,
    asked: str = "",
    prompt: str = "",
    foreign: bool = False,
) -> str:
    """What is wrong with a version of the answer; empty if nothing is."""
    if not text:
        return "it is no message"
    figures, before = _figures(text), _figures(answer)
    lost = [value for value in wanted if value not in text] + sorted(before - figures)
    if lost:
        return f"it lacks {', '.join(lost)}"
    added = sorted(figures - before) + sorted(_denials(text) - _denials(answer))
    added += sorted(_lower(_OFFER, text) - _lower(_OFFER, answer))
    if added:
        return f"it adds {', '.join(added)}"
    if len(text) >= _longest(answer):  # at the limit it was cut off
        return "it is too long"
    if _runs(text) & _runs(prompt) - _runs(answer) - _runs(asked):
        return "it repeats what you were told"
    if (markup := _MARKUP.search(text)) and markup[0] not in answer:
        return "it is not plain words"
    if _breaks_off(text, answer) or _repeats(text, answer):
        return "it repeats itself or breaks off"
    if not foreign and _invents(text, answer, asked):
        return "it says more than the reply"
    # A scripted user would reply to it.
    return "it asks a question" if asks(text) else ""


def _breaks_off(text: str, answer: str) -> bool:
    """Whether a text lacks the end that the answer has: the schema's limit cuts where it is."""
    return (text[-1].isalnum() or text[-1] in ",;:-") and not answer[-1:].isalnum()


def _repeats(text: str, answer: str) -> bool:
    """Whether a figure is told more often than in the answer."""
    told, before = (Counter(_told(one)) for one in (text, answer))
    return any(told[figure] > count for figure, count in before.items())


def _invents(text: str, answer: str, asked: str) -> bool:
    if set(_NAME.findall(text)) - set(_PLAIN.findall(f"{answer} {asked}")):
        return True
    before = _lower(_WORD, answer)
    new = _lower(_WORD, text) - before - _lower(_WORD, asked)
    return len(new) > NEW + NEW_SHARE * len(before)


def _lower(pattern: re.Pattern[str], text: str) -> set[str]:
    return {found.lower() for found in pattern.findall(text)}


def _runs(text: str) -> set[tuple[str, ...]]:
    words = _PLAIN.findall(text.lower())
    return {tuple(words[at : at + ECHO]) for at in range(len(words) - ECHO + 1)}


def _denials(text: str) -> set[str]:
    found = {word.lower() for word in _DENIAL.findall(text)}
    return {"not" if word == "cannot" or word[-2] in "'\u2019" else word for word in found}


def _figures(text: str) -> set[str]:
    """The words with a digit: ids, amounts, dates, times."""
    return set(_told(text))


def _told(text: str) -> list[str]:
    return [found.strip(_EDGES) for found in _FIGURE.findall(text)]
