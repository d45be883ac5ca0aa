"""The ShareGPT form: strictly alternating sides, nothing changed but the shape."""

from __future__ import annotations

import json

from tdscaling.export._sharegpt import sharegpt
from tdscaling.schema import Verdict
from tests.export.ledger import cluster, line

LEFT, RIGHT = {"human", "observation"}, {"gpt", "function_call"}


def converted(*, injected: bool = False) -> dict:
    return json.loads(sharegpt(line("hotel", 3, (), Verdict(accepted=True), injected)))


def test_sides_alternate_and_start_with_the_user() -> None:
    for injected in (False, True):
        turns = converted(injected=injected)["conversations"]
        assert [turn["from"] in LEFT for turn in turns] == [i % 2 == 0 for i in range(len(turns))]
        assert {turn["from"] for turn in turns} <= LEFT | RIGHT
        assert turns[-1]["from"] == "gpt"


def test_one_call_is_an_object_and_its_result_stays_as_it_was() -> None:
    turns = converted()["conversations"]
    call = json.loads(turns[1]["value"])
    assert call == {"name": "search_rooms", "arguments": {"query": "Room 3"}}
    assert json.loads(turns[2]["value"]) == [{"room_id": "RO3", "name": "Room 3", "price": 52.5}]


def test_calls_made_at_once_share_a_turn_and_so_do_their_results() -> None:
    turns = converted()["conversations"]
    calls, results = json.loads(turns[3]["value"]), json.loads(turns[4]["value"])
    assert [call["name"] for call in calls] == ["get_room", "create_stay"]
    assert [turns[3]["from"], turns[4]["from"]] == ["function_call", "observation"]
    assert results == [
        {"room_id": "RO3", "name": "Room 3", "price": 52.5},
        {"stay_id": "ST-1003", "status": "held", "note": None},
    ]


def test_system_and_tools_have_fields_of_their_own() -> None:
    row = converted()
    assert row["system"] == "You are the assistant of the hotel service."
    assert json.loads(row["tools"]) == [t.openai()["function"] for t in cluster("hotel").tools]
    assert row["id"] == "t00003"


def test_results_that_are_not_json_become_strings_of_the_list() -> None:
    row = {
        "id": "x",
        "tools": [],
        "messages": [
            {"role": "user", "content": "both"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": i, "function": {"name": i, "arguments": "{}"}} for i in ("a", "b")
                ],
            },
            {"role": "tool", "tool_call_id": "a", "content": "plain, words"},
            {"role": "tool", "tool_call_id": "b", "content": "[1]"},
            {"role": "assistant", "content": "done"},
        ],
    }
    turns = json.loads(sharegpt(json.dumps(row)))["conversations"]
    assert json.loads(turns[2]["value"]) == ["plain, words", [1]]
