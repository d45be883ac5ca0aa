"""The account: caps hold for each request, by role and in all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tdscaling.errors import EndOfRun
from tdscaling.schema import LlmCall
from tdscaling.spending.account import ALL, Account, Caps, charged, close_all, total
from tdscaling.spending.journal import Entry

CALL = LlmCall("user", "m", 100, 10, 12.5, 0.25)
SAID = {"role": "assistant", "content": "Yes."}


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    close_all()


def account(folder: Path, **caps: Caps) -> Account:
    named: Mapping[str, Caps] = {ALL if name == "all" else name: cap for name, cap in caps.items()}
    return Account(folder / "replies.sqlite", folder / "shared.sqlite", named)


def pay(to: Account, *roles: str) -> None:
    async def all_of_them() -> None:
        for number, role in enumerate(roles):
            entry = Entry("000000-ab", replace(CALL, role=role), SAID)
            await to.keep(f"{role}{number}", entry)

    asyncio.run(all_of_them())


@pytest.mark.parametrize(
    ("caps", "told"),
    [
        (Caps(dollars=0.5), r"0\.5000 of budget\.dollars=0\.5 spent"),
        (Caps(prompt_tokens=200), r"200 of budget\.prompt_tokens=200 spent"),
        (Caps(completion_tokens=19), r"20 of budget\.completion_tokens=19 spent"),
        (Caps(tokens=220), r"220 of budget\.tokens=220 spent"),
    ],
)
def test_a_cap_holds_from_the_request_after_the_one_that_reached_it(
    caps: Caps, told: str, tmp_path: Path
) -> None:
    one = account(tmp_path, all=caps)
    one.admit("user")
    pay(one, "user")
    one.admit("user")
    pay(one, "user", "judge")
    with pytest.raises(EndOfRun, match=told):
        one.admit("judge")


def test_a_cap_of_a_role_holds_for_that_role(tmp_path: Path) -> None:
    one = account(tmp_path, judge=Caps(dollars=0.25))
    pay(one, "user", "user", "judge")
    one.admit("user")
    with pytest.raises(EndOfRun, match=r"budget\.roles\.judge\.dollars"):
        one.admit("judge")


def test_time_is_up_for_all(tmp_path: Path) -> None:
    replace(account(tmp_path), deadline=time.time() + 60).admit("user")
    with pytest.raises(EndOfRun, match=r"budget\.seconds"):
        replace(account(tmp_path), deadline=time.time() - 1).admit("user")


def test_shared_replies_cost_nothing(tmp_path: Path) -> None:
    one = account(tmp_path)

    async def share() -> None:
        await one.share("a", Entry("000000-ab", CALL, SAID))
        await one.share("b", Entry("000000-ab", CALL, failure="empty reply"))

    asyncio.run(share())
    found = one.find_shared("a")
    assert found
    assert (found.message, found.call.cached, found.call.cost_usd) == (SAID, True, 0.0)
    assert (found.call.prompt_tokens, found.trajectory) == (100, "")
    assert one.find_shared("b") is None


def test_sums_of_a_run_without_requests(tmp_path: Path) -> None:
    assert account(tmp_path).spent() == ()
    assert total(()).calls == 0
    assert not (tmp_path / "replies.sqlite").exists()


def test_requests_are_charged_to_the_attempt_under_way(tmp_path: Path) -> None:
    one = account(tmp_path)
    assert charged() is None
    with one.charged("000007-cd"):
        assert charged() == (one, "000007-cd")
    assert charged() is None


def test_gauges_are_told_once_in_a_while(tmp_path: Path) -> None:
    one, asked = account(tmp_path), iter(range(100))

    async def keep() -> None:
        for number in range(5):
            entry = Entry("000000-ab", CALL, SAID)
            await one.keep(f"{number}", entry, lambda: {"m at x": (32, next(asked))})

    asyncio.run(keep())
    assert one.gauges() == {"m at x": (32, 0)}
    one.forget_gauges()
    assert one.gauges() == {}
