"""Docker: all attacks, an engine that goes away, images of others, and what may be left behind."""

from __future__ import annotations

import io
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from docker import DockerClient

from tdscaling.errors import SandboxError
from tdscaling.sandbox import _owner
from tdscaling.sandbox.docker import LABEL, DockerSandbox
from tests.sandbox.conftest import start_engine, stop_engine, unmount
from tests.sandbox.parts import docker_sandbox, survivors

ROOT = Path(__file__).resolve().parents[2]

HOST = """
import sys
from pathlib import Path
from tests.sandbox.parts import docker_sandbox
sandbox = docker_sandbox(Path(sys.argv[1]), sys.argv[2], pool=1)
session = sandbox.open("victim")
print("ready", flush=True)
session.run("nohup sleep 1000 & while :; do :; done", "bash", seconds=15)
"""


@pytest.fixture
def sandbox(cache: Path, engine: str) -> Iterator[DockerSandbox]:
    with closing(docker_sandbox(cache, engine)) as made:
        yield made


def containers(host: str) -> set[str]:
    with closing(DockerClient(host)) as client:
        listed = client.api.containers(all=True)
    return {str(container["Id"]) for container in listed}


def gone(host: str, numbers: set[str]) -> bool:
    deadline = time.monotonic() + 15
    while containers(host) & numbers and time.monotonic() < deadline:
        time.sleep(0.1)
    return not containers(host) & numbers


def test_attacks_fail(cache: Path, engine: str) -> None:
    with closing(docker_sandbox(cache, engine, pool=1)) as sandbox:
        assert survivors(sandbox) == []


def test_probe_sees_every_limit(sandbox: DockerSandbox) -> None:
    assert [finding for finding in sandbox.probe() if not finding.enforced] == []


def test_container_has_no_network_no_log_and_no_rights(sandbox: DockerSandbox, engine: str) -> None:
    before = containers(engine)
    with sandbox.open("inspect"):
        (number,) = containers(engine) - before
        told = sandbox.client().api.inspect_container(number)
    config = told["HostConfig"]
    assert config["NetworkMode"] == "none"
    assert config["LogConfig"]["Type"] == "none"
    assert config["ReadonlyRootfs"]
    assert config["CapDrop"] == ["ALL"]
    assert config["SecurityOpt"] == ["no-new-privileges"]
    assert not config["Privileged"]
    assert not config["Init"]
    assert told["Config"]["User"] == "65534:65534"
    assert told["Mounts"] == []
    assert gone(engine, {number})


def test_writing_to_the_log_fills_no_disk(sandbox: DockerSandbox, engine: str) -> None:
    before = containers(engine)
    with sandbox.open("log") as session:
        session.run("yes > /proc/1/fd/1 & yes > /proc/1/fd/2 & yes", "bash", seconds=1)
        (number,) = containers(engine) - before
        data = Path(engine.removeprefix("unix://")).parent / "data" / "containers" / number
        assert sum(path.stat().st_size for path in data.rglob("*") if path.is_file()) < 1_000_000


def test_killed_host_takes_its_containers_along(cache: Path, engine: str) -> None:
    with closing(docker_sandbox(cache, engine)) as sandbox:
        sandbox.image_id()
    before = containers(engine)
    host = subprocess.Popen(
        [sys.executable, "-c", HOST, str(cache), engine], stdout=subprocess.PIPE, cwd=ROOT
    )
    assert host.stdout
    with host, host.stdout:
        assert host.stdout.readline() == b"ready\n"
        time.sleep(0.3)
        ours = containers(engine) - before
        assert ours
        host.send_signal(signal.SIGKILL)
    assert gone(engine, ours)


WORKER = """
import multiprocessing, sys
from pathlib import Path
from tests.sandbox.parts import docker_sandbox

def work(sandbox):
    print(sandbox.open("left").run("echo worked", "bash").stdout)

process = multiprocessing.get_context("fork").Process(
    target=work, args=(docker_sandbox(Path(sys.argv[1]), sys.argv[2], pool=2),)
)
process.start()
process.join()
"""


def test_worker_that_ends_takes_its_pool_along(cache: Path, engine: str) -> None:
    """Though it is still being filled, and nobody closes what was sent to a worker."""
    before = containers(engine)
    done = subprocess.run(
        [sys.executable, "-c", WORKER, str(cache), engine], capture_output=True, text=True,
        check=True, cwd=ROOT,
    )  # fmt: skip
    assert "worked" in done.stdout
    assert gone(engine, containers(engine) - before)


def test_leftover_container_is_removed_and_another_process_keeps_its_own(
    sandbox: DockerSandbox, engine: str
) -> None:
    boot, namespace, pid, started = _owner.name().split(".")
    names = [f"{boot}.{namespace}.{pid}.{int(started) - 1}", f"{boot}.1.{pid}.1", _owner.name()]
    api = sandbox.client().api
    image = sandbox.image_id()
    made = [api.create_container(image, ["python3"], labels={LABEL: name})["Id"] for name in names]
    try:
        sandbox.clear()
        assert [number in containers(engine) for number in made] == [False, True, True]
    finally:
        for number in made[1:]:
            api.remove_container(number, force=True)


