"""Credits: who played whom, who found the words, and what models were told.

Enters: a blueprint and who speaks. Leaves: the part of `meta` that tells it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from tdscaling.blueprints import Blueprints
from tdscaling.roles import Judge, Role
from tdscaling.roles.assistant.narrated import FELL_BACK, NARRATED, NOT_USED
from tdscaling.schema import Blueprint, LlmCall

_WORDED = re.compile(r"(?P<player>.+), words of llm:(?P<author>.+) \((?P<counted>\d+ of \d+)\)")


def voiced(blueprint: Blueprint, user: Role) -> Blueprint:
    """The blueprint without a voice that no model has spoken with."""
    if blueprint.voice is None or blueprint.by_model or user.prompts:
        return blueprint
    return replace(blueprint, voice=None)


def roles_of(
    blueprint: Blueprint, blueprints: Blueprints, user: Role, assistant: Role, judge: Judge
) -> dict[str, str]:
    """Who played whom, as `meta.roles` has it."""
    player = user.name
    if blueprint.authors:
        player = f"{player}, words of llm:{blueprints.author} ({_counted(blueprint)})"
    return {"user": player, "assistant": assistant.name, "judge": judge.name}


def narrated(roles: dict[str, str], calls: Iterable[LlmCall]) -> dict[str, str]:
    """`meta.roles` with how many of the answers that a model was to word are in its words."""
    if not roles["assistant"].startswith(f"{NARRATED}:"):
        return roles
    ends = [call.error for call in calls if call.role == "assistant" and call.error != NOT_USED]
    player = f"{roles['assistant']} ({len(ends) - ends.count(FELL_BACK)} of {len(ends)})"
    return {**roles, "assistant": player}


def told_of(
    blueprint: Blueprint, blueprints: Blueprints, user: Role, assistant: Role, judge: Judge
) -> dict[str, Any]:
    """`meta.prompts` and `meta.voice`; nothing where no model is told anything."""
    told = {**user.prompts, **assistant.prompts, **judge.prompts}
    if blueprint.authors:
        told |= blueprints.prompts
    found: dict[str, Any] = {"prompts": dict(sorted(told.items()))} if told else {}
    if blueprint.voice:
        found["voice"] = blueprint.voice.to_json()
    return found


def player_of(name: str) -> tuple[str, str]:
    """Who plays the user by a name in `meta.roles`, and how many of the words a model found."""
    worded = _WORDED.fullmatch(name)
    return (worded["player"], worded["counted"]) if worded else (name, "")


def counted(blueprint: Blueprint) -> str:
    """How many of the words a model found, as `player_of` reads it; empty where none was asked."""
    return _counted(blueprint) if blueprint.authors else ""


def _counted(blueprint: Blueprint) -> str:
    return f"{blueprint.by_model} of {len(blueprint.authors)}"
