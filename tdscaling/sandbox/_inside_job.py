"""Runs inside the sandbox: one snippet under way, watched by the runner.

Enters: the pipes of its process. Leaves: how it ended and the first part of what it said. Standard
library only.
"""

from __future__ import annotations

import json
import os
import select
import time

from tdscaling.sandbox._inside_processes import reap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    class Host(Protocol):
        """What a job sees of its runner."""

        source: int
        wake: int

        def feed(self) -> None:
            """Read from whoever made the sandbox; raises at the end."""
            ...


CHUNK = 1 << 16
monotonic = time.monotonic  # as it is before the clock is patched


class Process:
    """A process of untrusted code: the runner's ends of its pipes.

    Only a notebook's has `done`, on which it says that a snippet is over. One that is bash already
    takes nothing but bash.
    """

    def __init__(
        self, pid: int, commands: int, stdout: int, stderr: int, done: int | None, bash: bool
    ) -> None:
        self.pid, self.commands, self.done, self.bash = pid, commands, done, bash
        self.stdout, self.stderr = stdout, stderr

    def close(self) -> None:
        for fd in (self.commands, self.stdout, self.stderr, self.done):
            if fd is not None:
                os.close(fd)


class Job:
    """One snippet under way."""

    def __init__(
        self, host: Host, process: Process, request: dict[str, Any], order: bytes, token: str = ""
    ) -> None:
        self.host, self.process, self.token = host, process, token
        self.pid, self.done = process.pid, process.done
        self.kernel = process.done is not None
        self.streams = [process.stdout, process.stderr]
        self.kept = [bytearray(), bytearray()]
        self.total = 0
        self.keep, self.flood = request["keep"], request["flood"]
        self.deadline = monotonic() + request["seconds"]
        self.status, self.memory = "ok", False
        self.exit: int | None = None
        self.failed = False
        # The order is in pages of a file, and its reader may be killed: never block on it.
        self.unsent = memoryview(order)
        self.said = bytearray()
        for fd in (*self.streams, process.commands):
            os.set_blocking(fd, False)
        if self.done is not None:
            # What other snippets of this session wrote to a notebook that stood still.
            os.set_blocking(self.done, False)
            empty(self.done)

    def watch(self) -> None:
        """Until the snippet ends, its time is over or it says too much."""
        poll = select.poll()
        open_fds = [*self.streams, self.host.wake, self.host.source]
        for fd in [*open_fds, *([self.done] if self.done is not None else [])]:
            poll.register(fd, select.POLLIN)
        poll.register(self.process.commands, select.POLLOUT)
        self.write(poll)
        while self.exit is None and self.status == "ok":
            left = self.deadline - monotonic()
            if left <= 0:
                self.end("timeout")
                return
            for fd, _ in poll.poll(left * 1000 + 1):
                self.handle(fd, poll)

    def handle(self, fd: int, poll: select.poll) -> None:
        if fd in self.streams:
            if not self.read(fd):
                poll.unregister(fd)
        elif fd == self.host.wake:
            empty(fd)
            code = reap().get(self.pid)
            if code is not None:
                self.exit = code if self.exit is None else self.exit
                self.failed = True  # where it is the notebook, its variables are gone
        elif fd == self.host.source:
            self.host.feed()
        elif fd == self.process.commands:
            self.write(poll)
        else:
            self.listen(poll)

    def write(self, poll: select.poll) -> None:
        try:
            self.unsent = self.unsent[os.write(self.process.commands, self.unsent) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self.unsent = self.unsent[:0]
        if not self.unsent:
            poll.unregister(self.process.commands)

    def listen(self, poll: select.poll) -> None:
        """Hear from the notebook that a snippet is done; it is untrusted and may say anything.

        What bears another token is about an earlier snippet, which may still have been at work
        when it had said that it was done.
        """
        data = os.read(self.done or 0, 1024)
        if not data:
            poll.unregister(self.done or 0)
        self.said += data
        while self.exit is None and (b"\n" in self.said or len(self.said) >= 1024):
            line, _, rest = self.said.partition(b"\n")
            self.said = bytearray(rest)
            try:
                told = json.loads(bytes(line))
                if told["token"] == self.token:
                    self.exit, self.memory = int(told["exit"]) & 0xFF, told["memory"] is True
            except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
                self.exit, self.failed = 1, True

    def end(self, status: str) -> None:
        self.status, self.failed = status, True

    def read(self, fd: int) -> bool:
        """Take what is there, keep what fits; False at the end of the stream."""
        try:
            data = os.read(fd, CHUNK)
        except BlockingIOError:
            return True
        kept = self.kept[self.streams.index(fd)]
        kept += data[: self.keep - len(kept)]
        self.total += len(data)
        if self.total > self.flood and self.status == "ok":
            self.end("output_limit")
        return bool(data)

    def drain(self) -> None:
        """Take what is left in the pipes; all writers are dead or stopped by now."""
        for fd in self.streams:
            for _ in range(64):
                before = self.total
                if not self.read(fd) or self.total == before:
                    break

    def reply(self) -> dict[str, Any]:
        ended = self.status != "ok"
        return {
            "status": self.status,
            "exit": None if ended else self.exit,
            "stdout": len(self.kept[0]),
            "total": self.total,
        }


def empty(fd: int) -> None:
    try:
        while os.read(fd, 4096):
            pass
    except BlockingIOError:
        pass
