"""Voices: persona, style and language of the user.

Enters: lists of each. Leaves: the voice of a draw, every entry as often as the others: in each
block of draws as long as a list, every entry of it is drawn once, in an order of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

from tdscaling.errors import ConfigError
from tdscaling.schema import Voice

AXES = {"personas": "persona", "styles": "style", "languages": "language"}
LONGEST = 200
"""Characters of an entry."""


class Voices:
    """Draws voices.

    Args:
        lists: entries per axis, all of them empty for no voice at all; an entry that is repeated
            is drawn as many times.
        seed: of the run.
    """

    def __init__(self, lists: Mapping[str, Sequence[str]], seed: int) -> None:
        for name, entries in lists.items():
            if name not in AXES:
                raise ConfigError(f"blueprints.voices.{name}: expected one of {', '.join(AXES)}")
            for entry in entries:
                if not entry.strip() or not entry.isprintable() or len(entry) > LONGEST:
                    raise ConfigError(
                        f"blueprints.voices.{name}: expected one line of at most {LONGEST} "
                        f"characters, got {entry[:LONGEST]!r}"
                    )
        self._lists = {name: tuple(entries) for name, entries in lists.items() if entries}
        self._seed = seed

    def draw(self, index: int) -> Voice | None:
        """The voice of a draw by its index; None where there is nothing to choose from."""
        if not self._lists:
            return None
        return Voice(**{AXES[name]: self._entry(name, index) for name in self._lists})

    def _entry(self, name: str, index: int) -> str:
        entries = self._lists[name]
        block, position = divmod(index, len(entries))
        order = list(entries)
        Random(f"{self._seed}:voice:{name}:{block}").shuffle(order)
        return order[position]
