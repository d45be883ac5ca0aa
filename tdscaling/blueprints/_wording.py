"""The user's wishes in words.

Enters: the steps of one user turn. Leaves: a `UserTurn`: what is asked, which facts the words give
away, which are held back until asked. The words come out of the domain's own templates and name no
tool; a row is named the way a person would point at it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from tdscaling.blueprints._refer import PERSONAL, DraftStep, spoken
from tdscaling.blueprints._spoken import Heard, around, is_key
from tdscaling.declared.rows import Generators
from tdscaling.declared.words import slots
from tdscaling.errors import BlueprintError
from tdscaling.phrasing.counted import one_of
from tdscaling.schema import UserTurn

OPENERS = (
    "Please {0}.",
    "I'd like you to {0}.",
    "Could you {0}?",
    "I need you to {0}.",
    "Can you {0}?",
    "What I need: {0}.",
)
JOINERS = (", then {0}", " and {0}", ", and after that {0}", " and also {0}")
REVISIONS = (
    "Actually, I'd rather go with {new} than {old}, so {intent}.",
    "On second thought, take {new} instead of {old} and {intent}.",
    "Change of plan: {new} instead of {old}. Please {intent}.",
    "I changed my mind, not {old} but {new}. So please {intent}.",
)
LEFT_OVER = ("For the {noun}: {value}.", "The {noun} is {value}.", "{value} as the {noun}.")
SENTENCE = 4
"""Words from which a value is quoted as somebody's text."""
UNITS = (
    "euros?|EUR|dollars?|kg|kilograms?|kWh|km|MB|GB|gigabytes|hours?|minutes|days?|nights?|months?|"
    "percent(?: off| discount)?|of credit|commits|points|people|guests"
)
"""Words after a value that are left out where words stand for it."""
_THAT = re.compile(r"(?:^| (?:on|of) )(that (?!same\b)(.+))$")
"""Ways of pointing at the only one that there is."""
FALLBACKS = (", and if that is refused, {0}", ", or failing that, {0}")


def goal_of(requests: Sequence[str]) -> str:
    """What the user wants as a whole: the wishes, numbered where there are several."""
    if len(requests) == 1:
        return requests[0]
    return " ".join(f"({number}) {request}" for number, request in enumerate(requests, 1))


