"""The replies of another run, played again: no model is asked.

Enters: requests, as that run made them. Leaves: what it was answered, failures included. Where its
journal ends, the run ends: what was not finished there cannot be finished here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tdscaling.errors import ConfigError, RepliesEnd
from tdscaling.llm import Reply, _constrained, part_of
from tdscaling.llm._journalled import request_key, used
from tdscaling.schema import Message
from tdscaling.spending.account import recorded
from tdscaling.spending.journal import FILE


class ReplayEndpoint:
    """Answers out of a run's journal.

    Args:
        run: directory of that run.
        of_that_run: its own settings, typed again; they have no meaning here.
    """

    def __init__(self, *, run: str | None, **of_that_run: object) -> None:
        self.run = run
        self.identity: str | None = None
        self.model: str | None = None
        self.tools_prompt: str | None = None

    def require(self, role: str) -> None:
        """Refuse a run that has no replies for a role.

        Raises:
            ConfigError: naming what to type.
        """
        models = recorded(self._journal(role)).models(role)
        if not models:
            raise ConfigError(f"llm.run={self.run}: no model played the role {role} in that run")
        if len(models) > 1:
            raise ConfigError(
                f"llm.run={self.run}: {len(models)} models played the role {role} in that run"
                f" ({', '.join(models)}); expected one"
            )
        self.model = models[0]
        if _forced(Path(str(self.run)), role):
            self.tools_prompt = _constrained.prompt_digest()

    async def chat(
        self,
        role: str,
        messages: Sequence[Message],
        *,
        seed: str,
        tools: Sequence[Mapping[str, Any]] = (),
        json_schema: Mapping[str, Any] | None = None,
    ) -> Reply:
        """The reply that the other run got to this very request.

        Raises:
            NoReply: if it got none that was usable.
            RepliesEnd: if it never made this request, or was ended before the reply came.
        """
        path = self._journal(role)
        key = request_key(role, self.model, [seed, messages, tools, json_schema])
        entry = recorded(path).find(key)
        if entry is None:
            raise RepliesEnd(f"{path} holds no reply to the next request of the {role}")
        return used(entry)

    def _journal(self, role: str) -> Path:
        if not self.run:
            raise ConfigError(
                f"{part_of(role)}: whose replies are to be played again? type llm.run=DIRECTORY of"
                " a run, and that run's other overrides (they are in its .hydra/overrides.yaml)"
            )
        path = Path(self.run) / FILE
        if not path.is_file():
            raise ConfigError(f"llm.run={self.run}: expected a run with replies of models, {path}")
        return path


def _forced(run: Path, role: str) -> bool:
    """Whether a run told a role's model of its tools in words: its data says so."""
    from omegaconf import OmegaConf

    file = run / ".hydra" / "config.yaml"
    if not file.is_file():
        return False
    style = OmegaConf.select(OmegaConf.load(file), f"roles.{role}.llm.tool_calls")
    return bool(style == "json")
