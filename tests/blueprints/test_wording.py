"""How users say what they are asked for."""

from __future__ import annotations

from typing import Any

from tdscaling.blueprints._refer import DraftStep
from tdscaling.blueprints._wording import Wording
from tdscaling.declared.rows import Generators
from tdscaling.declared.session import Result
from tests.bookshop import bookshop


def told(title: Any, seed: int) -> str:
    """What a user answers who left out the title of a book."""
    spec = bookshop().tools["search_books"]
    name = next(iter(spec.file.parameters))
    step = DraftStep(
        "bookshop", spec, 0, "goal", "ok", {name: {"fact": "what"}}, {}, Result(True, (), "[]")
    )
    generators = Generators(f"{seed}", "2025-01-01 00:00", None)
    wording = Wording([step], generators, {}, {"what": title})
    return wording._hold_back(step, name)[2]


def test_a_sentence_is_quoted_and_a_name_is_not() -> None:
    text = "The first results look promising"
    for seed in range(12):
        assert f'"{text}"' in told(text, seed)
        assert '"' not in told("Dunes", seed)
        assert "Dunes" in told("Dunes", seed)
