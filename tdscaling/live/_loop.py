"""The one event loop of this process on which servers live.

Enters: coroutines, from any thread. Leaves: their results. A thread of its own, because planning
and verification call servers from plain functions, and because a server outlives the loop of the
attempt that uses it. A guard process tidies up should this one be killed.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
EXIT_SECONDS = 5.0
"""How long servers may take to end when the interpreter does."""

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None
_thread: threading.Thread | None = None
_guard: subprocess.Popen[str] | None = None
_owned: dict[tuple[int, str], None] = {}
_closers: list[Callable[[], Awaitable[None]]] = []


def submit(coroutine: Coroutine[Any, Any, T]) -> Future[T]:
    """Run a coroutine on the servers' loop."""
    return asyncio.run_coroutine_threadsafe(coroutine, _running())


def wait(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on the servers' loop and wait for its result."""
    return submit(coroutine).result()


def at_close(closer: Callable[[], Awaitable[None]]) -> None:
    """Have something closed before the loop is."""
    _closers.append(closer)


def own(group: int, folder: str) -> None:
    """Have a process group killed and a folder removed, should this process be."""
    with _lock:
        _owned[group, folder] = None
        _tell("+", group, folder)


def disown(group: int, folder: str) -> None:
    """Kill a process group and remove its folder now."""
    kill(group)
    shutil.rmtree(folder, ignore_errors=True)
    with _lock:
        if (group, folder) in _owned:
            del _owned[group, folder]
            _tell("-", group, folder)


def kill(group: int) -> None:
    """Kill a process group; 0 is none."""
    if group:
        with contextlib.suppress(OSError):
            os.killpg(group, signal.SIGKILL)


def _tell(sign: str, group: int, folder: str) -> None:
    global _guard
    if _guard is None or _guard.poll() is not None:
        _guard = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__).with_name("_guard.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            env={},
            start_new_session=True,  # Ctrl-C must not end it before its parent
        )
        known = [key for key in _owned if key != (group, folder)]
        for key in known:
            _write("+", *key)
    _write(sign, group, folder)


def _write(sign: str, group: int, folder: str) -> None:
    if _guard is not None and _guard.stdin is not None:
        with contextlib.suppress(OSError):
            _guard.stdin.write(f"{sign} {group} {folder}\n")
            _guard.stdin.flush()


def _running() -> asyncio.AbstractEventLoop:
    global _loop, _thread
    with _lock:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            _thread = threading.Thread(target=_run, args=(_loop,), name="servers", daemon=True)
            _thread.start()
            atexit.register(shut_down)
        return _loop


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    loop.run_forever()
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


def shut_down() -> None:
    """Close all servers and the loop; the next use begins anew."""
    global _loop, _thread, _guard
    atexit.unregister(shut_down)
    with _lock:
        loop, thread, _loop, _thread = _loop, _thread, None, None
    if loop is not None and thread is not None:
        with contextlib.suppress(Exception):  # whatever is left is killed below
            asyncio.run_coroutine_threadsafe(_close_all(), loop).result(EXIT_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(EXIT_SECONDS)
    _closers.clear()
    for group, folder in list(_owned):
        disown(group, folder)
    guard, _guard = _guard, None
    if guard is not None and guard.stdin is not None:
        guard.stdin.close()
        guard.wait()


async def _close_all() -> None:
    for closer in list(_closers):
        await closer()
    rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
