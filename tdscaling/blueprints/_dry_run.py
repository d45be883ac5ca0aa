"""The dry run: a draft becomes a contract by being executed from the start.

Enters: draft steps in the order in which they were found. Leaves: plan steps in the order in which
an assistant makes them, with gold arguments and observations, the final state, the answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tdscaling.bindings import BindingError, resolve, rows
from tdscaling.blueprints._refer import TOLD_ROWS, DraftStep, display
from tdscaling.declared.session import Session
from tdscaling.errors import BlueprintError
from tdscaling.schema import Answer, Step


@dataclass(frozen=True, slots=True)
class Executed:
    """What the dry run yields."""

    plan: tuple[Step, ...]
    final_state: dict[str, Any]
    answers: tuple[Answer, ...]


def arrange(drafts: Sequence[DraftStep], *, parallel: bool) -> tuple[Step, ...]:
    """The steps in the order of their calls.

    Args:
        drafts: in the order in which they were found.
        parallel: calls of a turn that do not need each other share a batch.
    """
    levels = [0] * len(drafts)
    for number, draft in enumerate(drafts):
        inside = [d for d in draft.depends if drafts[d].turn == draft.turn]
        previous = number > 0 and drafts[number - 1].turn == draft.turn
        if not parallel or draft.fallback:
            levels[number] = levels[number - 1] + 1 if previous else 0
        else:
            levels[number] = max((levels[d] + 1 for d in inside), default=0)
    order = sorted(range(len(drafts)), key=lambda n: (drafts[n].turn, levels[n], n))
    position = {old: new for new, old in enumerate(order)}
    batches: dict[tuple[int, int], int] = {}
    return tuple(
        Step(
            domain=drafts[n].domain,
            tool=drafts[n].spec.name,
            arguments={
                name: {**b, "step": position[b["step"]]} if "step" in b else b
                for name, b in drafts[n].bindings.items()
            },
            turn=drafts[n].turn,
            batch=batches.setdefault((drafts[n].turn, levels[n]), len(batches)),
            purpose=drafts[n].purpose,
            expect=drafts[n].expect,
        )
        for n in order
    )


def execute(
    plan: Sequence[Step], facts: Mapping[str, Any], sessions: Mapping[str, Session]
) -> Executed:
    """Run a plan in fresh sessions.

    Raises:
        BlueprintError: if a step cannot be bound, does not end as expected, or if a plan that
            writes changes nothing.
    """
    observed: dict[int, str] = {}
    done: list[Step] = []
    for number, step in enumerate(plan):
        try:
            arguments = resolve(step, facts, observed)
        except BindingError as error:
            raise BlueprintError(f"dry run: {error}") from error
        result = sessions[step.domain].execute(step.tool, arguments)
        if result.ok != (step.expect == "ok") or (result.ok and not result.rows):
            raise BlueprintError(f"dry run: {step.tool} was to be {step.expect}: {result.content}")
        observed[number] = result.content
        done.append(replace(step, gold=arguments, observation=result.content))
    final_state: dict[str, Any] = {}
    for session in sessions.values():
        final_state |= session.changes()
    tools = [sessions[step.domain].domain.tools[step.tool] for step in plan]
    if not final_state and any(
        tool.writes and step.expect == "ok" for tool, step in zip(tools, plan, strict=True)
    ):
        raise BlueprintError("dry run: the plan writes, yet changes nothing")
    return Executed(tuple(done), final_state, tuple(_answers(done, sessions)))


def _answers(plan: Sequence[Step], sessions: Mapping[str, Session]) -> list[Answer]:
    answers = []
    for number, step in enumerate(plan):
        if step.purpose == "lookup" or _replaced(plan, number):
            continue
        found = rows(step.observation)
        if step.expect == "refused":
            answers.append(Answer(step.turn, number, (), str(found[0]["error"])))
            continue
        tell = sessions[step.domain].domain.tools[step.tool].file.tell
        values = [
            display(row[column])
            for row in found[:TOLD_ROWS]
            for column in tell
            if row[column] is not None
        ]
        answers.append(Answer(step.turn, number, tuple(dict.fromkeys(values))))
    return answers


def _replaced(plan: Sequence[Step], number: int) -> bool:
    """Whether a refused goal has an alternative right after it, which is what the user hears of."""
    step = plan[number]
    following = plan[number + 1] if number + 1 < len(plan) else None
    return (
        step.expect == "refused"
        and following is not None
        and following.tool == step.tool
        and following.turn == step.turn
        and following.purpose == "goal"
        and following.expect == "ok"
    )
