"""The same tool offered by several services, counted once.

Enters: services. Leaves: per tool that is nearly the same as one of another service, that other
one. Nearly the same means that most words of name, description and parameters are shared; how many,
MinHash estimates without comparing all pairs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from tdscaling.dataflow._slots import properties
from tdscaling.dataflow._words import words
from tdscaling.schema import Service, Tool, digest

Key = tuple[str, str]
"""Service and tool."""

PERMUTATIONS = 64
_SEED = 1
_READ_FROM = 400
"""Characters of a description that are compared."""
_BATCH = 4096
_TOKEN = re.compile(r"\w+")


def duplicates(services: Iterable[Service], similarity: float) -> dict[Key, Key]:
    """Each near-duplicate with the tool that stands for it: the first by service and name.

    Args:
        services: in any order.
        similarity: share of words in common from which two tools are the same, above 0 to 1.
    """
    found: dict[Key, Key] = {}
    exact: dict[str, Key] = {}
    distinct: list[tuple[Key, list[bytes]]] = []
    for key, tool in _named(services):
        parts = shingles(tool)
        first = exact.setdefault(digest(parts), key)
        if first == key:
            distinct.append((key, [part.encode("utf-8", "replace") for part in parts]))
        elif first[0] != key[0]:
            found[key] = first
    near = _near(distinct, similarity)
    return near | {key: near.get(first, first) for key, first in found.items()}


def _named(services: Iterable[Service]) -> Iterable[tuple[Key, Tool]]:
    unique = {(service.name, tool.name): tool for service in services for tool in service.tools}
    return ((key, unique[key]) for key in sorted(unique))


def shingles(tool: Tool) -> list[str]:
    """Words of the name, pairs of words of the description, names of the parameters."""
    text = _TOKEN.findall(tool.description[:_READ_FROM].lower())
    parts = {f"n {word}" for word in words(tool.name)}
    parts |= {f"d {first} {second}" for first, second in pairwise(text)}
    parts |= {f"p {' '.join(words(name))}" for name in properties(tool)}
    return sorted(parts)


def _near(tools: Sequence[tuple[Key, list[bytes]]], similarity: float) -> dict[Key, Key]:
    # Not at the top: it loads numpy and scipy, which `--help` has no use for.
    from zlib import crc32

    from datasketch import MinHash, MinHashLSH

    # Misses are worse than candidates, which are compared once more.
    index = MinHashLSH(threshold=similarity, num_perm=PERMUTATIONS, weights=(0.1, 0.9))
    hashes: dict[Key, MinHash] = {}
    found: dict[Key, Key] = {}
    for start in range(0, len(tools), _BATCH):
        batch = tools[start : start + _BATCH]
        hashed = MinHash.bulk(
            [parts for _, parts in batch], num_perm=PERMUTATIONS, seed=_SEED, hashfunc=crc32
        )
        for (key, _), minhash in zip(batch, hashed, strict=True):
            like = sorted(
                other
                for other in index.query(minhash)
                if other[0] != key[0] and hashes[other].jaccard(minhash) >= similarity
            )
            if like:
                found[key] = like[0]
            else:
                # Only what stands for itself is looked up later: no chains.
                index.insert(key, minhash, check_duplication=False)
                hashes[key] = minhash
    return found
