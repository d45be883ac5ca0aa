"""The bodies that are sent are those of plain ChatOpenAI."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables import RunnableLambda
from langchain_core.tracers.context import collect_runs
from langchain_core.tracers.langchain import wait_for_all_tracers
from langchain_openai import ChatOpenAI
from langsmith import Client as Langsmith
from langsmith.run_helpers import tracing_context

from tdscaling.llm._client import Client
from tests.llm.misbehaving import Fault, answered, misbehaving
from tests.openai_server import Answer, said, serving

TOOL = {
    "type": "function",
    "function": {
        "name": "find",
        "description": "Find flights.",
        "parameters": {"type": "object", "properties": {"to": {"type": "string"}}},
    },
}
MESSAGES: list[dict[str, Any]] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "To Oslo, ß ✈"},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {
                "type": "function",
                "id": "call_1",
                "function": {"name": "find", "arguments": '{"to": "OSL"}'},
            }
        ],
    },
    {"role": "tool", "tool_call_id": "call_1", "content": "[]"},
]
SCHEMA = {"name": "verdict", "schema": {"type": "object", "properties": {}}}


KEY = "sk-very-secret-0123456789"


async def key() -> str:
    return KEY


def port_noted(ports: set[int]) -> Fault:
    """A good answer; the client's port is noted."""
    right = answered(said("hi"))

    async def fault(wire: asyncio.StreamWriter) -> bool | None:
        ports.add(wire.get_extra_info("peername")[1])
        return await right(wire)

    return fault


def client(base_url: str, *, own_server: bool) -> Client:
    return Client(
        base_url=base_url,
        own_server=own_server,
        model="gpt-4.1",
        api_key=key,
        temperature=0.5,
        max_tokens=50,
        timeout=10,
        max_reply_bytes=100_000,
    )


def ask(base_url: str, *, seed: int | None, tools: list[Any]) -> dict[str, Any]:
    asked = client(base_url, own_server=True)
    return asyncio.run(asked.ask(MESSAGES, seed=seed, tools=tools, json_schema=None))


@pytest.mark.parametrize(
    ("tools", "schema"), [([], None), ([TOOL], None), ([], SCHEMA)], ids=["text", "tools", "schema"]
)
def test_body_is_the_one_of_plain_chat_openai(tools: list[Any], schema: Any) -> None:
    async def both(base_url: str) -> None:
        verbatim = client(base_url, own_server=False)
        await verbatim.ask(MESSAGES, seed=7, tools=tools, json_schema=schema)
        plain = ChatOpenAI(
            base_url=base_url,
            model="gpt-4.1",
            api_key=key,
            temperature=0.5,
            max_completion_tokens=50,
            seed=7,
            http_async_client=verbatim._http,
        )
        bound: Any = plain.bind_tools(tools) if tools else plain
        if schema:
            bound = bound.bind(response_format={"type": "json_schema", "json_schema": schema})
        await bound.ainvoke(MESSAGES)

    with serving(said("{}")) as server:
        asyncio.run(both(server.base_url))
    ours, plain = server.requests
    ours.pop("stream", None), plain.pop("stream", None)
    assert ours == plain
    assert ours["messages"] == MESSAGES
    assert ("tools" in ours, "response_format" in ours) == (bool(tools), bool(schema))


@pytest.mark.parametrize("odd", ["half a pair \ud83d", 2**70, 1.5, "ß ✈"])
def test_whatever_json_can_say_is_sent(odd: object) -> None:
    schema = {"name": "odd", "schema": {"default": odd}}
    with serving(said("{}")) as server:
        asked = client(server.base_url, own_server=True)
        asyncio.run(asked.ask(MESSAGES, seed=1, tools=[], json_schema=schema))
    assert server.requests[0]["response_format"]["json_schema"] == schema


def test_server_of_ones_own_gets_the_limit_by_the_name_all_know() -> None:
    with serving(said("x")) as server:
        ask(server.base_url, seed=None, tools=[])
    body = server.requests[0]
    assert body["max_tokens"] == 50
    assert "max_completion_tokens" not in body
    assert "seed" not in body


