"""`tdscaling doctor llm=...`: what servers of all kinds are found to do, and what to type."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tdscaling.__main__ import main
from tdscaling.doctor import doctor
from tdscaling.llm import Endpoint
from tdscaling.llm.openai import OpenAIEndpoint
from tdscaling.sandbox.none import NoSandbox
from tests.llm.endpoints import endpoint
from tests.openai_server import Answer, Body, dead_url, listed, refused, said, serving

KEY = "sk-very-secret-0123456789"
ARGUMENTS = {"city": "Oslo", "day": "tomorrow"}
Model = Callable[[Body], Answer]


def capable(body: Body) -> Answer:
    """Does all."""
    schema = body.get("response_format", {}).get("json_schema", {})
    if schema.get("name") == "turn":
        return said(json.dumps(_turn(body)))
    if schema:
        return said('{"why": "I looked it up.", "yes": true}')
    if body.get("tools"):
        if body["messages"][-1]["role"] == "tool":
            return said("Rain, 7 degrees.")
        return said(None, calls=[("get_forecast", json.dumps(ARGUMENTS))])
    return said("Hello there!")


def _turn(body: Body) -> dict[str, Any]:
    if body["messages"][-1]["content"].startswith("Your calls returned:"):
        return {"say": "Rain, 7 degrees."}
    return {"calls": [{"name": "get_forecast", "arguments": ARGUMENTS}]}


def without(refuses: Callable[[Body], object], answer: Answer) -> Model:
    """All but requests of one kind."""
    return lambda body: answer if refuses(body) else capable(body)


def check(llm: Endpoint) -> int:
    absent: Any = NoSandbox()
    return doctor(
        docker=absent, bubblewrap=absent, llm=llm, need="skip", strict=False, build=False,
        cache=None,
    )  # fmt: skip


def checked(
    capsys: pytest.CaptureFixture[str],
    model: Model | Answer,
    models: Answer | None = None,
    **changed: Any,
) -> tuple[int, dict[str, list[str]], str]:
    """Exit code, the rows of the table by their check, and all that was said."""
    with serving(model, models=models) as server:
        code = check(endpoint(server.base_url, **changed))
    told = capsys.readouterr()
    assert told.err == ""
    rows = [
        [cell.strip() for cell in line.split("│")[1:-1]]
        for line in told.out.splitlines()
        if "│" in line
    ]
    table: dict[str, list[str]] = {}
    for name, works, seen in rows:
        if name:
            last = table[name] = [works, seen]
        else:  # the row goes on
            last[1] = f"{last[1]} {seen}"
    return code, table, told.out


def test_endpoint_that_does_all(capsys: pytest.CaptureFixture[str]) -> None:
    code, table, out = checked(capsys, capable, listed("l", "m"))
    assert code == 0
    assert {works for works, _ in table.values()} == {"yes"}
    assert list(table) == [
        "reachable",
        "plain reply",
        "seed",
        "tokens",
        "latency",
        "tool calls, native",
        "tool calls, json",
        "JSON schema",
    ]
    assert table["reachable"][1] == "m is listed"
    assert table["plain reply"][1] == '"Hello there!"'
    assert "the same reply again" in table["seed"][1]
    assert "100 and 10 tokens" in table["tokens"][1]
    assert "median of 3 short replies" in table["latency"][1]
    assert "type:" not in out


CASES = {
    "native calls are text": (
        without(lambda body: body.get("tools"), said('get_forecast({"city": "Oslo"})')),
        {},
        ("tool calls, native", "no call; it said"),
        "type: llm.tool_calls=json",
    ),
    "native calls are refused": (
        without(lambda body: body.get("tools"), refused(400, "needs --enable-auto-tool-choice")),
        {},
        ("tool calls, native", "status 400: needs --enable-auto-tool-choice"),
        "type: llm.tool_calls=json",
    ),
    "the wrong call": (
        without(lambda body: body.get("tools"), said(None, calls=[("get_forecast", "{}")])),
        {},
        ("tool calls, native", "without usable name or arguments"),
        "type: llm.tool_calls=json",
    ),
    "results are not understood": (
        without(lambda body: body["messages"][-1]["role"] == "tool", refused(400, "no tool role")),
        {},
        ("tool calls, native", "no tool role"),
        "type: llm.tool_calls=json",
    ),
    "calls without end": (
        without(
            lambda body: body.get("tools"),
            said(None, calls=[("get_forecast", json.dumps(ARGUMENTS))]),
        ),
        {},
        ("tool calls, native", "called again"),
        "type: llm.tool_calls=json",
    ),
    "no JSON schema, calls in JSON": (
        without(lambda body: body.get("response_format"), said("Yes, it is.")),
        {"tool_calls": "json"},
        ("tool calls, json", "malformed reply"),
        "type: llm.tool_calls=native",
    ),
    "no JSON schema": (
        without(lambda body: body.get("response_format"), said("Yes, it is.")),
        {},
        ("JSON schema", 'the reply does not fit: "Yes, it is."'),
        None,
    ),
    "seed refused": (
        without(lambda body: "seed" in body, refused(400, "unknown field: seed")),
        {},
        ("plain reply", "refused as set: status 400: unknown field: seed"),
        "type: llm.send_seed=false",
    ),
    "temperature refused": (
        without(lambda body: "temperature" in body, refused(422, "unsupported value")),
        {},
        ("plain reply", "refused as set: status 422: unsupported value"),
        "type: llm.temperature=null",
    ),
    "both refused": (
        without(lambda body: {"seed", "temperature"} & body.keys(), refused(400, "no")),
        {},
        ("plain reply", "refused as set"),
        "type: llm.send_seed=false llm.temperature=null",
    ),
    "cut off": (
        lambda body: said("<think>Well", finish="length"),
        {},
        ("plain reply", "cut off: length"),
        "type: llm.max_tokens=4096",
    ),
    "slow": (
        lambda body: Answer({}, delay=1.0),
        {"timeout": 0.1},
        ("plain reply", "timeout"),
        "type: llm.timeout=600",
    ),
    "down": (
        lambda body: refused(503, "loading"),
        {},
        ("plain reply", "status 503: loading"),
        None,
    ),
    "unknown model": (
        lambda body: refused(404, "no model m"),
        {},
        ("plain reply", "it knows no such model or path (404: no model m)"),
        None,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_does_not_work_is_told_with_what_to_type(
    case: str, capsys: pytest.CaptureFixture[str]
) -> None:
    model, changed, (row, reason), advice = CASES[case]
    code, table, out = checked(capsys, model, listed("m"), **{"backoff": 0.0, **changed})
    # Where plain words come, the user at least can be played.
    assert code == (row == "plain reply")
    title = "works for some roles" if code == 0 else "does not work as it is set"
    assert title in " ".join(out.split())
    assert table[row][0] == "NO"
    assert reason in table[row][1]
    said_ = [line for line in out.splitlines() if line.startswith("type: ")]
    assert said_ == ([advice] if advice else [])


USER, CALLS = "roles/user=llm", "roles/assistant=llm"
WORDS = "blueprints=composed, roles/assistant=narrated"
JSON = "roles/judge=llm, environments=llm"
SOME = {
    "no calls": ("tools", said("I cannot."), f"{USER}, {WORDS}, {JSON}", CALLS, "roles.assistant"),
    "a schema is ignored": (
        "response_format", said("Yes."), f"{USER}, {CALLS}, {WORDS}", JSON, "roles.judge"
    ),
    "a schema is refused": (
        "response_format", refused(400, "no"), f"{USER}, {CALLS}", f"{WORDS}, {JSON}", "blueprints"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SOME)
def test_roles_that_can_be_played_are_told_from_others(
    case: str, capsys: pytest.CaptureFixture[str]
) -> None:
    key, answer, can, cannot, part = SOME[case]
    code, _, out = checked(capsys, without(lambda body: body.get(key), answer), listed("m"))
    assert code == 0
    assert f"\ncan be played as it is set: {can}\n" in out
    assert f"\ncannot be played: {cannot}; " in out
    assert f"+llm@{part}.llm=openai {part}.llm.model=NAME" in out


def test_what_is_not_needed_is_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    mute = without(lambda body: body.get("tools"), said("I cannot."))
    code, table, _ = checked(capsys, mute, tool_calls="json", send_seed=False)
    assert code == 0
    assert table["tool calls, native"][0] == table["seed"][0] == "no, not needed"
    assert table["reachable"] == ["yes", "it lists no models"]


def test_tokens_that_are_not_counted_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    code, table, _ = checked(capsys, said("Hello there!", usage=False))
    assert code == 0
    assert table["tokens"][0] == "no, not needed"
    assert "not counted" in table["tokens"][1]


def test_models_are_named_where_none_is_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    names = [f"model-{number}" for number in range(12)]
    with serving(capable, models=listed(*names)) as server:
        assert check(endpoint(server.base_url, model=None)) == 1
    out = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "no model is chosen; it has model-0, model-1" in out
    assert "and 4 more" in out
    assert "type: llm.model=model-0" in out


def test_another_name_than_listed_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    code, table, _ = checked(capsys, capable, listed("n:latest"))
    assert (code, table["reachable"]) == (0, ["yes", "it has n:latest"])


def test_dead_endpoint(capsys: pytest.CaptureFixture[str]) -> None:
    assert check(endpoint(dead_url())) == 1
    out = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "does not work as it is set" in out
    assert "it cannot be reached" in out
    assert "start the server" in out


@pytest.mark.parametrize("listing", [True, False])
def test_key_is_not_shown(
    listing: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    no = refused(401, f"bad key {KEY}")
    for model in (no, said(f"You sent {KEY}."), said(None, calls=[(KEY, "{}")])):
        code, _, out = checked(capsys, model, no if listing else listed("m", KEY))
        assert code == 1  # a reply that repeats the key is none
        assert KEY[:8] not in out


def test_what_an_endpoint_says_cannot_act_on_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    wild = "\x1b[2J[bold]x[/bold]\r\n" + "y" * 5_000
    code, _, out = checked(capsys, said(wild), listed(wild, "m"))
    assert code == 0
    assert "\x1b" not in out
    assert "[bold]x[/bold]" in out
    assert len(out) < 8_000


def test_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["doctor", "need=skip"]
    with serving(capable, models=listed("m")) as server:
        url = f"llm.base_url={server.base_url}"
        assert main([*words, "llm=vllm", url, "llm.model=m"]) == 0
        assert main([*words, "llm=ollama", url, "llm.model=m", "llm.send_seed=false"]) == 0
    assert capsys.readouterr().out.count(": works") >= 2
    assert main([*words]) == 0
    assert "no model to check; to check one, type: tdscaling doctor" in capsys.readouterr().out
    assert main([*words, "llm=openai", "llm.model=m"]) == 1
    told = capsys.readouterr().err
    assert told.startswith("tdscaling: https://api.openai.com/v1 needs a key")


def test_settings_that_are_tried_leave_the_endpoint_as_it_was() -> None:
    one: OpenAIEndpoint = endpoint("http://127.0.0.1:9/v1")
    identity = one.identity
    other = one.varied(send_seed=False, temperature=None, tool_calls="json")
    assert (other.sends_seed, other.tool_calls) == (False, "json")
    assert (one.sends_seed, one.tool_calls, one.identity) == (True, "native", identity)
