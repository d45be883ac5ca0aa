"""Traces labelled by hand, several for every event, foreign formats and look-alikes among them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from tdscaling.metrics._effects import seems_to_write
from tdscaling.metrics._trace import Weights, read_trace
from tdscaling.schema import Message

WEIGHTS = Weights(alpha=0.5, beta=0.5, gamma=1.0)
LABELLED: list[dict[str, Any]] = [
    {**trace, "file": path.stem}
    for path in sorted((Path(__file__).parent / "traces").glob("*.yaml"))
    for trace in yaml.safe_load(path.read_text(encoding="utf-8"))
]
EVENTS = (
    "ask call parallel chain code error recover revise verify refuse answer".split()  # noqa: SIM905
)
DOMAINS = Path(__file__).parents[2] / "conf" / "domains"


def played(talk: list[dict[str, Any]]) -> list[Message]:
    messages: list[Message] = []
    for turn in talk:
        ((kind, value),) = turn.items()
        if kind in ("calls", "says_and_calls"):
            text, calls = value if kind == "says_and_calls" else (None, value)
            messages += called(text, calls, len(messages))
        else:
            role = {"says": "assistant"}.get(kind, kind)
            messages.append({"role": role, "content": value})
    return messages


def called(text: str | None, calls: list[list[Any]], start: int) -> list[Message]:
    ids = [f"call_{start}_{i}" for i in range(len(calls))]
    made = [
        {"id": id_, "type": "function", "function": {"name": tool, "arguments": json.dumps(given)}}
        for id_, (tool, given, _) in zip(ids, calls, strict=True)
    ]
    contents = [got if isinstance(got, str) else json.dumps(got) for _, _, got in calls]
    return [
        {"role": "assistant", "content": text, "tool_calls": made},
        *(
            {"role": "tool", "tool_call_id": id_, "content": content}
            for id_, content in zip(ids, contents, strict=True)
        ),
    ]


@pytest.mark.parametrize("labelled", LABELLED, ids=[f"{t['file']}: {t['name']}" for t in LABELLED])
def test_labelled_trace(labelled: dict[str, Any]) -> None:
    messages = labelled.get("raw") or played(labelled["talk"])
    trace = read_trace(messages, None, [], WEIGHTS)
    assert trace.signature == labelled["signature"]
    if "shape" in labelled:
        assert trace.shape == labelled["shape"]


def test_the_set_is_large_and_has_several_traces_per_event() -> None:
    assert len(LABELLED) >= 60
    counts = Counter(e for t in LABELLED for e in set(t["signature"].split(">")))
    assert {event for event in EVENTS if counts[event] < 4} == set()


def test_what_a_tool_does_is_read_off_its_name() -> None:
    """Against every tool of the shipped domains, where what writes is declared."""
    declared = {
        name: bool(tool.get("effects"))
        for path in DOMAINS.glob("*.yaml")
        for name, tool in yaml.safe_load(path.read_text(encoding="utf-8"))["tools"].items()
    }
    wrong = [name for name, writes in declared.items() if seems_to_write(name) != writes]
    assert len(declared) > 300
    assert len(wrong) <= 0.03 * len(declared), wrong


@pytest.mark.parametrize(
    ("tool", "writes"),
    [
        ("get_booking", False),
        ("createBooking", True),
        ("shop__add_to_cart", True),
        ("orders.list", False),
        ("check_in_guest", True),
        ("check_availability", False),
        ("order_status", False),
        ("order_pizza", True),
        ("weather", False),
        ("POST", True),
        ("", False),
    ],
)
def test_a_name_tells_whether_it_writes(tool: str, writes: bool) -> None:
    assert seems_to_write(tool) is writes
