"""Tools of declared domains.

Enters: names of shipped domains and paths of the user's own. Leaves: checked domains.
"""

from __future__ import annotations

import difflib
from pathlib import Path

from tdscaling.catalog import Catalog
from tdscaling.declared.domain import Domain
from tdscaling.declared.load import load
from tdscaling.errors import DomainError
from tdscaling.schema import Service

LICENCE = "Apache-2.0"
"""Of the shipped domains, which is that of this project."""
SHIPPED = Path(__file__).parent.parent / "conf" / "domains"


class DeclaredTools:
    """Domains written as YAML and SQL.

    Args:
        domains: names to use; empty for all.
        paths: files or folders of further domain files; a name given here replaces a shipped one.
    """

    def __init__(self, *, domains: list[str], paths: list[str]) -> None:
        self._files = {path.stem: path for path in sorted(SHIPPED.glob("*.yaml"))}
        for path in paths:
            self._files |= {file.stem: file for file in _files(Path(path))}
        for name in domains:
            if name not in self._files:
                raise DomainError(_unknown(name, list(self._files)))
        self._chosen = sorted(domains or self._files)

    def load(self) -> Catalog:
        """All chosen domains by name.

        Raises:
            DomainError: if a file is refused.
        """
        domains = {name: load(self._files[name]) for name in self._chosen}
        services = {name: _service(domain, self._files[name]) for name, domain in domains.items()}
        return Catalog(services, domains)


def _service(domain: Domain, path: Path) -> Service:
    return Service(
        name=domain.name,
        title=domain.file.simulates or domain.name,
        category=domain.file.category,
        about=domain.file.about,
        tools=domain.as_tools(),
        source=path.name,
        licence=LICENCE if path.parent == SHIPPED else "",
    )


def _files(path: Path) -> list[Path]:
    found = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    if not found or not all(file.is_file() for file in found):
        raise DomainError(
            f"tools.paths: expected a domain file or a folder with *.yaml files, got {path}. "
            "Give an existing path, for example tools.paths=[my/bookshop.yaml]."
        )
    return found


def _unknown(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, 3)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    return (
        f"tools.domains: there is no domain {name!r}.{hint} There are {', '.join(sorted(known))}; "
        "name a file of your own with tools.paths=[PATH]."
    )
