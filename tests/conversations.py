"""Single conversations of real parts: blueprints that fit a test, played through the real graph."""

from __future__ import annotations

import asyncio
import functools
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

from tdscaling.attempt import scene_of
from tdscaling.blueprints.dataflow import DataFlowBlueprints
from tdscaling.catalog import Catalog
from tdscaling.clusters.dataflow import DataFlowClusters
from tdscaling.declared.domain import Domain
from tdscaling.environments import Environment, Environments
from tdscaling.environments.declared import DeclaredEnvironments
from tdscaling.errors import BlueprintError, RoleError
from tdscaling.graphs.conversation import ConversationGraph
from tdscaling.roles import Judge, Role, Said, Scene
from tdscaling.roles.assistant.scripted import ScriptedAssistant
from tdscaling.roles.judge.scripted import ScriptedJudge
from tdscaling.roles.user.scripted import ScriptedUser
from tdscaling.schema import (
    Blueprint,
    Cluster,
    Draw,
    Message,
    Operator,
    Request,
    Transcript,
    Verdict,
    digest,
)
from tdscaling.tools.declared import DeclaredTools
from tdscaling.verification import Case
from tdscaling.verification.replay import ReplayVerification

CONF = Path(__file__).resolve().parents[1] / "conf"
DOMAINS = ("airline", "bank", "helpdesk", "webshop")
EXTRA = "extra"
"""Ids of calls that a test adds start like this; the scripted assistant does not see them."""
REPLAY = ReplayVerification(claims=True, require=None)
LIMITS = {"user_turns": 24, "steps": 24, "repeats": 4}

Edit = Callable[[Scene, Sequence[Message], Message], Message | None]
"""What an assistant says instead: scene, messages so far, what the scripted one would say."""


@functools.cache
def domains() -> dict[str, Domain]:
    return DeclaredTools(domains=list(DOMAINS), paths=[]).load().domains


@functools.cache
def _stage() -> DataFlowBlueprints:
    return DataFlowBlueprints(**{**_options("blueprints/dataflow"), "seed": 1, "worlds": 2})


@functools.cache
def _clusters() -> tuple[Cluster, ...]:
    return DataFlowClusters(**_options("clusters/dataflow")).build(Catalog({}, domains()))


def _options(name: str) -> dict[str, Any]:
    options: dict[str, Any] = yaml.safe_load((CONF / f"{name}.yaml").read_text())
    del options["_target_"]
    return options


@functools.cache
def blueprint(
    domain: str,
    wanted: Callable[[Blueprint], bool] = bool,
    operators: tuple[Operator, ...] = (),
    calls: int = 3,
) -> Blueprint:
    """The first of a fixed row of blueprints that is as wanted."""
    clusters = [cluster for cluster in _clusters() if cluster.domain == domain]
    for number in range(400):
        cluster = clusters[number % len(clusters)]
        draw = Draw(number, 0, digest([domain, number]), Request(cluster.id, operators, calls))
        try:
            found = _stage().make(draw, cluster, domains())
        except BlueprintError:
            continue
        if wanted(found):
            return found
    raise AssertionError(f"no blueprint of {domain} is as wanted")


def calls(*tools: str, turns: int | None = None) -> Callable[[Blueprint], bool]:
    """Whether a plan of that many turns calls the tools successfully."""
    return _Calls(tools, turns)


class _Calls:
    def __init__(self, tools: tuple[str, ...], turns: int | None) -> None:
        self._key = (tools, turns)

    def __call__(self, found: Blueprint) -> bool:
        tools, turns = self._key
        done = {step.tool for step in found.plan if step.expect == "ok"}
        return done >= set(tools) and turns in (None, len(found.turns))

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Calls) and other._key == self._key


class Deviating:
    """The scripted assistant, but for one edit of what it says."""

    name = "deviating"

    def __init__(self, edit: Edit) -> None:
        self._edit = edit

    async def speak(self, scene: Scene, messages: Sequence[Message]) -> Said:
        try:
            said = await ScriptedAssistant().speak(scene, known(messages))
            message = said.message
        except RoleError:  # what it sees is not what it planned for
            message = None
        return Said(self._edit(scene, messages, message or text("All done.")))


def known(messages: Sequence[Message]) -> list[Message]:
    """Messages without calls that a test added."""
    return [
        message
        for message in messages
        if not message.get("tool_call_id", "").startswith(EXTRA)
        and not any(call["id"].startswith(EXTRA) for call in message.get("tool_calls") or ())
    ]


def text(words: str) -> Message:
    return {"role": "assistant", "content": words}


def call(tool: str, arguments: str, number: int = 0) -> Message:
    """An added call."""
    function = {"name": tool, "arguments": arguments}
    made = {"id": f"{EXTRA}_{number}", "type": "function", "function": function}
    return {"role": "assistant", "content": None, "tool_calls": [made]}


def once(messages: Sequence[Message], number: int = 0) -> bool:
    """Whether an added call was not made yet."""
    return not any(m.get("tool_call_id") == f"{EXTRA}_{number}" for m in messages)


def says(message: Message) -> bool:
    """Whether a message is an answer and not a call."""
    return not message.get("tool_calls")


def play(
    contract: Blueprint,
    *,
    user: Role | None = None,
    assistant: Role | Edit | None = None,
    judge: Judge | None = None,
    environment: Callable[[Environment], Environment] | None = None,
    replayed_in: Environments | None = None,
    limits: dict[str, int] | None = None,
) -> tuple[Transcript, Verdict]:
    """Play and verify one conversation."""
    scene = scene_of(contract, domains(), "a seed")
    graph = ConversationGraph(**(limits or LIMITS))
    real = DeclaredEnvironments().open(scene.domains, contract.worlds, contract.injections)
    role: Any = assistant or ScriptedAssistant()

    async def verify(transcript: Transcript) -> Verdict:
        return await REPLAY.verify(case_of(contract, transcript, replayed_in))

    try:
        return asyncio.run(
            graph.play(
                scene,
                user=user or ScriptedUser(),
                assistant=role if hasattr(role, "speak") else Deviating(role),
                judge=judge or ScriptedJudge(),
                environment=environment(real) if environment else real,
                verify=verify,
            )
        )
    finally:
        real.close()


def case_of(
    contract: Blueprint, transcript: Transcript, environments: Environments | None = None
) -> Case:
    scene = scene_of(contract, domains(), "a seed")
    return Case(
        contract, transcript, scene.tools, scene.domains, environments or DeclaredEnvironments()
    )


def verdict_on(contract: Blueprint, transcript: Transcript) -> Verdict:
    return asyncio.run(REPLAY.verify(case_of(contract, transcript)))


def mixed(count: int) -> list[Blueprint]:
    """Blueprints of all domains, operators and lengths."""
    operators = _stage().menu(()).operators
    clusters = _clusters()
    found: list[Blueprint] = []
    for number in itertools.count():
        cluster = clusters[number * 7 % len(clusters)]
        wanted = Request(cluster.id, operators[number * 5 % len(operators)], 1 + number % 12)
        try:
            draw = Draw(number, 0, digest(["mixed", number]), wanted)
            found.append(_stage().make(draw, cluster, domains()))
        except BlueprintError:
            continue
        if len(found) == count:
            return found
    raise AssertionError


def rejected(verdict: Verdict, reason: str, *words: str) -> None:
    assert (verdict.accepted, verdict.reason) == (False, reason), verdict.detail
    for word in words:
        assert word in verdict.detail
