"""Sandboxes by a container engine: Docker, or podman's socket that speaks the same.

Enters: limits. Leaves: sandboxes that are one container each, without network, with a read-only
root and with no rights. Their input is held by this process: when it ends, so do they.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from tdscaling.errors import SandboxError
from tdscaling.sandbox import _bootstrap, _image, _owner
from tdscaling.sandbox._box import Box, Channel
from tdscaling.sandbox._image_state import Image
from tdscaling.sandbox._limits import MB, Knobs, Limits
from tdscaling.sandbox._sandbox import PooledSandbox

if TYPE_CHECKING:
    from docker import DockerClient

LABEL = "tdscaling.owner"
BUILT = "localhost/tdscaling-sandbox"
"""With a host: podman takes a bare name for a registry's. It ignores a tag that comes by itself."""
UID = 65534
OPEN_FILES = 1024
PROCESSES = 1 << 15
"""Of the user in all containers: `pids` holds for each."""
CALL_SECONDS = 60


class DockerSandbox(PooledSandbox):
    """Starts sandboxes with an engine's API.

    Args:
        image: name of an image with python3 and bash; None for one made of this machine's packages.
        host: address of the engine; None for what the environment says.
        cache: folder of the image that is made; None for a place that fits the user.
        limits: see `conf/sandbox/_limits.yaml`.
    """

    name = "docker"
    remedy = (
        "start Docker (`systemctl start docker`) or podman (`systemctl --user start "
        "podman.socket`), name its socket (sandbox.host=unix:///PATH; with sandbox=auto "
        "sandbox.docker.host=..., in doctor docker.host=...), or choose sandbox=bubblewrap"
    )

    def __init__(
        self, *, image: str | None, host: str | None, cache: str | None, **limits: Unpack[Knobs]
    ) -> None:
        super().__init__(**limits)
        self.image, self.host = image, host
        self.cache = Path(cache) if cache else None

    def _settle(self) -> None:
        super()._settle()
        self._client: DockerClient | None = None
        self._image_id = ""
        self._connecting = threading.RLock()
        self._unburied: set[str] = set()

    def client(self) -> DockerClient:
        """The engine, once it answered."""
        import docker
        from docker.errors import DockerException

        with self._connecting:
            self._knock()
            if self._client is None:
                try:
                    if self.host:
                        client = docker.DockerClient(self.host, timeout=CALL_SECONDS)
                    else:
                        client = docker.from_env(timeout=CALL_SECONDS)
                    client.ping()
                except (DockerException, OSError) as error:
                    raise SandboxError(
                        f"sandbox=docker: no engine answers ({_short(error)}); {self.remedy}"
                    ) from error
                self._client = client
            return self._client

    def _knock(self) -> None:
        """See whether somebody listens; the SDK leaves its socket open where nobody does."""
        address = self.host or os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
        if address.startswith("unix://"):
            with socket.socket(socket.AF_UNIX) as knock:
                try:
                    knock.connect(address.removeprefix("unix://"))
                except OSError as error:
                    self._forget()
                    raise SandboxError(
                        f"sandbox=docker: no engine answers at {address} ({error.strerror}); "
                        f"{self.remedy}"
                    ) from error

    def image_id(self) -> str:
        """The image that containers are made of; made or pulled at first use."""
        with self._connecting, self._engine():
            if not self._image_id:
                self._image_id = self._named() if self.image else self._made()
            return self._image_id

    def _named(self) -> str:
        from docker.errors import APIError, ImageNotFound

        name, images = str(self.image), self.client().images
        try:
            return str(images.get(name).id)
        except ImageNotFound:
            _say(f"sandbox: pulling {name}")
        try:
            repository, _, tag = name.rpartition(":") if ":" in name else (name, "", "latest")
            return str(images.pull(repository, tag=tag).id)
        except APIError as error:
            raise SandboxError(
                f"sandbox.image={name}: the engine does not have it and cannot pull it "
                f"({_short(error)}); load it with `docker load`, or leave sandbox.image=null to "
                "make one of this machine's packages"
            ) from error

    def _built(self) -> Image:
        return _image.build(self.cache, say=_say)

    def _made(self) -> str:
        """Import the tar of this machine's packages, unless the engine has it."""
        from docker.errors import ImageNotFound

        built = self._built()
        tag = built.digest.removeprefix("sha256:")[:32]
        client = self.client()
        try:
            return str(client.images.get(f"{BUILT}:{tag}").id)
        except ImageNotFound:
            _say("sandbox: importing the image into the engine")
        client.api.import_image_from_file(
            str(built.tar), repository=f"{BUILT}:{tag}", changes=["ENV PATH=/usr/bin:/bin"]
        )
        return str(client.images.get(f"{BUILT}:{tag}").id)

    def clear(self) -> None:
        """Remove containers of processes that were killed."""
        with self._engine():
            listed = self.client().api.containers(all=True, filters={"label": LABEL})
        for container in listed:
            if _owner.left_over(container["Labels"].get(LABEL, "")):
                self._remove(container["Id"])

    def describe(self) -> dict[str, Any]:
        """What a trajectory records."""
        return {
            "backend": self.name,
            "image": self.image or "built",
            "digest": self.image_id() if self.image else self._built().digest,
            "cgroup": True,
            "limits": self.limits.recorded(),
        }

    def close(self) -> None:
        """End what waits in the pool, and the connection."""
        super().close()
        self._forget()

    def _forget(self) -> None:
        """Drop the connection; the next call makes another."""
        with self._connecting:
            client, self._client, self._image_id = self._client, None, ""
            if client is not None:
                client.close()

    def start(self) -> Box:
        """Start one.

        Raises:
            SandboxError: with the fix.
        """
        for container in list(self._unburied):
            self._remove(container)
        image = self.image_id()
        with self._engine():
            api = self.client().api
            number = api.create_container_from_config(self._config(image))["Id"]
            with contextlib.ExitStack() as undo:
                undo.callback(self._remove, number)
                # Before the start, so that nothing it says is missed.
                held = api.attach_socket(
                    number, params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
                )
                undo.callback(held.close)
                link = _socket(held)
                undo.callback(link.close)
                api.start(number)
                undo.pop_all()
        channel = Channel(link, multiplexed=True)
        box = Box(
            channel,
            kill=self._killer(number, link, held),
            reason=lambda: channel.said.decode(errors="replace")[-300:] or self._reason(number),
        )
        return self.prepare(box, mounts=False, processes=0, address_space=0)

    def _config(self, image: str) -> dict[str, Any]:
        """A container that may do nothing but compute."""
        limits, api, podman = self.limits, self.client().api, self._is_podman()
        memory = limits.memory_mb * MB
        config: dict[str, Any] = api.create_container_config(
            image,
            ["python3", *_bootstrap.FLAGS, _bootstrap.program()],
            entrypoint=[],
            hostname="sandbox",
            user=f"{UID}:{UID}",
            stdin_open=True,
            working_dir="/",
            environment=_bootstrap.ENVIRONMENT,
            labels={LABEL: _owner.name()},
            network_disabled=True,
            host_config=api.create_host_config(
                network_mode="none",
                read_only=True,
                tmpfs={
                    place: f"{options},exec,nosuid,nodev"
                    for place, options in _mounts(limits, podman).items()
                },
                cap_drop=["ALL"],
                security_opt=["no-new-privileges"],
                pids_limit=limits.pids,
                mem_limit=memory,
                memswap_limit=memory,
                nano_cpus=int(limits.cpus * 1e9),
                ipc_mode="private",
                init=False,
                auto_remove=True,
                # A container's output is not kept: a snippet could fill the host's disk with it.
                log_config={"Type": "none", "Config": {}},
                ulimits=[
                    {"Name": name, "Soft": most, "Hard": most}
                    for name, most in _ulimits(podman).items()
                ],
            ),
        )
        return config

    def _is_podman(self) -> bool:
        parts = self.client().version().get("Components") or []
        return any("podman" in str(part.get("Name")).lower() for part in parts)

    def _killer(self, number: str, link: socket.socket, held: Any) -> Callable[[], None]:
        once = threading.Lock()

        def kill() -> None:
            if once.acquire(blocking=False):
                with contextlib.suppress(OSError):
                    link.shutdown(socket.SHUT_RDWR)
                held.close()
                link.close()
                self._remove(number)

        return kill

    def _remove(self, number: str) -> None:
        """Remove a container; one that can't be is tried again before the next start."""
        from docker.errors import APIError, DockerException, NotFound

        try:
            with self._engine():
                self.client().api.remove_container(number, force=True)
        except NotFound:
            pass
        except APIError as error:
            if error.status_code != 409:  # it is being removed already
                self._unburied.add(number)
                return
        except (SandboxError, DockerException):
            self._unburied.add(number)
            return
        self._unburied.discard(number)

    def _reason(self, number: str) -> str:
        from docker.errors import DockerException

        try:
            state = self.client().api.inspect_container(number)["State"]
        except (SandboxError, DockerException, OSError) as error:
            return _short(error)
        return f"{state.get('Status')}, exit code {state.get('ExitCode')}"

    @contextlib.contextmanager
    def _engine(self) -> Iterator[None]:
        """An engine that went away is connected to anew the next time."""
        import requests
        from docker.errors import APIError, DockerException, NotFound

        self._knock()
        try:
            yield
        except NotFound:
            raise
        except APIError as error:
            raise SandboxError(
                f"sandbox=docker: the engine refuses ({_short(error)}); {self.remedy}"
            ) from error
        except (requests.RequestException, OSError) as error:
            self._forget()
            raise SandboxError(
                f"sandbox=docker: the engine went away ({_short(error)}); {self.remedy}"
            ) from error
        except DockerException as error:
            raise SandboxError(f"sandbox=docker: {_short(error)}; {self.remedy}") from error


