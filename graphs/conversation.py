"""The conversation as a state machine: user, assistant, environment, judge.

Enters: the cast of one conversation. Leaves: its transcript and verdict. A step of LangGraph costs
more than most nodes do, so each node does all it can before it returns. Routers are coroutines,
since LangGraph would run plain functions in a thread each.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypedDict

from tdscaling.environments import Environment
from tdscaling.errors import AttemptError
from tdscaling.roles import Judge, Role, Scene
from tdscaling.schema import LlmCall, Message, Provenance, Stop, Transcript, Verdict, canonical

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph


@dataclass(frozen=True, slots=True)
class Limits:
    """Ends of conversations that do not end by themselves."""

    user_turns: int
    """User messages, at most."""
    steps: int
    """Assistant messages per user message, at most."""
    repeats: int
    """Times that the same call may be made without a write in between, at most."""


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays one conversation, and by which rules."""

    scene: Scene
    user: Role
    assistant: Role
    judge: Judge
    environment: Environment
    verify: Callable[[Transcript], Awaitable[Verdict]]
    limits: Limits


class Opening(TypedDict):
    """What a conversation starts with."""

    messages: list[Message]


class State(TypedDict):
    """What a conversation has come to."""

    messages: Annotated[list[Message], operator.add]
    provenance: Annotated[list[Provenance], operator.add]
    llm_calls: Annotated[list[LlmCall], operator.add]
    stop: Stop | None
    failure: Verdict | None
    verdict: Verdict | None


def _cast() -> Cast:
    from langgraph.runtime import get_runtime

    return get_runtime(Cast).context


def _failed(error: AttemptError) -> dict[str, Any]:
    # A failure ends the conversation with its reason; it never becomes a message.
    return {
        "stop": "failed",
        "failure": Verdict(False, error.reason, str(error)),
        "llm_calls": _spent(error),
    }


def _spent(error: AttemptError) -> list[LlmCall]:
    # What a failed role spent counts as well.
    return list(getattr(error, "calls", ()))


async def user(state: State) -> dict[str, Any]:
    """The user speaks, or has nothing more to say."""
    cast = _cast()
    if _count(state, "user") >= cast.limits.user_turns:
        return {"stop": "turns"}
    try:
        said = await cast.user.speak(cast.scene, state["messages"])
    except AttemptError as error:
        return _failed(error)
    if said.message is None:
        return {"stop": "done", "llm_calls": list(said.calls)}
    return {"messages": [said.message], "llm_calls": list(said.calls)}


async def assistant(state: State) -> dict[str, Any]:
    """The assistant calls tools, asks or answers."""
    cast = _cast()
    if _since_user(state) >= cast.limits.steps:
        return {"stop": "steps"}
    try:
        said = await cast.assistant.speak(cast.scene, state["messages"])
    except AttemptError as error:
        return _failed(error)
    update: dict[str, Any] = {"llm_calls": list(said.calls)}
    message = said.message
    if message is None or not (message.get("content") or message.get("tool_calls")):
        return {**update, "stop": "silent"}
    return {**update, "messages": [message]}


async def environment(state: State) -> dict[str, Any]:
    """The environment executes the calls of the assistant's message."""
    cast = _cast()
    if _repeats(state, cast) > cast.limits.repeats:
        return {"stop": "repeats"}
    messages: list[Message] = []
    provenance: list[Provenance] = []
    try:
        for call in state["messages"][-1]["tool_calls"]:
            function = call["function"]
            seen = await cast.environment.call(function["name"], function["arguments"])
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": seen.content})
            provenance.append(seen.provenance)
    except AttemptError as error:
        return _failed(error)
    return {"messages": messages, "provenance": provenance}


