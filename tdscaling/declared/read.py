"""From the text of a domain file to plain data.

Enters: a path. Leaves: what the YAML says, or the line at which it is refused: a key that is given
twice (YAML would keep the last one silently), or text that stands for too much data.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tdscaling.errors import DomainError

LARGEST = 500_000
"""Bytes of a domain file; the shipped ones have up to 45,000."""
VALUES = 100_000
"""Values of a domain file with all its aliases written out; the shipped ones have 1,500."""
DEEPEST = 60
"""Values within each other; the shipped files have 7."""
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read(path: Path) -> Any:
    """The data of a domain file.

    Raises:
        DomainError: if the file cannot be read, is no valid YAML, or names a key twice.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        text = content[:LARGEST].decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DomainError(
            f"{path}: cannot read the domain file: {error}. Give the path of a YAML file."
        ) from error
    if len(content) > LARGEST:
        raise DomainError(f"{path}: expected a domain file of up to {LARGEST:,} bytes. Shorten it.")
    try:
        return _data(path, text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        cause = getattr(error, "problem", None) or str(error)
        raise DomainError(f"{path}{where}: no valid YAML: {cause}.") from error
    except ValueError as error:
        raise DomainError(f"{path}: no valid YAML: {error}. Quote the value.") from error


def _data(path: Path, text: str) -> Any:
    _depth(path, text)
    loader = _LOADER(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return None
        _size(path, root, {}, set())
        return loader.construct_document(root)
    finally:
        loader.dispose()


def _depth(path: Path, text: str) -> None:
    """Refuse what would overflow the stack; reading events alone needs none."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise _refused(path, event, f"more than {DEEPEST} values within each other")


def _size(path: Path, node: yaml.Node, known: dict[int, int], above: set[int]) -> int:
    """Values under a node with aliases written out; keys are looked at on the way."""
    if isinstance(node, yaml.ScalarNode):
        return 1
    if id(node) in known:
        return known[id(node)]
    if id(node) in above:
        raise _refused(path, node, "a value that contains itself")
    above.add(id(node))
    if isinstance(node, yaml.MappingNode):
        _keys_differ(path, node)
    parts = [part for item in node.value for part in (item if isinstance(item, tuple) else (item,))]
    size = 1 + sum(_size(path, part, known, above) for part in parts)
    if size > VALUES:
        raise _refused(path, node, f"aliases that stand for more than {VALUES:,} values")
    above.discard(id(node))
    known[id(node)] = size
    return size


def _keys_differ(path: Path, node: yaml.MappingNode) -> None:
    lines: dict[tuple[str, str], int] = {}
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            continue
        name = (key.tag, key.value)
        if name in lines:
            problem = f"the key `{key.value[:80]}` again, first in line {lines[name]}"
            raise _refused(path, key, problem)
        lines[name] = key.start_mark.line + 1


def _refused(path: Path, at: yaml.Node | yaml.Event, problem: str) -> DomainError:
    line = at.start_mark.line + 1 if at.start_mark else 1
    return DomainError(f"{path}, line {line}: {problem}. Mend the file.")
