"""What a rewording must leave alone: signs, units, bounds and order of figures, counts, dates.

Enters: a text, and the draft that it rewords. Leaves: what was changed or added, in words. Figures
that are all there may still lie: minus 5 is not 5, 5 pounds are not 5 kg, and "before" a date is
not "on" it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from tdscaling.phrasing.verbs import VERBS, listed

_TOKEN = re.compile(r"[^\s,;()\"'\u2019\u3000-\u9fff\uac00-\ud7af\uff00-\uffef]+")
_SIGN = "-+$\u20ac\u00a3\u00a5\u20b9<>=~\u2212\u2013\u2264\u2265\u00b1\u2248%"
_NUMBER = re.compile(rf"(?P<before>[{_SIGN}]*)(?P<number>\d[\d.,:]*?)(?P<after>[{_SIGN}]*)[.,:!?]*")
_MINUS = listed("minus negative plus")
_NO_UNIT = listed(
    "a about across after afterwards again against all also although an and any are as at "
    "available away back because before between both but by can cheaper could do does down each "
    "either else even ever every first for from goes had has have he her here hers high higher "
    "him his how i if in included including instead into is it its just left less longer low "
    "lower may me might mine more must my nor not now of off on once only onto or other our out "
    "over per please rather right shall she should since so still straight such than thank thanks "
    "that the their them then there these they this those though through till to today together "
    "too under until up upon us via was we were what when where whether which while who whose "
    "will with within without would yes yet you your"
)
_CURRENCIES = {
    "euro": r"euros?|eur|\u20ac",
    "dollar": r"d\w?[o\u00f3]ll?ar\w*|usd|bucks|\$",
    "pound": r"pounds?|gbp|sterling|sterlina\w*|pfund|libras?|quid|\u00a3",
    "cent": r"c[e\u00e9]ntimos?|cents?|centimes?|cent[e\u00e9]simos?|pence|penny|pennies",
    "other": r"yen|yuan|rupees?|rou?bles?|francs?|franken|pesos?|kron\w+|zlotys?|bitcoins?|grand|"
    r"\d+k|[\u00a5\u20b9]",
}
_CURRENCY = {
    name: re.compile(rf"(?<![^\W\d_])(?:{words})(?![^\W\d_])", re.IGNORECASE)
    for name, words in _CURRENCIES.items()
}
_BOUNDS = listed(
    "under below over above beyond past before after until till since within by from through "
    "about around approximately roughly nearly almost circa maximum minimum max min exceeding"
)
_MAY_GO = listed("from by about around through")
"""Those that other words may stand for."""
_NEAR = 3
"""Words before a figure that may bound it."""
COUNT = re.compile(
    r"\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|"
    r"eigh|nine)teen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundreds?|thousands?|"
    r"(?:m|b|tr)illi(?:on|ard)\w*|mili(?:on|ard)\w*|millones|milh\w+|dozens?|twice|thrice|half|halves|"
    r"doubled?|triple|quadruple|couple|pair|several|few|many|"
    r"once|times|second(?! thoughts?)|third|"
    r"fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|\w+teenth|\w+tieth|"
    r"\w+ty-(?:first|second)|first(?!,)|one more|or (?:more|less|so|fewer)|and more|"
    r"at (?:least|most)|"
    r"up to|(?:more|less|fewer) than|upwards|maximum|minimum|each|every\w*|additional\w*|"
    r"extra|percent|only)\b",
    re.IGNORECASE,
)
"""Words that count or bound."""
DATE = re.compile(
    r"\b(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?|january|february|march|april|june|july|"
    r"august|"
    r"september|october|november|december|jan|feb|apr|jun|jul|aug|sept?|oct|nov|dec|tues?|thurs?|"
    r"(?:in|on|of|by|until|till|since|before|after|this|next|last|early|late|mid) may|"
    r"today|tonight|tomorrow|yesterday|weekends?|fortnights?|(?:mid)?summer|(?:mid)?winter|autumn|"
    r"springtime|christmas|xmas|easter|thanksgiving|halloween|new year\w*|holidays?|birthday|"
    r"(?<!good )(?<!nice )(?<!great )(?<!lovely )days?|weeks?|months?|years?|hours?|minutes?|"
    r"seconds|(?:in|this|next|last) spring|"
    r"decades?|quarters?|daily|weekly|monthly|yearly|annual\w*|mornings?|afternoons?|evenings?|"
    r"nights?|noon|midnight|earlier|later|overdue|overnight)\b",
    re.IGNORECASE,
)
"""Words that date."""
INJECTED = re.compile(
    r"\b(?:prompts?|instructions?|overrid\w+|admin\w*|jailbreak\w*|hack\w*|sudo|root access|"
    r"passwords?|"
    r"credentials|developer mode|script|exploit\w*)\b",
    re.IGNORECASE,
)
"""What nobody says who wants one's affairs seen to."""
ENTITY = re.compile(r"&#?\w+;")
"""Markup that was escaped."""


