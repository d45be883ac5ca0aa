"""What servers say differently each time is said the same each time, and can be put back."""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tdscaling.live._times import Times
from tdscaling.live.stable import Stable

CLOCK = dt.datetime(2025, 3, 3, 9, tzinfo=dt.UTC)
NOW = dt.datetime(2026, 11, 22, 4, 37, 28, 123456, tzinfo=dt.UTC)


def stable(
    now: dt.datetime = NOW, folder: str = "/tmp/a1", volatile: tuple[str, ...] = ()
) -> Stable:
    folders = ((f"{folder}/workspace", "/workspace"), (folder, "/sandbox"))
    return Stable("seed", folders, volatile, Times(CLOCK, now.timestamp))


def out(text: str, now: dt.datetime = NOW, given_: str = "") -> str:
    return stable(now).outward(text, "call", given_)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("2026-11-22T04:37:28.120Z", "2025-03-03T09:00:00.000Z"),
        ("2026-11-22T04:37:27.123456+00:00", "2025-03-03T09:00:00.000000+00:00"),
        ("2026-11-22 04:37:28", "2025-03-03 09:00:00"),
        ("2026-11-22T04:37", "2025-03-03T09:00"),
        ("2026-11-22T13:37:28+09:00", "2025-03-03T18:00:00+09:00"),
        ("due 2026-11-22, then 2026-11-23", "due 2025-03-03, then 2025-03-04"),
        ("Sun Nov 22 2026 04:37:28 GMT+0000 (UTC)", "Mon Mar 03 2025 09:00:00 GMT+0000 (UTC)"),
        ("Sun Nov 22 04:37:28 2026 +0000", "Mon Mar 3 09:00:00 2025 +0000"),
        ("Sun, 22 Nov 2026 04:37:28 GMT", "Mon, 03 Mar 2025 09:00:00 GMT"),
        ('{"t": 1795322248}', '{"t": 1740992400}'),
        ('{"t": 1795322248123}', '{"t": 1740992400000}'),
        ('{"t": 1795322248.51}', '{"t": 1740992400.0}'),
        ("2026-11-22T20:00:00+00:00", "2025-03-03T20:00:00+00:00"),
        ("Today is 2026-11-22, a Sunday", "Today is 2025-03-03, a Monday"),
    ],
)
def test_the_present_is_the_clocks(said: str, shown: str) -> None:
    assert out(said) == shown


@pytest.mark.parametrize(
    "text",
    ["2019-05-05T10:00:00Z", "1999-12-31", "1234567890", "order 1795322248-7", "v2026-11-22-rc1",
     "2026-13-45", "2026-11-22T99:00:00Z", "Sunday", "Sun Nov 99 04:37:28 2026"],
)  # fmt: skip
def test_what_is_far_away_or_no_time_is_data(text: str) -> None:
    assert out(text) == text


def test_a_time_that_was_asked_for_is_no_clock() -> None:
    assert (
        out("2026-11-22T04:37:00+00:00", given_='{"time": "04:37"}') == "2025-03-03T04:37:00+00:00"
    )


@given(st.integers(0, 365 * 24 * 60))
def test_any_day_reads_alike(minutes: int) -> None:
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(minutes=minutes, microseconds=5)
    zone = dt.timezone(dt.timedelta(hours=9))
    local = now.astimezone(zone)
    text = (
        f"{now.isoformat(timespec='microseconds')} {now:%Y-%m-%d} {int(now.timestamp())} "
        f"{local:%Y-%m-%dT%H:%M:%S}+09:00"
    )
    assert out(text, now) == (
        "2025-03-03T09:00:00.000000+00:00 2025-03-03 1740992400 2025-03-03T18:00:00+09:00"
    )


TOKENS = st.lists(st.uuids(version=4), min_size=1, max_size=6)


@given(TOKENS, st.text("abc /.\\\n{}", max_size=20))
def test_random_ids_are_the_same_each_time_and_come_back(ids: list[uuid.UUID], words: str) -> None:
    first, second = stable(), stable(folder="/tmp/b2")
    text = words.join(f" {one} /tmp/a1/workspace/x " for one in ids)
    fresh = {one: uuid.uuid4() for one in ids}
    other = words.join(f" {fresh[one]} /tmp/b2/workspace/x " for one in ids)
    shown = first.outward(text, "call")
    assert shown == second.outward(other, "call")
    assert "/tmp/a1" not in shown
    assert first.inward(shown) == text
    assert second.inward({"a": [shown]}) == {"a": [other]}
    assert first.outward(text, "later") == shown


SCALARS = st.one_of(st.integers(), st.booleans(), st.none(), st.text())


@given(st.dictionaries(st.text(max_size=5), SCALARS))
def test_what_was_never_shown_goes_in_as_it_is(arguments: dict[str, Any]) -> None:
    assert stable().inward(arguments) == arguments


def test_ids_that_the_assistant_makes_up_are_its_own() -> None:
    mine, one = str(uuid.uuid4()), stable()
    assert one.inward({"id": mine}) == {"id": mine}
    assert one.outward(f"made {mine}", "call") == f"made {mine}"


def test_volatile_patterns_keep_their_shape() -> None:
    one = stable(volatile=("ORD-([0-9A-F]{8})", r"run (\d+)"))
    shown = one.outward("ORD-09575D3C by run 17", "call")
    assert re.fullmatch(r"ORD-[0-9A-F]{8} by run \d\d", shown)
    assert shown == stable(volatile=("ORD-([0-9A-F]{8})", r"run (\d+)")).outward(
        "ORD-ABCDEFAB by run 42", "call"
    )
    order = shown.split()[0]
    assert one.inward([order, "keep 17"]) == ["ORD-09575D3C", "keep 17"]


def test_paths_go_both_ways() -> None:
    one = stable()
    assert (
        one.outward('{"file": "/tmp/a1/workspace/a.md"}', "call") == '{"file": "/workspace/a.md"}'
    )
    assert one.inward("/workspace/a.md") == "/tmp/a1/workspace/a.md"
    assert one.inward("/workspaces/a.md") == "/workspaces/a.md"


def test_numbers_come_back_as_numbers() -> None:
    one = stable()
    shown = json.loads(one.outward('{"at": 1795322248}', "call"))["at"]
    assert one.inward({"since": shown, "all": True}) == {"since": 1795322248, "all": True}
