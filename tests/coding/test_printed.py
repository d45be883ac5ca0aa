"""Values out of printed text."""

from __future__ import annotations

import json

import pytest

from tdscaling.coding import printed


def content(text: str) -> str:
    return json.dumps({"exit_code": 0, "stdout": text, "stderr": ""})


def test_told() -> None:
    assert printed.told(content("a: 1.50\nb: x y\n"), names=False) == ("1.50", "x y")
    assert printed.told(content("North: 3\n"), names=True) == ("North", "3")
    assert printed.told(content("name|n\nAda|3\nBo|2\nCy|1\nDi|0\n"), names=False) == (
        "Ada", "3", "Bo", "2", "Cy", "1",
    )  # fmt: skip
    assert printed.told(content(""), names=False) == ()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("a: 1.5\n", "a: 1.50\n", True),
        ("a: 1.23\n", "a: 1.24\n", True),
        ("a: 1.23\n", "a: 1.25\n", False),
        ("a: 12\n", "a: 13\n", False),
        ("a: 5.1%\n", "a: 5.1\n", False),
        ("a: 1\n", "b: 1\n", False),
        ("", "", False),
    ],
)
def test_same_lines(one: str, other: str, same: bool) -> None:
    assert printed.same_lines(one, other) is same


def test_order_counts_only_where_it_was_asked_for() -> None:
    one, other = printed.rows("n\na|1\nb|2\n"), printed.rows("m\nb|2\na|1\n")
    assert printed.same_rows(one, other, ordered=False)
    assert not printed.same_rows(one, other, ordered=True)
    assert not printed.same_rows(one, one[:1], ordered=False)
