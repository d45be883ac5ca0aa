"""Whether a figure that was to be worked out was worked out.

Enters: a case. Leaves: the first step whose code should have worked on values of earlier
observations, where no code that ran holds them: it printed a figure that came from nowhere, and
the right one only by luck or because somebody put it there. The calculator has no files and reaches
no service, so what it works on is in the code that it is given.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tdscaling.bindings import rows
from tdscaling.coding.areas import CALCULATIONS
from tdscaling.llm._text import value_in
from tdscaling.schema import Reason, Step
from tdscaling.verification import Case

FEWEST = 2
"""Different values that the code must hold: some figures, a range for example, need no more."""
_NUMBER = re.compile(r"\d+(?:_\d+)*(?:\.\d+)?(?:e[+-]?\d+)?", re.IGNORECASE)
DATE = 10
"""Characters of a date, which may do without its time."""


def hard_coded(case: Case) -> tuple[Reason, str] | None:
    """The first step that was answered without the values that it is about."""
    for number, step in enumerate(case.blueprint.plan):
        if step.domain != CALCULATIONS or step.expect != "ok":
            continue
        values = list(dict.fromkeys(_values(step, case.blueprint.plan)))
        code = "\n".join(_code(case, step.tool))
        numbers = {float(text.replace("_", "")) for text in _NUMBER.findall(code)}
        held = [value for value in values if _holds(value, code, numbers)]
        if len(held) < min(FEWEST, len(values)):
            return "ungrounded_argument", (
                f"code of {step.tool}: expected it to work on the values that step {number} of the "
                f"plan takes from earlier observations, got code with {len(held)} of {len(values)}"
            )
    return None


def _values(step: Step, plan: tuple[Step, ...]) -> Iterator[Any]:
    """What the plan puts into the code of a step."""
    for source in step.arguments.values():
        for bound in source.get("values", {}).values():
            if "step" in bound and "printed" not in bound:
                found = rows(plan[bound["step"]].observation)
                for row in found if bound["pick"] == "all" else found[:1]:
                    value = row.get(bound["column"])
                    if isinstance(value, str | int | float) and not isinstance(value, bool):
                        yield value


def _code(case: Case, tool: str) -> Iterator[str]:
    for message in case.transcript.messages:
        for call in message.get("tool_calls") or ():
            if call["function"]["name"] == tool:
                arguments = _arguments(call["function"]["arguments"])
                yield from (text for text in arguments.values() if isinstance(text, str))


def _arguments(text: str) -> dict[str, Any]:
    """None of a call that was wrong: it ran nothing."""
    try:
        found = value_in(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _holds(value: Any, code: str, numbers: set[float]) -> bool:
    if isinstance(value, str):
        return value in code or (len(value) > DATE and value[:DATE] in code)
    return abs(float(value)) in numbers
