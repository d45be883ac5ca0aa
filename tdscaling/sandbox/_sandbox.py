"""What both backends share: a pool of prepared sandboxes and sessions over them.

Enters: limits and a way to start one sandbox. Leaves: sessions. The pool and whatever else can't
travel between processes is made at first use, so that an option can be pickled before.
"""

from __future__ import annotations

import hashlib
import threading
from abc import ABC, abstractmethod
from contextlib import AbstractAsyncContextManager
from multiprocessing.util import Finalize
from typing import Any, Unpack

from tdscaling.errors import SandboxError
from tdscaling.sandbox import Finding, _probe
from tdscaling.sandbox._box import Box, LostError
from tdscaling.sandbox._filters import program
from tdscaling.sandbox._limits import Knobs, Limits
from tdscaling.sandbox._pool import Pool
from tdscaling.sandbox._session import BoxSession, LoopSession, in_loop

START_SECONDS = 60.0
TRIAL = "echo $((6 * 7))"
KILLED = (
    "others have started, so this machine is set up well, but something may end their processes: "
    "look for it in `dmesg`, and try again"
)


class PooledSandbox(ABC):
    """A backend: subclasses start one sandbox, describe what it runs on, and clear leftovers."""

    name: str
    remedy: str
    """What to type where this backend does not work."""
    required = True

    def __init__(self, **limits: Unpack[Knobs]) -> None:
        self.limits = Limits(**limits)
        self._settle()

    def _settle(self) -> None:
        self._pool: Pool | None = None
        self._making = threading.Lock()
        self._worked = False

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._settle()

    @abstractmethod
    def start(self) -> Box:
        """Start one sandbox and prepare it."""

    @abstractmethod
    def clear(self) -> None:
        """Remove what processes left that were killed."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Backend, image digest and limits."""

    def open(self, seed: str) -> BoxSession:
        """A fresh session."""
        with self._making:
            if self._pool is None:
                self.clear()
                self._pool = Pool(self.start, self.limits.pool)
                # Worker processes end without closing what was sent to them.
                self._at_exit = Finalize(None, self._pool.close, exitpriority=1)
            pool = self._pool
        box = pool.take()
        # A digest, because snippets see it and a seed may tell what is asked of them.
        told = hashlib.sha256(seed.encode(errors="surrogatepass")).hexdigest()[:16]
        begin = {"do": "begin", "clock": self.limits.epoch(), "seed": told}
        try:
            reply, _ = box.ask(begin, seconds=START_SECONDS)
        except LostError as error:
            reply = {"error": box.reason() or str(error)}
        if "error" in reply:
            box.kill()
            raise SandboxError(f"sandbox={self.name}: no session starts: {reply['error']}")
        return BoxSession(box, self.limits)

    def session(self, seed: str) -> AbstractAsyncContextManager[LoopSession]:
        """A fresh session for `async with`."""
        return in_loop(lambda: self.open(seed))

    def why_not(self) -> str | None:
        """None if a snippet really ran."""
        try:
            with self.open("trial") as session:
                result = session.run(TRIAL, "bash")
        except SandboxError as error:
            return str(error)
        if (result.status, result.stdout) != ("ok", "42\n"):
            said = (result.stderr or result.stdout).strip()[-300:]
            return f"sandbox={self.name}: a trial ended as {result.status}: {said}; {self._advice}"
        return None

    def probe(self) -> tuple[Finding, ...]:
        """Try every limit."""
        return _probe.probe(self)

    def close(self) -> None:
        """End what waits in the pool."""
        with self._making:
            pool, self._pool = self._pool, None
        if pool:
            self._at_exit.cancel()
            pool.close()

    def prepare(self, box: Box, *, mounts: bool, processes: int, address_space: int) -> Box:
        """Have the runner close the sandbox from inside; kills it if it can't.

        Args:
            box: just started.
            mounts: whether the runner makes the folders that can be written.
            processes: limit for the user of the sandbox; 0 where a cgroup has it.
            address_space: bytes for each process; 0 where a cgroup limits all together.
        """
        request = {
            "do": "prepare",
            "limits": self.limits.inside(processes=processes, address_space=address_space),
            "mounts": list(self.limits.mounts().items()) if mounts else [],
            "places": list(self.limits.mounts()),
        }
        try:
            reply, _ = box.ask(request, program(), seconds=START_SECONDS)
        except LostError as error:
            known = box.reason()
            box.kill()
            raise SandboxError(
                f"sandbox={self.name}: it does not start: {known or error}; {self._advice}"
            ) from None
        if reply.get("pid") != 1 or "error" in reply:
            box.kill()
            reason = reply.get("error") or f"its runner is process {reply.get('pid')} and not 1"
            raise SandboxError(f"sandbox={self.name}: it does not start: {reason}; {self._advice}")
        self._worked = True
        return box

    @property
    def _advice(self) -> str:
        """What to do about one that does not start or run: once one did, the setup is fine."""
        return KILLED if self._worked else self.remedy
