"""Which category a cluster belongs to, where its source states none.

Enters: an alphabet of categories with words that speak for each, and the words of a cluster.
Leaves: a category, or `other` where too little speaks for any. A word that speaks for few
categories counts more (inverse frequency), a word said often counts a little more (logarithm).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from tdscaling.dataflow import words
from tdscaling.errors import ConfigError
from tdscaling.schema import Service, Tool

SHIPPED = Path(__file__).parent.parent / "conf" / "clusters" / "_alphabet.yaml"
OTHER = "other"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_TITLE, _TOOL, _PARAMETER, _SAID = 3.0, 2.0, 1.0, 0.5
"""How much a word counts in a title, a tool's name, a parameter's name, a description."""
_READ_FROM = 300
"""Characters of a description that are read."""
_TOOLS = 60
"""Tools that are read per cluster."""
_ENOUGH = 0.12
"""Cosine similarity from which a category is believed."""
_WORD = re.compile(r"[A-Za-z]{3,}")


class Labels:
    """Gives categories.

    Args:
        alphabet: YAML file with categories and their words; None for the shipped one.

    Raises:
        ConfigError: if there is no such file, or it is no alphabet.
    """

    def __init__(self, alphabet: str | None) -> None:
        listed = _read(Path(alphabet) if alphabet is not None else SHIPPED)
        shared = Counter(word for terms in listed.values() for word in set(terms))
        self._weights: dict[str, dict[str, float]] = {}
        for category, terms in listed.items():
            weights = {word: math.log(1 + len(listed) / shared[word]) for word in terms}
            norm = math.sqrt(sum(weight**2 for weight in weights.values()))
            for word, weight in weights.items():
                self._weights.setdefault(word, {})[category] = weight / norm

    def label(self, service: Service, tools: Iterable[Tool]) -> str:
        """The category of some tools of a service."""
        counts = _counted(service, tools)
        size = math.sqrt(sum(_damped(count) ** 2 for count in counts.values()))
        scores: dict[str, float] = {}
        for word, count in sorted(counts.items()):
            for category, weight in self._weights.get(word, {}).items():
                part = _damped(count) * weight / size
                scores[category] = scores.get(category, 0.0) + part
        best = max(scores, key=lambda category: (scores[category], category), default=OTHER)
        return best if scores.get(best, 0.0) >= _ENOUGH else OTHER


def _damped(count: float) -> float:
    return math.log1p(count)


def _counted(service: Service, tools: Iterable[Tool]) -> dict[str, float]:
    counts: dict[str, float] = {}

    def add(found: Iterable[str], weight: float) -> None:
        for word in found:
            counts[word] = counts.get(word, 0.0) + weight

    add(_said(f"{service.title} {service.about}"), _TITLE)
    for tool in list(tools)[:_TOOLS]:
        add(words(tool.name), _TOOL)
        add(_said(tool.description), _SAID)
        for name in list(tool.parameters.get("properties") or {})[:20]:
            add(words(str(name)), _PARAMETER)
    return counts


def _said(text: str) -> Iterable[str]:
    return (word for found in _WORD.findall(text[:_READ_FROM]) for word in words(found))


def _read(path: Path) -> dict[str, tuple[str, ...]]:
    example = "`travel: [flight, hotel]` on each line"
    try:
        data: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(
            f"clusters.alphabet={path}: expected a YAML file with {example}, got: {error}"
        ) from error
    if not isinstance(data, Mapping) or not data:
        raise ConfigError(f"clusters.alphabet={path}: expected {example}, got no categories")
    found = {}
    for category, terms in data.items():
        if not isinstance(category, str) or not _NAME.fullmatch(category) or category == OTHER:
            raise ConfigError(
                f"clusters.alphabet={path}: expected a category of small letters, digits and `_` "
                f"that is not `{OTHER}`, got {category!r}"
            )
        if not isinstance(terms, list) or not terms or not all(isinstance(t, str) for t in terms):
            raise ConfigError(
                f"clusters.alphabet={path}: {category}: expected a list of words, got {terms!r:.80}"
            )
        found[category] = tuple(word for term in terms for word in words(term))
    return found
