"""How likely a slot accepts a field.

Enters: a slot and a field. Leaves: a score and what it is made of: a product of factors, each of
which has a line of its own, so that nobody has to guess.
"""

from __future__ import annotations

from functools import lru_cache

from tdscaling.dataflow._fields import ANY, Field, sure_of
from tdscaling.dataflow._meaning import REF, Meaning
from tdscaling.dataflow._slots import Slot
from tdscaling.dataflow._vocabulary import ROLES, VALUES, Action

OPTIONAL = 0.8
SAME_HEAD, ROLE, PART = 0.85, 0.8, 0.6
_MENTIONED = 0.95
"""Name factor where the slot's description names the producer."""
_BETTER = 0.7
"""Factor of a field whose thing only resembles the slot's, where another one's is the same."""

_GIVING: dict[Action, float] = {
    "create": 1.0, "list": 1.0, "login": 1.0, "read": 0.9, "update": 0.6, "other": 0.6,
    "delete": 0.05,
}  # fmt: skip
_STATED, _KNOWN = 0.85, 0.9
"""Verb factor, at least, of fields that are known as surely as this."""
_MAKING = 0.35
"""Verb factor of a slot that names what its tool is about to create."""
_RARE = 0.85
"""How much a name identifies a thing that says nothing but is the same on both sides."""
_MISFIT = {("string", "number"): 0.8, ("number", "string"): 0.6}
_NEVER = 0.2


def named_alike(slot: Meaning, field: Meaning) -> tuple[float, str]:
    """Name factor and its reason; 0 where they name different things."""
    attribute = _attributes(slot.attribute, field.attribute)
    if not attribute:
        return 0.0, ""
    if slot.entity == field.entity:
        return attribute, "same thing and attribute" if attribute == 1 else "same thing"
    if not slot.entity or not field.entity:
        return (PART * attribute, "same attribute") if slot.attribute in VALUES else (0.0, "")
    if slot.head == field.head:
        return SAME_HEAD * attribute, "same kind of thing"
    if _played(slot.head, field.head):
        return ROLE * attribute, f"a {slot.head} is a {field.head}"
    if set(slot.entity) < set(field.entity) or set(field.entity) < set(slot.entity):
        return PART * attribute, "part of the name"
    return 0.0, ""


def _attributes(slot: str, field: str) -> float:
    if field == ANY or slot == field:
        return 1.0
    if REF in (slot, field):
        return 0.9 if {slot, field} & {"id", "name", "slug", "key", "number"} else 0.0
    return 0.0


def _played(slot: str, field: str) -> bool:
    """Whether one of two words is a role that the other plays; two roles are not the same."""
    return (ROLES.get(slot) == field) or (ROLES.get(field) == slot)


def kinds_fit(slot: str, field: str) -> float:
    """Type factor of a slot's and a field's JSON types; 1 where one is unknown."""
    if not slot or not field or slot == field:
        return 1.0
    return _MISFIT.get((slot, field), _NEVER)


def score(slot: Slot, field: Field, exact: bool) -> tuple[float, tuple[str, ...]]:
    """Score and reasons; `exact` tells whether some field of the service is just the slot's."""
    name, why = named_alike(slot.meaning, field.meaning)
    if field.tool in slot.mentions and name < _MENTIONED:
        name, why = _MENTIONED, "the parameter's description names the producer"
    elif exact and slot.meaning.entity != field.meaning.entity:
        name, why = name * _BETTER, f"{why}, but another one is the same"
    like = max(slot.like, _RARE) if _rare(slot.meaning, field) else slot.like
    sure = 0.5 + 0.5 * sure_of(field, slot.meaning.attribute)
    verbs = _given(field) * (_MAKING if slot.makes else 1.0)
    kind = kinds_fit(slot.kind, field.kind)
    needed = 1.0 if slot.required else OPTIONAL
    total = name * like * sure * verbs * kind * needed
    if not total:
        return 0.0, ()
    return round(total, 3), (
        _said("name", name, why),
        _said("identifies", like, _attribute(slot.meaning)),
        _said("producer", sure, field.origin),
        _said("verbs", verbs, f"{field.action} -> {slot.action}"),
        _said("types", kind, f"{field.kind or 'unknown'} -> {slot.kind or 'unknown'}"),
        _said("required", needed, "yes" if slot.required else "no"),
    )


def _given(field: Field) -> float:
    """Verb factor of a producer; where the result states the field, the verb tells little."""
    stated = field.sure >= _KNOWN and field.action != "delete"
    return max(_GIVING[field.action], _STATED if stated else 0.0)


def _rare(slot: Meaning, field: Field) -> bool:
    """Whether the very name of two words or more is known to be in the result."""
    known = field.meaning.attribute == slot.attribute == REF and len(slot.entity) > 1
    return known and field.meaning.entity == slot.entity


def _attribute(found: Meaning) -> str:
    return f"{' '.join(found.entity)} {found.attribute}".strip()


@lru_cache(maxsize=1 << 14)
def _said(factor: str, value: float, why: str) -> str:
    # Cached, so that many edges share one text.
    return f"{factor} {value:.2f}: {why}"