def test_choice_comes_back_as_it_was_sent() -> None:
    broken = said("on it", calls=[("find", '{"to": OSL'), ("find", '{"a":1.0,  "a":2}')])
    with serving(broken) as server:
        sent = ask(server.base_url, seed=1, tools=[TOOL])
    calls = sent["choice"]["message"]["tool_calls"]
    assert [c["function"]["arguments"] for c in calls] == ['{"to": OSL', '{"a":1.0,  "a":2}']
    assert sent["usage"]["prompt_tokens"] == 100


def test_no_choices_is_an_error() -> None:
    with serving(Answer({"choices": []})) as server, pytest.raises((ValueError, IndexError)):
        ask(server.base_url, seed=1, tools=[])


class Watching(BaseCallbackHandler):
    """A tracer of the user's."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def on_chat_model_start(self, serialized: Any, messages: Any, **more: Any) -> None:
        self.seen.append([message.content for message in messages[0]])

    def on_llm_end(self, response: Any, **more: Any) -> None:
        self.seen.append(response.generations[0][0].message)


BROKEN = said("on it", calls=[("find", '{"to": OSL')])


def watched(base_url: str) -> list[Any]:
    """What callbacks that are configured around a request see."""
    watching = Watching()

    async def node(_: Any) -> dict[str, Any]:
        asked = client(base_url, own_server=True)
        return await asked.ask(MESSAGES, seed=7, tools=[TOOL], json_schema=None)

    sent = asyncio.run(RunnableLambda(node).ainvoke("", {"callbacks": [watching]}))
    assert sent["choice"] == BROKEN.body["choices"][0]
    return watching.seen


def test_callbacks_see_the_request_and_the_reply_stays_as_it_was_sent() -> None:
    with serving(BROKEN) as server:
        ask(server.base_url, seed=7, tools=[TOOL])
        seen, message = watched(server.base_url)
    assert server.requests[0] == server.requests[1]
    assert seen == ["Be brief.", "To Oslo, ß ✈", "", "[]"]
    assert (message.content, message.usage_metadata["input_tokens"]) == ("on it", 100)


def test_odd_reply_stays_as_it_was_sent_before_callbacks_too() -> None:
    odd = Answer({"choices": [{"message": {"role": "assistant", "content": [7], "x": 1}}]})
    with serving(odd) as server:
        plain = ask(server.base_url, seed=7, tools=[])
        with collect_runs() as runs:
            traced = ask(server.base_url, seed=7, tools=[])
    assert traced == plain == {"choice": odd.body["choices"][0], "usage": None}
    assert len(runs.traced_runs) == 1


def test_langsmith_sees_the_calls_where_it_is_configured() -> None:
    def answer(body: dict[str, Any]) -> Answer:
        return said("hi") if "model" in body else Answer({})

    with serving(answer) as server:
        langsmith = Langsmith(api_url=server.base_url, api_key="k", auto_batch_tracing=False)
        for enabled in (True, False):
            with tracing_context(enabled=enabled, client=langsmith):
                ask(server.base_url, seed=7, tools=[TOOL])
            wait_for_all_tracers()
    runs = [body for body in server.requests if "model" not in body]
    assert len(server.requests) == 3
    assert len(runs) == 1
    assert runs[0]["run_type"] == "llm"
    assert "To Oslo" in str(runs[0]["inputs"])
    assert KEY not in str(runs)


@pytest.mark.parametrize("requests", [1, 40])
def test_connections_are_used_again_and_closed(requests: int) -> None:
    async def some(base_url: str) -> None:
        asked = client(base_url, own_server=True)
        for _ in range(requests):
            await asked.ask(MESSAGES, seed=7, tools=[], json_schema=None)

    connections = set()
    with misbehaving(lambda server, body: port_noted(connections)) as server:
        asyncio.run(some(server.base_url))
        assert server.requests == requests
    assert len(connections) == 1
