"""Blueprints whose words a model finds.

Enters: a draw. Leaves: the blueprint that `dataflow` plans, its goal, requests and replies in a
model's words. The model gets no say in plan, facts and values: each text is one request, held
against a brief; one that fails is asked for again, and after the last version the template's words
stand. Who found which words is kept with them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

from tdscaling import prompts
from tdscaling.blueprints._briefs import Brief, briefs, ordered
from tdscaling.blueprints._faults import fault, longest
from tdscaling.blueprints._wording import goal_of
from tdscaling.blueprints.dataflow import DataFlowBlueprints, Knobs
from tdscaling.declared.domain import Domain
from tdscaling.errors import ConfigError
from tdscaling.llm import Endpoint, NoReply, endpoint_of
from tdscaling.llm._text import text_in
from tdscaling.schema import Blueprint, Draw, LlmCall, Message, Voice

FOLDER = Path(__file__).parent / "prompts"
PROMPTS = ("composer", "composer_examples", "composer_text")
NOT_USED = "not_used"
"""`LlmCall.error` of a version that failed a check."""
FELL_BACK = "fell_back"
"""`LlmCall.error` of the last version, where the template's words stand."""
_QUOTES = {'"': '"', "'": "'", "\u201c": "\u201d", "\u201e": "\u201c", "\u00ab": "\u00bb"}


class ComposedBlueprints(DataFlowBlueprints):
    """Plans along data-flow, in a model's words.

    Args:
        llm: the endpoint.
        versions: of a text that are asked for, at least 1.
        knobs: as in `DataFlowBlueprints`.
    """

    def __init__(self, *, llm: Endpoint, versions: int, **knobs: Unpack[Knobs]) -> None:
        super().__init__(**knobs)
        if versions < 1:
            raise ConfigError(f"blueprints.versions: expected at least 1, got {versions}")
        self._llm = endpoint_of(llm, "composer")
        self._versions = versions
        self.author = str(self._llm.model)
        self.prompts = {"composer": prompts.digest_of(FOLDER, *PROMPTS)}

    async def compose(
        self, blueprint: Blueprint, draw: Draw, domains: Mapping[str, Domain]
    ) -> tuple[Blueprint, tuple[LlmCall, ...]]:
        """The blueprint in the model's words, where these hold.

        Raises:
            NoReply: if a request fails: no words are taken for it.
            EndpointError: if the endpoint cannot be used at all.
        """
        wanted = briefs(blueprint, domains)
        if not wanted:
            return blueprint, ()
        calls: list[LlmCall] = []
        found: dict[str, str] = {}
        for brief in wanted:  # one after the other: no more than one is paid for in vain
            words = await self._words(brief, blueprint.voice, draw.seed, calls)
            if words:
                found[brief.place] = words
        return _worded(blueprint, found), tuple(calls)

    async def _words(
        self, brief: Brief, voice: Voice | None, seed: str, calls: list[LlmCall]
    ) -> str:
        """The words of one text; empty where no version holds."""
        told = _told(voice)
        seen = "\n".join(str(message["content"]) for message in told)
        problem = ""
        for number in range(self._versions):
            wanted = prompts.filled(
                FOLDER,
                "composer_text",
                kind=brief.kind,
                keep=ordered(brief.draft, brief.keep),
                phrases=() if brief.foreign else brief.phrases,
                draft=brief.draft,
                fault=problem,
            )
            try:
                reply = await self._llm.chat(
                    "composer",
                    [*told, {"role": "user", "content": wanted}],
                    seed=f"{seed}:composer:{brief.place}:{number}",
                    json_schema=_shape(brief),
                )
            except NoReply as error:
                raise NoReply(str(error), (*calls, *error.calls)) from error
            text = _message(str(reply.message["content"] or ""))
            problem = fault(text, brief, f"{seen}\n{wanted}")
            if not problem:
                calls.append(reply.call)
                return text
            last = number == self._versions - 1
            calls.append(replace(reply.call, error=FELL_BACK if last else NOT_USED))
        return ""


def _told(voice: Voice | None) -> list[Message]:
    """What comes before each text: small models learn from turns rather than from rules."""
    told: list[Message] = [
        {"role": "system", "content": prompts.filled(FOLDER, "composer", voice=voice)}
    ]
    examples = prompts.filled(FOLDER, "composer_examples").splitlines()
    for draft, words in zip(examples[::2], examples[1::2], strict=True):
        told.append({"role": "user", "content": f"Draft: {draft}"})
        told.append({"role": "assistant", "content": json.dumps({"message": words})})
    return told


def _shape(brief: Brief) -> dict[str, Any]:
    return {
        "name": "words",
        "schema": {
            "type": "object",
            # Without a limit small models ramble on until they are cut off inside the JSON.
            "properties": {"message": {"type": "string", "maxLength": longest(brief)}},
            "required": ["message"],
            "additionalProperties": False,
        },
    }


def _message(content: str) -> str:
    """The words in a reply, on one line and without the quotes that some models put around them."""
    text = " ".join(text_in(content).split())
    if len(text) > 1 and _QUOTES.get(text[0]) == text[-1]:
        text = text[1:-1].strip()
    return text


def _worded(blueprint: Blueprint, found: Mapping[str, str]) -> Blueprint:
    """The blueprint with the words that were found."""
    turns = tuple(
        replace(
            turn,
            request=found.get(f"turns.{number}.request", turn.request),
            withheld=tuple(
                (fact, question, found.get(f"turns.{number}.withheld.{at}", words))
                for at, (fact, question, words) in enumerate(turn.withheld)
            ),
        )
        for number, turn in enumerate(blueprint.turns)
    )
    goal = found.get("goal") or goal_of([turn.request for turn in turns])
    return replace(
        blueprint,
        goal=goal,
        turns=turns,
        authors={place: "model" if place in found else "template" for place in blueprint.places()},
    )
