"""The scripted judge accepts what verification accepted, and costs nothing."""

from __future__ import annotations

import asyncio

from tdscaling.attempt import scene_of
from tdscaling.roles.judge.scripted import ScriptedJudge
from tests.conversations import blueprint, domains


def test_accepts() -> None:
    scene = scene_of(blueprint("airline"), domains(), "a seed")
    verdict, requests = asyncio.run(ScriptedJudge().judge(scene, []))
    assert (verdict.accepted, verdict.reason, requests) == (True, None, ())