class Wording:
    """Words for one blueprint.

    Args:
        steps: of the whole plan, in order.
        generators: the random stream.
        revised: per step that repeats an earlier goal, its parameter and the replaced fact.
        facts: what the user knows.
    """

    def __init__(
        self,
        steps: Sequence[DraftStep],
        generators: Generators,
        revised: dict[int, tuple[str, str]],
        facts: dict[str, Any],
    ) -> None:
        self._steps = steps
        self._random = generators.random
        self._revised = revised
        self._facts = facts
        self._told: set[str] = set()
        self._held: set[str] = set()
        """Facts that are told only when asked."""
        self._heard = Heard()
        self._wishes: list[str] = []
        """Of the present turn."""

    def turns(self, *, withhold: bool) -> tuple[UserTurn, ...]:
        """All user turns; with `withhold`, one fact is told only when asked, where possible."""
        count = max(step.turn for step in self._steps) + 1
        order = list(range(count))
        self._random.shuffle(order)
        hidden: dict[int, tuple[int, str]] = {}
        for turn in order if withhold else ():
            options = list(self._withholdable(turn))
            if options:
                hidden[turn] = self._random.choice(options)
                break
        return tuple(self._turn(turn, hidden.get(turn)) for turn in range(count))

    def _of(self, turn: int) -> list[tuple[int, DraftStep]]:
        return [(n, step) for n, step in enumerate(self._steps) if step.turn == turn]

    def _withholdable(self, turn: int) -> list[tuple[int, str]]:
        earlier = {fact for step in self._steps if step.turn < turn for fact in step.given}
        here = [b.get("fact") for _, step in self._of(turn) for b in step.bindings.values()]
        return [
            (number, name)
            for number, step in self._of(turn)
            for name, binding in step.bindings.items()
            if "fact" in binding
            and not step.silent
            and binding["fact"] not in earlier
            and here.count(binding["fact"]) == 1
            and not self._pointed_at(turn, number, self._facts[binding["fact"]])
            and number not in self._revised
            and step.spec.file.parameters[name].ask
            and any(name not in slots(t) for t in step.spec.file.intents)
        ]

    def _pointed_at(self, turn: int, number: int, value: Any) -> bool:
        """Whether other words of a turn need a value, or which of two calls it is for is open."""
        steps = self._of(turn)
        phrases = [phrase for _, step in steps for phrase in step.phrases.values()]
        if any("that same" in phrase or spoken(value) in phrase for phrase in phrases):
            return True
        return sum(step.spec is self._steps[number].spec for _, step in steps) > 1

    def _turn(self, turn: int, hidden: tuple[int, str] | None) -> UserTurn:
        sentences: list[str] = []
        joined: list[str] = []
        self._wishes = []
        before = set(self._told)
        withheld: list[tuple[str, str, str]] = []
        revises: list[str] = []
        for number, step in self._of(turn):
            if hidden and hidden[0] == number:
                withheld.append(self._hold_back(step, hidden[1]))
            here = hidden and hidden[0] == number
            spoken = self._speak(number, step, hidden[1] if hidden and here else None)
            if number in self._revised:
                name, old = self._revised[number]
                revises.append(old)
                sentences.append(self._revision(step, name, old, spoken or ""))
            elif spoken and spoken.endswith("."):
                sentences.append(spoken)
            elif spoken:
                joiner = self._random.choice(FALLBACKS if step.fallback else JOINERS)
                joined.append(spoken if not joined else joiner.format(spoken))
                self._wishes.append(spoken)
            sentences += self._left_over(step)
        if joined:
            opener = self._random.choice(OPENERS)
            position = 0 if revises else self._random.choice([0, len(sentences)])
            sentences.insert(
                len(sentences) if revises else position, opener.format("".join(joined))
            )
        facts = tuple(sorted(self._told - before - {fact for fact, _, _ in withheld}))
        request = " ".join(sentences)
        self._heard.add(request)
        for _, step in self._of(turn):
            if step.purpose == "goal":
                self._heard.answered(step.spec)
        return UserTurn(request, facts, tuple(withheld), tuple(revises))

    def _hold_back(self, step: DraftStep, name: str) -> tuple[str, str, str]:
        fact = step.bindings[name]["fact"]
        self._told.add(fact)
        self._held.add(fact)
        noun, value = step.spec.noun(name), spoken(self._facts[fact])
        if len(value.split()) >= SENTENCE:
            value = f'"{value}"'
        reply = self._random.choice(
            (f"{value}.", f"Sure: {value}.", f"{value}, please.")
            if _is_choice(step, name)
            else (f"The {noun} is {value}.", f"{value}.", f"Sure: {value}.", f"It's {value}.")
        )
        return fact, step.spec.file.parameters[name].ask or f"Which {noun}?", reply

    def _unsaid(self, step: DraftStep) -> dict[str, str]:
        """Parameters whose fact no words have given away yet."""
        return {
            name: binding["fact"]
            for name, binding in step.bindings.items()
            if "fact" in binding and binding["fact"] not in self._told
        }

    def _speak(self, number: int, step: DraftStep, hidden: str | None) -> str | None:
        if step.silent:
            self._told |= step.given
            return None
        if step.words:
            return step.words
        unsaid = set(self._unsaid(step))
        if step.purpose == "lookup" and not unsaid and not step.needed:
            return None
        templates = step.spec.file.intents
        if step.purpose == "lookup" and step.spec.file.context and not step.needed:
            templates = step.spec.file.context
        wanted = unsaid | step.needed
        given = step.bindings.keys()
        usable = [t for t in templates if slots(t) <= given and hidden not in slots(t)]
        usable = usable or [t for t in step.spec.file.intents if slots(t) <= given] or [""]
        usable = [t for t in usable if _fits(t, step)] or usable
        template = self._template(step, usable, wanted | self._rivals(number, step) - {hidden})
        for name in slots(template):
            self._told.update(filter(None, [step.bindings[name].get("fact")]))
        for name in step.needed:
            self._tell_pick(step, name)
        missing = step.needed - slots(template)
        return self._filled(step, template) + "".join(
            f", with {self._refer(step, name)} as the {step.spec.noun(name)}"
            for name in sorted(missing)
        )

    def _template(self, step: DraftStep, usable: Sequence[str], wanted: set[str]) -> str:
        """One that says most of what is wanted, and no other wish of the turn in the same words.

        Raises:
            BlueprintError: if there is none.
        """
        best = max(len(wanted & slots(t)) for t in usable)
        telling = [t for t in usable if len(wanted & slots(t)) == best]
        for options in (telling, usable):
            new = [t for t in options if self._filled(step, t) not in self._wishes]
            if new:
                return self._random.choice(new)
        raise BlueprintError(f"{step.spec.name}: two wishes of a turn have the same words")

    def _rivals(self, number: int, step: DraftStep) -> set[str]:
        """Parameters whose value was told, and another one for the same: which is meant is said."""
        if number in self._revised:
            return set()
        others = [other for other in self._steps[:number] if other.domain == step.domain]
        return {
            name
            for name, binding in step.bindings.items()
            if "fact" in binding
            for other in others
            for its, value in other.values.items()
            if other.spec.source(its) == step.spec.source(name)
            and value != self._facts[binding["fact"]]
        }

    def _filled(self, step: DraftStep, template: str) -> str:
        figures = _figures(step)
        for name in figures:
            template = re.sub(rf"\{{{name}\}} (?:{UNITS})\b", f"{{{name}}}", template)
        words = {name: self._refer(step, name) for name in slots(template)}
        for name in words:
            if name in step.phrases and name not in figures:
                kind = step.spec.file.parameters[name].kind
                template = around(template, name, words[name], key=kind not in PERSONAL)
            elif name not in step.phrases:
                template = one_of(template, name, self._facts[step.bindings[name]["fact"]])
        text = template.format(**words)
        return re.sub(r",(?=$|[,.:?!])", "", text) if figures else text

    def _tell_pick(self, step: DraftStep, name: str) -> None:
        pick = step.bindings[name]["pick"]
        if pick != "first":
            self._told.add(pick["fact"])

    def _refer(self, step: DraftStep, name: str) -> str:
        if name in step.phrases:
            return self._clear(step, name)
        value = spoken(self._facts[step.bindings[name]["fact"]])
        return f"{step.spec.noun(name)} {value}" if is_key(step.spec, name) else value

    def _clear(self, step: DraftStep, name: str) -> str:
        """Words for a value; "that parcel" only where one was spoken of.

        Raises:
            BlueprintError: if no words are clear.
        """
        phrase, binding = step.phrases[name], step.bindings[name]
        found = _THAT.search(phrase)
        if not found or "printed" in binding or self._heard.of(found[2], self._wishes):
            return phrase
        source, noun = self._steps[binding["step"]], found[2]
        own = phrase != found[1] or next(iter(source.result.rows[0])) == binding["column"]
        if own and source.spec.file.result == "one" and source.purpose == "goal":
            return phrase  # found by something else, and spoken of in other words
        if instead := next(self._anchored(source, noun), None):
            return phrase.replace(found[1], instead)
        if own and source.purpose == "goal":
            return phrase.replace(found[1], f"the {noun} that comes up")
        raise BlueprintError(f"{step.spec.name}: nobody spoke of that {noun} before")

    def _anchored(self, source: DraftStep, noun: str) -> Iterator[str]:
        """A thing by the one that it was found with: "the policyholder of claim CM-1950"."""
        for name, binding in source.bindings.items():
            other = source.spec.noun(name)
            if not is_key(source.spec, name) or other == noun or "printed" in binding:
                continue
            if binding.get("fact") in self._told - self._held:
                yield f"the {noun} of {other} {spoken(source.values[name])}"
            elif self._heard.of(other, self._wishes):
                yield f"the {noun} of {source.phrases.get(name, f'that {other}')}"

    def _left_over(self, step: DraftStep) -> list[str]:
        sentences = []
        for name, fact in self._unsaid(step).items():
            self._told.add(fact)
            words = self._random.choice(LEFT_OVER[:1] if _is_choice(step, name) else LEFT_OVER)
            value = spoken(self._facts[fact])
            sentences.append(words.format(noun=step.spec.noun(name), value=value))
        return [sentence[0].upper() + sentence[1:] for sentence in sentences]

    def _revision(self, step: DraftStep, name: str, old: str, intent: str) -> str:
        new = step.bindings[name]["fact"]
        self._told.add(new)
        words = self._random.choice(REVISIONS).format(
            new=spoken(self._facts[new]), old=spoken(self._facts[old]), intent=intent.rstrip(".")
        )
        return words[0].upper() + words[1:]


def _is_choice(step: DraftStep, name: str) -> bool:
    """Whether a value is a word of a list: no sentence fits "policyholder" and "high" alike."""
    return "enum" in (step.spec.file.parameters[name].model_extra or {})


def _figures(step: DraftStep) -> dict[str, str]:
    """Parameters that a figure is worked out for, with their JSON type."""
    return {name: b["type"] for name, b in step.bindings.items() if "printed" in b}


def _fits(template: str, step: DraftStep) -> bool:
    """Whether words for a figure can stand where a template has a value.

    "order as many of DS-1010" leaves open of what, "half of X of what I owe" half of which: words
    for a count go to the end of the sentence, and so do all where ` of` would follow.
    """
    return not any(
        name in slots(template) and (kind == "integer" or f"{{{name}}} of " in template)
        for name, kind in _figures(step).items()
    )
