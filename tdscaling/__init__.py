"""Verified, diverse tool-use trajectories under a fixed budget.

Start at `tdscaling.synthesize` for the story of a run and at `tdscaling.schema` for its words.
"""

__version__ = "0.1.0"
