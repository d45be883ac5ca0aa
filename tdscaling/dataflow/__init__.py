"""Data-flow: what one tool returns, another needs.

Enters: a service, known by the schemas of its tools alone. Leaves: producer -> consumer edges with
a score and its reasons. Knows neither models nor domains: a model's opinion is `_judge.py`, the
proof by execution `_confirm.py`.
"""

from tdscaling.dataflow._duplicates import duplicates
from tdscaling.dataflow._infer import LEAST, action, entity, infer
from tdscaling.dataflow._schemas import fields, mapping
from tdscaling.dataflow._slots import properties
from tdscaling.dataflow._words import words

__all__ = [
    "LEAST",
    "action",
    "duplicates",
    "entity",
    "fields",
    "infer",
    "mapping",
    "properties",
    "words",
]
