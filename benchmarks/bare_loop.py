"""What most people write: a LangGraph loop around a plain ChatOpenAI, and nothing else.

Plays the conversations of a dataset: the model's server says what the assistant said, tools answer
what they answered, the user says what he said. No journal, no ledger, no verification.

    python benchmarks/bare_loop.py TRAIN_JSONL BASE_URL CONCURRENCY
"""

from __future__ import annotations

import asyncio
import json
import operator
import os
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, TypedDict

os.environ["LANGSMITH_TRACING"] = "false"

from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph


class State(TypedDict):
    """A conversation so far."""

    messages: Annotated[list[AnyMessage], operator.add]


def loop(model: Any, words: Iterator[str], results: Iterator[str]) -> Any:
    """A user, an assistant and its tools, in turns."""

    async def assistant(state: State) -> dict[str, Any]:
        return {"messages": [await model.ainvoke(state["messages"])]}

    async def tools(state: State) -> dict[str, Any]:
        calls = state["messages"][-1].tool_calls  # type: ignore[union-attr]
        return {"messages": [ToolMessage(next(results), tool_call_id=c["id"]) for c in calls]}

    async def user(state: State) -> dict[str, Any]:
        said = next(words, None)
        return {"messages": [HumanMessage(said)] if said is not None else []}

    async def after_user(state: State) -> str:
        return "assistant" if isinstance(state["messages"][-1], HumanMessage) else END

    async def after_assistant(state: State) -> str:
        return "tools" if state["messages"][-1].tool_calls else "user"  # type: ignore[union-attr]

    graph = StateGraph(State)
    for node in (assistant, tools, user):
        graph.add_node(node.__name__, node)
    graph.add_edge(START, "user")
    graph.add_conditional_edges("user", after_user, ["assistant", END])
    graph.add_conditional_edges("assistant", after_assistant, ["tools", "user"])
    graph.add_edge("tools", "assistant")
    return graph.compile()


async def play(line: dict[str, Any], url: str) -> int:
    """One conversation; the number of its calls."""
    messages = line["messages"]
    chat = ChatOpenAI(model="m", base_url=url, api_key="none", max_retries=2)
    model = chat.bind_tools(line["tools"])
    words = iter([m["content"] for m in messages if m["role"] == "user"])
    results = iter([m["content"] for m in messages if m["role"] == "tool"])
    start = {"messages": [SystemMessage(messages[0]["content"])]}
    done = await loop(model, words, results).ainvoke(start, {"recursion_limit": 200})
    calls = sum(message.type == "ai" for message in done["messages"])
    assert calls == sum(m["role"] == "assistant" for m in messages), "it was played otherwise"
    return calls


async def main(dataset: Path, url: str, concurrency: int) -> None:
    """Play all conversations; calls, CPU seconds and wall seconds go to stdout."""
    lines = [json.loads(text) for text in dataset.read_text(encoding="utf-8").splitlines()]
    await play(lines[0], url)  # imports and connections
    slots = asyncio.Semaphore(concurrency)

    async def one(line: dict[str, Any]) -> int:
        async with slots:
            return await play(line, url)

    spent, began = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    calls = sum(await asyncio.gather(*(one(line) for line in lines)))
    wall, now = time.monotonic() - began, resource.getrusage(resource.RUSAGE_SELF)
    cpu = now.ru_utime + now.ru_stime - spent.ru_utime - spent.ru_stime
    print(json.dumps({"calls": calls, "cpu": cpu, "wall": wall}))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
