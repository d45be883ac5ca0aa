"""Words of the scripted assistant's answers.

Enters: the results of a turn's calls. Leaves: one text out of the domain's answer templates, filled
with what was actually observed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from random import Random
from typing import Any

from tdscaling.bindings import rows
from tdscaling.coding.domain import CodeDomain
from tdscaling.coding.words import report
from tdscaling.errors import RoleError
from tdscaling.roles import Scene
from tdscaling.schema import Step

LISTED_ROWS = 5
"""Rows of a list that an answer names."""
REFUSALS = (
    "I'm sorry, that was not possible: {error}.",
    "Unfortunately I can't do that: {error}.",
    "That could not be done: {error}.",
    "I was unable to do that because {error}.",
    "I'm afraid I cannot do this, since {error}.",
    "Sorry, this is not possible: {error}.",
    "I tried, but it could not be completed: {error}.",
    "That is not allowed, unfortunately: {error}.",
    "I'm not able to do that for you: {error}.",
    "I cannot go ahead with this, because {error}.",
)
DETOURS = (
    "Your first choice was not possible: {error}.",
    "The first option could not be done ({error}), so I went on to the other one.",
    "I was unable to do the first one ({error}) and took the other way you named.",
    "What you asked for first was not possible, since {error}.",
    "The first way could not be completed: {error}.",
    "I cannot do it the first way, because {error}.",
    "It was not possible the way you wanted it most ({error}), so I took your second choice.",
    "I'm afraid I can't do the first of the two: {error}.",
)
EMPTY = (
    "There is nothing to list.",
    "The list is empty.",
    "No entries came up.",
    "I looked, and nothing is there.",
    "Nothing came up.",
    "There are no entries.",
)
MORE = (
    "There are more, these come first.",
    "The list goes on after these.",
    "These come at the top; more follow.",
    "More entries follow after these.",
    "That is the top of the list.",
    "The rest of the list comes after these.",
)
_NAMING = re.compile(r"(?:^|_)(?:id|name|handle|email|file|path|branch|url|plate|code|version)$")
"""Columns whose values are names: they are told as they are written."""
_SNAKE = re.compile(r"(?<![\w@./#-])[a-z]+(?:_[a-z]+)+(?![\w@/#-]|\.\w)")
_COUNTED = re.compile(
    r"(?P<there>\b[Tt]here are )?\{(?P<slot>\w+)\}"
    r"(?:(?P<noun>[\w -]*)\((?P<plural>s|es|ies)\)(?: (?P<verb>[a-z]+)\b)?)?"
)
_ARTICLE = re.compile(r"\b([Aa])n? \{(\w+)\}")
_VOWEL = re.compile(r"(?!uni|use|euro|one)[aeiou]|(?:8|11|18)(?!\d)", re.IGNORECASE)
_SINGULAR = {
    "are": "is", "were": "was", "have": "has", "wait": "waits", "remain": "remains",
    "fit": "fits", "match": "matches", "keep": "keeps", "cover": "covers",
}  # fmt: skip


def answer(scene: Scene, turn: int, results: Mapping[int, str]) -> str:
    """The answer at the end of a user turn.

    Args:
        scene: the conversation's.
        turn: user turn, from 0.
        results: observation per step made so far.

    Raises:
        RoleError: if an observation is no JSON, or lacks what its answer names.
    """
    random = Random(f"{scene.seed}:answer:{turn}")
    plan = scene.blueprint.plan
    parts = []
    reported = [answer.step for answer in scene.blueprint.answers if answer.turn == turn]
    for number, step in enumerate(plan):
        if step.turn != turn or step.purpose == "lookup":
            continue
        try:
            found = rows(results[number])
            if found and "error" in found[0] and len(found[0]) == 1:
                words = REFUSALS if number in reported else DETOURS
                parts.append(random.choice(words).format(error=_spoken(str(found[0]["error"]))))
            else:
                parts.append(_report(scene, step, found, random))
        except (KeyError, ValueError) as error:
            raise RoleError(f"assistant: cannot report {step.tool}: {error!r}") from error
    return " ".join(parts)


def _report(scene: Scene, step: Step, found: list[dict[str, Any]], random: Random) -> str:
    domain = scene.domains[step.domain]
    if isinstance(domain, CodeDomain):
        return report(domain, scene.blueprint.worlds[step.domain], step.turn, found[0], random)
    file = domain.tools[step.tool].file
    template = random.choice(file.answers)
    if file.result == "one":
        return _filled(template, found[0])
    if not found:
        return random.choice(EMPTY)
    items = "; ".join(_agreed(file.item or "", row) for row in found[:LISTED_ROWS])
    text = _filled(template, {"count": len(found), "items": items})
    return text if len(found) <= LISTED_ROWS else f"{text} {random.choice(MORE)}"


def _filled(template: str, row: Mapping[str, Any]) -> str:
    """A sentence out of a template; it begins with a capital unless a name comes first."""
    text = _agreed(template, row)
    first = re.match(r"\{(\w+)\}", template)
    if first and _NAMING.search(first[1]):
        return text
    word = re.match(r"[a-z]+(?![\w@/.-])", text)
    return text[0].upper() + text[1:] if word else text


def _agreed(template: str, row: Mapping[str, Any]) -> str:
    """A filled template whose `order(s)` agree with the number that comes before them."""
    # Not at the top: the package loads names of people, and a mistake is answered without.
    from tdscaling.phrasing.counted import one_of

    def agree(match: re.Match[str]) -> str:
        there, slot, noun, plural, verb = match.group("there", "slot", "noun", "plural", "verb")
        single = row[slot] == 1
        if there and single:
            there = there.replace("are", "is")
        ending = ("y" if plural == "ies" else "") if single else plural
        told = f" {_SINGULAR.get(verb, verb) if single else verb}" if verb else ""
        return f"{there or ''}{{{slot}}}{noun or ''}{ending or ''}{told}"

    shown = {name: _value(name, value) for name, value in row.items()}
    for name, value in row.items():
        template = one_of(template, name, value)

    def with_article(match: re.Match[str]) -> str:
        vowel = _VOWEL.match(shown[match[2]]) is not None
        return f"{match[1]}{'n' if vowel else ''} {{{match[2]}}}"

    return _ARTICLE.sub(with_article, _COUNTED.sub(agree, template)).format(**shown)


def _spoken(text: str) -> str:
    """Text whose words in snake case are words of a person: `under_review` is under review."""
    return _SNAKE.sub(lambda found: found[0].replace("_", " "), text)


def _value(name: str, value: Any) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.0f}" if value == int(value) else str(value)
    text = str(value)
    return _spoken(text) if _SNAKE.fullmatch(text) and not _NAMING.search(name) else text
