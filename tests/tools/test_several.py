"""Several sources at once: what is merged, renamed and refused, and how to type it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hydra.core.hydra_config import HydraConfig
from omegaconf import open_dict

from tdscaling import configuration
from tdscaling.catalog import Catalog
from tdscaling.configuration import Invocation
from tdscaling.errors import ConfigError, ToolsError
from tdscaling.tools.declared import DeclaredTools
from tdscaling.tools.dump import DumpTools
from tdscaling.tools.several import SeveralTools


def dump(folder: Path, *servers: str) -> str:
    path = folder / f"{servers[0]}.json"
    tool = {"name": "get_it", "inputSchema": {"type": "object", "properties": {}}}
    path.write_text(json.dumps([{"server": name, "tools": [tool, 3]} for name in servers]))
    return str(path)


def test_merged_in_alphabetical_order(tmp_path: Path) -> None:
    first = DumpTools(paths=[dump(tmp_path, "Moon", "Airline")], services=[])
    second = DumpTools(paths=[dump(tmp_path, "moon")], services=[])
    declared = DeclaredTools(domains=["airline"], paths=[])
    catalog = SeveralTools(sources={"a": first, "b": second, "c": declared}).load()
    assert list(catalog.services) == ["airline", "airline_2", "moon", "moon_2"]
    assert list(catalog.domains) == ["airline"]
    assert catalog.services["airline"] == declared.load().services["airline"]
    assert {t.domain for t in catalog.services["airline_2"].tools} == {"airline_2"}
    assert [entry.where.split(":")[0] for entry in catalog.skipped] == ["a", "a", "b"]


def test_two_that_execute_the_same_service() -> None:
    source = DeclaredTools(domains=["bank"], paths=[])
    with pytest.raises(ToolsError, match="one and two both execute a service 'bank'"):
        SeveralTools(sources={"one": source, "two": source}).load()


def test_no_source() -> None:
    with pytest.raises(ToolsError, match=r"Type \+tools@tools\.sources\.mine=dump"):
        SeveralTools(sources={}).load()


def test_message_says_which_source() -> None:
    with pytest.raises(ToolsError) as caught:
        SeveralTools(sources={"mine": DumpTools(paths=["my/tools.txt"], services=[])}).load()
    assert str(caught.value) == (
        "tools.sources.mine.paths: expected a file or a folder, got my/tools.txt, which is not "
        "there. Give an existing path, for example tools.sources.mine.paths=[my/tools.json]."
    )


def loaded(run_dir: Path, *words: str) -> Catalog:
    config = configuration.check(Invocation("synthesize", ("tools=several", *words)))
    with open_dict(config):
        config.hydra.runtime.output_dir = str(run_dir)
    HydraConfig.instance().set_config(config)
    job = config.copy()
    with open_dict(job):
        del job["hydra"]
    catalog: Catalog = configuration.build(job).keywords["tools"].load()  # type: ignore[attr-defined]
    return catalog


def test_composed_on_the_command_line(tmp_path: Path) -> None:
    catalog = loaded(
        tmp_path,
        "+tools@tools.sources.shipped=declared",
        "tools.sources.shipped.domains=[bank]",
        "+tools@tools.sources.mine=dump",
        f"tools.sources.mine.paths=[{dump(tmp_path, 'Moon')}]",
    )
    assert list(catalog.services) == ["bank", "moon"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["+tools.sources.mine=dump"], r"tools\.sources\.mine: expected an option of tools"),
        (["+tools@tools.sources.mine=dumb"], "dump"),
        (["+tools@tools.sources.a=dump", "tools.sources.a.path=x"], r"tools\.sources\.a\.paths"),
        (["+tools@tools.sources.a=dump", "tools.sources.a.paths=x"], r"tools\.sources\.a\.paths"),
    ],
)
def test_mistakes_on_the_command_line(tmp_path: Path, words: list[str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        loaded(tmp_path, *words)
