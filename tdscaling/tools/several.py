"""Tools of several sources at once.

Enters: sources by a name of the user's own. Leaves: one catalog. Services of equal names are kept
apart: those that execute calls themselves keep their name, others get a number, in the order in
which the sources are given.
"""

from __future__ import annotations

import re

from tdscaling.catalog import Catalog, Skipped
from tdscaling.errors import ConfigError, ToolsError
from tdscaling.tools import Tools
from tdscaling.tools._messages import shown
from tdscaling.tools._service import Shelf


class SeveralTools:
    """Sources side by side.

    Args:
        sources: each an option of this stage, by a name that messages use.
    """

    def __init__(self, *, sources: dict[str, Tools]) -> None:
        for name, source in sources.items():
            if not callable(getattr(source, "load", None)):
                raise ConfigError(
                    f"tools.sources.{name}: expected an option of tools, got {shown(source)}. "
                    f"Type +tools@tools.sources.{name}=dump tools.sources.{name}.paths=[PATH]."
                )
        self._sources = sources

    def load(self) -> Catalog:
        """The services of all sources by name.

        Raises:
            ToolsError: if there is no source, one is refused, or two execute a service of a name.
            DomainError: if a declared domain is refused.
        """
        if not self._sources:
            raise ToolsError(
                "tools.sources: expected at least one source, got none. "
                "Type +tools@tools.sources.mine=dump tools.sources.mine.paths=[PATH]."
            )
        catalogs = {name: self._loaded(name, source) for name, source in self._sources.items()}
        shelf = Shelf()
        owners: dict[str, str] = {}
        for source, catalog in catalogs.items():
            for name in catalog.domains:
                if name in owners:
                    raise ToolsError(
                        f"tools.sources: {owners[name]} and {source} both execute a service "
                        f"{name!r}. Leave it out of one of them."
                    )
                owners[name] = source
                shelf.services[name] = catalog.services[name]
        for catalog in catalogs.values():
            for name, service in catalog.services.items():
                if name not in catalog.domains:
                    shelf.add(service)
        return Catalog(
            dict(sorted(shelf.services.items())),
            {name: catalogs[owners[name]].domains[name] for name in sorted(owners)},
            tuple(
                Skipped(f"{source}: {entry.where}", entry.why)
                for source, catalog in catalogs.items()
                for entry in catalog.skipped
            ),
        )

    def _loaded(self, name: str, source: Tools) -> Catalog:
        try:
            return source.load()
        except ToolsError as error:
            # The source speaks of `tools.paths`, which is elsewhere here.
            said = re.sub(
                r"(?<![\w/.])tools\.(?=[a-z_]+[:=])", f"tools.sources.{name}.", str(error)
            )
            raise ToolsError(said) from error
