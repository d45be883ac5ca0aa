"""Stateful simulated worlds, drafted from schemas alone.

Enters: a cluster whose tools are known by name, description and JSON Schema. Leaves: a domain file
(tables, seeded rows, SQL, words) that imitates them, marked as simulating; or why there is none.
What is simulated, and how faithful it is: `docs/simulation.md`.
"""

from tdscaling.drafting._assemble import Draft
from tdscaling.drafting._check import draft, drafted, sketch
from tdscaling.drafting._rules import Ruled, ruled
from tdscaling.drafting._yaml import written

__all__ = ["Draft", "Ruled", "draft", "drafted", "ruled", "sketch", "written"]
