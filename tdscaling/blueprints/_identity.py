"""The id of a blueprint.

Enters: what decides the trajectory. Leaves: its digest, so that a stored blueprint can be held
against its id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tdscaling.schema import Injection, Step, UserTurn, canonical, digest


def identity(
    worlds: Mapping[str, str],
    plan: Sequence[Step],
    turns: Sequence[UserTurn],
    injections: Sequence[Injection],
) -> str:
    """The id; two blueprints that differ in words alone are duplicates and share it."""
    used = {step.domain for step in plan}
    content = {
        "worlds": {name: seed for name, seed in worlds.items() if name in used},
        "plan": [[s.domain, s.tool, s.arguments, s.turn, s.batch, s.gold] for s in plan],
        "withheld": [[fact for fact, _, _ in turn.withheld] for turn in turns],
        "injections": [[i.tool, i.nth] for i in injections],
    }
    return digest(canonical(content))