def _mounts(limits: Limits, podman: bool) -> dict[str, str]:
    """Folders that can be written; podman knows no limit of files: the memory's holds there."""
    mounts = limits.mounts()
    if podman:
        mounts = {place: re.sub(r"nr_inodes=\d+,?", "", told) for place, told in mounts.items()}
        mounts |= dict.fromkeys(("/run", "/var/tmp"), "ro")  # podman's own ones can be written
    return mounts


def _ulimits(podman: bool) -> dict[str, int]:
    """Limits of a process; those of the container count all of them together."""
    limits = {"core": 0, "nofile": OPEN_FILES}
    # Left alone, podman asks for a million, which a host that is a container itself refuses.
    return limits | {"nproc": PROCESSES} if podman else limits


def _socket(held: Any) -> socket.socket:
    """The connection under what the SDK returns for an attachment."""
    link = getattr(held, "_sock", held)
    if not isinstance(link, socket.socket):
        raise SandboxError(
            f"sandbox=docker: attaching over {type(link).__name__} is not supported; name a "
            "socket (sandbox.host=unix:///PATH; with sandbox=auto sandbox.docker.host=..., in "
            "doctor docker.host=...)"
        )
    return link


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]


def _say(line: str) -> None:
    print(line, file=sys.stderr)  # noqa: T201 the first start takes long, and should say why
