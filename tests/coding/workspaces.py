"""Real sandboxes, domains of coding tasks, and conversations in them."""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import yaml

from tdscaling.attempt import scene_of
from tdscaling.blueprints._coding import coding_blueprint
from tdscaling.coding import printed
from tdscaling.coding.domain import CodeDomain, cluster_of, code_domain
from tdscaling.coding.session import CodeSession
from tdscaling.coding.task import Question, Run
from tdscaling.declared.domain import Domain
from tdscaling.environments.declared import DeclaredEnvironments
from tdscaling.errors import BlueprintError
from tdscaling.graphs.conversation import ConversationGraph
from tdscaling.metrics.default import DiversityMetrics
from tdscaling.roles import Scene
from tdscaling.roles.judge.scripted import ScriptedJudge
from tdscaling.roles.user.scripted import ScriptedUser
from tdscaling.sandbox.bubblewrap import BubblewrapSandbox
from tdscaling.schema import Blueprint, Message, Trace, Transcript, Verdict
from tdscaling.verification import Case
from tdscaling.verification.replay import ReplayVerification
from tests.conversations import LIMITS, Deviating, Edit

CONF = Path(__file__).resolve().parents[2] / "conf"
REPLAY = ReplayVerification(claims=True, require=None)


@functools.cache
def sandbox() -> BubblewrapSandbox:
    return BubblewrapSandbox(cache=None, **limits())


def limits() -> dict[str, Any]:
    """Those that a sandbox has where nothing else is said."""
    found: dict[str, Any] = yaml.safe_load((CONF / "sandbox" / "_limits.yaml").read_text())
    return found


@functools.cache
def area(name: str, recover_share: float = 0.0) -> CodeDomain:
    return code_domain(name, sandbox(), recover_share=recover_share, glue_share=0.0)


def amiss(session: CodeSession, number: int, question: Question, runs: Sequence[Run]) -> str:
    """What is wrong with a way to answer a question, by executing it; empty where all is well."""
    content = ""
    for run in runs:
        result = session.execute(run.tool, run.arguments)
        content = result.content
        if result.ok == run.fails:
            return f"{run} was to {'fail' if run.fails else 'succeed'}: {content}"
    if question.hidden.kind == "prints":
        solution = session.solution(question.hidden)
        if not printed.same_lines(printed.stdout(content), solution):
            return f"printed {content}, the hidden solution {solution!r}"
    elif f"question {number}" not in str(session.changes()):
        return f"the hidden check does not pass after {content}"
    return ""


@functools.cache
def contract(name: str, family: str, recover_share: float = 0.0, first: int = 0) -> Blueprint:
    """The first blueprint of a family that can be made, from a number on."""
    domain = area(name, recover_share)
    for number in range(first, first + 40):
        world = f"{family}.{number}"

        class Fixed(CodeDomain):
            def draw(self, random: Random, chosen: str = world) -> str:
                return chosen

        fields = {field: getattr(domain, field) for field in domain.__dataclass_fields__}
        try:
            return coding_blueprint(cluster_of(domain), Fixed(**fields), Random(f"{number}"))
        except BlueprintError:
            continue
    raise AssertionError(f"no blueprint of {name}, {family}")


def play(blueprint: Blueprint, edit: Edit) -> tuple[Transcript, Verdict]:
    """Play and verify a conversation in which the assistant says something else."""
    return played(blueprint, {name: area(name) for name in blueprint.worlds}, edit)


def unchanged(scene: Scene, messages: Sequence[Message], message: Message) -> Message:
    return message


def played(
    blueprint: Blueprint, domains: Mapping[str, Domain], edit: Edit = unchanged
) -> tuple[Transcript, Verdict]:
    """The same, in domains of which some run code."""
    scene = scene_of(blueprint, domains, "a seed")
    environments = DeclaredEnvironments()
    real = environments.open(scene.domains, blueprint.worlds, ())

    async def verify(transcript: Transcript) -> Verdict:
        case = Case(blueprint, transcript, scene.tools, scene.domains, environments)
        return await REPLAY.verify(case)

    try:
        return asyncio.run(
            ConversationGraph(**LIMITS).play(
                scene,
                user=ScriptedUser(),
                assistant=Deviating(edit),
                judge=ScriptedJudge(),
                environment=real,
                verify=verify,
            )
        )
    finally:
        real.close()


def trace(transcript: Transcript) -> Trace:
    options = yaml.safe_load((CONF / "metrics" / "default.yaml").read_text())
    del options["_target_"]
    metrics = DiversityMetrics(**options)
    writes = {"run_python", "run_bash", "edit_file"}
    return metrics.read(transcript.messages, writes, transcript.provenance)


def arguments(message: Message) -> dict[str, Any]:
    """Arguments of the only call of a message; none where it is words."""
    calls = message.get("tool_calls") or ()
    found: dict[str, Any] = json.loads(calls[0]["function"]["arguments"]) if calls else {}
    return found


def instead(message: Message, tool: str, **given: Any) -> Message:
    """A message whose call is another."""
    call = {**message["tool_calls"][0], "function": {"name": tool, "arguments": json.dumps(given)}}
    return {**message, "tool_calls": [call]}
