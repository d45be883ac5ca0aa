"""Words for what code has come to.

Enters: the observation that ends a question. Leaves: a sentence of the question's own templates,
or, for a figure over other tools' results, one that names the figure as the code printed it.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from tdscaling.coding import printed
from tdscaling.coding.domain import CodeDomain

FIGURES = (
    "The {label} is {value}.",
    "I worked it out: the {label} is {value}.",
    "That comes to {value} ({label}).",
    "By my calculation the {label} is {value}.",
    "The {label} comes to {value}.",
    "{value} is the {label}.",
)


def report(
    domain: CodeDomain, world: str, turn: int, observation: Mapping[str, Any], random: Random
) -> str:
    """The answer to a question.

    Raises:
        KeyError, ValueError: if the code printed less than the answer names.
    """
    text = str(observation.get("stdout", ""))
    questions = domain.task(world).questions
    if turn < len(questions):
        values, items = printed.values(text), printed.items(text)
        try:
            return random.choice(questions[turn].answers).format(*values, items=", ".join(items))
        except IndexError as error:
            raise ValueError(f"nothing to tell in {text[:80]!r}") from error
    lines = printed.lines(text)
    if not lines:
        raise ValueError(f"no figure in {text[:80]!r}")
    label, value = lines[0]
    return random.choice(FIGURES).format(label=label, value=value)
