"""Blueprints sampled along data-flow paths.

Enters: a draw. Leaves: a dry-run blueprint whose operators are those that really shaped it. Goals
are chosen and executed one after the other in a scratch copy of the state; the finished plan is
then dry-run from the start in a fresh one.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any, TypedDict, Unpack

from tdscaling.blueprints._coding import coding_blueprint
from tdscaling.blueprints._compose import Composer
from tdscaling.blueprints._dry_run import Executed, arrange, rehearse
from tdscaling.blueprints._glue import CALLS as GLUE_CALLS
from tdscaling.blueprints._identity import identity
from tdscaling.blueprints._mutate import adopt, revisions
from tdscaling.blueprints._plan import Planner
from tdscaling.blueprints._voices import Voices
from tdscaling.blueprints._wording import Wording, goal_of
from tdscaling.coding.areas import CALCULATIONS
from tdscaling.coding.domain import CodeDomain
from tdscaling.declared.domain import Domain
from tdscaling.declared.rows import Generators
from tdscaling.declared.session import Session
from tdscaling.errors import BlueprintError, ConfigError
from tdscaling.schema import (
    Blueprint,
    Cluster,
    Draw,
    Injection,
    LlmCall,
    Menu,
    Operator,
    Step,
    UserTurn,
)

ORDER: tuple[Operator, ...] = (
    "extend",
    "branch",
    "withhold",
    "perturb",
    "revise",
    "cross",
    "refuse",
    "compute",
    "glue",
)
COMPUTING: tuple[Operator, ...] = ("compute", "glue")
"""Operators that need code to be run."""

REDONE: frozenset[Operator] = frozenset({"withhold", "perturb"})
"""Operators that a mutant of a blueprint that has them applies anew."""


class Knobs(TypedDict):
    """Keys of `conf/blueprints/dataflow.yaml`."""

    seed: int
    """Of the run; names the worlds."""
    worlds: int
    """Initial states per domain, at least 1."""
    operators: list[Operator]
    """Operators on offer."""
    max_operators: int
    """Operators in one blueprint, at most."""
    calls: tuple[int, int]
    """Fewest and most gold calls to aim at."""
    depth: int
    """Lookups that may feed a goal one after the other, at least 0."""
    tries: int
    """Drafts before a draw is given up, at least 1."""
    transient_errors: list[str]
    """Texts that `perturb` injects."""
    voices: dict[str, list[str]]
    """`personas`, `styles` and `languages` that users are given, for models that find their words;
    see `tdscaling.blueprints._voices`."""


class DataFlowBlueprints:
    """Samples plans along data-flow.

    Args:
        knobs: see `Knobs`.
    """

    author = ""
    prompts: Mapping[str, str] = {}

    def __init__(self, **knobs: Unpack[Knobs]) -> None:
        _check(knobs)
        self._knobs = knobs
        self._operators = tuple(o for o in ORDER if o in knobs["operators"])
        self._calls = tuple(range(knobs["calls"][0], knobs["calls"][1] + 1))
        self._voices = Voices(knobs["voices"], knobs["seed"])

    def menu(self, clusters: Sequence[Cluster]) -> Menu:
        """All clusters, all combinations of operators, all numbers of calls."""
        combinations = [
            combination
            for size in range(self._knobs["max_operators"] + 1)
            for combination in itertools.combinations(self._operators, size)
        ]
        return Menu(tuple(clusters), tuple(combinations), self._calls)

    def make(self, draw: Draw, cluster: Cluster, domains: Mapping[str, Domain]) -> Blueprint:
        """The blueprint of a draw.

        Raises:
            BlueprintError: if no draft works; the message is that of the last one.
        """
        problem = BlueprintError(f"{cluster.domain}: no draft was tried")
        home = domains[cluster.domain]
        for attempt in range(self._knobs["tries"]):
            generators = Generators(f"{draw.seed}:plan:{attempt}", home.file.clock, None)
            try:
                if isinstance(home, CodeDomain):
                    made = coding_blueprint(cluster, home, generators.random)
                else:
                    made = self._draft(draw, cluster, domains, generators)
            except BlueprintError as error:
                problem = error
            else:
                voice = self._voices.draw(draw.index)
                return replace(made, voice=voice) if voice else made
        raise problem

    async def compose(
        self, blueprint: Blueprint, draw: Draw, domains: Mapping[str, Domain]
    ) -> tuple[Blueprint, tuple[LlmCall, ...]]:
        """The blueprint as it is: the templates' words stand."""
        return blueprint, ()

    def _draft(
        self,
        draw: Draw,
        cluster: Cluster,
        domains: Mapping[str, Domain],
        generators: Generators,
    ) -> Blueprint:
        parent = draw.parent
        chosen = self._domains(draw, cluster, domains, generators)
        seeds = {domain.name: self._world(domain, generators.random) for domain in chosen}
        seeds |= parent.worlds if parent else {}
        asked = _asked(draw)
        allowed = {domain.name: frozenset(domain.tools) for domain in chosen}
        allowed[cluster.domain] = frozenset(tool.name for tool in cluster.tools)
        sessions = _open(chosen, seeds)
        try:
            planner = Planner(sessions, allowed, generators, self._knobs["depth"])
            gluing = _gluing(chosen[-1], asked, generators.random)
            calls = max(draw.request.calls - gluing * GLUE_CALLS, 0)
            composer = Composer(planner, chosen, asked, calls, self._knobs["depth"])
            if parent:
                adopt(planner, parent)
                composer.go_on(set(parent.operators) - REDONE, revisions(parent))
            composer.compose()
            glued = gluing and composer.glue(generators, must="glue" in asked)
            if "compute" in asked and not glued:
                composer.compute()
        finally:
            _close(sessions)
        applied = set(composer.applied)
        wording = Wording(planner.steps, generators, composer.revised, planner.facts)
        turns = wording.turns(withhold="withhold" in asked)
        if any(turn.withheld for turn in turns):
            applied.add("withhold")
        elif "withhold" in asked:
            raise BlueprintError(f"{cluster.domain}: no fact of this plan can be withheld")
        plan = arrange(planner.steps, parallel="branch" in applied)
        writing = {t.name for d in chosen for t in d.tools.values() if t.writes}
        injections = self._inject(plan, asked, writing, generators)
        applied |= {"perturb"} if injections else set()
        executed = rehearse(plan, planner.facts, chosen, seeds)
        operators = tuple(o for o in ORDER if o in applied)
        blueprint = _blueprint(
            cluster, chosen, operators, seeds, planner.facts, turns, executed, injections
        )
        if parent is None:
            return blueprint
        if blueprint.id == parent.id:
            raise BlueprintError(f"parent {parent.id}: nothing is new about its mutant")
        return replace(blueprint, parent=parent.id)

    def _domains(
        self,
        draw: Draw,
        cluster: Cluster,
        domains: Mapping[str, Domain],
        generators: Generators,
    ) -> tuple[Domain, ...]:
        home = domains[cluster.domain]
        inherited = draw.parent.domain.split("+")[1:] if draw.parent else []
        if CALCULATIONS in inherited:
            raise BlueprintError("a blueprint that computes is no parent")
        computing = self._computing(draw, domains)
        if inherited or "cross" not in draw.request.operators:
            return (home, *(domains[name] for name in inherited), *computing)
        if not cluster.partners:
            raise BlueprintError(f"{cluster.domain}: no domain to cross with")
        return (home, domains[generators.random.choice(cluster.partners)], *computing)

    def _world(self, domain: Domain, random: Random) -> str:
        if isinstance(domain, CodeDomain):
            return domain.draw(random)
        return f"{self._knobs['seed']}-{random.randrange(self._knobs['worlds'])}"

    def _computing(self, draw: Draw, domains: Mapping[str, Domain]) -> tuple[Domain, ...]:
        asked = [operator for operator in COMPUTING if operator in draw.request.operators]
        if not asked:
            return ()
        if CALCULATIONS not in domains:
            raise BlueprintError(f"operator {asked[0]} needs a sandbox: type sandbox=auto")
        return (domains[CALCULATIONS],)

    def _inject(
        self,
        plan: Sequence[Step],
        asked: Sequence[Operator],
        writing: set[str],
        generators: Generators,
    ) -> tuple[Injection, ...]:
        if "perturb" not in asked:
            return ()
        # The failed call is made again after its batch: a write beside it would change its result.
        writers = Counter(step.batch for step in plan if step.tool in writing)
        sizes = Counter(step.batch for step in plan)
        targets = [
            number
            for number, step in enumerate(plan)
            if step.expect == "ok" and (sizes[step.batch] == 1 or not writers[step.batch])
        ]
        if not targets:
            raise BlueprintError("no step of this plan can be perturbed")
        target = generators.random.choice(targets)
        tool = plan[target].tool
        nth = sum(step.tool == tool for step in plan[:target])
        return (Injection(tool, nth, generators.random.choice(self._knobs["transient_errors"])),)


