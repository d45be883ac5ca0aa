"""What a model must and must not say in each text of a blueprint.

Enters: a blueprint in the templates' words. Leaves: a brief per text that may be said in other
words. What code works on is left out: there every word of the template counts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tdscaling.blueprints._mutate import revisions
from tdscaling.blueprints._refer import PERSONAL, spoken
from tdscaling.blueprints._wording import FALLBACKS
from tdscaling.coding.domain import CodeDomain
from tdscaling.declared.domain import Domain, ToolSpec
from tdscaling.phrasing.verbs import listed
from tdscaling.schema import Blueprint, Step

Kind = Literal["request", "reply", "goal"]
_LETTER = "A-Za-z0-9_\u00c0-\u024f"
"""Of alphabets that put spaces between words: a value may touch signs of any other."""
_WORD = re.compile(r"[^\W\d_]+")
_SIGNS = "\\s,;()\"'\u3000-\u9fff\uac00-\ud7af\uff00-\uffef"
_FIGURE = re.compile(f"[^{_SIGNS}]*\\d[^{_SIGNS}]*")
_EDGES = ".,:!?*_`'\"$\u20ac\u00a3\u2026-"
_SLOT = re.compile(r"\{\w+\}")
LIGHT = listed(
    "make take have get put give let set do go keep check see tell show find look know need want "
    "use come say ask help read note"
)
"""Verbs that say too little of what is done."""
_COMMON = listed(
    "the and for with that this from what which when where who how are was has have been not its "
    "into onto out off all any one you your please under over about goes still there their them "
    "whether than then some such"
)


@dataclass(frozen=True, slots=True)
class Brief:
    """One text that is wanted."""

    place: str
    """In the blueprint, as in its `authors`."""
    kind: Kind
    draft: str
    """The template's words."""
    keep: tuple[str, ...]
    """Values that must be said as they are."""
    phrases: tuple[str, ...]
    """Words that tell which row is meant."""
    hidden: frozenset[str]
    """Values that must not be said: held back, of later turns, or known to the world alone."""
    tools: frozenset[str]
    """Names that no user knows."""
    wishes: tuple[frozenset[str], ...]
    """Per wish, words one of which says what is to be done."""
    verbs: frozenset[str]
    """With which a person asks for it."""
    others: frozenset[str]
    """Verbs of changes that nobody asked for."""
    second: tuple[tuple[str, ...], tuple[str, ...]] | None = None
    """Values of a first choice alone and of its second choice alone."""
    revision: tuple[str, str] | None = None
    """The new value and the one that it replaces."""
    vocabulary: frozenset[str] = frozenset()
    """All words with which what is wanted may be asked for."""
    foreign: str = ""
    """The language, where it is not English."""


def said(text: str, value: str) -> bool:
    """Whether a text holds a value as it is; only words without capitals may gain some."""
    return _whole(value).search(text) is not None


def masked(text: str, values: Iterable[str]) -> str:
    """The text with a mark in the place of each value: people's names hold words, too."""
    for value in values:
        text = _whole(value).sub("\u2022", text)
    return text


def ordered(text: str, values: Iterable[str]) -> list[str]:
    """Those of the values that a text holds, as they come in it."""
    found: dict[str, int] = {}
    for value in _longest_first(values):
        if hit := _whole(value).search(text):
            found[value] = hit.start()
            text = _whole(value).sub(lambda whole: "\u2022" * len(whole[0]), text)
    return sorted(found, key=found.__getitem__)


def _whole(value: str) -> re.Pattern[str]:
    flags = re.IGNORECASE if value == value.lower() else 0
    return re.compile(rf"(?<![{_LETTER}]){re.escape(value)}(?![{_LETTER}])", flags)


def figures(text: str) -> set[str]:
    """The words with a digit: ids, amounts, dates, times."""
    return {found.strip(_EDGES) for found in _FIGURE.findall(text)}


def briefs(blueprint: Blueprint, domains: Mapping[str, Domain]) -> list[Brief]:
    """The texts that may be said in other words, the goal last."""
    maker = _Briefs(blueprint, domains)
    turns = range(len(blueprint.turns))
    found = [brief for turn in turns if not maker.codes(turn) for brief in maker.of_turn(turn)]
    whole = len(turns) > 1 and not any(map(maker.codes, turns))
    plain = all(brief.second is None and brief.revision is None for brief in found)
    # In a sum of all turns nobody could tell which value replaces which.
    return [*found, maker.goal()] if whole and plain else found


