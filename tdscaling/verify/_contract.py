"""What a line says of itself, held against its blueprint, its domains and its user's words.

Enters: a line's blueprint, labels and messages. Leaves: the first of them that cannot be true. None
of it needs an execution, and nothing of it is seen by one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from tdscaling.blueprints._identity import identity
from tdscaling.coding.areas import CALCULATIONS
from tdscaling.credits import player_of
from tdscaling.declared.domain import Domain
from tdscaling.schema import Blueprint, Message, Operator
from tdscaling.verification._differences import cut
from tdscaling.verify._told import SCRIPTED, other_words

REPLIES = 2
"""Further messages of a scripted user in a turn, at most: what was held back, and a reminder."""


def other_identity(blueprint: Blueprint) -> str | None:
    """Whether the blueprint is the one that its id names."""
    wanted = identity(blueprint.worlds, blueprint.plan, blueprint.turns, blueprint.injections)
    if blueprint.id != wanted:
        return f"blueprint, id: expected {wanted!r} by its content, got {cut(blueprint.id)}"
    return None


def other_labels(
    blueprint: Blueprint, meta: Mapping[str, Any], domains: Mapping[str, Domain]
) -> str | None:
    """Whether the labels of line and blueprint are those of the domains and of the plan."""
    for name in ("category", "domain", "cluster"):
        wanted = getattr(blueprint, name)
        if meta[name] != wanted:
            return f"meta.{name}: expected {wanted!r} as in its blueprint, got {meta[name]!r}"
    if meta["operators"] != list(blueprint.operators):
        return f"meta.operators: expected {list(blueprint.operators)}, got {meta['operators']}"
    names = blueprint.domain.split("+")
    if sorted(names) != sorted(blueprint.worlds):
        return f"meta.domain: expected {'+'.join(blueprint.worlds)}, got {blueprint.domain!r}"
    category = domains[names[0]].file.category
    if blueprint.category != category:
        return f"meta.category: expected {category!r} as in {names[0]}, got {blueprint.category!r}"
    # A domain drafted for one cluster bears its name.
    cluster = str(blueprint.cluster)
    if cluster != names[0] and not cluster.startswith(f"{names[0]}-"):
        return f"meta.cluster: expected one of {names[0]}, got {blueprint.cluster!r}"
    return _other_operators(blueprint)


def _other_operators(blueprint: Blueprint) -> str | None:
    operators, plan = blueprint.operators, blueprint.plan
    if len(set(operators)) != len(operators) or not set(operators) <= set(get_args(Operator)):
        return f"meta.operators: expected each of {get_args(Operator)} once, got {operators}"
    shown = {
        "withhold": any(turn.withheld for turn in blueprint.turns),
        "perturb": bool(blueprint.injections),
        "cross": len(blueprint.worlds.keys() - {CALCULATIONS}) > 1,
        "compute": CALCULATIONS in blueprint.worlds,
        "glue": any("printed" in bound for step in plan for bound in step.arguments.values()),
        "revise": any(turn.revises for turn in blueprint.turns),
    }
    for name, present in shown.items():
        if (name in operators) != present:
            which = "in" if present else "not in"
            return f"meta.operators: expected {name} {which} them by its blueprint"
    return None


def other_turns(
    blueprint: Blueprint, meta: Mapping[str, Any], messages: Sequence[Message]
) -> str | None:
    """Whether the plan serves the turns, and a scripted user brought them up in these words."""
    wanted = set(range(len(blueprint.turns)))
    if {step.turn for step in blueprint.plan} != wanted:
        return f"blueprint: expected steps for each of its {len(wanted)} turns and no other"
    roles = meta["roles"]
    if not isinstance(roles, dict) or not isinstance(roles.get("user"), str):
        return f"meta.roles: expected who played whom, got {cut(roles)}"
    if problem := other_words(blueprint, meta):
        return problem
    if player_of(roles["user"])[0] != SCRIPTED:
        return None
    said = [str(message.get("content")) for message in messages if message.get("role") == "user"]
    most = len(wanted) * (1 + REPLIES)
    if len(said) > most:
        return f"messages: expected at most {most} of the user, got {len(said)}"
    words = (text.lower() for text in said)  # each turn goes on where the one before it ended
    for number, turn in enumerate(blueprint.turns):
        if not any(turn.request.lower() in text for text in words):
            return f"messages: the user never says what turn {number} asks: {cut(turn.request)}"
    return None
