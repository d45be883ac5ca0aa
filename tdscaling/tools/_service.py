"""From what a source says of its tools to services with names that fit.

Enters: titles, labels, descriptions and hints as the source words them. Leaves: services whose
names are unique in the catalog, tools whose names every chat API takes, and a list of what was
skipped. Texts of strangers are data: descriptions stay as they are, names are made plain.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from tdscaling.catalog import Catalog, Skipped
from tdscaling.errors import ToolsError
from tdscaling.schema import Service, Tool, digest
from tdscaling.tools._keywords import shortened
from tdscaling.tools._messages import visible

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
"""Names of tools that every chat API takes."""
DESCRIPTION = 8_000
"""Characters that are kept of a tool's description."""
ABOUT = 200
"""Characters that are kept of what a service is for."""
SLUG = 60
"""Characters of a service's name or a category."""


def slug(text: str) -> str:
    """Small letters, digits and `_`, starting with a letter; empty where nothing is left."""
    ascii_text = unicodedata.normalize("NFKD", text[:500]).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "_", ascii_text.lower()).strip("_")[:SLUG].strip("_")
    return f"s_{words}"[:SLUG] if words[:1].isdecimal() else words


def label(text: object) -> str:
    """The slug of a business area; empty where none is stated."""
    if not isinstance(text, str) or not text.strip():
        return ""
    return slug(text) or f"category_{digest(text, 8)}"


def tool_name(stated: str) -> str:
    """The name of a tool as every chat API takes it."""
    if NAME.fullmatch(stated):
        return stated
    folded = unicodedata.normalize("NFKD", stated[:500]).encode("ascii", "ignore").decode()
    words = re.sub(r"[^A-Za-z0-9_-]+", "_", folded).strip("_-")
    if not words:
        return f"tool_{digest(stated, 8)}"
    return (words if words[0].isalpha() else f"t_{words}")[:64].rstrip("_-")


def hint(value: object) -> bool | None:
    """A hint, None where it is not given."""
    return value if isinstance(value, bool) else None


def sentence(text: object) -> str:
    """The first sentence of a text on one line; empty where there is no text."""
    if not isinstance(text, str):
        return ""
    line = " ".join(re.sub(r"<[^<>]{0,200}>", " ", text[:2_000]).split())
    end = re.search(r"[.!?](?= [A-Z])", line)
    return shortened(line[: end.end()] if end else line, ABOUT)


@dataclass(slots=True)
class Shelf:
    """Collects services in the order in which they are read."""

    services: dict[str, Service] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)

    def skip(self, where: str, why: str) -> None:
        """Note an entry that cannot be used."""
        self.skipped.append(Skipped(visible(where), visible(why)))

    def add(self, service: Service) -> None:
        """Put a service under a name that no other one has; its `name` is what it would like.

        A tool whose name an earlier one of the service has is skipped, as is a service that is
        left without tools.
        """
        name = self._free(service.name or f"service_{digest(service.title, 8)}")
        tools: dict[str, Tool] = {}
        for tool in service.tools:
            if tool.name in tools:
                self.skip(f"{service.source}: {service.title}: {tool.name}", "that name again")
            else:
                tools[tool.name] = replace(tool, domain=name, category=service.category)
        if tools:
            self.services[name] = replace(service, name=name, tools=tuple(tools.values()))
        else:
            self.skip(f"{service.source}: {service.title}", "a service without a usable tool")

    def _free(self, wanted: str) -> str:
        name, number = wanted, 1
        while name in self.services:
            number += 1
            name = f"{wanted[: SLUG - len(str(number)) - 1]}_{number}"
        return name


def chosen(shelf: Shelf, names: Iterable[str]) -> Catalog:
    """The catalog of a shelf, of the named services only where any are named.

    Raises:
        ToolsError: if a name is not there, or nothing was usable.
    """
    wanted = list(names)
    for name in wanted:
        if name not in shelf.services:
            near = difflib.get_close_matches(name, shelf.services, 3)
            hint = f" Did you mean {' or '.join(near)}?" if near else ""
            first = ", ".join(sorted(shelf.services)[:10])
            raise ToolsError(
                f"tools.services: there is no service {name!r}.{hint} "
                f"There are {len(shelf.services):,}, such as {first}."
            )
    if not shelf.services:
        first = "".join(f" The first: {one.where}: {one.why}." for one in shelf.skipped[:1])
        raise ToolsError(
            f"tools.paths: expected tools, got none; skipped entries: {len(shelf.skipped)}.{first}"
        )
    kept = {name: shelf.services[name] for name in sorted(set(wanted) or shelf.services)}
    return Catalog(kept, {}, tuple(shelf.skipped))
