"""Data-flow: what one tool returns, another needs.

Enters: a service, known by the schemas of its tools alone. Leaves: producer -> consumer edges with
a score and its reasons (`infer`), as a model sees them (`judge`), proven by execution (`confirm`);
and which tools several services have in common (`duplicates`).
"""

from tdscaling.dataflow._confirm import confirm
from tdscaling.dataflow._duplicates import duplicates
from tdscaling.dataflow._infer import LEAST, action, entity, infer
from tdscaling.dataflow._judge import Judged, judge
from tdscaling.dataflow._schemas import fields, mapping
from tdscaling.dataflow._slots import properties
from tdscaling.dataflow._words import words

__all__ = [
    "LEAST",
    "Judged",
    "action",
    "confirm",
    "duplicates",
    "entity",
    "fields",
    "infer",
    "judge",
    "mapping",
    "properties",
    "words",
]
