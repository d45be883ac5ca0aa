"""The bodies that are sent are those of plain ChatOpenAI."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain_openai import ChatOpenAI

from tdscaling.llm._client import Client
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


async def key() -> str:
    return "k"


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