async def judge(state: State) -> dict[str, Any]:
    """Verification decides; what it accepts the judge may still reject."""
    cast = _cast()
    verdict = await cast.verify(_transcript(state))
    if not verdict.accepted:
        return {"verdict": verdict}
    try:
        opinion, calls = await cast.judge.judge(cast.scene, state["messages"])
    except AttemptError as error:
        verdict = Verdict(False, error.reason, str(error))
        return {"verdict": verdict, "llm_calls": _spent(error)}
    return {"verdict": opinion, "llm_calls": list(calls)}


async def route_user(state: State) -> Literal["assistant", "judge"]:
    """To the assistant while the user speaks."""
    return "judge" if state.get("stop") else "assistant"


async def route_assistant(state: State) -> Literal["environment", "user", "judge"]:
    """To the environment with calls, to the user with text."""
    if state.get("stop"):
        return "judge"
    return "environment" if state["messages"][-1].get("tool_calls") else "user"


async def route_environment(state: State) -> Literal["assistant", "judge"]:
    """Back to the assistant, unless the conversation is going in circles."""
    return "judge" if state.get("stop") else "assistant"


@cache
def build() -> CompiledStateGraph[State, Cast, Opening, State]:
    """The compiled graph: one per process serves all conversations."""
    from langgraph.graph import END, START, StateGraph

    graph = StateGraph(State, context_schema=Cast, input_schema=Opening)
    graph.add_node("user", user)
    graph.add_node("assistant", assistant)
    graph.add_node("environment", environment)
    graph.add_node("judge", judge)

    graph.add_edge(START, "user")
    graph.add_conditional_edges("user", route_user)
    graph.add_conditional_edges("assistant", route_assistant)
    graph.add_conditional_edges("environment", route_environment)
    graph.add_edge("judge", END)

    return graph.compile()


class ConversationGraph:
    """Plays conversations between user, assistant, environment and judge.

    Args:
        user_turns: user messages, at most.
        steps: assistant messages per user message, at most.
        repeats: times that the same call may be made with the same result, at most.
    """

    def __init__(self, *, user_turns: int, steps: int, repeats: int) -> None:
        self._limits = Limits(user_turns, steps, repeats)

    async def play(
        self,
        scene: Scene,
        *,
        user: Role,
        assistant: Role,
        judge: Judge,
        environment: Environment,
        verify: Callable[[Transcript], Awaitable[Verdict]],
    ) -> tuple[Transcript, Verdict]:
        """Play one conversation to its end.

        Raises:
            EndpointError: if a role's model cannot be used at all.
        """
        cast = Cast(scene, user, assistant, judge, environment, verify, self._limits)
        # Each user turn takes at most one user step and `steps` assistant-environment pairs.
        bound = (self._limits.user_turns + 1) * (2 * self._limits.steps + 2) + 2
        state = await build().ainvoke(
            {"messages": [{"role": "system", "content": scene.system}]},
            context=cast,
            config={"recursion_limit": bound},
        )
        return _transcript(state), state["verdict"]

    def mermaid(self) -> str:
        """The picture of the graph as Mermaid text."""
        return build().get_graph().draw_mermaid()


def _transcript(state: Any) -> Transcript:
    return Transcript(
        tuple(state["messages"]),
        tuple(state["provenance"]),
        state["stop"],
        state.get("failure"),
        tuple(state["llm_calls"]),
    )


def _count(state: State, role: str) -> int:
    return sum(message["role"] == role for message in state["messages"])


def _since_user(state: State) -> int:
    count = 0
    for message in reversed(state["messages"]):
        if message["role"] == "user":
            break
        count += message["role"] == "assistant"
    return count


def _repeats(state: State, cast: Cast) -> int:
    """How often the most frequent call was made since the last write."""
    writes = {tool.name for tool in cast.scene.tools if tool.writes}
    calls: Counter[str] = Counter()
    for message in state["messages"]:
        for call in message.get("tool_calls") or ():
            function = call["function"]
            made = canonical([function["name"], function["arguments"]])
            if function["name"] in writes and not calls[made]:
                calls.clear()
            calls[made] += 1
    return max(calls.values(), default=0)
