"""Servers of local models, started once per process and shared by its roles.

Enters: what to serve. Leaves: a server's address, and an end: with the last endpoint that uses it,
with this process at the latest. A server has a session of its own, so Ctrl-C at the terminal does
not reach it and conversations under way can finish.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import IO
from weakref import WeakValueDictionary, finalize

from rich.console import Console

from tdscaling.errors import EndpointError

MODULE = "tdscaling.llm._local_server"
END_SECONDS = 5.0
"""How long a server may take to end by itself."""
SHOWN = 400
"""Characters of a server's last words that an error repeats."""


@dataclass(frozen=True, slots=True)
class Serving:
    """What a server is asked for."""

    path: str
    slots: int
    threads: int
    context: int


class LocalServer:
    """A server that runs, from the moment it answers.

    Args:
        serving: what to serve.
        name: of the model, for the person who waits.
        seconds: that it may take until it answers.

    Raises:
        EndpointError: if it does not answer.
    """

    def __init__(self, serving: Serving, name: str, seconds: float) -> None:
        self.name = name
        # A file, not a pipe: nobody reads it while the server runs.
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        started = time.monotonic()
        _say(f"starting the local model {name}: {serving.slots} slots, {serving.threads} threads")
        self._process = subprocess.Popen(
            [sys.executable, "-m", MODULE, json.dumps(asdict(serving))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            start_new_session=True,
            # Threads that wait actively for each other starve on a machine that does other things.
            env={
                "OMP_WAIT_POLICY": "passive",
                **os.environ,
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            },
        )
        self.end = finalize(self, _end, self._process, self._log)
        try:
            self.address = self._answer(seconds)
        except BaseException:
            self.end()
            raise
        _say(f"the local model {name} is ready after {time.monotonic() - started:.1f} s")

    def ended(self) -> str:
        """How the server ended; empty while it runs."""
        status = self._process.poll()
        return "" if status is None else f"exit code {status}; {self._last_words()}"

    def _answer(self, seconds: float) -> str:
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], seconds)
        if not ready:
            raise EndpointError(
                f"llm=local: {self.name} was not loaded within {seconds:g} s; type"
                " llm.start_seconds=SECONDS to wait longer, or take smaller weights"
            )
        address = self._process.stdout.readline().decode().strip()
        if address:
            return address
        status = self._process.wait()
        raise EndpointError(
            f"llm=local: the server of {self.name} did not start (exit code {status};"
            f" {self._last_words()}); expected weights in a GGUF file that llama.cpp knows, and"
            " memory for llm.slots times llm.context tokens: type llm.slots=1, a smaller"
            " llm.context, or another llm.path"
        )

    def _last_words(self) -> str:
        size = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, size - SHOWN))
        text = " ".join(self._log.read().decode(errors="replace").split())
        return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text) or "it said nothing"


_running: WeakValueDictionary[Serving, LocalServer] = WeakValueDictionary()
_turn = threading.Lock()


def server_of(serving: Serving, name: str, seconds: float) -> LocalServer:
    """The server that runs, or a new one; who does not keep it lets it end.

    Raises:
        EndpointError: if it does not answer.
    """
    with _turn:
        found = _running.get(serving)
        if found is None:
            found = _running[serving] = LocalServer(serving, name, seconds)
        return found


def _end(process: subprocess.Popen[bytes], log: IO[bytes]) -> None:
    log.close()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _say(words: str) -> None:
    # Standard error: what a command prints on standard output may be read by a program.
    Console(stderr=True).print(words, highlight=False, markup=False, soft_wrap=True)