def _check(knobs: Knobs) -> None:
    least = {
        "worlds": (knobs["worlds"], 1),
        "max_operators": (knobs["max_operators"], 0),
        "depth": (knobs["depth"], 0),
        "tries": (knobs["tries"], 1),
        "transient_errors": (len(knobs["transient_errors"]), int("perturb" in knobs["operators"])),
        "calls": (knobs["calls"][0], 1),
    }
    for name, (value, expected) in least.items():
        if value < expected:
            raise ConfigError(f"blueprints.{name}: expected at least {expected}, got {value}")
    if knobs["calls"][1] < knobs["calls"][0]:
        got = list(knobs["calls"])
        raise ConfigError(f"blueprints.calls: expected [fewest, most], got {got}")


def _asked(draw: Draw) -> tuple[Operator, ...]:
    """Operators of the request and of the parent."""
    inherited = draw.parent.operators if draw.parent else ()
    return tuple(o for o in ORDER if o in draw.request.operators or o in inherited)


def _gluing(last: Domain, asked: Sequence[Operator], random: Random) -> bool:
    """Whether a call is to be given what is computed."""
    if not isinstance(last, CodeDomain):
        return False
    return "glue" in asked or ("compute" in asked and random.random() < last.glue_share)


def _open(domains: Sequence[Domain], seeds: Mapping[str, str]) -> dict[str, Session]:
    return {domain.name: domain.open(seeds[domain.name]) for domain in domains}


def _close(sessions: Mapping[str, Session]) -> None:
    for session in sessions.values():
        session.close()


def _blueprint(
    cluster: Cluster,
    domains: Sequence[Domain],
    operators: tuple[Operator, ...],
    seeds: dict[str, str],
    facts: dict[str, Any],
    turns: tuple[UserTurn, ...],
    executed: Executed,
    injections: tuple[Injection, ...],
) -> Blueprint:
    return Blueprint(
        id=identity(seeds, executed.plan, turns, injections),
        cluster=cluster.id,
        domain="+".join(domain.name for domain in domains),
        category=cluster.category,
        operators=operators,
        worlds=seeds,
        goal=goal_of([turn.request for turn in turns]),
        facts=facts,
        turns=turns,
        plan=executed.plan,
        injections=injections,
        final_state=executed.final_state,
        answers=executed.answers,
    )
