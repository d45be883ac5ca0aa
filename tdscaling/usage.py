"""The help texts.

Enters: the config folders. Leaves: text. The overview only reads file names and a few lines, so
`tdscaling --help` answers without importing Hydra; the help of one command composes its config.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tdscaling.configuration import Invocation, commands, compose, groups

DEFAULT_COMMAND = "synthesize"

SETTINGS = {
    "seed": "seed of every random stream",
    "concurrency": "conversations at the same time",
    "budget.trajectories": "stop after so many accepted trajectories",
    "budget.tokens": "stop after so many model tokens",
    "llm.base_url": "address of an OpenAI-compatible endpoint",
    "llm.model": "name of the model there",
    "run_dir": "run directory; an existing one is resumed (hydra.run.dir to Hydra)",
}
"""Settings that scripts rely on, each with one line."""

_HIDDEN_GROUPS = ("ablation", "domains", "experiment", "hydra")

_EXAMPLES = """\
Examples:
  tdscaling budget.trajectories=500 seed=7
  tdscaling evolution=none run_dir=outputs/control
  tdscaling -m evolution=none,entropy seed=1,2,3
"""

_FLAGS = """\
Options:
  -m, --multirun     sweep: run every combination of comma-separated values
  --cfg job          print the composed config and stop
  --config-dir DIR   search a folder of your own for configs, too
  -h, --help         this text; after a command: its settings
  --hydra-help       all options of Hydra
  --version          print the version

"""


def about(path: Path) -> str:
    """The first comment line of a config that says something; empty where it has none."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if re.match(r"# (@package|(python -m )?tdscaling\b)", line):
            continue
        return line.removeprefix("#").strip() if line.startswith("#") else ""
    return ""


def overview(folders: list[Path]) -> str:
    """The text of `tdscaling --help`."""
    known = commands(folders)
    offered = groups(folders)
    defaults = chosen(known[DEFAULT_COMMAND]) if DEFAULT_COMMAND in known else {}
    width = max(map(len, [*known, *offered, *SETTINGS])) + 3
    lines = ["usage: tdscaling [command] [key=value ...] [options]", ""]
    lines.append(f"Commands (without one: {DEFAULT_COMMAND}):")
    lines += [f"  {name:{width}}{about(path)}" for name, path in known.items()]
    lines += ["", "Settings:"]
    lines += [f"  {name + '=':{width}}{text}" for name, text in SETTINGS.items()]
    lines += ["", "Choices (the default is in brackets):"]
    order = list(defaults)
    for group in sorted(offered, key=lambda g: order.index(g) if g in order else len(order)):
        options = offered[group]
        if group.split("/")[0] not in _HIDDEN_GROUPS:
            marked = [f"[{o}]" if defaults.get(group) == o else o for o in options]
            lines.append(f"  {group + '=':{width}}{' | '.join(marked)}")
    if "experiment" in offered:
        lines.append(f"  {'experiment=':{width}}{' | '.join(offered['experiment'])}")
    return "\n".join([*lines, "", _FLAGS + _EXAMPLES])


def chosen(path: Path) -> dict[str, str]:
    """The options that a primary config's defaults list chooses."""
    entry = re.compile(r"^\s*- (?:override )?/?([\w/]+)(?:@[\w.]+)?: *([\w-]+)", re.MULTILINE)
    return dict(entry.findall(path.read_text(encoding="utf-8")))


def of_command(invocation: Invocation) -> str:
    """The text of `tdscaling <command> --help`: its settings with their comments."""
    from omegaconf import OmegaConf, open_dict, read_write

    config = compose(invocation)
    choices = {
        group: option
        for group, option in reversed(config.hydra.runtime.choices.items())
        if option and not group.startswith("hydra/")
    }
    with read_write(config), open_dict(config):
        del config["hydra"]
    comments = _comments(invocation, choices)
    lines = []
    for line, path in _keyed(OmegaConf.to_yaml(config)):
        if path and path.rsplit(".", 1)[-1] == "_target_":
            continue  # which class it is follows from the choice
        remark = comments.get(path, "") if path else ""
        lines.append(f"{line:44}  # {remark}" if remark else line)
    name = invocation.command
    head = [
        f"usage: tdscaling {name} [key=value ...] [options]",
        "",
        about(commands(invocation.folders)[name]),
        "",
    ]
    chosen_lines = [f"  {group}={option}" for group, option in choices.items()]
    if chosen_lines:
        head += ["Choices:", *chosen_lines, ""]
    return "\n".join([*head, "Settings (type dotted names, such as a.b=1):", "", *lines, ""])


def _comments(invocation: Invocation, choices: dict[str, str]) -> dict[str, str]:
    """The comment of each dotted key, as written in the configs that were chosen."""
    sources = [("", invocation.command)]
    sources += [
        (group.replace("/", "."), f"{group}/{part}")
        for group, option in choices.items()
        for part in (*_shared(invocation, group), *_bases(invocation, group, option), option)
    ]
    found: dict[str, str] = {}
    for package, name in sources:
        for folder in invocation.folders:
            path = folder / f"{name}.yaml"
            if path.is_file():
                found |= _remarks(path.read_text(encoding="utf-8"), package)
                break
    return found


def _shared(invocation: Invocation, group: str) -> list[str]:
    """Files of a group that its options are made of."""
    return [path.stem for folder in invocation.folders for path in folder.glob(f"{group}/_*.yaml")]


def _bases(invocation: Invocation, group: str, option: str) -> list[str]:
    """Options of a group that another one starts from: entries of its defaults list."""
    texts = [folder / group / f"{option}.yaml" for folder in invocation.folders]
    found = next((path.read_text(encoding="utf-8") for path in texts if path.is_file()), "")
    listed = re.search(r"^defaults:\n((?: +- .*\n)+)", found, re.MULTILINE)
    return re.findall(r"^ +- (\w+)\s*$", listed[1], re.MULTILINE) if listed else []


def _remarks(text: str, package: str) -> dict[str, str]:
    """Comments beside or right above each key."""
    header = re.match(r"# @package (\S+)", text)
    if header:
        package = "" if header[1] == "_global_" else header[1]
    found: dict[str, str] = {}
    above: list[str] = []
    for line, path in _keyed(text):
        if line.strip().startswith("#"):
            above.append(line.strip(" #"))
            continue
        beside = line.split(" # ", 1)[1].strip() if " # " in line else ""
        if path and (beside or above):
            found[f"{package}.{path}" if package else path] = beside or " ".join(above)
        above = []
    return found


def _keyed(text: str) -> Iterator[tuple[str, str | None]]:
    """Each line of a YAML text with the dotted name of the key it sets, if it sets one."""
    stack: list[tuple[int, str]] = []
    for line in text.splitlines():
        match = re.match(r"( *)([\w-]+):(?: |$)", line)
        if not match:
            yield line, None
            continue
        indent = len(match[1])
        stack = [(depth, key) for depth, key in stack if depth < indent]
        stack.append((indent, match[2]))
        yield line, ".".join(key for _, key in stack)
