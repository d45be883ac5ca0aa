"""Voices: every entry as often as the others, by index and seed alone."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tdscaling.blueprints._voices import Voices
from tdscaling.errors import BlueprintError, ConfigError
from tdscaling.schema import Blueprint, Draw, Request, Voice, digest
from tests.blueprints.test_dataflow import clusters, domains, sampler

LISTS = {"personas": ["a", "b", "c"], "styles": ["x", "y"], "languages": ["English", "German"]}


def drawn(count: int, seed: int = 1, lists: dict[str, list[str]] | None = None) -> list[Voice]:
    voices = Voices(lists or LISTS, seed)
    found = [voices.draw(index) for index in range(count)]
    assert None not in found
    return [voice for voice in found if voice]


def test_each_entry_as_often_as_the_others() -> None:
    found = drawn(120)
    for axis, times in (("persona", 40), ("style", 60), ("language", 60)):
        assert set(Counter(getattr(voice, axis) for voice in found).values()) == {times}
    assert len(set(found)) == 12
    assert Counter(voice.persona for voice in found[:6]) == {"a": 2, "b": 2, "c": 2}


def test_an_entry_that_is_repeated_weighs_more() -> None:
    found = drawn(90, lists={"languages": ["English", "English", "German"]})
    assert Counter(voice.language for voice in found) == {"English": 60, "German": 30}
    assert found[0].name in ("English", "German")


def test_index_and_seed_decide() -> None:
    assert drawn(30) == drawn(40)[:30] != drawn(30, seed=2)


def test_nothing_to_choose_from_is_no_voice() -> None:
    assert Voices({}, 1).draw(0) is None
    assert Voices({"personas": [], "styles": []}, 1).draw(0) is None


def test_blueprints_have_the_voice_of_their_draw_and_are_else_the_same() -> None:
    found = 0
    for index in range(12):
        cluster = clusters()[index % len(clusters())]
        draw = Draw(index, 0, digest(["v", index]), Request(cluster.id, (), 2))
        try:
            plain = sampler().make(draw, cluster, domains())
        except BlueprintError:
            continue
        found += 1
        voiced = sampler(voices=LISTS).make(draw, cluster, domains())
        assert voiced.voice == drawn(12)[index]
        assert voiced.to_json() == plain.to_json() | {"voice": voiced.voice.to_json()}
        assert Blueprint.from_json(voiced.to_json()) == voiced
        assert not {"voice", "authors"} & plain.to_json().keys()
    assert found > 5


@pytest.mark.parametrize(
    ("lists", "named"),
    [
        (
            {"accents": ["x"]},
            r"blueprints\.voices\.accents: expected one of personas, styles, lang",
        ),
        ({"styles": [" "]}, r"blueprints\.voices\.styles: expected one line"),
        ({"styles": ["a\nb"]}, r"blueprints\.voices\.styles: expected one line"),
        ({"personas": ["a" * 201]}, r"blueprints\.voices\.personas: .* 200 characters"),
    ],
)
def test_unusable_lists_are_refused_by_name(lists: Any, named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        sampler(voices=lists)
