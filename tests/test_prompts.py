"""Prompts: filled strictly, told apart by their text."""

from __future__ import annotations

from pathlib import Path

import pytest
from jinja2 import UndefinedError

from tdscaling.prompts import digest_of, filled


def test_a_template_shows_what_it_is_given_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "role.jinja").write_text("{# why #}\nSay {{ what }} <b>.\n")
    assert filled(tmp_path, "role", what="'<x>'") == "Say '<x>' <b>."
    with pytest.raises(UndefinedError):
        filled(tmp_path, "role", other=1)


def test_the_digest_is_that_of_the_text(tmp_path: Path) -> None:
    for folder, text in (("a", "one"), ("b", "one"), ("c", "two")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.jinja").write_text(text)
        (tmp_path / folder / "y.jinja").write_text("same")
    a, b, c = (digest_of(tmp_path / folder, "x", "y") for folder in "abc")
    assert a == b != c
    assert len(a) == 16
    assert digest_of(tmp_path / "a", "x") != a
