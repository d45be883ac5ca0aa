"""The layout's rule without exceptions: config, module and test of an option go together."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
CONF = ROOT / "conf"
NO_OPTIONS = {"ablation", "domains", "experiment", "hydra", "servers"}
"""Folders of conf/ that hold data, presets or Hydra's own groups, not options with a module."""

DATA = {"evolution/schedule"}
"""Groups within a stage whose files are data that its option reads: phases, not code."""

PYTHON_FOLDERS = ("tdscaling", "graphs", "tests", "tests_local", "benchmarks")
MAX_LINES = 400
MAX_FUNCTION = 60

FORBIDDEN = [
    "".join(parts)
    for parts in (
        ("pypi", ".org"),
        ("python", "hosted.org"),
        ("registry.npm", "js.org"),
        ("deb.debian", ".org"),
        ("/opt/", "wheels"),
        ("/work/", "main"),
        ("/work/", "shared"),
    )
]
"""Hosts of package registries and paths of one machine, put together here so as not to match."""


def stages() -> list[str]:
    return sorted(p.name for p in CONF.iterdir() if p.is_dir() and p.name not in NO_OPTIONS)


def options() -> list[str]:
    """Every option as `stage/option`, nested stages included; `_x.yaml` is a part of options."""
    found = [path.relative_to(CONF).with_suffix("") for path in CONF.glob("*/**/*.yaml")]
    return sorted(
        p.as_posix()
        for p in found
        if p.parts[0] not in NO_OPTIONS
        and p.parent.as_posix() not in DATA
        and not p.name.startswith("_")
    )


def base_of(option: str) -> str | None:
    """The option that a preset takes over: it has no `_target_` of its own, and settings alone."""
    data = yaml.safe_load((CONF / f"{option}.yaml").read_text())
    stage = option.rpartition("/")[0]
    entries = () if "_target_" in data else data.get("defaults", ())
    bases = [f"{stage}/{entry}" for entry in entries if isinstance(entry, str)]
    return next((base for base in bases if base in options()), None)


PRESETS = [option for option in options() if base_of(option)]
BUILDING = [option for option in options() if option not in PRESETS]
"""Options that say what is built."""


def module_of(option: str) -> Path:
    folder = ROOT if option.startswith("graphs/") else ROOT / "tdscaling"
    return folder / f"{option}.py"


def modules() -> list[str]:
    """Every module in a stage's folder that is an option by its name."""
    found = []
    for stage in stages():
        folder = module_of(f"{stage}/x").parent
        for path in folder.rglob("*.py"):
            if not path.name.startswith("_"):
                found.append(path.relative_to(folder.parent).with_suffix("").as_posix())
    return sorted(found)


def sources() -> list[Path]:
    found = [path for name in PYTHON_FOLDERS for path in (ROOT / name).rglob("*.py")]
    return sorted(path for path in found if not path.is_symlink())


def texts() -> Iterator[Path]:
    folders = (*PYTHON_FOLDERS, "conf", "docs", ".ci")
    paths = [path for name in folders for path in (ROOT / name).rglob("*")]
    for path in [*paths, *ROOT.glob("*")]:
        if path.is_file() and path.suffix in {
            "", ".py", ".md", ".toml", ".txt", ".yaml", ".json", ".jsonl", ".sql", ".html", ".js",
        }:  # fmt: skip
            yield path


def test_there_are_options() -> None:
    assert {"evolution/entropy", "roles/user/scripted"} <= set(options())


@pytest.mark.parametrize("option", BUILDING)
def test_option_has_module_and_test(option: str) -> None:
    assert module_of(option).is_file(), f"conf/{option}.yaml has no module"
    stage, _, name = option.rpartition("/")
    assert (ROOT / "tests" / stage / f"test_{name}.py").is_file(), f"conf/{option}.yaml has no test"


@pytest.mark.parametrize("option", PRESETS)
def test_preset_takes_over_an_option_and_has_a_test(option: str) -> None:
    assert base_of(option) in BUILDING, f"conf/{option}.yaml takes over another preset"
    assert not module_of(option).exists(), f"conf/{option}.yaml does not build its own module"
    stage = option.rpartition("/")[0]
    assert (ROOT / "tests" / stage / "test_presets.py").is_file(), "no test builds its presets"


@pytest.mark.parametrize("option", BUILDING)
def test_option_builds_what_its_name_says(option: str) -> None:
    target = yaml.safe_load((CONF / f"{option}.yaml").read_text())["_target_"]
    assert target.startswith(f"tdscaling.{option.replace('/', '.')}.")


@pytest.mark.parametrize("module", modules())
def test_module_has_option(module: str) -> None:
    assert (CONF / f"{module}.yaml").is_file(), f"no conf/{module}.yaml; no option starts with _"


@pytest.mark.parametrize("config", sorted(CONF.glob("*.yaml")), ids=lambda path: path.stem)
def test_command_has_module_test_and_description(config: Path) -> None:
    name = config.stem
    target = yaml.safe_load(config.read_text())["_target_"]
    assert re.fullmatch(rf"tdscaling\.\w+\.{name}", target)
    top = target.split(".")[1]
    # A stage may have the command's name; then the command's module has another.
    assert top == name or name in stages()
    module, package = ROOT / "tdscaling" / f"{top}.py", ROOT / "tdscaling" / top / "__init__.py"
    assert module.is_file() or package.is_file()
    assert list((ROOT / "tests").glob(f"**/test_{name}.py")), f"no test of the command {name}"
    assert config.read_text().startswith("# ")


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_length(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MAX_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= MAX_FUNCTION, f"{node.name} has {length} lines"


def test_no_link_is_broken() -> None:
    kept_out = {".venv", ".git", "outputs", "multirun"}
    for top in ROOT.iterdir():
        if top.name not in kept_out:
            for path in [top, *top.rglob("*")]:
                assert not path.is_symlink() or path.exists(), f"{path} leads nowhere"


@pytest.mark.parametrize("name", ["conf", "graphs"])
def test_package_links_to_the_top_level(name: str) -> None:
    link = ROOT / "tdscaling" / name
    assert link.is_symlink()
    assert link.resolve() == ROOT / name


def test_no_word_that_ties_the_product_to_one_machine() -> None:
    for path in texts():
        text = path.read_text(encoding="utf-8", errors="replace")
        for word in FORBIDDEN:
            assert word not in text, f"{path.relative_to(ROOT)} names {word}"
