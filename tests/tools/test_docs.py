"""The examples of docs/tools.md: what they show loads, runs and drafts as it is typed there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from hydra.core.hydra_config import HydraConfig
from omegaconf import open_dict

from tdscaling import configuration
from tdscaling.__main__ import main
from tdscaling.catalog import Catalog
from tdscaling.configuration import Invocation

TEXT = (Path(__file__).parents[2] / "docs" / "tools.md").read_text(encoding="utf-8")


def block(number: int, kind: str) -> str:
    return re.findall(rf"```{kind}\n(.*?)```", TEXT, re.DOTALL)[number]


def typed(option: str) -> list[str]:
    """The words of the first command of the docs that chooses an option."""
    commands = re.findall(r"^tdscaling ((?:.*\\\n)*.*)$", TEXT, re.MULTILINE)
    (words,) = [shlex.split(c) for c in commands if c.split()[0] == f"tools={option}"][:1]
    return [word for word in words if word.strip()]


def built(folder: Path, *words: str) -> dict[str, Any]:
    own = Path("my/conf") if any(word.startswith("experiment=") for word in words) else None
    config = configuration.check(Invocation("synthesize", words, own))
    with open_dict(config):
        config.hydra.runtime.output_dir = str(folder)
    HydraConfig.instance().set_config(config)
    job = config.copy()
    with open_dict(job):
        del job["hydra"]
    parts: dict[str, Any] = configuration.build(job).keywords  # type: ignore[attr-defined]
    return parts


def loaded(folder: Path, *words: str) -> Catalog:
    catalog: Catalog = built(folder, *words)["tools"].load()
    return catalog


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "my" / "conf" / "experiment").mkdir(parents=True)
    (tmp_path / "my" / "weather.json").write_text(block(0, "json"))
    (tmp_path / "my" / "functions.json").write_text(block(2, "json"))
    (tmp_path / "my" / "library.yaml").write_text(block(0, "yaml"))
    (tmp_path / "my" / "conf" / "experiment" / "both.yaml").write_text(block(1, "yaml"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("option", "services"),
    [
        (
            "dump",
            {
                "weather": [
                    "list_stations",
                    "get_forecast",
                    "create_alert",
                    "list_alerts",
                    "delete_alert",
                ]
            },
        ),
        ("openapi", {"library": ["searchBooks", "getBook", "createLoan"]}),
        ("openai", {"functions": ["list_orders", "get_order", "cancel_order"]}),
    ],
)
def test_file(files: Path, option: str, services: dict[str, list[str]]) -> None:
    catalog = loaded(files, *typed(option))
    assert {s.name: [t.name for t in s.tools] for s in catalog.services.values()} == services
    assert catalog.skipped == ()


@pytest.mark.parametrize("option", ["dump", "openapi", "openai", "several"])
def test_every_service_makes_a_world_of_all_its_tools(files: Path, option: str) -> None:
    parts = built(files, *typed(option))
    catalog = parts["tools"].load()
    clusters = parts["clusters"].build(catalog)
    assert parts["clusters"].left_out(catalog, clusters) == ()
    worlds = parts["environments"].prepare(catalog, clusters)
    drafted = [one for one in clusters if one.domain not in catalog.domains]
    assert drafted
    for cluster in drafted:
        names = {tool.name for tool in catalog.services[cluster.services[0]].tools}
        assert set(worlds[cluster.domain].tools) == names


@pytest.mark.parametrize(("option", "accepted"), [("dump", 8), ("openapi", 8), ("openai", 8)])
def test_a_run_as_typed_accepts(option: str, accepted: int) -> None:
    words = [*typed(option), f"budget.trajectories={accepted}", "coding.share=0"]
    assert main([*words, "run_dir=run"]) == 0
    assert len((Path("run") / "dataset" / "train.jsonl").read_text().splitlines()) == accepted


@pytest.mark.parametrize("option", ["dump", "openapi", "openai"])
def test_drafted_as_typed(option: str) -> None:
    assert main(["draft", *typed(option), "out=drafts"]) == 0
    assert main(["domains", "check=drafts"]) == 0


def test_several_typed_and_as_a_preset(files: Path) -> None:
    for words in (typed("several"), ["experiment=both"]):
        catalog = loaded(files, *words)
        assert list(catalog.services) == ["airline", "bank", "weather"]
        assert list(catalog.domains) == ["airline", "bank"]