def added(pattern: re.Pattern[str], text: str, draft: str) -> str:
    """The first that a pattern finds in a text and not in its draft; empty if there is none."""
    known = {found.lower() for found in pattern.findall(draft)}
    return next((hit for hit in pattern.findall(text) if hit.lower() not in known), "")


def unlike(text: str, draft: str, foreign: bool = False) -> str:
    """What is wrong with the signs, currencies, units and bounds of a text's figures."""
    for pattern in _CURRENCY.values():
        if (currency := pattern.search(text)) and not pattern.search(draft):
            return f"it adds {currency[0]}"
    signs, before = _by_number(text, _sign), _by_number(draft, _sign)
    for number in sorted(before.keys() & signs.keys()):
        if signs[number] - before[number]:
            return f"it changes the sign of {number}"
    if foreign:
        return ""
    return _units(text, draft) or _bounded(text, draft)


def _units(text: str, draft: str) -> str:
    units, before = _by_number(text, _unit), _by_number(draft, _unit)
    words = {_stem(word) for word in re.findall(r"[^\W\d_]+", draft.lower())}
    for number in sorted(before.keys() & units.keys()):
        wanted, found = before[number] - {""}, units[number] - {""}
        if lost := sorted(wanted - found):
            return f"it lacks {number} {lost[0]}"
        # "3 of the article" may become "3 articles", but only where no unit was told.
        if new := sorted(found - wanted if wanted else found - words):
            return f"it adds {number} {new[0]}"
    return ""


def _bounded(text: str, draft: str) -> str:
    near, before = _by_figure(text), _by_figure(draft)
    for figure in sorted(before.keys() & near.keys()):
        direct, wide = before[figure]
        if new := sorted(near[figure][1] - wide):
            return f"it says {new[0]} {figure}"
        if lost := sorted(direct - near[figure][1] - _MAY_GO):
            return f"it lacks the word {lost[0]} before {figure}"
    return ""


def _by_number(
    text: str, told: Callable[[list[str], int, re.Match[str]], str]
) -> dict[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    spots = list(_TOKEN.finditer(text))
    words = [spot[0] for spot in spots]
    for at, spot in enumerate(spots):
        if hit := _NUMBER.fullmatch(spot[0]):
            follows = at + 1 < len(spots) and text[spot.end() : spots[at + 1].start()].isspace()
            closed = hit.end("after") < len(spot[0])
            known = words if follows and not closed else words[: at + 1]
            found[hit["number"].rstrip(".,:")].add(told(known, at, hit))
    return dict(found)


def _sign(words: list[str], at: int, hit: re.Match[str]) -> str:
    word = words[at - 1].lower() if at else ""
    alone = word if word in _MINUS or (word and all(char in _SIGN for char in word)) else ""
    return f"{alone}{hit['before']}{hit['after']}"


def _unit(words: list[str], at: int, hit: re.Match[str]) -> str:
    word = words[at + 1].rstrip(".,:!?\u2026") if at + 1 < len(words) else ""
    if not word[:1].isalpha() or word.lower() in _NO_UNIT | VERBS or word.endswith("ed"):
        return ""
    return _stem(word.lower()) if word == word.lower() else ""


def _stem(word: str) -> str:
    return word[:-1] if len(word) > 2 and word.endswith("s") else word


def _by_figure(text: str) -> dict[str, tuple[set[str], set[str]]]:
    """Per number or date the bounds directly before it, and all close to it."""
    found: dict[str, tuple[set[str], set[str]]] = {}
    words = [(spot[0], spot.start(), spot.end()) for spot in _TOKEN.finditer(text)]
    for at, (token, _, _) in enumerate(words):
        figure = token.strip(f".,:!?{_SIGN}")
        if not figure[:1].isdigit() or any(char.isalpha() for char in figure):
            continue
        direct, wide = found.setdefault(figure, (set(), set()))
        for back in range(1, min(_NEAR, at) + 1):
            word, _, end = words[at - back]
            gap = text[end : words[at - back + 1][1]]
            if not gap.isspace() or word[-1] in ".,:!?" or any(char.isdigit() for char in word):
                break
            if word.lower() in _BOUNDS:
                wide.add(word.lower())
                if back == 1:
                    direct.add(word.lower())
    return found


def by_kind(values: Iterable[str]) -> Iterator[list[str]]:
    """Values that could be taken for each other, in the order given."""
    kinds: defaultdict[str, list[str]] = defaultdict(list)
    for value in values:
        kinds[kind(value)].append(value)
    yield from kinds.values()


def kind(value: str) -> str:
    """How a value is written; words that are no names are all of a kind, and so are names."""
    if any(char.isdigit() for char in value):
        return re.sub(r"\d[\d.,:]*", "9", re.sub(r"[^\W\d_]+", "a", value))
    return "name" if value[:1].isupper() else "word"
