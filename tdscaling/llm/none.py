"""No model: the default, and what says so where a role needs one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from tdscaling.errors import ConfigError
from tdscaling.llm import HOW_TO_CHOOSE, Reply, part_of
from tdscaling.schema import Message


class NoEndpoint:
    """Refuses every role that needs a model.

    Args:
        base_url: null; a value here was meant for another option.
        model: null, likewise.
    """

    def __init__(self, *, base_url: str | None, model: str | None) -> None:
        for name, value in (("base_url", base_url), ("model", model)):
            if value is not None:
                raise ConfigError(
                    f"llm.{name}={value}: nothing reads it while llm=none; type {HOW_TO_CHOOSE}"
                )
        self.model: str | None = None
        self.identity: str | None = None
        self.tools_prompt: str | None = None

    def require(self, role: str) -> NoReturn:
        """Refuse.

        Raises:
            ConfigError: always.
        """
        raise ConfigError(
            f"{part_of(role)}: a model is to play it, but llm=none; type {HOW_TO_CHOOSE}"
        )

    async def chat(
        self,
        role: str,
        messages: Sequence[Message],
        *,
        seed: str,
        tools: Sequence[Mapping[str, Any]] = (),
        json_schema: Mapping[str, Any] | None = None,
    ) -> Reply:
        """Refuse.

        Raises:
            ConfigError: always.
        """
        self.require(role)
