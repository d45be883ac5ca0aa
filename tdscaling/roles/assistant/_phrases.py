"""Words of the scripted assistant's answers.

Enters: the results of a turn's calls. Leaves: one text out of the domain's answer templates, filled
with what was actually observed.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from tdscaling.bindings import rows
from tdscaling.errors import RoleError
from tdscaling.roles import Scene
from tdscaling.schema import Step

LISTED_ROWS = 5
"""Rows of a list that an answer names."""
REFUSALS = (
    "I'm sorry, that was not possible: {error}.",
    "Unfortunately I can't do that: {error}.",
    "That could not be done: {error}.",
    "I was unable to do that because {error}.",
)
DETOURS = (
    "Your first choice was not possible: {error}. ",
    "The first option could not be done ({error}), so I went on to the other one. ",
)
EMPTY = ("There is nothing to list.", "The list is empty.", "No entries came up.")


def answer(scene: Scene, turn: int, results: Mapping[int, str]) -> str:
    """The answer at the end of a user turn.

    Args:
        scene: the conversation's.
        turn: user turn, from 0.
        results: observation per step made so far.

    Raises:
        RoleError: if an observation is no JSON, or lacks what its answer names.
    """
    random = Random(f"{scene.seed}:answer:{turn}")
    plan = scene.blueprint.plan
    parts = []
    reported = [answer.step for answer in scene.blueprint.answers if answer.turn == turn]
    for number, step in enumerate(plan):
        if step.turn != turn or step.purpose == "lookup":
            continue
        try:
            found = rows(results[number])
            if found and "error" in found[0] and len(found[0]) == 1:
                words = REFUSALS if number in reported else DETOURS
                parts.append(random.choice(words).format(error=found[0]["error"]).strip())
            else:
                parts.append(_report(scene, step, found, random))
        except (KeyError, ValueError) as error:
            raise RoleError(f"assistant: cannot report {step.tool}: {error!r}") from error
    return " ".join(parts)


def _report(scene: Scene, step: Step, found: list[dict[str, Any]], random: Random) -> str:
    file = scene.domains[step.domain].tools[step.tool].file
    template = random.choice(file.answers)
    if file.result == "one":
        return template.format(**_shown(found[0]))
    if not found:
        return random.choice(EMPTY)
    item = file.item or ""
    items = "; ".join(item.format(**_shown(row)) for row in found[:LISTED_ROWS])
    text = template.format(count=len(found), items=items)
    return text if len(found) <= LISTED_ROWS else f"{text} There are more, these come first."


def _shown(row: Mapping[str, Any]) -> dict[str, str]:
    return {name: _value(value) for name, value in row.items()}


def _value(value: Any) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.0f}" if value == int(value) else str(value)
    return str(value)
