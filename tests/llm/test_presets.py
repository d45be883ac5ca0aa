"""Endpoints that are settings alone: each composes, builds, and is used from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra.utils import instantiate

from tdscaling import configuration, usage
from tdscaling.configuration import Invocation
from tdscaling.llm.openai import OpenAIEndpoint
from tests.llm.outcomes import lines
from tests.openai_server import serving
from tests.oracle import oracle
from tests.runs import NO_CODE, here

FOLDER = configuration.conf_dir() / "llm"
SETTINGS = {path.stem: yaml.safe_load(path.read_text()) for path in FOLDER.glob("*.yaml")}
PRESETS = sorted(name for name, settings in SETTINGS.items() if "_target_" not in settings)
OWN = sorted(set(PRESETS) - {"openrouter"})
"""Those for servers of one's own."""


def composed(*words: str) -> Any:
    return configuration.check(Invocation("synthesize", words))


def test_there_are_presets() -> None:
    assert {"vllm", "sglang", "llamacpp", "ollama", "openrouter"} <= set(PRESETS)


@pytest.mark.parametrize("preset", PRESETS)
def test_preset_builds_an_endpoint(preset: str) -> None:
    node = composed(f"llm={preset}", "llm.model=m").llm
    for key, value in SETTINGS[preset].items():
        assert key == "defaults" or node[key] == ("m" if key == "model" else value)
    built = instantiate(node)
    assert isinstance(built, OpenAIEndpoint)
    built.require("user")
    assert set(node) == set(SETTINGS["openai"])


@pytest.mark.parametrize("preset", PRESETS)
def test_preset_never_sends_the_key_of_another(preset: str) -> None:
    assert SETTINGS[preset]["api_key_env"] != SETTINGS["openai"]["api_key_env"]


@pytest.mark.parametrize("preset", OWN)
def test_server_of_ones_own_is_on_this_machine(preset: str) -> None:
    assert SETTINGS[preset]["base_url"].startswith("http://127.0.0.1:")


def test_help_lists_them_with_their_comments() -> None:
    listed = next(
        line for line in usage.overview([FOLDER.parent]).splitlines() if line.startswith("  llm=")
    )
    assert set(PRESETS) <= set(listed.split("=", 1)[1].replace("|", " ").split())
    told = usage.of_command(Invocation("synthesize", ("llm=vllm",)))
    assert "# vLLM's usual port" in told
    assert "# of a reply, at least 1" in told


def test_each_role_has_a_model_of_its_own(tmp_path: Path) -> None:
    assert here(tmp_path / "scripted", *NO_CODE, size=2) == 0
    recorded = lines(tmp_path / "scripted")
    with serving(oracle(recorded)) as first, serving(oracle(recorded)) as second:
        words = (
            *("roles/user=llm", "roles/assistant=llm", "roles/judge=llm"),
            *("llm=sglang", f"llm.base_url={first.base_url}", "llm.model=small"),
            *("+llm@roles.judge.llm=vllm", "roles.judge.llm.model=big"),
            f"roles.judge.llm.base_url={second.base_url}",
        )
        assert here(tmp_path / "models", *NO_CODE, *words, size=2) == 0
    found = lines(tmp_path / "models")
    assert [line["messages"] for line in found] != []
    roles = {"user": "llm:small", "assistant": "llm:small", "judge": "llm:big"}
    assert [line["meta"]["roles"] for line in found] == [roles] * len(recorded)
    assert {body["model"] for body in first.requests} == {"small"}
    assert {body["model"] for body in second.requests} == {"big"}
    assert all("response_format" in body for body in second.requests)
    assert not any("response_format" in body for body in first.requests)


def test_an_endpoint_that_nothing_asks_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = ("llm=openai", "llm.model=m", "llm.base_url=http://127.0.0.1:9/v1")
    assert here(tmp_path / "idle", *NO_CODE, *model, size=2) == 0
    assert "no model plays in this run, although llm chooses one" in capsys.readouterr().out
    assert here(tmp_path / "none", *NO_CODE, size=2) == 0
    assert here(tmp_path / "played", *NO_CODE, *model, "roles/judge=llm", size=2) == 1
    assert "no model plays" not in capsys.readouterr().out
