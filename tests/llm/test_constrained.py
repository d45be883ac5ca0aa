"""Tool calls in JSON that a schema forces, against servers that know of no others."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import fastjsonschema
import pytest

from tdscaling.llm import NoReply, Reply, _constrained
from tests.llm.endpoints import endpoint
from tests.llm.outcomes import lines
from tests.openai_server import Answer, Body, Server, refused, said, serving
from tests.oracle import oracle
from tests.runs import NO_CODE, here


def tool(name: str, parameters: dict[str, Any]) -> dict[str, Any]:
    function = {"name": name, "description": f"To {name}.", "parameters": parameters}
    return {"type": "function", "function": function}


FIND = tool(
    "find",
    {
        "type": "object",
        "properties": {
            "to": {"type": "string", "pattern": "^[A-Z]{3}$", "format": "x"},
            "many": {"type": ["integer", "null"], "minimum": 1, "multipleOf": 2},
            "classes": {"type": "array", "items": {"enum": ["business", "economy"]}},
            "why": {"type": "string", "minLength": 1500},
            "who": {"$ref": "#/$defs/person"},
        },
        "required": ["to", "gone"],
    },
)
PING = tool("ping", {"type": "object", "properties": {}})
TOOLS = [FIND, PING]
ASKED: list[dict[str, Any]] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "To Oslo, ß ✈"},
]


def called(number: int, name: str, arguments: str) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"id": f"call_{number}", "type": "function", "function": function}


def chat(server: Server, messages: Any = ASKED, **changed: Any) -> Reply:
    to = endpoint(server.base_url, **{"tool_calls": "json", **changed})
    return asyncio.run(to.chat("assistant", messages, seed="s", tools=TOOLS))


def schema_of(body: Body) -> dict[str, Any]:
    assert body["response_format"]["type"] == "json_schema"
    found: dict[str, Any] = body["response_format"]["json_schema"]["schema"]
    return found


def fits(schema: dict[str, Any], value: Any) -> bool:
    try:
        fastjsonschema.compile(schema)(value)
    except fastjsonschema.JsonSchemaValueException:
        return False
    return True


def test_words_are_a_message() -> None:
    with serving(said('{"say": "To where?"}')) as server:
        assert chat(server).message == {"role": "assistant", "content": "To where?"}


def test_calls_are_a_message_with_tool_calls() -> None:
    reply = {
        "calls": [
            {
                "name": "find",
                "arguments": {"to": "ß", "many": 12345678901234567890123, "who": 1.50},
            },
            {"name": "ping", "arguments": {}},
        ]
    }
    with serving(said(json.dumps(reply))) as server:
        message = chat(server).message
    assert message == {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            called(0, "find", '{"to": "ß", "many": 12345678901234567890123, "who": 1.5}'),
            called(1, "ping", "{}"),
        ],
    }


def test_tools_are_told_in_words_and_nothing_native_is_sent() -> None:
    messages = [
        *ASKED,
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [called(0, "find", '{"to": "OSL"}'), called(1, "ping", "{no json")],
        },
        {"role": "tool", "tool_call_id": "call_0", "content": '[{"flight": "A1"}]'},
        {"role": "tool", "tool_call_id": "call_1", "content": "pong"},
        {"role": "assistant", "content": "A1 flies."},
        {"role": "user", "content": "Thanks."},
    ]
    with serving(said('{"say": "Bye."}')) as server:
        chat(server, messages)
    body = server.requests[0]
    assert "tools" not in body
    system, *rest = body["messages"]
    assert system["content"].startswith("Be brief.\n\nYou have tools.")
    assert json.dumps(PING["function"]) in system["content"]
    assert [message["role"] for message in rest] == [
        "user",
        "assistant",
        "user",
        "assistant",
        "user",
    ]
    calls = [
        {"name": "find", "arguments": {"to": "OSL"}},
        {"name": "ping", "arguments": "{no json"},
    ]
    assert json.loads(rest[1]["content"]) == {"calls": calls}
    assert rest[2]["content"].splitlines() == [
        "Your calls returned:",
        json.dumps({"name": "find", "result": '[{"flight": "A1"}]'}),
        json.dumps({"name": "ping", "result": "pong"}),
    ]
    assert json.loads(rest[3]["content"]) == {"say": "A1 flies."}
    assert rest[4]["content"] == "Thanks."


def test_schema_asks_for_one_of_two_forms_and_each_tools_own_arguments() -> None:
    with serving(said('{"say": "x"}')) as server:
        chat(server)
    schema = schema_of(server.requests[0])
    good = [
        {"say": "Hi"},
        {"calls": [{"name": "ping", "arguments": {}}]},
        {"calls": [{"name": "find", "arguments": {"to": "OSL", "many": None, "who": [1]}}]},
    ]
    bad = [
        {},
        {"say": ""},
        {"say": "x" * (_constrained.LONGEST_SAY + 1)},
        {"say": "Hi", "calls": []},
        {"calls": []},
        {"calls": [{"name": "pong", "arguments": {}}]},
        {"calls": [{"name": "ping", "arguments": {"to": "OSL"}}]},
        {"calls": [{"name": "find", "arguments": {}}]},
        {"calls": [{"name": "find", "arguments": {"to": 1}}]},
        {"calls": [{"name": "find", "arguments": {"to": "OSL", "classes": ["first"]}}]},
        {"calls": [{"name": "find", "arguments": {"to": "x" * 1001}}]},
        {"calls": [{"name": "ping", "arguments": {}}] * (_constrained.MOST_CALLS + 1)},
    ]
    assert [fits(schema, value) for value in good] == [True] * len(good)
    assert [value for value in bad if fits(schema, value)] == []
    text = json.dumps(schema)
    assert not any(word in text for word in ("pattern", "format", "multipleOf", "$ref", "gone"))


def _strings(schema: Any) -> list[dict[str, Any]]:
    if isinstance(schema, list):
        return [found for part in schema for found in _strings(part)]
    if not isinstance(schema, dict):
        return []
    own = [schema] if schema.get("type") == "string" and "enum" not in schema else []
    return own + [found for part in schema.values() for found in _strings(part)]


def test_every_text_has_an_end_that_its_own_bounds_allow() -> None:
    found = _strings(_constrained.asked(ASKED, TOOLS)[1])
    assert len(found) == 3
    for string in found:
        assert string.get("minLength", 0) <= string["maxLength"] <= _constrained.LONGEST_SAY


@pytest.mark.parametrize("shape", ["wide", "deep"])
def test_schema_of_huge_tools_stays_small(shape: str) -> None:
    deep: dict[str, Any] = {"type": "string"}
    for _ in range(100 if shape == "deep" else 0):
        deep = {"type": "object", "properties": {"x": deep}}
    wide = {f"p{n}": {"enum": list(range(100))} for n in range(100 if shape == "wide" else 0)}
    huge = tool("huge", {"type": "object", "properties": {"deep": deep, **wide}})
    schema = _constrained.asked(ASKED, [huge, PING])[1]["schema"]
    assert len(json.dumps(schema)) < 5_000
    assert fits(schema, {"calls": [{"name": "ping", "arguments": {}}]})
    assert not fits(schema, {"calls": [{"name": "pong", "arguments": {}}]})


@pytest.mark.parametrize(
    "text",
    [
        "Sure, I will look.",
        '```json\n{"say": "x"}\n```',
        '{"say": "x"',
        "[]",
        '"say"',
        "{}",
        '{"say": null}',
        '{"say": "x", "calls": []}',
        '{"calls": []}',
        '{"calls": {}}',
        '{"calls": ["find"]}',
        '{"calls": [{"name": "find"}]}',
        '{"calls": [{"name": "find", "arguments": "{}"}]}',
        '{"calls": [{"name": 1, "arguments": {}}]}',
        '{"calls": [{"name": "find", "arguments": {}, "id": 1}]}',
        '{"calls": [{"name": "find", "arguments": {"x": NaN}}]}',
        '{"calls": [{"name": "drop_tables", "arguments": {}}]}',
        '{"say": "half a pair \\ud83d"}',
        '{"calls": ' + "[" * 100_000,
        '{"think": "x"}',
    ],
)
def test_reply_that_does_not_fit_is_none(text: str) -> None:
    with serving(said(text)) as server, pytest.raises(NoReply, match="malformed reply") as caught:
        chat(server)
    assert len(str(caught.value)) < 600
    assert len(caught.value.calls) == 1
    assert "malformed reply" in str(caught.value.calls[0].error)
    assert caught.value.calls[0].prompt_tokens == 100  # it was paid all the same


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (said('{"say": " "}'), "empty reply"),
        (said(None), "empty reply"),
        (said('{"say": "x', finish="length"), "cut off: length"),
        (refused(400, "no response_format here"), "status 400"),
    ],
)
def test_other_failures_are_those_of_any_reply(answer: Answer, reason: str) -> None:
    with serving(answer) as server, pytest.raises(NoReply, match=reason):
        chat(server)


def test_other_requests_are_untouched() -> None:
    shape = {"name": "verdict", "schema": {"type": "object"}}
    with serving(said("{}")) as server:
        for style in ("native", "json"):
            to = endpoint(server.base_url, tool_calls=style)
            asyncio.run(to.chat("judge", ASKED, seed="s", json_schema=shape))
            asyncio.run(to.chat("user", ASKED, seed="s"))
    assert server.requests[:2] == server.requests[2:]
    assert server.requests[0]["messages"] == ASKED


def test_style_is_part_of_the_identity() -> None:
    native, forced = (endpoint("http://h/v1", tool_calls=style) for style in ("native", "json"))
    assert native.identity != forced.identity
    assert (native.tools_prompt, len(str(forced.tools_prompt))) == (None, 16)


def speaks_json_only(model: Any) -> Any:
    """A server whose model plays recorded conversations, and that knows of no tools."""

    def answer(body: Body) -> Answer:
        if "tools" in body or any(m["role"] == "tool" for m in body["messages"]):
            return refused(400, "tools are not supported")
        if "You have tools." not in body["messages"][0]["content"]:
            return model(body)  # type: ignore[no-any-return]
        native = model({"messages": list(_native(body["messages"])), "tools": []})
        if native.status != 200:
            return native  # type: ignore[no-any-return]
        message = native.body["choices"][0]["message"]
        turn: dict[str, Any] = {"say": message["content"]}
        if calls := message.get("tool_calls"):
            functions = [call["function"] for call in calls]
            turn = {
                "calls": [
                    {"name": one["name"], "arguments": json.loads(one["arguments"])}
                    for one in functions
                ]
            }
        assert fits(schema_of(body), turn)
        return said(json.dumps(turn))

    return answer


def _native(messages: list[Body]) -> Any:
    """What was told in words as the messages that stand in the data."""
    for message in messages:
        role, text = message["role"], message["content"]
        if role == "system":
            yield {"role": role, "content": text.split("\n\nYou have tools.")[0]}
        elif role == "assistant":
            yield {"role": role, "content": json.loads(text).get("say")}
        elif text.startswith("Your calls returned:"):
            for line in text.splitlines()[1:]:
                yield {"role": "tool", "content": json.loads(line)["result"]}
        else:
            yield message


def test_whole_run_over_a_server_without_tools(tmp_path: Path) -> None:
    assert here(tmp_path / "scripted", *NO_CODE, size=4) == 0
    recorded = lines(tmp_path / "scripted")
    for message in [message for line in recorded for message in line["messages"]]:
        if "tool_calls" in message:
            message["content"] = None  # here a turn has words or calls
    words = ("roles/user=llm", "roles/assistant=llm", "roles/judge=llm", "llm.model=m")
    with serving(speaks_json_only(oracle(recorded))) as server:
        url = f"llm.base_url={server.base_url}"
        more = ("llm=llamacpp", url)
        assert here(tmp_path / "forced", *NO_CODE, *words, *more, size=4) == 0
    found = lines(tmp_path / "forced")
    assert len(found) == 4
    told = _constrained.prompt_digest()
    for line, scripted in zip(found, recorded, strict=True):
        assert line["meta"]["prompts"]["assistant"] == told
        assert [m.get("content") for m in line["messages"]] == [
            m.get("content") for m in scripted["messages"]
        ]
        assert any("tool_calls" in message for message in line["messages"])
    forced, again = tmp_path / "forced", tmp_path / "again"
    replayed = ("llm=replay", f"llm.run={forced}")
    assert here(again, *NO_CODE, *words[:3], *replayed, size=4) == 0
    dataset = Path("dataset") / "train.jsonl"
    assert (again / dataset).read_bytes() == (forced / dataset).read_bytes()
