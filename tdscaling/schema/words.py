"""Names, closed lists and the digests of content.

Leaves: what every other type is made of.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal

Operator = Literal[
    "extend", "branch", "withhold", "perturb", "revise", "cross", "refuse", "compute", "glue"
]  # fmt: skip
"""A change to a blueprint that makes it rarer."""

Provenance = Literal["executed", "simulated", "injected", "replayed"]
"""Where an observation came from."""

Reason = Literal[
    "blueprint_failed",
    "duplicate",
    "role_failed",
    "environment_failed",
    "sandbox_lost",
    "malformed_message",
    "malformed_call",
    "endless_loop",
    "early_stop",
    "invented_observation",
    "wrong_tool",
    "wrong_argument",
    "missing_step",
    "extra_write",
    "answer_not_told",
    "check_failed",
    "ungrounded_argument",
    "invented_id",
    "invented_amount",
    "invented_status",
    "not_executed",
    "judge_rejected",
]
"""The closed list of reasons for a rejection; `docs/verification.md` explains each."""

Message = dict[str, Any]
"""One chat message in OpenAI format."""

Stop = Literal["done", "silent", "turns", "steps", "repeats", "failed"]
"""How a conversation ended: user done; assistant silent; too many user turns; too many assistant
messages in a turn; one call over and over; a role or the environment failed."""


def canonical(value: object) -> str:
    """JSON with sorted keys and no spaces: the form that digests and comparisons use."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(value: object, length: int = 16) -> str:
    """The first `length` hex digits of the SHA-256 of the canonical JSON of `value`."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:length]
