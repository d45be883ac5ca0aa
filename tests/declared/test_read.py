"""Files that would be misread, or that stand for too much, are refused at their line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tdscaling.declared.read import LARGEST, read
from tdscaling.errors import DomainError

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{below}'] * 9)}]\n"
    for below, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "category: a\nabout: b\ncategory: c\n",
            "line 3: the key `category` again, first in line 1",
        ),
        ("tools: {a: 1, b: 2, a: 3}", "line 1: the key `a` again"),
        ("x:\n  - {a: 1,\n     a: 2}", "line 3: the key `a` again, first in line 2"),
        (BOMB, "aliases that stand for more than"),
        ("a: &a [*a]", "a value that contains itself"),
        ("[" * 50_000, "line 1: more than 60 values within each other"),
        ("x" * (LARGEST + 1), "up to 500,000 bytes"),
        ("a: 2025-13-45", "month must be in 1..12"),
        ("a: [", "no valid YAML"),
    ],
    ids=[
        "twice",
        "twice in one line",
        "deep",
        "bomb",
        "cycle",
        "nested",
        "large",
        "date",
        "broken",
    ],
)
def test_refused(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "test.yaml"
    path.write_text(text)
    with pytest.raises(DomainError) as caught:
        read(path)
    assert told in str(caught.value)
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_aliases_within_reason_are_read(tmp_path: Path) -> None:
    path = tmp_path / "test.yaml"
    path.write_text("a: &a {x: 1}\nb: [*a, *a]\n")
    assert read(path) == {"a": {"x": 1}, "b": [{"x": 1}, {"x": 1}]}
