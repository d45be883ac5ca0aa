"""One attempt: draw -> blueprint -> dry run -> converse -> verify -> measure.

Enters: a draw. Leaves: an outcome, whatever happens: a failure is a rejection with its reason. An
attempt is a function of its draw and of the parts it was built from, and it pickles, so it can run
anywhere.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace
from functools import cache
from typing import Any, Protocol

from tdscaling import tracing
from tdscaling.blueprints import Blueprints
from tdscaling.coding.domain import CodeDomain
from tdscaling.credits import narrated, roles_of, told_of, voiced
from tdscaling.declared.domain import Domain
from tdscaling.environments import Environment, Environments
from tdscaling.errors import AttemptError, BlueprintError, DomainError
from tdscaling.live.recording import recorded
from tdscaling.metrics import Metrics
from tdscaling.roles import Judge, Role, Scene
from tdscaling.schema import (
    Blueprint,
    Cluster,
    Draw,
    Outcome,
    Tool,
    Trace,
    Transcript,
    Verdict,
)
from tdscaling.spending.account import Account
from tdscaling.verification import Case, Verification

PLANNERS = 64
"""Plans over servers that are made side by side in one process, at most; they only wait."""
RUN_CODE = frozenset(("compute", "glue"))
"""Operators whose plans run code, and so wait for a sandbox."""
NO_TRACE = Trace((), "", "", (), 0.0)
SYSTEM = (
    "You are an assistant with tools. {about} It is {clock}. Use the tools to do what the user "
    "asks, ask for what is missing, state only what the tools or the user told you, and say so "
    "plainly when something cannot be done."
)


class Graph(Protocol):
    """A state machine that plays conversations; the options lie in `graphs/`."""

    async def play(
        self,
        scene: Scene,
        *,
        user: Role,
        assistant: Role,
        judge: Judge,
        environment: Environment,
        verify: Callable[[Transcript], Awaitable[Verdict]],
    ) -> tuple[Transcript, Verdict]:
        """Play one conversation to its end."""
        ...


class Attempt:
    """Makes outcomes of draws.

    Args:
        domains: by name.
        clusters: that draws may name.
        blueprints: makes the contract.
        user: plays the user.
        assistant: plays the assistant.
        judge: looks at what verification accepted.
        environments: execute the calls.
        graph: plays the conversation.
        verification: decides.
        metrics: reads the trace; nothing is counted here.
        account: pays for requests to models.
    """

    def __init__(
        self,
        *,
        domains: Mapping[str, Domain],
        clusters: Sequence[Cluster],
        blueprints: Blueprints,
        user: Role,
        assistant: Role,
        judge: Judge,
        environments: Environments,
        graph: Graph,
        verification: Verification,
        metrics: Metrics,
        account: Account,
    ) -> None:
        self._domains = domains
        self._clusters = {cluster.id: cluster for cluster in clusters}
        self._blueprints = blueprints
        self._user = user
        self._assistant = assistant
        self._judge = judge
        self._speakers = (blueprints, user, assistant, judge)
        self._environments = environments
        self._graph = graph
        self._verification = verification
        self._metrics = metrics
        self.account = account

    async def run(self, draw: Draw) -> Outcome:
        """Make one attempt.

        Raises:
            EndpointError: if a role's model cannot be used at all.
            EndOfRun: if a cap of the run is reached; all else is an outcome.
        """
        identifier, request = trajectory_id(draw), draw.request
        with (
            tracing.attempt(
                identifier, tdscaling_round=draw.round, tdscaling_cluster=request.cluster
            ) as span,
            recorded() as recordings,
            self.account.charged(identifier),
        ):
            outcome = await self._run(draw)
            span.told(
                tdscaling_outcome=outcome.verdict.reason or "accepted",
                tdscaling_requests=len(outcome.llm_calls),
                tdscaling_cost_usd=sum(call.cost_usd for call in outcome.llm_calls),
            )
        return replace(outcome, recordings=tuple(recordings.values()))

    async def _run(self, draw: Draw) -> Outcome:
        cluster = self._clusters[draw.request.cluster]
        watch = _Watch()
        try:
            made = await self._make(draw, cluster)
            blueprint, worded = await self._blueprints.compose(made, draw, self._domains)
        except AttemptError as error:
            watch.lap("blueprint")
            verdict = Verdict(False, error.reason, str(error))
            spent = tuple(getattr(error, "calls", ()))
            return replace(_unplayed(draw, cluster, verdict, watch.laps), llm_calls=spent)
        watch.lap("blueprint")
        scene = self.scene(voiced(blueprint, self._user), draw.seed)
        transcript, verdict = await self._play(scene, watch)
        transcript = replace(transcript, llm_calls=(*worded, *transcript.llm_calls))
        outcome = self._outcome(draw, scene, transcript, verdict)
        watch.lap("measure")
        return outcome(watch.laps)

    async def _make(self, draw: Draw, cluster: Cluster) -> Blueprint:
        """The blueprint of a draw.

        Raises:
            BlueprintError: if none could be made.
            EnvironmentFailure: if what executes the plan is broken.
        """
        try:
            home = self._domains[cluster.domain]
            if not home.blocking and RUN_CODE.isdisjoint(draw.request.operators):
                return self._blueprints.make(draw, cluster, self._domains)
            # A plan over a server waits for it: the other conversations go on meanwhile.
            loop, make = asyncio.get_running_loop(), self._blueprints.make
            run = copy_context().run  # what servers answer is recorded for this attempt
            return await loop.run_in_executor(_planners(), run, make, draw, cluster, self._domains)
        except DomainError as error:
            raise BlueprintError(f"{cluster.domain}: {error}") from error

    def scene(self, blueprint: Blueprint, seed: str) -> Scene:
        """What a conversation over a blueprint is about."""
        return scene_of(blueprint, self._domains, seed)

    async def _play(self, scene: Scene, watch: _Watch) -> tuple[Transcript, Verdict]:
        blueprint = scene.blueprint
        environment = self._environments.open(scene.domains, blueprint.worlds, blueprint.injections)

        async def verify(transcript: Transcript) -> Verdict:
            watch.lap("converse")
            case = Case(blueprint, transcript, scene.tools, scene.domains, self._environments)
            verdict = await self._verification.verify(case)
            watch.lap("verify")
            return verdict

        try:
            played = await self._graph.play(
                scene,
                user=self._user,
                assistant=self._assistant,
                judge=self._judge,
                environment=environment,
                verify=verify,
            )
        finally:
            environment.close()
        watch.lap("converse")
        return played

    def _outcome(
        self, draw: Draw, scene: Scene, transcript: Transcript, verdict: Verdict
    ) -> Callable[[dict[str, float]], Outcome]:
        blueprint = scene.blueprint
        writes = {tool.name for tool in scene.tools if tool.writes}
        trace = self._metrics.read(transcript.messages, writes, transcript.provenance)
        meta = {
            "seed": draw.seed,
            "round": draw.round,
            "category": blueprint.category,
            "domain": blueprint.domain,
            "cluster": blueprint.cluster,
            "operators": list(blueprint.operators),
            "mode": trace.mode,
            "signature": trace.signature,
            "complexity": trace.complexity,
            "provenance": list(transcript.provenance),
            "roles": narrated(roles_of(blueprint, *self._speakers), transcript.llm_calls),
            "verdict": {
                "accepted": verdict.accepted,
                "reason": verdict.reason,
                "detail": verdict.detail,
            },
            "domains": {name: domain.digest for name, domain in scene.domains.items()},
            "blueprint": blueprint.to_json(),
        }
        meta |= sandbox_of(scene.domains) | told_of(blueprint, *self._speakers)
        line = {
            "id": trajectory_id(draw),
            "messages": list(transcript.messages),
            "tools": [tool.openai() for tool in scene.tools],
            "meta": meta,
        }
        return lambda seconds: Outcome(
            index=draw.index,
            round=draw.round,
            id=trajectory_id(draw),
            seed=draw.seed,
            request=draw.request,
            category=blueprint.category,
            domain=blueprint.domain,
            categories=_categories(trace, scene.tools, blueprint.category),
            verdict=verdict,
            blueprint_id=blueprint.id,
            trace=trace,
            turns=sum(message["role"] == "user" for message in transcript.messages),
            llm_calls=transcript.llm_calls,
            line=json.dumps(line, ensure_ascii=False),
            seconds=seconds,
            voice=blueprint.voice.name if blueprint.voice else "",
        )


@cache
def _planners() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(PLANNERS, "planner")


def scene_of(blueprint: Blueprint, domains: Mapping[str, Domain], seed: str) -> Scene:
    """What a conversation over a blueprint is about.

    Raises:
        KeyError: if a domain of the blueprint is missing.
    """
    chosen = {name: domains[name] for name in blueprint.worlds}
    tools = tuple(tool for domain in chosen.values() for tool in domain.as_tools())
    about = " ".join(domain.file.about for domain in chosen.values())
    # Beside a service, a sandbox that works out its figures has no time of its own to tell.
    timed = {n: d for n, d in chosen.items() if not isinstance(d, CodeDomain)} or chosen
    clocks = [
        domain.file.clock
        if len(timed) == 1
        else f"{domain.file.clock} in the {name.replace('_', ' ')} system"
        for name, domain in timed.items()
    ]
    system = SYSTEM.format(about=about, clock=" and ".join(clocks))
    return Scene(blueprint, chosen, tools, system, seed)


def sandbox_of(domains: Mapping[str, Domain]) -> dict[str, Any]:
    """What the code of a conversation ran in; nothing where no code runs."""
    for domain in domains.values():
        if isinstance(domain, CodeDomain):
            return {"sandbox": dict(domain.sandbox.describe())}
    return {}


def trajectory_id(draw: Draw) -> str:
    """Readable, unique within a run, and different between runs of other seeds."""
    return f"{draw.index:06d}-{draw.seed[:8]}"


class _Watch:
    """CPU seconds per stage; conversations side by side count each other's."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._since = time.thread_time()

    def lap(self, stage: str) -> None:
        now = time.thread_time()
        self.laps[stage] = self.laps.get(stage, 0.0) + now - self._since
        self._since = now


def _unplayed(draw: Draw, cluster: Cluster, verdict: Verdict, seconds: dict[str, float]) -> Outcome:
    return Outcome(
        index=draw.index,
        round=draw.round,
        id=trajectory_id(draw),
        seed=draw.seed,
        request=draw.request,
        category=cluster.category,
        domain=cluster.domain,
        categories={},
        verdict=verdict,
        blueprint_id="",
        trace=NO_TRACE,
        turns=0,
        seconds=seconds,
    )


def _categories(trace: Trace, tools: Sequence[Tool], own: str) -> dict[str, float]:
    """Mass 1 over the categories of the calls; a conversation without calls counts for its own."""
    category = {tool.name: tool.category for tool in tools}
    counts: Counter[Any] = Counter(category.get(action.tool, own) for action in trace.actions)
    total = counts.total()
    return {name: count / total for name, count in sorted(counts.items())} if total else {own: 1.0}
