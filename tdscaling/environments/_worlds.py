"""The domains of a run, made when they are first asked for.

Enters: domains that exist, and clusters of tools that are known by their schemas. Leaves: a mapping
by name that pickles: each process makes the domains that it needs, and keeps the latest.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Lock
from typing import Any

from tdscaling.declared.domain import Domain
from tdscaling.errors import DomainError
from tdscaling.schema import Cluster

KEPT = 256
"""Made domains that a process keeps."""


class Worlds(Mapping[str, Domain]):
    """Domains by name.

    Args:
        existing: domains that execute calls themselves.
        clusters: of which those without such a domain get one made.
        make: of a cluster; pickles. May raise `DomainError`.
        kept: made domains kept at once, at least 1.
    """

    def __init__(
        self,
        existing: Mapping[str, Domain],
        clusters: Sequence[Cluster],
        make: Callable[[Cluster], Domain],
        kept: int = KEPT,
    ) -> None:
        self._existing = dict(existing)
        self._clusters = {c.domain: c for c in clusters if c.domain not in existing}
        self._make = make
        self._kept = kept
        self._made: OrderedDict[str, Domain | str] = OrderedDict()
        self._lock = Lock()

    def __getitem__(self, name: str) -> Domain:
        """The domain of that name.

        Raises:
            KeyError: if no domain and no cluster has it.
            DomainError: if none can be made of the cluster's tools.
        """
        if name in self._existing:
            return self._existing[name]
        cluster = self._clusters[name]
        with self._lock:
            found = self._made.pop(name, None) or self._try(cluster)
            self._made[name] = found
            if len(self._made) > self._kept:
                self._made.popitem(last=False)
        if isinstance(found, str):
            raise DomainError(found)
        return found

    def _try(self, cluster: Cluster) -> Domain | str:
        """The domain, or why there is none: asking again would not help."""
        try:
            return self._make(cluster)
        except DomainError as error:
            return str(error)

    def __contains__(self, name: object) -> bool:
        """Whether there is such a domain, or a cluster to make it of; makes nothing."""
        return name in self._existing or name in self._clusters

    def __iter__(self) -> Iterator[str]:
        """Names: the existing ones, then those of clusters."""
        yield from self._existing
        yield from self._clusters

    def __len__(self) -> int:
        """Number of names."""
        return len(self._existing) + len(self._clusters)

    def __getstate__(self) -> dict[str, Any]:
        """Without what was made."""
        return {n: v for n, v in self.__dict__.items() if n not in {"_made", "_lock"}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """With nothing made yet."""
        self.__dict__.update(state)
        self._made = OrderedDict()
        self._lock = Lock()
