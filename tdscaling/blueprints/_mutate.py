"""Taking up an accepted blueprint as the parent of a new one.

Enters: a parent and a planner with open sessions in the parent's initial state. Leaves: the
planner's draft holding the parent's steps, executed again, so that operators can go on from there.
"""

from __future__ import annotations

from typing import Any

from tdscaling.bindings import BindingError, resolve
from tdscaling.blueprints._plan import Planner
from tdscaling.blueprints._refer import DraftStep, Picked
from tdscaling.errors import BlueprintError
from tdscaling.schema import Blueprint, Step


def adopt(planner: Planner, parent: Blueprint) -> None:
    """Fill an empty draft with the parent's steps.

    Raises:
        BlueprintError: if a step does not end as it did for the parent.
    """
    planner.facts = dict(parent.facts)
    seen: dict[int, str] = {}
    for number, step in enumerate(parent.plan):
        session = planner.sessions[step.domain]
        try:
            arguments = resolve(step, parent.facts, seen)
        except BindingError as error:
            raise BlueprintError(f"parent {parent.id}: {error}") from error
        result = session.execute(step.tool, arguments)
        if result.content != step.observation:
            raise BlueprintError(f"parent {parent.id}: {step.tool} observes something else now")
        seen[number] = result.content
        draft = DraftStep(
            step.domain,
            session.domain.tools[step.tool],
            step.turn,
            "lookup" if step.purpose == "lookup" else "goal",
            step.expect,
            dict(step.arguments),
            arguments,
            result,
            fallback=step.purpose == "fallback",
        )
        _refer(planner, draft)
        planner.steps.append(draft)


def _refer(planner: Planner, draft: DraftStep) -> None:
    """Find the words for values that come out of rows again."""
    for name, source in draft.bindings.items():
        if "step" in source:
            planner.word(draft, name, source, _picked(planner, source))


def _picked(planner: Planner, source: dict[str, Any]) -> Picked:
    pick = source["pick"]
    for picked in planner.picks(source["step"]):
        if picked.pick == "first" or pick == "first":
            if picked.pick == pick:
                return picked
        elif (
            picked.pick["column"] == pick["column"]
            and picked.pick["value"] == planner.facts[pick["fact"]]
        ):
            return picked
    raise BlueprintError(f"no words point at the row that {pick} picks")


def revisions(parent: Blueprint) -> dict[int, tuple[str, str]]:
    """Per step that repeats an earlier goal: parameter and the fact that it replaces."""
    found: dict[int, tuple[str, str]] = {}
    for turn, said in enumerate(parent.turns):
        for old in said.revises:
            for number, step in enumerate(parent.plan):
                name = _revised(parent.plan[:number], step, old)
                if step.turn == turn and name is not None:
                    found.setdefault(number, (name, old))
                    break
    return found


def _revised(earlier: tuple[Step, ...], step: Step, old: str) -> str | None:
    for before in earlier:
        if before.tool == step.tool:
            for name, source in before.arguments.items():
                if source == {"fact": old} and step.arguments.get(name) != source:
                    return name
    return None
