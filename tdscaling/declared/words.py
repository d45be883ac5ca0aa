"""Words of a domain file: templates and what they may name.

Enters: templates with `{slot}`s. Leaves: their slots, and problems with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tdscaling.declared.definition import DomainFile
from tdscaling.declared.domain import ToolSpec
from tdscaling.declared.template import slots

__all__ = ["phrase_problems", "slots", "word_problems"]


def phrase_problems(file: DomainFile) -> Iterator[str]:
    """What is wrong with the phrases that pick a row: their one slot is `{}`."""
    for column, phrase in file.phrases.items():
        try:
            if slots(phrase) == {""}:
                continue
            yield f"phrases.{column}: {phrase!r} must hold {{}}, where the value goes"
        except ValueError as error:
            yield f"phrases.{column}: {phrase!r}: {error}"


def word_problems(spec: ToolSpec) -> Iterator[str]:
    """What is wrong with the words of a tool."""
    file = spec.file
    parameters, columns = set(file.parameters), set(spec.columns)
    for missing in set(file.tell) - columns:
        yield f"tell: {missing} is no result column, there are {', '.join(spec.columns)}"
    errors = [rule.error for rule in file.requires]
    yield from _unknown("intents", file.intents, parameters, "parameter")
    yield from _unknown("context", file.context, parameters, "parameter")
    yield from _unknown("requires.error", errors, parameters, "parameter")
    if file.result == "one":
        yield from _unknown("answers", file.answers, columns, "result column")
        yield from _untold("answers", file.answers, set(file.tell))
    else:
        item = file.item or ""
        yield from _unknown("answers", file.answers, {"count", "items"}, "slot")
        yield from _unknown("item", [item], columns, "result column")
        yield from _untold("answers", file.answers, {"items"})
        yield from _untold("item", [item], set(file.tell))


def _unknown(where: str, templates: Iterable[str], known: set[str], what: str) -> Iterator[str]:
    for template in templates:
        try:
            unknown = slots(template) - known
        except ValueError as error:
            yield f"{where}: {template!r}: {error}"
            continue
        if unknown:
            options = ", ".join(sorted(known)) or "none"
            yield f"{where}: {template!r} names {min(unknown)}, no {what}; there are {options}"


def _untold(where: str, templates: Iterable[str], needed: set[str]) -> Iterator[str]:
    for template in templates:
        try:
            missing = needed - slots(template)
        except ValueError:  # `_unknown` has told
            continue
        if missing:
            yield f"{where}: {template!r} must name {{{min(missing)}}}, which is to be told"
