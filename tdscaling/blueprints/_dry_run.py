"""The dry run: a draft becomes a contract by being executed from the start.

Enters: draft steps in the order in which they were found. Leaves: plan steps in the order in which
an assistant makes them, with gold arguments and observations, the final state, the answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from tdscaling.bindings import BindingError, resolve, rows
from tdscaling.blueprints._refer import TOLD_ROWS, DraftStep, display
from tdscaling.coding.domain import CodeDomain
from tdscaling.coding.session import CodeSession
from tdscaling.declared.domain import Domain
from tdscaling.declared.session import Session
from tdscaling.errors import BlueprintError
from tdscaling.schema import Answer, Step

SHOWN = 120
"""Characters shown of an observation that differs."""


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
            arguments={name: _moved(b, position) for name, b in drafts[n].bindings.items()},
            turn=drafts[n].turn,
            batch=batches.setdefault((drafts[n].turn, levels[n]), len(batches)),
            purpose="fallback" if drafts[n].fallback else drafts[n].purpose,
            expect=drafts[n].expect,
        )
        for n in order
    )


def _moved(binding: dict[str, Any], position: Mapping[int, int]) -> dict[str, Any]:
    """A binding whose steps are where the order of the calls has put them."""
    if "values" in binding:
        values = {name: _moved(one, position) for name, one in binding["values"].items()}
        return {**binding, "values": values}
    return {**binding, "step": position[binding["step"]]} if "step" in binding else binding


def rehearse(
    plan: Sequence[Step],
    facts: Mapping[str, Any],
    domains: Sequence[Domain],
    worlds: Mapping[str, str],
    afterwards: Callable[[Mapping[str, Session]], None] = lambda sessions: None,
) -> Executed:
    """Run a plan in fresh sessions; where code runs in it, twice.

    Args:
        plan: what is done.
        facts: what the user knows.
        domains: in which.
        worlds: seed of each domain's initial state.
        afterwards: what else is to be done in the first sessions before they are closed.

    Raises:
        BlueprintError: as `execute`, and if code does something else the second time.
    """
    with _opened(domains, worlds) as sessions:
        found = execute(plan, facts, sessions)
        afterwards(sessions)
    if any(isinstance(domain, CodeDomain) for domain in domains):
        with _opened(domains, worlds) as sessions:
            again = _observed(plan, facts, sessions)
        for one, other in zip(found.plan, again, strict=True):
            if one.observation != other.observation:
                seen = f"{one.observation[:SHOWN]}, then {other.observation[:SHOWN]}"
                raise BlueprintError(f"dry run: {one.tool} is not deterministic: {seen}")
    return found


@contextmanager
def _opened(
    domains: Sequence[Domain], worlds: Mapping[str, str]
) -> Iterator[Mapping[str, Session]]:
    sessions = {domain.name: domain.open(worlds[domain.name]) for domain in domains}
    try:
        yield sessions
    finally:
        for session in sessions.values():
            session.close()


def execute(
    plan: Sequence[Step], facts: Mapping[str, Any], sessions: Mapping[str, Session]
) -> Executed:
    """Run a plan in fresh sessions.

    Raises:
        BlueprintError: if a step cannot be bound, does not end as expected, or if a plan that
            writes changes nothing.
    """
    done = _observed(plan, facts, sessions)
    final_state: dict[str, Any] = {}
    for session in sessions.values():
        final_state |= session.changes()
    tools = [sessions[step.domain].domain.tools[step.tool] for step in plan]
    if not final_state and any(
        tool.writes and step.expect == "ok" and not isinstance(sessions[step.domain], CodeSession)
        for tool, step in zip(tools, plan, strict=True)
    ):
        raise BlueprintError("dry run: the plan writes, yet changes nothing")
    return Executed(tuple(done), final_state, tuple(_answers(done, sessions)))


def _observed(
    plan: Sequence[Step], facts: Mapping[str, Any], sessions: Mapping[str, Session]
) -> list[Step]:
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
    return done


def _answers(plan: Sequence[Step], sessions: Mapping[str, Session]) -> list[Answer]:
    answers = []
    for number, step in enumerate(plan):
        if step.purpose == "lookup" or _replaced(plan, number):
            continue
        session = sessions[step.domain]
        if isinstance(session, CodeSession):
            answers.append(Answer(step.turn, number, session.told(step.turn, step.observation)))
            continue
        found = rows(step.observation)
        if step.expect == "refused":
            answers.append(Answer(step.turn, number, (), str(found[0]["error"])))
            continue
        tell = session.domain.tools[step.tool].file.tell
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
    return step.expect == "refused" and following is not None and following.purpose == "fallback"
