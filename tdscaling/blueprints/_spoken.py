"""Words that fit what was said before, and the words around them.

Enters: templates of wishes and the words that stand for their values. Leaves: templates that read
well with them, and whether a thing was spoken of, so that a person can say "that parcel".
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from tdscaling.declared.domain import ToolSpec
from tdscaling.phrasing.names import singular

_SLOT = re.compile(r"\{\w+\}")


def around(template: str, name: str, phrase: str, *, key: bool) -> str:
    """A template that can take words where it has a value.

    Nobody is "called that same person", nothing has "the number that same phone number", and
    "the answers that that meeting got" has one "that" too many.

    Args:
        template: of a wish.
        name: of the slot.
        phrase: what comes into it.
        key: whether it names a thing, rather than telling a person, a number or an address.
    """
    slot = f"{{{name}}}"
    if phrase.startswith("that "):
        template = template.replace(f" that {slot}", f" which {slot}")
    if not key:
        named = r"\b(?:called|named|under the name(?: of)?|with the name(?: of)?) "
        template = re.sub(named + re.escape(slot), f"for {slot}", template)
        number = r"\b(?:the|my) (?:phone )?(?:number|address|e-mail(?: address)?|line),? "
        template = re.sub(number + re.escape(slot), slot, template)
        template = re.sub(
            r"\bwith the ([\w -]+?) " + re.escape(slot), rf"with {slot} as the \1", template
        )
    return template


def is_key(spec: ToolSpec, name: str) -> bool:
    """Whether a parameter takes the name of a thing that people say with its noun: `order OR-1`."""
    named = name.endswith("_id") or spec.source(name).endswith("_id")
    return named or spec.file.parameters[name].kind == "id"


class Heard:
    """What was spoken of."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._answers: list[list[str]] = []

    def add(self, text: str) -> None:
        """Words of the user."""
        self._texts.append(text)

    def answered(self, spec: ToolSpec) -> None:
        """What the assistant said of a call: one of its answers, whichever."""
        item = spec.file.item or ""
        self._answers.append([_SLOT.sub("", f"{text} {item}") for text in spec.file.answers])

    def of(self, noun: str, more: Iterable[str] = ()) -> bool:
        """Whether a thing was named with a noun, or in some more texts."""
        last = singular(noun.split()[-1])
        stem, several = (last[:-1], "y|ies") if last.endswith("y") else (last, "s|es|")
        word = re.compile(rf"\b{re.escape(stem)}(?:{several})\b", re.IGNORECASE)
        if any(word.search(text) for text in (*self._texts, *more)):
            return True
        return any(all(word.search(text) for text in texts) for texts in self._answers)