def test_engine_that_goes_away_is_told_and_the_pool_heals(cache: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="td-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        engine = start_engine(folder)
        with closing(docker_sandbox(cache, f"unix://{folder}/docker.sock", pool=1)) as sandbox:
            session = sandbox.open("before")
            assert session.run("echo 1", "bash").stdout == "1\n"
            _kill_all(engine, folder)
            result = session.run("echo invented", "bash")
            assert (result.status, result.exit_code, result.stdout) == ("sandbox_lost", None, "")
            with pytest.raises(SandboxError, match=r"no engine answers .*sandbox=bubblewrap"):
                sandbox.open("without")
            engine = start_engine(folder)
            try:
                with sandbox.open("after") as session:
                    assert session.run("echo lives", "bash").stdout == "lives\n"
            finally:
                sandbox.close()
                stop_engine(engine, folder)


def _kill_all(engine: subprocess.Popen[bytes], folder: Path) -> None:
    """As a machine that runs out of memory would: the daemon and all that it started."""
    engine.kill()
    engine.wait()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes()
        except OSError:
            continue
        if str(folder).encode() in words:
            os.kill(int(path.parent.name), signal.SIGKILL)
    unmount(folder)
    shutil.rmtree(folder / "exec")
    (folder / "pid").unlink(missing_ok=True)
    (folder / "docker.sock").unlink(missing_ok=True)


def test_image_of_others_serves(cache: Path, engine: str, sandbox: DockerSandbox) -> None:
    """Without our folders, and with Python elsewhere, as in `python:3.12-slim`."""
    sandbox.image_id()
    tar = sandbox._built().tar
    other = io.BytesIO()
    left_out = re.compile(r"(workspace|opt/tdscaling|dev/shm|usr/bin/python3|usr/bin/python)")
    with tarfile.open(tar) as source, tarfile.open(fileobj=other, mode="w") as target:
        for member in source:
            if not left_out.fullmatch(member.name):
                target.addfile(member, source.extractfile(member) if member.isreg() else None)
        link = tarfile.TarInfo("usr/local/bin/python3")
        link.type, link.linkname = tarfile.SYMTYPE, "/usr/bin/python3.11"
        link.linkname = f"/usr/bin/{_python_name()}"
        target.addfile(link)
    client = sandbox.client()
    client.api.import_image_from_data(other.getvalue(), repository="localhost/other:slim")
    with closing(docker_sandbox(cache, engine, image="localhost/other:slim")) as theirs:
        with theirs.open("7") as session:
            assert session.run("print(6 * 7)", "python", mode="fresh").stdout == "42\n"
            assert session.run("import sys; sys.executable", "python").stdout == (
                "'/usr/local/bin/python3'\n"
            )
            assert session.run("echo $PWD; python3 -c 'print(1)'", "bash").stdout == (
                "/workspace\n1\n"
            )
        assert theirs.describe()["image"] == "localhost/other:slim"
        assert theirs.describe()["digest"] == client.images.get("localhost/other:slim").id


def _python_name() -> str:
    return Path("/usr/bin/python3").resolve().name


def test_image_with_folders_in_the_way_is_refused(
    cache: Path, engine: str, sandbox: DockerSandbox
) -> None:
    """An engine gives a mount the mode of the folder beneath, which then nobody can write to."""
    sandbox.image_id()
    client = sandbox.client()
    closed = io.BytesIO()
    with tarfile.open(sandbox._built().tar) as source, tarfile.open(fileobj=closed, mode="w") as to:
        for member in source:
            if member.name == "workspace":
                member.mode = 0o755
            to.addfile(member, source.extractfile(member) if member.isreg() else None)
    client.api.import_image_from_data(closed.getvalue(), repository="localhost/closed:1")
    with (
        closing(docker_sandbox(cache, engine, image="localhost/closed:1")) as theirs,
        pytest.raises(SandboxError, match="has a folder /workspace"),
    ):
        theirs.open("7")


def test_image_that_cannot_be_had_is_named(cache: Path, engine: str) -> None:
    with closing(docker_sandbox(cache, engine, image="no.such.host.invalid/python:9")) as sandbox:
        told = sandbox.why_not()
    assert told
    assert "sandbox.image=no.such.host.invalid/python:9" in told
    assert "sandbox.image=null" in told


def test_missing_engine_is_told_with_the_fix(cache: Path, tmp_path: Path) -> None:
    sandbox = docker_sandbox(cache, f"unix://{tmp_path}/none.sock")
    with pytest.raises(SandboxError, match=r"no engine answers .* start Docker .*sandbox\.host="):
        sandbox.open("7")


def test_description_names_what_ran(sandbox: DockerSandbox, cache: Path) -> None:
    told = sandbox.describe()
    assert told["backend"] == "docker"
    assert told["image"] == "built"
    assert told["digest"] == sandbox._built().digest
    assert told["limits"]["pids"] == 40
