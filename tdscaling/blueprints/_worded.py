"""What users call the figures of a finished blueprint.

Enters: a blueprint and its domains. Leaves: for each program that works a figure out, the phrases
that a planner has for that very program over those values, and the turn that must hold one of them.
Whoever verifies a line can so tell words for another figure from those of its code.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from tdscaling.bindings import rows
from tdscaling.blueprints._compute import ID, Figure, _over_list, _pair
from tdscaling.blueprints._glue_figures import (
    LATER,
    PERCENT,
    WEEKDAYS,
    Glue,
    Pair,
    choices,
    dates,
    days_between,
    numbers,
)
from tdscaling.blueprints._readings import Call, _named
from tdscaling.coding.areas import CALCULATIONS
from tdscaling.declared.domain import Domain
from tdscaling.declared.session import Result
from tdscaling.schema import Blueprint, Step


def worded(
    blueprint: Blueprint, domains: Mapping[str, Domain]
) -> Iterator[tuple[int, tuple[str, ...]]]:
    """The turn that names each figure, and what it may be called there; no names for no figure.

    Args:
        blueprint: executed.
        domains: of it.

    Raises:
        KeyError, IndexError, TypeError, ValueError: if code works on what no planner binds.
    """
    plan = blueprint.plan
    for number, step in enumerate(plan):
        if step.domain != CALCULATIONS or step.expect != "ok":
            continue
        code, values = step.arguments["code"]["text"], step.arguments["code"]["values"]
        if step.purpose == "goal":
            yield step.turn, tuple(f.words for f in _figures(plan, values) if f.code == code)
            continue
        taking, label = next(
            (later, str(bound["printed"]))
            for later in plan[number:]
            for bound in later.arguments.values()
            if bound.get("step") == number and "printed" in bound
        )
        stated = {n: blueprint.facts[v["fact"]] for n, v in values.items() if "fact" in v}
        yield (
            taking.turn,
            tuple(
                glue.phrase
                for glue in _glues(plan, values, label, domains)
                if glue.code(label) == code and dict(glue.stated) == stated
            ),
        )


def _figures(plan: tuple[Step, ...], values: Mapping[str, Any]) -> Iterable[Figure]:
    if "values" in values:
        number, column = values["values"]["step"], values["values"]["column"]
        return _over_list(number, column, [r.get(column) for r in rows(plan[number].observation)])
    one, other = values["first"]["step"], values["second"]["step"]
    column = values["first"]["column"]
    names = " and ".join(_id(plan[number]) for number in (one, other))
    held = [rows(plan[number].observation)[0][column] for number in (one, other)]
    return _pair(names, column, one, other, held)


def _id(step: Step) -> str:
    given = [str(step.gold[name]) for name, bound in step.arguments.items() if "fact" in bound]
    return next(value for value in given if ID.fullmatch(value))


def _glues(
    plan: tuple[Step, ...], values: Mapping[str, Any], label: str, domains: Mapping[str, Domain]
) -> Iterable[Glue]:
    first, second = values["first"], values["second"]
    calls = _call(plan[first["step"]], domains), _call(plan[second["step"]], domains)
    pair = Pair(calls, (first["column"], second["column"]))
    if "first_keys" in values:
        return choices(pair, values["first_keys"]["column"], label)
    if isinstance(pair.held[0][0], str):
        return chain(dates(pair, LATER, range(len(WEEKDAYS))), days_between(pair))
    return chain.from_iterable(
        numbers(pair, PERCENT, whole=whole, money=money)
        for whole in (True, False)
        for money in (True, False)
    )


def _call(step: Step, domains: Mapping[str, Domain]) -> Call:
    spec = domains[step.domain].tools[step.tool]
    ((name, value),) = step.gold.items()
    result = Result(True, tuple(rows(step.observation)), step.observation)
    return Call(spec, dict(step.gold), result, _named(spec, name, str(value)))