class _Briefs:
    def __init__(self, blueprint: Blueprint, domains: Mapping[str, Domain]) -> None:
        self._blueprint = blueprint
        self._domains = {name: domains[name] for name in blueprint.worlds}
        self._values = {
            spoken(value) for value in blueprint.facts.values() if not isinstance(value, bool)
        } - {""}
        self._observed = set(_names(blueprint))
        self._tools = frozenset(name for one in self._domains.values() for name in one.tools)
        self._revised = revisions(blueprint)

    def codes(self, turn: int) -> bool:
        """Whether code serves a turn."""
        return any(
            isinstance(self._domains[step.domain], CodeDomain)
            or any("printed" in bound for bound in step.arguments.values())
            for step in self._steps(turn)
        )

    def of_turn(self, turn: int) -> Iterator[Brief]:
        """The request of a turn and its replies."""
        said_ = self._blueprint.turns[turn]
        steps = self._steps(turn)
        yield self._brief(
            f"turns.{turn}.request",
            "request",
            said_.request,
            steps,
            second=self._second(said_.request, steps),
            revision=self._revision(turn),
        )
        for at, (_, _, words) in enumerate(said_.withheld):
            yield self._brief(f"turns.{turn}.withheld.{at}", "reply", words, [])

    def goal(self) -> Brief:
        """All that is wanted."""
        draft = " ".join(turn.request for turn in self._blueprint.turns)
        return self._brief("goal", "goal", draft, list(self._blueprint.plan))

    def _steps(self, turn: int) -> list[Step]:
        return [step for step in self._blueprint.plan if step.turn == turn]

    def _brief(self, place: str, kind: Kind, draft: str, steps: list[Step], **more: Any) -> Brief:
        told = {value for value in self._values if said(draft, value)}
        # The assistant has named some: they are repeated, and are no facts of the user.
        told |= figures(masked(draft, _longest_first(told)))
        keep = _longest_first(told)
        lower = draft.lower()
        hidden = {value for value in self._values if value not in keep}
        hidden |= {name for name in self._observed if name.lower() not in lower}
        words = {word.lower() for word in _WORD.findall(draft)}
        signs = [_words(self._spec(step)) for step in steps if step.purpose != "lookup"]
        # Of some wishes the template itself says no more than that they are wanted.
        wishes = tuple(one for one in signs if any(kin(w, s) for w in words for s in one))
        voice = self._blueprint.voice
        return Brief(
            place=place,
            kind=kind,
            draft=draft,
            keep=keep,
            phrases=tuple(dict.fromkeys(p for s in steps for p in self._phrases(s, draft))),
            hidden=frozenset(hidden),
            tools=self._tools,
            wishes=wishes,
            verbs=frozenset(verb for step in steps for verb in _verbs(self._spec(step))),
            others=self._others(steps, draft),
            vocabulary=frozenset(word for step in steps for word in _terms(self._spec(step))),
            foreign=voice.foreign if voice else "",
            **more,
        )

    def _spec(self, step: Step) -> ToolSpec:
        return self._domains[step.domain].tools[step.tool]

    def _phrases(self, step: Step, draft: str) -> Iterator[str]:
        """How the draft points at rows: by what comes first in a list, or by a noun."""
        for name, bound in step.arguments.items():
            if "step" not in bound:
                continue
            first = self._spec(self._blueprint.plan[bound["step"]]).file.first
            spec = self._spec(step)
            kind = PERSONAL.get(spec.file.parameters[name].kind or "", "")
            for phrase in (first or "", spec.noun(name), kind):
                if phrase and said(draft, phrase):
                    yield phrase
                    break

    def _others(self, steps: list[Step], draft: str) -> frozenset[str]:
        here = {step.tool for step in steps}
        wanted = {word for step in steps for word in _words(self._spec(step))}
        wanted |= {word.lower() for word in _WORD.findall(draft)}
        verbs = {
            verb
            for domain in self._domains.values()
            for spec in domain.tools.values()
            if spec.writes and spec.name not in here
            for verb in _verbs(spec)
        }
        return frozenset(v for v in verbs - LIGHT if not any(kin(v, w) for w in wanted))

    def _second(
        self, draft: str, steps: list[Step]
    ) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
        if not any(step.purpose == "fallback" for step in steps):
            return None
        for joiner in FALLBACKS:
            before, found, after = draft.partition(joiner.replace("{0}", ""))
            if found:
                first = {value for value in self._values if said(before, value)}
                second = {value for value in self._values if said(after, value)}
                return _longest_first(first - second), _longest_first(second - first)
        return (), ()

    def _revision(self, turn: int) -> tuple[str, str] | None:
        for number, (name, old) in self._revised.items():
            step = self._blueprint.plan[number]
            new = step.arguments[name].get("fact")
            if step.turn == turn and new is not None:
                facts = self._blueprint.facts
                return spoken(facts[new]), spoken(facts[old])
        return None


def kin(one: str, other: str) -> bool:
    """Whether two words share a stem: cancel and cancellation, pay and payment."""
    short, long = sorted((one, other), key=len)
    if len(short) < 3:
        return one == other
    return long.startswith(short) or (len(short) > 4 and long.startswith(short[:-1]))


def _verbs(spec: ToolSpec) -> set[str]:
    """What a person says who wants it done."""
    first = {found[0].lower() for text in spec.file.intents if (found := _WORD.findall(text))}
    named = _WORD.findall(spec.name)
    return first | ({named[0].lower()} if named else set())


def _words(spec: ToolSpec) -> frozenset[str]:
    """Words that say what is wanted: of a change its verbs, of a look anything that it is about."""
    if spec.writes:
        return frozenset(_verbs(spec))
    told = frozenset(word for word in _terms(spec) if len(word) > 2 and word not in _COMMON)
    return told - LIGHT or told


def _terms(spec: ToolSpec) -> set[str]:
    texts = [_SLOT.sub(" ", text) for text in spec.file.intents]
    return {word.lower() for text in [*texts, spec.name] for word in _WORD.findall(text)}


def _longest_first(values: Any) -> tuple[str, ...]:
    return tuple(sorted(values, key=lambda value: (-len(value), value)))


def _names(blueprint: Blueprint) -> Iterator[str]:
    """Texts out of the world that a user could only have invented."""
    for step in blueprint.plan:
        try:
            observed = json.loads(step.observation)
        except ValueError:  # plain words
            continue
        for value in _leaves(observed):
            if len(value) > 2 and (value != value.lower() or " " in value or "@" in value):
                yield value


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _leaves(item)
    elif isinstance(value, str):
        yield value
