"""Composes, type-checks and builds every option and every preset that is shipped."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf, open_dict

from tdscaling import configuration, diagnosis, usage
from tdscaling.configuration import Invocation
from tdscaling.store import FILE, Store

CONF = configuration.conf_dir()
GROUPS = configuration.groups([CONF])
DATA = {"evolution/schedule"}
OPTIONS = [
    f"{group}={option}"
    for group, options in GROUPS.items()
    if group.split("/")[0] not in {"ablation", "domains", "experiment", "hydra", "servers"}
    and group not in DATA
    for option in options
]
SCHEDULES = [f"evolution/schedule={name}" for name in GROUPS["evolution/schedule"]]
ABLATIONS = [f"ablation={name}" for name in GROUPS["ablation"]]
EXPERIMENTS = [f"experiment={name}" for name in GROUPS.get("experiment", [])]
COMMANDS = configuration.commands([CONF])


ENDPOINT = ("llm=openai", "llm.base_url=http://127.0.0.1:9/v1", "llm.model=any")
"""What the user adds where a model plays a part; nothing is asked while building."""


def mandatory(word: str, folder: Path) -> tuple[str, ...]:
    """Values that an option asks its user for."""
    run, client = folder / "recorded", folder / "config.json"
    client.write_text('{"mcpServers": {"x": {"command": "x"}}}', encoding="utf-8")
    if word in {"tools=recorded", "environments=replay"}:
        Store.open(run / FILE, {}).close()
    return {
        "tools=client_config": (f"tools.path={client}",),
        "tools=recorded": (f"tools.cassette={run}",),
        "environments=replay": (f"environments.cassette={run}",),
    }.get(word, ())


def checked(word: str, run_dir: Path) -> DictConfig:
    """The config with one override, and the state in which Hydra would run its job."""
    group, option = word.split("=")
    needs_model = re.search(r"\bllm: ", (CONF / group / f"{option}.yaml").read_text())
    if group not in usage.chosen(COMMANDS["synthesize"]) and group not in DATA:
        word = f"+{word}"
    asked = mandatory(word, run_dir)
    words = (word, *asked, *(ENDPOINT if needs_model else ()), f"hydra.run.dir={run_dir}")
    config = configuration.check(Invocation("synthesize", words))
    with open_dict(config):
        config.hydra.runtime.output_dir = str(run_dir)
    HydraConfig.instance().set_config(config)
    job = config.copy()
    with open_dict(job):
        del job["hydra"]
    return job


@pytest.mark.parametrize("word", [*OPTIONS, *EXPERIMENTS, *SCHEDULES, *ABLATIONS])
def test_option_composes_checks_and_builds(word: str, tmp_path: Path) -> None:
    assert callable(configuration.build(checked(word, tmp_path)))


@pytest.mark.parametrize("command", COMMANDS)
def test_command_composes_and_describes_itself(command: str) -> None:
    config = configuration.compose(Invocation(command, ()))
    assert config._target_.endswith(f".{command}")
    assert usage.about(COMMANDS[command])


@pytest.mark.parametrize("command", COMMANDS)
def test_command_writes_no_log_file(command: str) -> None:
    config = configuration.compose(Invocation(command, ()))
    hint = f"conf/{command}.yaml needs `defaults: [_self_, override hydra/job_logging: quiet]`"
    assert list(config.hydra.job_logging.handlers) == ["console"], hint


@pytest.mark.parametrize("command", sorted(COMMANDS.keys() - {"synthesize"}))
def test_other_commands_leave_no_folders(command: str) -> None:
    config = configuration.compose(Invocation(command, ()))
    assert config.hydra.output_subdir is None
    assert config.hydra.run.dir == "."


def test_settings_of_the_help_text_exist() -> None:
    known: set[str] = set()
    for option in GROUPS["llm"]:
        invocation = Invocation("synthesize", (f"llm={option}",))
        known |= diagnosis.dotted_keys(configuration.compose(invocation))
    assert set(usage.SETTINGS) <= known


def test_every_knob_has_a_comment_unless_it_points_to_another() -> None:
    bare = []
    for word in OPTIONS:
        group, option = word.split("=")
        path = CONF / group / f"{option}.yaml"
        known = usage._remarks(path.read_text(), "")
        keys = OmegaConf.load(path)
        assert isinstance(keys, DictConfig)
        knobs = [
            str(key)
            for key in keys
            if key not in {"_target_", "defaults"}
            and not OmegaConf.is_interpolation(keys, str(key))
        ]
        bare += [f"{word}: {key}" for key in knobs if key not in known]
    assert bare == []
