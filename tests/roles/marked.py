"""A scene with a mark of its own in every field that some role must not see."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tdscaling.roles import Role, Said, Scene
from tdscaling.schema import Answer, Blueprint, Injection, Message, Step, Tool, UserTurn

GOAL = "MARK-goal"
FACT = "MARK-fact"
WITHHELD = "MARK-withheld"
PLAN = ("MARK_tool", "MARK-gold", "MARK-observation", "MARK-column", "MARK_lookup")
OUTCOME = ("MARK-state", "MARK-answer", "MARK-refusal", "MARK-injected", "MARK-world")
TOOLS = ("MARK_tool", "MARK-description", "MARK_parameter", "MARK_other")
RESULT = "MARK-result"
CALLED = "MARK-called"

SYSTEM = "You are an assistant with tools."


def blueprint() -> Blueprint:
    bound = {"MARK_parameter": {"step": 0, "column": "MARK-column", "pick": "first"}}
    return Blueprint(
        id="b",
        cluster="c",
        domain="d",
        category="k",
        operators=("withhold",),
        worlds={"d": "MARK-world"},
        goal=f"Fly away, {GOAL}.",
        facts={"date": FACT, "weight_kg": WITHHELD},
        turns=(
            UserTurn(
                "I want to fly.", ("date",), (("weight_kg", "How heavy?", f"It's {WITHHELD}."),)
            ),
            UserTurn("And back again.", ()),
        ),
        plan=(
            Step("d", "MARK_lookup", {}, 0, 0, "lookup", "ok", {}, "MARK-observation"),
            Step("d", "MARK_tool", bound, 0, 1, "goal", "ok", {"MARK_parameter": "MARK-gold"}),
        ),
        injections=(Injection("MARK_tool", 0, "MARK-injected"),),
        final_state={"d.flight": {"added": [{"x": "MARK-state"}]}},
        answers=(Answer(0, 1, ("MARK-answer",), "MARK-refusal"),),
    )


def scene() -> Scene:
    parameters = {"type": "object", "properties": {"MARK_parameter": {"type": "string"}}}
    tools = (
        Tool("MARK_tool", "MARK-description", parameters, "d", "k"),
        Tool("MARK_other", "", {"type": "object", "properties": {}}, "d", "k"),
    )
    return Scene(blueprint(), {}, tools, SYSTEM, "seed")


def conversation() -> list[Message]:
    """A wish, a question, its answer, a call with its result, an answer."""
    function = {"name": "MARK_tool", "arguments": f'{{"MARK_parameter": "{CALLED}"}}'}
    return [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": "I want to fly."},
        {"role": "assistant", "content": "How heavy?"},
        {"role": "user", "content": "Quite."},
        {
            "role": "assistant",
            "content": "One moment.",
            "tool_calls": [{"id": "call_x", "type": "function", "function": function}],
        },
        {"role": "tool", "tool_call_id": "call_x", "content": f'{{"seen": "{RESULT}"}}'},
        {"role": "assistant", "content": "You fly at noon."},
    ]


def speak(role: Role, messages: Sequence[Message], **changed: Any) -> Said:
    return asyncio.run(role.speak(replace(scene(), **changed), messages))
