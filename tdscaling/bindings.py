"""How the arguments of a plan's step come out of what was said and observed.

Enters: a step, the user's facts, the observations so far. Leaves: the step's arguments. The dry run
and the scripted assistant both bind this way, so the assistant's arguments follow from *actual*
observations.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tdscaling.schema import Step


class BindingError(ValueError):
    """An argument cannot be bound: an observation lacks what the plan expects there."""


def resolve(
    step: Step, facts: Mapping[str, Any], observations: Mapping[int, str]
) -> dict[str, Any]:
    """The arguments of a step.

    Args:
        step: of a plan.
        facts: what the user knows.
        observations: JSON text per earlier step of the plan.

    Raises:
        BindingError: naming the argument that cannot be bound.
    """
    arguments = {}
    for name, source in step.arguments.items():
        try:
            arguments[name] = _value(source, facts, observations)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise BindingError(f"{step.tool}: argument {name} has no value: {error!r}") from error
    return arguments


def rows(observation: str) -> list[dict[str, Any]]:
    """The rows of an observation: an object is one row.

    Raises:
        ValueError: if the text is no JSON object or array of objects.
    """
    data = json.loads(observation)
    found = data if isinstance(data, list) else [data]
    if not all(isinstance(row, dict) for row in found):
        raise ValueError("expected a JSON object or an array of objects")
    return found


def _value(
    source: Mapping[str, Any], facts: Mapping[str, Any], observations: Mapping[int, str]
) -> Any:
    if "fact" in source:
        return facts[source["fact"]]
    found = rows(observations[source["step"]])
    pick = source["pick"]
    if pick == "first":
        return found[0][source["column"]]
    wanted = facts[pick["fact"]]
    matching = [row for row in found if row[pick["column"]] == wanted]
    return matching[0][source["column"]]
