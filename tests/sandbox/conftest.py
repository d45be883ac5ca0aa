"""Real backends for tests: bubblewrap, and an engine of this test run's own.

Nothing is skipped: a backend that is missing fails the test, with what to install.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tdscaling.sandbox._sandbox import PooledSandbox
from tests.sandbox.parts import bubblewrap_sandbox, docker_sandbox


@pytest.fixture(scope="session")
def cache() -> Iterator[Path]:
    """A folder for images that other users may enter, as pytest's own may not be."""
    with tempfile.TemporaryDirectory(prefix="tdscaling-image-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A folder that other users may enter, as pytest's own may not be."""
    with tempfile.TemporaryDirectory(prefix="tdscaling-open-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="session")
def engine() -> Iterator[str]:
    """Address of an engine on a private socket, with the host's network left as it is.

    One that runs already is taken instead where the environment names it: podman's, for example.
    """
    if theirs := os.environ.get("SANDBOX_ENGINE"):
        yield theirs
        return
    with tempfile.TemporaryDirectory(prefix="td-", ignore_cleanup_errors=True) as name:
        process = start_engine(Path(name))
        try:
            yield f"unix://{name}/docker.sock"
        finally:
            stop_engine(process, Path(name))


def start_engine(folder: Path) -> subprocess.Popen[bytes]:
    """Start Docker's daemon and wait until it answers."""
    program = shutil.which("dockerd", path="/usr/sbin:/usr/bin:/usr/local/bin:/sbin:/bin")
    if program is None:
        pytest.fail("there is no dockerd: type apt-get install --no-install-recommends docker.io")
    (folder / "config.json").write_text("{}")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [program, "--config-file", str(folder / "config.json"),
             "--host", f"unix://{folder}/docker.sock", "--data-root", str(folder / "data"),
             "--exec-root", str(folder / "exec"), "--pidfile", str(folder / "pid"),
             "--storage-driver", "overlay2", "--bridge=none", "--iptables=false",
             "--ip6tables=false", "--ip-forward=false", "--ip-masq=false",
             "--userland-proxy=false", "--exec-opt", "native.cgroupdriver=cgroupfs"],
            stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as link:
            link.connect(f"{folder}/docker.sock")
            link.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            if link.recv(4096).endswith(b"OK"):
                return process
        time.sleep(0.1)
    said = (folder / "log").read_text(errors="replace")[-2000:]
    process.kill()
    process.wait()
    pytest.fail(f"dockerd does not start; it needs root and a kernel with overlayfs:\n{said}")


def stop_engine(process: subprocess.Popen[bytes], folder: Path) -> None:
    """End an engine and what it started; asked nicely it may wait for its last connections."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(3)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    unmount(folder)


def unmount(folder: Path) -> None:
    """Undo mounts below a folder, so that it can be removed."""
    places = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for place in sorted(places, reverse=True):
        if place.startswith(f"{folder}/"):
            subprocess.run(["umount", "-l", place], check=False)


@pytest.fixture(scope="session", params=["bubblewrap", "docker"])
def sandbox(request: pytest.FixtureRequest, cache: Path) -> Iterator[PooledSandbox]:
    """Each backend in turn, with one session kept ready."""
    made: PooledSandbox
    if request.param == "docker":
        made = docker_sandbox(cache, request.getfixturevalue("engine"), pool=1)
    else:
        made = bubblewrap_sandbox(cache, pool=1)
    yield made
    made.close()
