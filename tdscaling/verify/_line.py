"""The check of one line.

Enters: a line of a dataset. Leaves: the first thing in it that re-execution does not bear out:
its domains, what the assistant was given, its blueprint, its conversation, its verdict, its
figures. What it pickles with travels to worker processes once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tdscaling.attempt import scene_of
from tdscaling.blueprints._dry_run import execute
from tdscaling.coding.domain import CodeDomain
from tdscaling.dataset import parsed
from tdscaling.declared.domain import Domain
from tdscaling.environments import Environments
from tdscaling.errors import AttemptError, DatasetError
from tdscaling.metrics import Metrics
from tdscaling.roles import Scene
from tdscaling.sandbox import Sandbox
from tdscaling.schema import Blueprint, Message, Transcript, canonical, digest
from tdscaling.verification import Case, Verification
from tdscaling.verification._differences import cut, differing
from tdscaling.verify._contract import other_identity, other_labels, other_turns
from tdscaling.verify._sandbox import elsewhere, impossible
from tdscaling.verify._task import other_figure, other_outcome, other_task

FIELDS = ("id", "messages", "tools", "meta")
META = ("seed", "category", "domain", "cluster", "operators", "mode", "signature", "complexity",
        "provenance", "roles", "verdict", "domains", "blueprint")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of one line."""

    number: int
    """Of the line, from 1."""
    size: int
    """Bytes."""
    id: str
    blueprint: str
    problem: str | None
    conversation: str = ""
    """Digest of its messages."""
    unknown: frozenset[str] = frozenset()
    """Domains that are not known here: the line could not be checked, and may well hold."""
    elsewhere: str = ""
    """How the sandbox that its code ran in differs from the one here."""
    unrun: str = ""
    """Why its code could not be run: the line could not be checked, and may well hold."""


class LineCheck:
    """Checks lines.

    Args:
        domains: by name.
        environments: execute the calls.
        verification: decides on the conversation.
        metrics: reads its trace.
        sandbox: runs the code of coding lines; asked whether it works by the first of them.
    """

    def __init__(
        self,
        *,
        domains: Mapping[str, Domain],
        environments: Environments,
        verification: Verification,
        metrics: Metrics,
        sandbox: Sandbox,
    ) -> None:
        self._domains = domains
        self._environments = environments
        self._verification = verification
        self._metrics = metrics
        self._sandbox = sandbox
        self._off: str | None = None
        self._here: Mapping[str, Any] | None = None

    async def run(self, lines: Sequence[tuple[int, bytes]]) -> list[Checked]:
        """Check numbered lines."""
        return [await self._check(number, line) for number, line in lines]

    async def _check(self, number: int, line: bytes) -> Checked:
        identity = blueprint = conversation = unrun = moved = ""
        problem: str | None = None
        unknown: frozenset[str] = frozenset()
        try:
            data = _data(line)
            identity = str(data.get("id", ""))
            _check_fields(data)
            contract = Blueprint.from_json(data["meta"]["blueprint"])
            blueprint, conversation = str(contract.id), digest(data["messages"])
            unknown = frozenset(map(str, contract.worlds)) - self._domains.keys()
            if not unknown:
                code = self._runs_code(contract)
                problem = impossible(data["meta"], runs_code=code)
                if code and not problem:
                    unrun = self._why_not()
                    moved = "" if unrun else self._elsewhere(data["meta"]["sandbox"])
            if not unknown and not unrun and not problem:
                problem = await self._problem(data, contract)
                if problem and moved:
                    problem = f"{problem}; its code ran elsewhere: {moved}"
        except DatasetError as error:
            problem = str(error)
        except Exception as error:  # noqa: BLE001 whatever a line holds, the others are checked
            problem = f"not a trajectory: {type(error).__name__}: {error}"
        return Checked(
            number, len(line), identity, blueprint, problem, conversation, unknown, moved, unrun
        )

    def _runs_code(self, contract: Blueprint) -> bool:
        return any(isinstance(self._domains[name], CodeDomain) for name in contract.worlds)

    def _elsewhere(self, told: Mapping[str, Any]) -> str:
        self._here = self._here or self._sandbox.describe()
        return elsewhere(told, self._here)

    def _why_not(self) -> str:
        """Why code cannot be run; empty where it can."""
        if self._off is None:
            self._off = self._sandbox.why_not() or ""
        return self._off

    async def _problem(self, data: dict[str, Any], blueprint: Blueprint) -> str | None:
        meta, messages = data["meta"], data["messages"]
        problem = (
            self._foreign(meta, blueprint)
            or other_labels(blueprint, meta, self._domains)
            or other_turns(blueprint, meta, messages)
            or other_task(blueprint, self._domains)
        )
        if problem:
            return problem
        scene = scene_of(blueprint, self._domains, str(meta["seed"]))
        problem = _other_scene(data, scene) or _other_blueprint(scene) or other_identity(blueprint)
        return (
            problem
            or other_figure(blueprint, self._domains)
            or await self._other_conversation(messages, meta, scene)
            or self._other_figures(messages, meta, scene)
        )

    def _foreign(self, meta: Mapping[str, Any], blueprint: Blueprint) -> str | None:
        for name in blueprint.worlds:
            recorded, here = meta["domains"].get(name), self._domains[name].digest
            if recorded != here:
                return f"domain {name} is another: expected digest {recorded}, got {here}"
        return None

    async def _other_conversation(
        self, messages: list[Message], meta: Mapping[str, Any], scene: Scene
    ) -> str | None:
        # How a conversation ended is not in its line: one that is in a dataset ended by itself.
        transcript = Transcript(tuple(messages), tuple(meta["provenance"]), "done")
        case = Case(scene.blueprint, transcript, scene.tools, scene.domains, self._environments)
        verdict = await self._verification.verify(case)
        recorded = meta["verdict"]
        if not verdict.accepted:
            claimed = "accepted" if recorded["accepted"] is True else recorded["reason"]
            return f"expected the verdict {claimed}, got {verdict.reason}: {verdict.detail}"
        if recorded["accepted"] is not True or recorded["reason"] is not None:
            return f"expected an accepted trajectory, got the verdict {cut(recorded)}"
        return None

    def _other_figures(
        self, messages: list[Message], meta: Mapping[str, Any], scene: Scene
    ) -> str | None:
        writes = {tool.name for tool in scene.tools if tool.writes}
        trace = self._metrics.read(messages, writes, meta["provenance"])
        for name in ("mode", "signature", "complexity"):
            computed = getattr(trace, name)
            if meta[name] != computed:
                return f"meta.{name}: expected {computed!r}, got {meta[name]!r}"
        return None


