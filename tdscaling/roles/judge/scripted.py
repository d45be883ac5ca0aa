"""A judge with no opinion of its own: what verification accepted stays accepted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tdscaling.roles import Scene
from tdscaling.schema import LlmCall, Message, Verdict


class ScriptedJudge:
    """Verification only."""

    name = "scripted"
    prompts: Mapping[str, str] = {}

    async def judge(
        self, scene: Scene, messages: Sequence[Message]
    ) -> tuple[Verdict, tuple[LlmCall, ...]]:
        """Accept."""
        return Verdict(accepted=True), ()
