"""Whatever a foreign file holds is read in no time, without an error."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tdscaling.metrics._messages import failed, text_of
from tdscaling.metrics._trace import Weights, read_trace

WEIGHTS = Weights(alpha=0.5, beta=0.5, gamma=1.0)
WORDS = st.sampled_from(
    ["get_x", "O-17", "Error: no", "{'a': 'O-17'}", '{"error": 1}', "{", "\ud800"]
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5) | WORDS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "text", "id", "function", "name", "arguments", "error", "status", "x_id"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
MESSAGES = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user", "assistant", "tool", "function"]) | ANYTHING},
    optional={
        "content": ANYTHING,
        "tool_calls": ANYTHING
        | st.lists(st.fixed_dictionaries({"function": ANYTHING}), max_size=2),
        "function_call": ANYTHING,
        "tool_call_id": ANYTHING,
    },
)


@given(st.lists(MESSAGES, max_size=6), st.lists(st.text(max_size=3), max_size=2))
def test_any_messages_are_read(messages: list[dict[str, Any]], provenance: list[str]) -> None:
    trace = read_trace(messages, None, provenance, WEIGHTS)
    assert trace.complexity >= len(trace.actions)
    for action in trace.actions:
        assert all(source < action.step for source in action.sources)
        assert (action.depth > 0) == (action.bound_args > 0) == bool(action.sources)
    assert trace == read_trace(messages, None, provenance, WEIGHTS)


@pytest.mark.parametrize(
    "text",
    [
        "to a " * 5000,
        "a." * 20000,
        "I really " * 5000,
        "I can't wait if " * 3000,
        "rather " * 8000,
        "'" * 20001,
        "why actually " * 4000,
        "error" * 8000,
        "1," * 30000,
        "[" * 30000,
        "{" * 30000,
        "aB_" * 20000,
    ],
    ids=lambda text: text[:16],
)
def test_long_odd_texts_take_no_time(text: str) -> None:
    messages = [
        {"role": "user", "content": text},
        {"role": "assistant", "tool_calls": [{"name": text, "arguments": {"a": text}}]},
        {"role": "tool", "content": text},
        {"role": "user", "content": text},
        {"role": "assistant", "content": text},
    ]
    start = time.process_time()
    read_trace(messages, None, [], WEIGHTS)
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("Error: timeout", True),
        ("ERROR timeout", True),
        ("Error-free build", False),
        ("ValueError: x", True),
        ("requests.exceptions.HTTPError: 404", True),
        ("500 Internal Server Error", True),
        ("Failed to connect", True),
        ('{"isError": true}', True),
        ('{"ok": false}', True),
        ('{"status": "error"}', True),
        ('{"status": "failed"}', False),
        ('{"error": false}', False),
        ('[{"error": "in a row"}]', False),
        ("There is no error.", False),
        ("", False),
    ],
)
def test_failed(content: str, expected: bool) -> None:
    assert failed(content) is expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, ""),
        ("a", "a"),
        (["a", {"type": "text", "text": "b"}, {"type": "image_url"}, 7], "a\nb"),
        ({"a": 1}, '{"a": 1}'),
    ],
)
def test_text_of(content: Any, expected: str) -> None:
    assert text_of(content) == expected
