"""Blueprints of coding tasks.

Enters: a draw, an area of coding tasks, a random stream. Leaves: a blueprint whose plan is the
code of the task's questions, executed twice; whose answers are what that code printed; and that the
hidden solution agrees with. Code that prints something else each time is dropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random

from tdscaling.blueprints._dry_run import Executed, rehearse
from tdscaling.blueprints._identity import identity
from tdscaling.blueprints._wording import goal_of
from tdscaling.coding import printed
from tdscaling.coding.domain import CodeDomain
from tdscaling.coding.session import CodeSession
from tdscaling.coding.task import Question, Task
from tdscaling.declared.session import Session
from tdscaling.errors import BlueprintError
from tdscaling.schema import Blueprint, Cluster, Operator, Step, UserTurn


def coding_blueprint(cluster: Cluster, domain: CodeDomain, random: Random) -> Blueprint:
    """A blueprint of a random task.

    Raises:
        BlueprintError: if its code does not end as planned, or not as the hidden solution says.
        SandboxLostError: if the sandbox is gone.
    """
    world = domain.draw(random)
    task = domain.task(world)
    plan = tuple(_steps(task, domain, random))
    turns = tuple(UserTurn(random.choice(q.requests), ()) for q in task.questions)
    worlds = {domain.name: world}
    solutions: dict[int, str] = {}

    def solve(sessions: Mapping[str, Session]) -> None:
        session = sessions[domain.name]
        if isinstance(session, CodeSession):
            solutions.update(session.solutions())

    executed = rehearse(plan, {}, [domain], worlds, solve)
    agree(f"{domain.name}, {world}", task, executed, solutions)
    operators: tuple[Operator, ...] = ("extend",) if len(turns) > 1 else ()
    requests = [turn.request for turn in turns]
    return Blueprint(
        id=identity(worlds, executed.plan, turns, ()),
        cluster=cluster.id,
        domain=domain.name,
        category=cluster.category,
        operators=operators,
        worlds=worlds,
        goal=goal_of(requests),
        facts={},
        turns=turns,
        plan=executed.plan,
        injections=(),
        final_state=executed.final_state,
        answers=executed.answers,
    )


def _steps(task: Task, domain: CodeDomain, random: Random) -> Iterator[Step]:
    batch = 0
    for turn, question in enumerate(task.questions):
        slips = random.random() < domain.recover_share and bool(question.slips)
        runs = random.choice(question.slips) if slips else question.runs
        for run in runs:
            yield Step(
                domain=domain.name,
                tool=run.tool,
                arguments={name: {"text": text} for name, text in run.arguments.items()},
                turn=turn,
                batch=batch,
                purpose="goal" if run is runs[-1] else "lookup",
                expect="refused" if run.fails else "ok",
            )
            batch += 1


def agree(where: str, task: Task, executed: Executed, solutions: Mapping[int, str]) -> None:
    """Hold what a plan has come to against the hidden solutions.

    Args:
        where: area and world.
        task: of the world.
        executed: a plan that ends each turn with its only goal.
        solutions: what hidden solutions print, by turn.

    Raises:
        BlueprintError: if they disagree, or there is nothing to tell.
    """
    found = [done for table in executed.final_state.values() for done in table["changed"]]
    last = {step.turn: step.observation for step in executed.plan if step.purpose == "goal"}
    for turn, question in enumerate(task.questions):
        if turn in solutions:
            agrees = printed.same_lines(printed.stdout(last[turn]), solutions[turn])
        else:
            agrees = f"question {turn + 1}" in found
        if not agrees:
            raise BlueprintError(f"{where}: the hidden solution disagrees")
        if not _tells(question, executed, turn):
            raise BlueprintError(f"{where}: the result is empty")


def _tells(question: Question, executed: Executed, turn: int) -> bool:
    # A mended module prints nothing; its check has spoken.
    silent = not any("{0}" in text or "{items}" in text for text in question.answers)
    return silent or any(answer.turn == turn and answer.values for answer in executed.answers)
