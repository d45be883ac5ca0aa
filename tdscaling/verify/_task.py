"""What a line's world asks for, held against what its blueprint says of it.

Enters: a blueprint over an area of coding tasks. Leaves: the first thing in it that is not of the
task which its world names: the calls of its plan, the user's words. And whether what the plan comes
to agrees with the task's hidden solution, which is run in a workspace of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tdscaling.blueprints._coding import agree
from tdscaling.blueprints._dry_run import Executed
from tdscaling.blueprints._worded import worded
from tdscaling.blueprints._wording import goal_of
from tdscaling.coding.areas import CALCULATIONS, worlds
from tdscaling.coding.domain import NUMBERS, CodeDomain
from tdscaling.coding.task import Run
from tdscaling.declared.domain import Domain
from tdscaling.schema import Blueprint, Step
from tdscaling.verification._differences import cut

_WORLD = re.compile(r"([a-z_]+)\.(0|[1-9]\d{0,8})")


def other_task(blueprint: Blueprint, domains: Mapping[str, Domain]) -> str | None:
    """Whether a blueprint is about the very task that its world names."""
    for name, world in blueprint.worlds.items():
        domain = domains[name]
        if not isinstance(domain, CodeDomain):
            continue
        if problem := _other_world(name, world):
            return problem
        if name != CALCULATIONS:
            return _other_plan(blueprint, domain, world)
    return None


def other_outcome(blueprint: Blueprint, executed: Executed, domains: Mapping[str, Domain]) -> None:
    """Hold what a task's plan has come to against its hidden solutions.

    Args:
        blueprint: of which `other_task` found nothing.
        executed: its plan.
        domains: of it.

    Raises:
        BlueprintError: if they disagree.
        EnvironmentFailure: if a hidden solution fails.
        SandboxLostError: if the sandbox is gone.
    """
    for name, world in blueprint.worlds.items():
        domain = domains[name]
        if isinstance(domain, CodeDomain) and name != CALCULATIONS:
            # Not in the plan's own: there, files may be others than those of the task by now.
            session = domain.open(world)
            try:
                agree(f"{name}, {world}", session.task, executed, session.solutions())
            finally:
                session.close()


def other_figure(blueprint: Blueprint, domains: Mapping[str, Domain]) -> str | None:
    """Whether the words ask for the figures that code works out over what tools returned."""
    try:
        for turn, names in worded(blueprint, domains):
            said = _plain(blueprint.turns[turn].request)
            if not names:
                return f"blueprint, turn {turn}: expected code that is written for a figure here"
            if not any(_plain(name) in said for name in names):
                wanted = f"words for the figure that its code works out, such as {cut(names[0])!r}"
                got = cut(blueprint.turns[turn].request)
                return f"blueprint, turn {turn}: expected {wanted}, got {got!r}"
    except (LookupError, TypeError, ValueError, AttributeError, StopIteration) as error:
        return f"blueprint: expected code for a figure over what tools returned: {cut(str(error))}"
    return None


def _plain(words: str) -> str:
    # Where a sentence ends or begins there, a comma goes and a letter is a capital.
    return words.replace(",", "").lower()


def _other_world(name: str, world: object) -> str | None:
    families = worlds(name)
    found = _WORLD.fullmatch(world) if isinstance(world, str) else None
    most = NUMBERS if name != CALCULATIONS else 1
    if found and found[1] in families and int(found[2]) < most:
        return None
    wanted = f"a family of {', '.join(families)} and a number up to {most - 1}"
    return f"blueprint, worlds, {name}: expected {wanted}, got {cut(world)!r}"


def _other_plan(blueprint: Blueprint, domain: CodeDomain, world: str) -> str | None:
    if len(blueprint.worlds) > 1 or blueprint.facts or blueprint.injections:
        return f"blueprint: expected nothing but the task {world} of {domain.name}"
    questions, turns = domain.task(world).questions, blueprint.turns
    if len(turns) != len(questions):
        return f"blueprint, turns: expected {len(questions)} of the task {world}, got {len(turns)}"
    for number, (question, turn) in enumerate(zip(questions, turns, strict=True)):
        # A model finds no words for these, see `tdscaling.blueprints._briefs`.
        if turn.request not in question.requests or turn.withheld or turn.revises:
            wanted = f"a wording of the task {world}, such as {cut(question.requests[0])!r}"
            return f"blueprint, turn {number}: expected {wanted}, got {cut(turn.request)!r}"
        steps = [step for step in blueprint.plan if step.turn == number]
        if not any(_same(steps, runs) for runs in (question.runs, *question.slips)):
            return f"blueprint, turn {number}: expected the calls of the task {world}, got others"
    wanted = goal_of([turn.request for turn in turns])
    if blueprint.goal != wanted:
        return f"blueprint, goal: expected {cut(wanted)!r}, got {cut(blueprint.goal)!r}"
    return None


def _same(steps: Sequence[Step], runs: Sequence[Run]) -> bool:
    return [(step.tool, step.arguments, step.purpose, step.expect) for step in steps] == [
        (
            run.tool,
            {name: {"text": text} for name, text in run.arguments.items()},
            "goal" if last else "lookup",
            "refused" if run.fails else "ok",
        )
        for last, run in ((n == len(runs), run) for n, run in enumerate(runs, 1))
    ]
