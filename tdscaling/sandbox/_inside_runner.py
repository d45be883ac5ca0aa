"""Runs inside the sandbox as PID 1: runs snippets, bounds them and cleans up after each.

Enters: frames on standard input (a length of JSON, a length of bytes, the JSON, the bytes).
Leaves: one frame for each on standard output. Ends the sandbox when its input ends, so that no
sandbox outlives the process that made it.

An engine can't kill what it started inside a container, and a killer inside misses processes that
left their session. PID 1 sees them all and can't be killed from inside. Standard library only.
"""

from __future__ import annotations

import contextlib
import errno
import importlib.util
import json
import marshal
import os
import signal
import struct
import sys
import time

from tdscaling.sandbox import _inside_children as children
from tdscaling.sandbox import _inside_clock as clock
from tdscaling.sandbox import _inside_files as files
from tdscaling.sandbox import _inside_lock as lock
from tdscaling.sandbox._inside_job import Job, Process
from tdscaling.sandbox._inside_processes import (
    alive,
    dead,
    deliver,
    halted,
    newest_process,
    reap,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tdscaling.sandbox._inside_processes import Standstill

HEAD = struct.Struct(">II")
MOST = 1 << 28
"""Bytes of a frame that are taken."""
SWEEP_SECONDS = 5.0
PRELUDES = (f"{children.LIBRARY}/sitecustomize.pyc", f"{children.LIBRARY}/bashrc")
GENERATIONS = 50
"""How often new processes may appear while the old are being killed."""
# As they are before the clock and chance are patched.
_monotonic, _sleep, _urandom = time.monotonic, time.sleep, os.urandom


class Gone(Exception):
    """Standard input ended."""


class Runner:
    """The state of one sandbox."""

    def __init__(self, source: int, sink: int, prelude: str) -> None:
        self.source, self.sink, self.prelude = source, sink, prelude
        self.buffer = bytearray()
        self.limits: dict[str, Any] = {}
        self.env: dict[str, str] = {}
        self.kernel: Process | None = None
        self.waiting: Process | None = None
        self.furnished: list[tuple[int, int]] = []
        self.wake, wake_in = os.pipe()
        for fd in (self.wake, wake_in):
            os.set_blocking(fd, False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(wake_in, warn_on_full_buffer=False)
        # A handler would let a snippet's Ctrl-C reach PID 1, whose defaults ignore all signals.
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    def serve(self) -> None:
        """Answer frames until there are no more."""
        while True:
            request, blob = self.receive()
            try:
                reply, answer = getattr(self, "do_" + request["do"])(request, blob)
            except OSError as error:
                reply, answer = {"error": error.strerror or str(error)}, b""
            except ValueError as error:  # a name that no file can have
                reply, answer = {"error": ascii(error)}, b""
            data = json.dumps(reply).encode()
            self.send(HEAD.pack(len(data), len(answer)) + data + answer)
            self.look_ahead(request)

    def look_ahead(self, request: dict[str, Any]) -> None:
        """Have a process wait for the next snippet, because making one takes the longest.

        It waits while no code runs: what runs could only meddle with its own next snippet.
        """
        wanted = request["do"] == "begin" or request.get("mode", "notebook") != "notebook"
        if not self.waiting and (wanted or request.get("language") in ("bash", "sql")):
            with contextlib.suppress(OSError):
                bash = request.get("language") == "bash"
                if bash:
                    self.write_program(children.SHELL[1], b"")  # with what is read before it
                self.waiting = self.spawn(bash=bash)

    def forget(self) -> None:
        """End the process that waits; what comes is not for it."""
        if self.waiting:
            os.kill(self.waiting.pid, signal.SIGKILL)
            self.waiting.close()
            self.waiting = None
            reap()

    def receive(self) -> tuple[dict[str, Any], bytes]:
        head = self.take(HEAD.size)
        size, blob = HEAD.unpack(head)
        if size + blob > MOST:
            raise Gone
        return json.loads(self.take(size)), self.take(blob)

    def take(self, size: int) -> bytes:
        while len(self.buffer) < size:
            self.feed()
        data = bytes(self.buffer[:size])
        del self.buffer[:size]
        return data

    def feed(self) -> None:
        data = os.read(self.source, 1 << 20)
        if not data:
            raise Gone
        self.buffer += data

    def send(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self.sink, view) :]

    def do_prepare(self, request: dict[str, Any], blob: bytes) -> tuple[dict[str, Any], bytes]:
        """Close the sandbox from inside: mounts first, then no capability, then the filter."""
        self.limits = request["limits"]
        lock.close(request["mounts"], blob)
        for place in request["places"]:
            if not os.access(place, os.W_OK | os.X_OK):
                return {
                    "error": f"the image has a folder {place} that its mount cannot replace"
                }, b""
        for name in (
            "ast",
            "collections",
            "datetime",
            "math",
            "random",
            "re",
            "sqlite3",
            "traceback",
        ):
            # Warm, for all that is forked; an image without SQLite says so when SQL is run.
            with contextlib.suppress(ImportError):
                __import__(name)
        return {"python": sys.version.split()[0], "uid": os.getuid(), "pid": os.getpid()}, b""

    def do_begin(self, request: dict[str, Any], blob: bytes) -> tuple[dict[str, Any], bytes]:
        """Take over the clock and the seed of a conversation."""
        self.env = children.environment(sys.executable, request["clock"], request["seed"])
        clock.start(request["clock"], request["seed"])
        clock.install()
        self.furnish()
        return {}, b""

    def furnish(self) -> None:
        """Write what programs need beside the workspace; a snippet may have changed the place."""
        files.clear(children.LIBRARY)
        code = compile(self.prelude, f"{children.LIBRARY}/sitecustomize.py", "exec")
        # Compiled, because every Python that a snippet starts reads it.
        head = importlib.util.MAGIC_NUMBER + bytes(12)
        number = int(self.env["TDSCALING_SEED"], 16) & 0x7FFFFFFF
        files.write_file(PRELUDES[0], head + marshal.dumps(code))
        files.write_file(PRELUDES[1], children.BASHRC.format(seed=number).encode())
        self.furnished = [files.state(path) for path in PRELUDES]

    def write_program(self, path: str, blob: bytes) -> None:
        """Write a snippet where its interpreter reads it."""
        try:
            if [files.state(path) for path in PRELUDES] == self.furnished:
                files.write_file(path, blob)
                return
        except OSError:
            pass  # the place is full, closed, or has a folder of that name
        self.furnish()
        files.write_file(path, blob)

    def do_ping(self, request: dict[str, Any], blob: bytes) -> tuple[dict[str, Any], bytes]:
        return {}, b""

    def do_run(self, request: dict[str, Any], blob: bytes) -> tuple[dict[str, Any], bytes]:
        """Run a snippet."""
        started, kills = _monotonic(), lock.oom_kills()
        noted = request["language"] == "python" and request["mode"] == "notebook"
        job = self.note(request, blob) if noted else self.start(request, blob)
        kernel = self.kernel
        try:
            job.watch()
        finally:
            kept = self.sweep(kernel.pid if kernel and not (job.kernel and job.failed) else None)
        job.drain()
        lost = bool(kernel) and not kept
        if lost and kernel:
            kernel.close()
            self.kernel = None
        if not job.kernel:
            job.process.close()
        reply = job.reply()
        if lock.oom_kills() > kills or job.memory:
            reply["status"] = "memory_limit"
        reply.update(lost=lost, seconds=_monotonic() - started)
        return reply, bytes(job.kept[0] + job.kept[1])

    def note(self, request: dict[str, Any], blob: bytes) -> Job:
        """Give a snippet to the notebook."""
        self.forget()
        token = _urandom(16).hex()
        order = children.give_order({"token": token}, blob)
        self.kernel = self.kernel or self.spawn(notebook=True)
        job = Job(self, self.kernel, request, order, token)
        os.kill(self.kernel.pid, signal.SIGCONT)
        return job

    def start(self, request: dict[str, Any], blob: bytes) -> Job:
        """Give a snippet to a process of its own."""
        language, argv = request["language"], []
        if language == "bash":
            argv = children.SHELL
        elif language == "python" and request["mode"] == "fresh":
            argv = [sys.executable, f"{children.LIBRARY}/snippet.py"]
        if argv:
            self.write_program(argv[1], blob)
            blob = b""
        if self.waiting and self.waiting.bash and language != "bash":
            self.forget()
        process, self.waiting = self.waiting, None
        reap()
        if process and not alive(process.pid):  # memory ran out while it waited
            process.close()
            process = None
        try:
            process = process or self.spawn()
        except BlockingIOError:  # no more processes: the notebook has them all
            self.sweep(None)
            process = self.spawn()
        order = children.give_order({"language": language, "argv": argv}, blob)
        return Job(self, process, request, children.START if process.bash else order)

    def spawn(self, notebook: bool = False, bash: bool = False) -> Process:
        """Make a process that waits for orders, with nothing of the runner left in it."""
        pipes = [os.pipe() for _ in range(4 if notebook else 3)]
        commands, stdout, stderr, *done = pipes
        theirs = [commands[0], stdout[1], stderr[1], *(pipe[1] for pipe in done)]
        try:
            pid = os.fork()
        except OSError:
            for fd in {fd for pipe in pipes for fd in pipe}:
                os.close(fd)
            raise
        if pid == 0:
            try:
                kept = [commands[0], *(pipe[1] for pipe in done)]
                children.become_snippet(stdout[1], stderr[1], kept, self.limits)
                if done:
                    children.notebook(commands[0], done[0][1], self.env)
                if bash:
                    children.wait_as_bash(commands[0], self.env)
                children.wait(commands[0], self.env)
            except OSError as error:
                os.write(2, f"it does not start: {error}\n".encode())
            finally:
                os._exit(127)
        for fd in theirs:
            os.close(fd)
        return Process(pid, commands[1], stdout[0], stderr[0], done[0][0] if done else None, bash)

    def do_put(self, request: dict[str, Any], blob: bytes) -> tuple[dict[str, Any], bytes]:
        files.put(request["path"], blob)
        return {}, b""

    def do_get(self, request: dict[str, Any], blob: bytes) -> tuple[dict[str, Any], bytes]:
        return {}, files.get(request["path"], request["most"])

    def sweep(self, spare: int | None) -> bool:
        """Kill every process but this one and the one to spare, which is stopped.

        A notebook that is spared keeps its threads and its dead children, which count as processes,
        until it asks for them. One with so many that other snippets could not start is not spared.

        Returns:
            Whether the spared one is alive.
        """
        deadline = _monotonic() + SWEEP_SECONDS
        seen: set[int] = set()
        generations = 0
        while True:
            reap()
            # What is killed may wake the notebook (an orphaned group, a signal of its own choice),
            # and a list of processes misses those made while it is read. So the list counts only
            # if the notebook stood still and no process was made from before it to after it.
            still, newest = self.stop(spare), newest_process()
            listed = {int(name) for name in os.listdir("/proc") if name.isdigit()}
            # A dead child of the notebook stays listed until the notebook asks for it.
            others = {pid for pid in listed - {1, spare} if not dead(pid)}
            deliver()
            quiet = still is not None and still == self.stop(spare)
            more = newest != newest_process()
            if spare and not others and len(listed) - 3 + len(still or ()) > self.limits["kept"]:
                os.kill(spare, signal.SIGKILL)
                spare = None
            elif quiet and not more and not others:
                return spare is not None and alive(spare)
            generations += more or bool(others - seen)
            seen |= others
            if generations > GENERATIONS:  # they fork faster than they can be listed
                spare = None
            for pid in others if spare else [-1]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if _monotonic() > deadline:
                os._exit(3)  # something can't be killed: the sandbox is not fit for another snippet
            _sleep(0.0005)

    def stop(self, pid: int | None) -> Standstill | None:
        """Have a process stand still; its threads and their turns if it does, else nothing."""
        if pid is None:
            return ()
        try:
            still = halted(pid)
            if still is None:
                os.kill(pid, signal.SIGSTOP)
        except (FileNotFoundError, ProcessLookupError):
            return ()  # gone
        return still


def main(prelude: str) -> None:
    """Be PID 1."""
    source, sink = os.dup(0), os.dup(1)
    null = os.open("/dev/null", os.O_RDWR)
    for fd in (0, 1):
        os.dup2(null, fd)
    os.close(null)
    try:
        Runner(source, sink, prelude).serve()
    except Gone:
        os._exit(0)
    except OSError as error:
        os._exit(0 if error.errno in (errno.EPIPE, errno.ECONNRESET) else 4)
