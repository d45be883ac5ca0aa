"""What all sources that are files share.

Enters: paths and names of services. Leaves: a catalog; how one file is read is each source's own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from tdscaling.catalog import Catalog
from tdscaling.tools._files import Listed, each, listed
from tdscaling.tools._service import Shelf, chosen


class FileTools(ABC):
    """Services out of files.

    Args:
        paths: files, or folders with all that is below them.
        services: names of those to use; empty for all.
    """

    suffixes: ClassVar[tuple[str, ...]]
    """Endings of the files that are read in a folder."""
    example: ClassVar[str]
    """What to type, for messages."""

    def __init__(self, *, paths: list[str], services: list[str]) -> None:
        self._paths = paths
        self._chosen = services

    def load(self) -> Catalog:
        """The services of all files by name.

        Raises:
            ToolsError: if a path is not there, a file that was named is refused, or a service that
                was named is not there.
        """
        shelf = Shelf()
        files = listed(self._paths, self.suffixes, self.example)
        each(files, lambda file: self.read(file, shelf), shelf.skip)
        return chosen(shelf, self._chosen)

    @abstractmethod
    def read(self, file: Listed, shelf: Shelf) -> None:
        """Put the services of one file on the shelf.

        Raises:
            ToolsError: if the file is refused.
        """
