"""Alarms and the end by novelty: when they come, that they come once, and nothing else decides."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tdscaling.errors import ConfigError
from tdscaling.evolution import Alarm, Watch
from tdscaling.schema import Menu, Outcome, Request
from tests.evolution.options import made
from tests.evolution.synthetic import menu, outcome

SIZE = 20


def watch_with(offer: Menu | None = None, **change: Any) -> Watch:
    watch: Watch = made("none", **{"window": 40, "over": 3, **change}).watch
    watch.begin(offer or menu())
    return watch


def accepted(index: int, category: int, mode: int) -> Outcome:
    done = outcome(index, index // SIZE, Request(f"c{category}_0", (), 2), 1)
    verdict = replace(done.verdict, accepted=True, reason=None)
    return replace(
        done, trace=replace(done.trace, mode=f"m{mode}", complexity=2.0), verdict=verdict
    )


def feed(watch: Watch, kinds: list[tuple[int, int]], novelty: float = 1.0) -> list[Alarm]:
    """Rounds of SIZE accepted outcomes, each of a category and a mode."""
    found = []
    for index, (category, mode) in enumerate(kinds):
        watch.observe(accepted(index, category, mode))
        if index % SIZE == SIZE - 1:
            found += watch.close(index // SIZE, lambda: {"novelty_per_ktok": novelty})
    return found


def varied(count: int) -> list[tuple[int, int]]:
    return [(i % 12, i * 7 % 10) for i in range(count)]


def kinds_of(found: list[Alarm]) -> list[str]:
    return [alarm.kind for alarm in found]


def test_a_varied_run_raises_none() -> None:
    assert feed(watch_with(), varied(400)) == []


def test_few_effective_domains() -> None:
    found = feed(watch_with(), [(i % 2, i % 10) for i in range(100)])
    assert kinds_of(found) == ["domains"]
    assert found[0].value == pytest.approx(2)
    assert found[0].threshold == pytest.approx(3)
    assert found[0].round == 1, "the window is full after two rounds of twenty"
    assert found[0].message == "2.0 effective domains among the last 40 accepted, below 3.0"


def test_few_effective_modes_and_a_crowded_cell() -> None:
    found = feed(watch_with(domain_floor=0.0), [(0 if i % 3 else i % 12, 0) for i in range(100)])
    assert kinds_of(found) == ["modes", "cell"]
    assert found[1].message == "cell cat0|m0|0 holds 75% of the last 40 accepted, above 50%"


def test_an_entropy_that_falls_round_after_round() -> None:
    """From twelve categories to four, a few fewer each round; floors off."""
    kinds = [(i % max(4, 12 - i // SIZE), i % 10) for i in range(20 * SIZE)]
    found = feed(watch_with(domain_floor=0.0, fall=0.5), kinds)
    assert kinds_of(found) == ["domains_falling"]
    assert "fell in each of 3 rounds" in found[0].message
    assert feed(watch_with(domain_floor=0.0, fall=3.0), kinds) == []
    assert feed(watch_with(domain_floor=0.0, fall=0.5, over=15), kinds) == []


def test_an_alarm_is_raised_when_it_begins_and_again_after_it_ended() -> None:
    narrow = [(0, i % 10) for i in range(100)]
    assert kinds_of(feed(watch_with(), narrow)) == ["domains"]
    assert kinds_of(feed(watch_with(), narrow + varied(100) + narrow)).count("domains") == 2


def test_what_the_menu_makes_meaningless_is_not_looked_for() -> None:
    offer = menu()
    one = Menu(offer.clusters[:1], ((),), offer.calls)
    assert feed(watch_with(one), [(0, 0)] * 200) == []


def test_rejected_outcomes_do_not_count() -> None:
    watch = watch_with()
    for index in range(100):
        done = accepted(index, 0, 0)
        watch.observe(replace(done, verdict=replace(done.verdict, accepted=False)))
    assert watch.close(4, dict) == []


def test_stop_names_the_alarm_and_warn_goes_on() -> None:
    narrow = [(0, i % 10) for i in range(100)]
    for reaction in ("warn", "stop"):
        watch = watch_with(on_collapse=reaction)
        found = feed(watch, narrow)
        assert watch.collapsed == (found[0] if reaction == "stop" else None)


def test_novelty_must_stay_low_for_so_many_rounds() -> None:
    watch = watch_with(min_novelty=0.5)
    for novelty, ended in [(0.4, 0), (0.4, 0), (0.6, 0), (0.4, 0), (0.4, 0), (0.1, 1)]:
        watch.close(0, lambda value=novelty: {"novelty_per_ktok": value})  # type: ignore[misc]
        assert bool(watch.exhausted) == ended
    assert "fewer than 0.5 new cells and signatures per 1,000 tokens" in watch.exhausted
    off = watch_with()
    feed(off, varied(400), novelty=0.0)
    assert not off.exhausted


@pytest.mark.parametrize(
    "change",
    [
        {"on_collapse": "explode"},
        {"window": 0},
        {"domain_floor": 1.5},
        {"mode_floor": -1},
        {"cell_ceiling": 0},
        {"fall": -0.5},
        {"over": 0},
        {"min_novelty": -1},
    ],
)
@pytest.mark.parametrize("option", ["none", "entropy", "novelty", "bandit"])
def test_every_option_has_the_knobs_and_refuses_what_is_unusable(
    option: str, change: dict[str, Any]
) -> None:
    with pytest.raises(ConfigError, match=f"evolution.{next(iter(change))}: expected .*, got"):
        made(option, **change)