def _data(line: bytes) -> dict[str, Any]:
    data = parsed(line, _once_each)
    if not isinstance(data, dict):
        raise DatasetError(f"expected one JSON object, got {cut(data)}")
    return data


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Of a key that is there twice, one reader takes the first and another the last.
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise DatasetError(f"expected each key once, got {cut(twice)} twice in one object")
    return found


def _check_fields(data: Mapping[str, Any]) -> None:
    missing = [name for name in FIELDS if name not in data]
    meta = data.get("meta")
    if not missing and not isinstance(meta, dict):
        raise DatasetError(f"meta: expected an object, got {cut(meta)}")
    missing += [f"meta.{name}" for name in META if isinstance(meta, dict) and name not in meta]
    if missing:
        raise DatasetError(f"expected the field {missing[0]}, which is missing")
    if extra := sorted(data.keys() - set(FIELDS)):
        raise DatasetError(f"expected the fields {', '.join(FIELDS)}, got {cut(extra[0])} as well")
    if not isinstance(data["id"], str) or not data["id"] or not data["id"].isprintable():
        raise DatasetError(f"id: expected a text, got {cut(data['id'])!r}")


def _other_scene(data: Mapping[str, Any], scene: Scene) -> str | None:
    opening = [{"role": "system", "content": scene.system}]
    if data["messages"][:1] != opening:
        return f"message 0: expected {_differing(opening, data['messages'][:1])}"
    tools = [tool.openai() for tool in scene.tools]
    if data["tools"] == tools:
        return None
    pairs = zip(tools, data["tools"], strict=False)
    wanted, got = next(((w, g) for w, g in pairs if w != g), (len(tools), len(data["tools"])))
    return f"tools: expected {_differing(wanted, got)}"


def _other_blueprint(scene: Scene) -> str | None:
    """Execute the plan once more, from the start."""
    blueprint = scene.blueprint
    sessions = {name: domain.open(blueprint.worlds[name]) for name, domain in scene.domains.items()}
    try:
        executed = execute(blueprint.plan, blueprint.facts, sessions)
        other_outcome(blueprint, executed, scene.domains)
    except AttemptError as error:
        return f"blueprint: {error}"
    finally:
        for session in sessions.values():
            session.close()
    for number, (wanted, got) in enumerate(zip(executed.plan, blueprint.plan, strict=True)):
        for field in ("gold", "observation"):
            if getattr(wanted, field) != getattr(got, field):
                texts = _differing(getattr(wanted, field), getattr(got, field))
                return f"blueprint, step {number}, {field} of {got.tool}: expected {texts}"
    if canonical(executed.final_state) != canonical(blueprint.final_state):
        texts = _differing(executed.final_state, blueprint.final_state)
        return f"blueprint, final_state: expected {texts}"
    if executed.answers != blueprint.answers:
        texts = _differing(str(executed.answers), str(blueprint.answers))
        return f"blueprint, answers: expected {texts}"
    return None


def _differing(expected: object, got: object) -> str:
    return ", got ".join(differing(expected, got))
