"""Units that agree with their number.

Enters: a template and the value of one of its slots. Leaves: the template with `1 day` where the
value is one.
"""

from __future__ import annotations

import re
from typing import Any

from tdscaling.phrasing.names import singular

UNITS = (
    "euros|dollars|kilograms|gigabytes|hours|minutes|days|nights|months|weeks|years|commits|points|"
    "guests|seats|users|instalments|portions|pieces|degrees|copies|results|items|kilometres"
)
"""Plurals that a number comes before."""


def one_of(template: str, name: str, value: Any) -> str:
    """A template whose unit is one where the value is: `1 day`, `1 person`."""
    if isinstance(value, bool) or value != 1:
        return template
    slot = rf"(\{{{name}\}} )"
    template = re.sub(rf"{slot}people\b", r"\1person", template)
    return re.sub(rf"{slot}({UNITS})\b", lambda found: f"{found[1]}{singular(found[2])}", template)
