"""Composing, checking and building a config, without the command line around it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tdscaling import configuration
from tdscaling.__main__ import main
from tdscaling.configuration import Invocation
from tdscaling.errors import ConfigError
from tests import commandline_parts as parts

OWN = Path(__file__).parent / "fixtures" / "commandline"


def probe(*overrides: str, multirun: bool = False) -> Invocation:
    return Invocation("probe", overrides, OWN, multirun)


def test_conf_dir_is_the_top_level_one_in_a_checkout() -> None:
    assert configuration.conf_dir() == Path(__file__).resolve().parents[1] / "conf"


def test_commands_are_the_primary_configs_of_all_folders(tmp_path: Path) -> None:
    (tmp_path / "probe.yaml").write_text("# Another probe.")
    (tmp_path / "alone.yaml").write_text("# Alone.")
    found = configuration.commands([tmp_path, OWN])
    assert found == {"alone": tmp_path / "alone.yaml", "probe": tmp_path / "probe.yaml"}


def test_groups_are_the_folders_with_their_options() -> None:
    assert configuration.groups([OWN]) == {"part": ["doubled", "fixed"]}


def test_compose_applies_overrides() -> None:
    config = configuration.compose(probe("seed=3", "part=doubled"))
    assert config.seed == 3
    assert config.part.inner.count == 3
    assert config.hydra.runtime.choices.part == "doubled"


def test_shipped_config_goes_before_an_own_one_of_the_same_name(tmp_path: Path) -> None:
    name, shipped = next(iter(configuration.commands([configuration.conf_dir()]).items()))
    (tmp_path / f"{name}.yaml").write_text("_target_: own.target")
    invocation = Invocation(name, (), tmp_path)
    assert configuration.compose(invocation)._target_ != "own.target"
    assert configuration.commands(invocation.folders)[name] == shipped


def test_check_returns_the_first_value_of_each_sweep() -> None:
    config = configuration.check(probe("seed=4,5", "part=doubled,fixed", multirun=True))
    assert (config.seed, config.hydra.runtime.choices.part) == (4, "doubled")


@pytest.mark.parametrize("sweep", ["seed=1,2,x", "seed=range(1,3,0.5)", "part.count=interval(0,1)"])
def test_check_looks_at_every_value(sweep: str) -> None:
    with pytest.raises(ConfigError, match="expected int"):
        configuration.check(probe(sweep, multirun=True))


def test_glob_sweeps_over_the_options() -> None:
    configs = list(configuration.jobs(probe("part=glob(*)", multirun=True)))
    assert [config.hydra.runtime.choices.part for config in configs] == ["doubled", "fixed"]


def test_jobs_are_numbered_in_the_order_of_the_sweep() -> None:
    configs = list(configuration.jobs(probe("seed=1,2", "tags=[a],[b]", multirun=True)))
    assert [(c.hydra.job.num, c.seed, c.tags[0]) for c in configs] == [
        (0, 1, "a"),
        (1, 1, "b"),
        (2, 2, "a"),
        (3, 2, "b"),
    ]


def test_recorded_is_what_hydra_writes(tmp_path: Path) -> None:
    from tdscaling.__main__ import main

    words = ["probe", "--config-dir", str(OWN), f"hydra.run.dir={tmp_path}/run", "seed=3"]
    assert main(words) == 0
    written = yaml.safe_load((tmp_path / "run" / ".hydra" / "config.yaml").read_text())
    assert configuration.recorded(configuration.compose(probe("seed=3"))) == written


def test_build_gives_plain_data_and_built_parts(tmp_path: Path) -> None:
    config = configuration.check(probe(f"run_dir={tmp_path}", "part=doubled", "seed=2"))
    job = config.copy()
    job._set_flag("struct", False)
    del job["hydra"]
    call = configuration.build(job)
    assert call.func is parts.run
    assert type(call.keywords["budget"]) is dict
    assert type(call.keywords["tags"]) is list
    assert isinstance(call.keywords["part"], parts.Doubled)
    assert call.keywords["part"].size() == 4
    assert call() == 0


def test_build_raises_what_a_constructor_raised(tmp_path: Path) -> None:
    config = configuration.compose(probe(f"run_dir={tmp_path}", "part.count=-1"))
    config._set_flag("struct", False)
    del config["hydra"]
    with pytest.raises(ConfigError, match="expected 0 or more"):
        configuration.build(config)


@pytest.mark.parametrize(
    "address",
    [
        "http://me:s3cret@host/v1",
        "http://s3cret@host:80/v1",
        "me:s3cret@host/v1",
        "http://host/v1?api_key=s3cret",
        "http://host/v1?x=1&access_token=s3cret",
        "http://host/v1#token=s3cret",
        "http://host/v1?API-KEY=s3cret",
    ],
)
def test_address_with_a_secret_leaves_nothing_behind(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    words = ["roles/user=llm", "llm=openai", "llm.model=m", f"llm.base_url='{address}'"]
    assert main([*words, f"hydra.run.dir={folder}"]) == 1
    said = capsys.readouterr()
    assert "llm.base_url: it must not hold a name, password or key" in said.err
    assert "llm.api_key_env" in said.err
    assert "s3cret" not in said.out + said.err
    assert not folder.exists()


def test_address_without_a_secret_is_taken() -> None:
    words = ("llm=openai", "llm.base_url='http://host:8000/v1/@x?version=2&keys=no'")
    assert configuration.check(Invocation("synthesize", words)).llm.base_url.endswith("keys=no")
