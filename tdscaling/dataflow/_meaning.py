"""What a field or a parameter names: an attribute of a thing.

Enters: a name and the thing that its tool is about. Leaves: a `Meaning`, such as (order, id) for
`orderId`, for `order_id` and for the `id` of `get_order`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from tdscaling.dataflow._vocabulary import EMPTY, IDENTIFIERS, MODIFIERS, SAME, STOP, VALUES
from tdscaling.dataflow._words import words

REF = "itself"
"""Attribute of a name that tells a thing and no attribute: `project`."""
_OWN = frozenset(
    {
        "handle",
        "id",
        "key",
        "name",
        "number",
        "ref",
        "reference",
        "sku",
        "slug",
        "title",
        "uid",
        "uuid",
    }
)
"""Identifiers that, alone, are those of the thing that the tool is about."""
_FILES = {("file",), ("directory",), ("document",), ("image",)}
"""Things that a path is one of."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """An attribute of a thing."""

    entity: tuple[str, ...]
    """Words of the thing, its head last; empty for a bare value such as `email`."""
    attribute: str
    own: bool
    """Whether the thing is the tool's own, because the name tells none."""

    @property
    def head(self) -> str:
        """Word under which it is looked up."""
        return self.entity[-1] if self.entity else self.attribute


@lru_cache(maxsize=1 << 16)
def meaning(name: str, own: tuple[str, ...], nouns: frozenset[str] = frozenset()) -> Meaning:
    """The meaning of a name in a tool that is about `own`.

    Args:
        name: of a parameter or a result's field.
        own: words of the thing that the tool is about.
        nouns: heads of the service's things, by which `orderid` is told apart.
    """
    parts = tuple(word for word in words(name) if word not in STOP)
    if parts and parts[-1] not in IDENTIFIERS and len(parts[-1]) > 4:
        for ending in ("id", "name"):
            stem = parts[-1].removesuffix(ending)
            if stem != parts[-1] and stem in nouns:
                parts = (*parts[:-1], stem, ending)
    if not parts:
        return Meaning((), "", own=False)
    last, before = parts[-1], _things(parts[:-1])
    if last in VALUES:
        return Meaning(before, last, own=False)
    if last not in IDENTIFIERS:
        return Meaning(_things(parts), REF, own=False)
    attribute = SAME.get(last, last)
    if before:
        return Meaning(before, attribute, own=False)
    if last in _OWN or (last == "path" and own[-1:] in _FILES):
        return Meaning(own, attribute, own=True)
    return Meaning((last,), REF, own=False)


def _things(parts: tuple[str, ...]) -> tuple[str, ...]:
    """Words of the thing, without those that tell which one."""
    return tuple(word for word in parts if word not in MODIFIERS and word not in EMPTY)
