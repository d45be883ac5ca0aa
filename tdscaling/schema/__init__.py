"""Frozen types that the stages exchange.

Leaves: the vocabulary of the product. Every type is plain data that pickles, so an attempt can run
in this process, in a worker process or on another machine.
"""

from tdscaling.schema.blueprint import (
    Answer,
    Author,
    Blueprint,
    Injection,
    Step,
    UserTurn,
    Voice,
)
from tdscaling.schema.steering import Decision, Draw, Menu, Request, Steering
from tdscaling.schema.tools import Cluster, Edge, Service, Tool
from tdscaling.schema.trajectory import (
    Action,
    LlmCall,
    Observation,
    Outcome,
    Recording,
    Trace,
    Transcript,
    Verdict,
)
from tdscaling.schema.words import (
    Message,
    Operator,
    Provenance,
    Reason,
    Stop,
    canonical,
    digest,
)

__all__ = [
    "Action",
    "Answer",
    "Author",
    "Blueprint",
    "Cluster",
    "Decision",
    "Draw",
    "Edge",
    "Injection",
    "LlmCall",
    "Menu",
    "Message",
    "Observation",
    "Operator",
    "Outcome",
    "Provenance",
    "Reason",
    "Recording",
    "Request",
    "Service",
    "Steering",
    "Step",
    "Stop",
    "Tool",
    "Trace",
    "Transcript",
    "UserTurn",
    "Verdict",
    "Voice",
    "canonical",
    "digest",
]
