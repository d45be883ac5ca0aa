"""Without a model, what needs one says what to type."""

from __future__ import annotations

import asyncio
import re

import pytest

from tdscaling.errors import ConfigError
from tdscaling.llm import Endpoint, endpoint_of
from tdscaling.llm.none import NoEndpoint

HELP = re.escape("llm=openai llm.base_url=http://HOST:PORT/v1 llm.model=NAME")


@pytest.mark.parametrize("role", ["user", "assistant", "judge"])
def test_role_is_refused(role: str) -> None:
    with pytest.raises(ConfigError, match=f"roles.{role}: .*{HELP}"):
        endpoint_of(NoEndpoint(base_url=None, model=None), role)


def test_request_is_refused() -> None:
    nothing: Endpoint = NoEndpoint(base_url=None, model=None)
    with pytest.raises(ConfigError, match=HELP):
        asyncio.run(nothing.chat("user", [], seed="s"))


@pytest.mark.parametrize("key", ["base_url", "model"])
def test_setting_that_nothing_would_read_is_refused(key: str) -> None:
    settings: dict[str, str | None] = {"base_url": None, "model": None, key: "http://x/v1"}
    with pytest.raises(ConfigError, match=rf"llm\.{key}=http://x/v1: .*{HELP}"):
        NoEndpoint(**settings)


def test_what_is_no_endpoint_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"\+llm@roles\.user\.llm=openai"):
        endpoint_of({"model": "m"}, "user")
