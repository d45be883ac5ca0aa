"""Whether the answers were told.

Enters: a case. Leaves: the first answer of the blueprint that the assistant's words lack, and why.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tdscaling.coding.domain import CodeDomain
from tdscaling.schema import Answer, Message, Reason, Step, canonical
from tdscaling.verification import Case
from tdscaling.verification._diagnose import calls_made, observed
from tdscaling.verification._grounds import readable
from tdscaling.verification._values import tells

_REFUSING = re.compile(
    r"can(?:no|')t|unable|not (?:be |been )?(?:possible|able|allowed|permitted|done|complete)|"
    r"couldn't|could not|unfortunately|sorry|refused|rejected|declined|fail|won't|will not|denied",
    re.IGNORECASE,
)
_WORD = re.compile(r"[a-z]{4,}|\w*\d\w*")
SHARED_WORDS = 0.5
"""Share of a refusal's content words that its explanation must have."""


def untold(case: Case) -> tuple[Reason, str] | None:
    """The first answer that was not told, with the reason behind it."""
    for answer in case.blueprint.answers:
        text = _words_after(case.transcript.messages, answer.turn)
        if answer.refusal is not None:
            missing = None if _explains(text, answer.refusal) else answer.refusal
        else:
            missing = next((v for v in answer.values if not tells(text, v)), None)
        if missing is not None:
            return _cause(case, answer, missing)
    return None


def _words_after(messages: Sequence[Message], turn: int) -> str:
    """What the assistant said since the user message with that number."""
    users = [number for number, message in enumerate(messages) if message["role"] == "user"]
    return "\n".join(
        str(message["content"])
        for message in messages[users[turn] :]
        if message["role"] == "assistant" and message.get("content")
    )


def _explains(text: str, refusal: str) -> bool:
    words = set(_WORD.findall(refusal.lower()))
    shared = words & set(_WORD.findall(text.lower()))
    return bool(_REFUSING.search(text)) and len(shared) >= SHARED_WORDS * len(words)


def _computed(case: Case, step: Step, missing: str, where: str) -> tuple[Reason, str]:
    """Of what code computes, many codes are right: what counts is what they printed."""
    tools = case.domains[step.domain].tools
    ran = [content for tool, content in observed(case) if tool in tools]
    if not ran:
        return "missing_step", f"{where}; no code was run"
    if any(tells(readable(content), missing) for content in ran):
        return "answer_not_told", f"{where}, though code printed it"
    return "wrong_argument", f"{where}; no code that was run printed it"


def _cause(case: Case, answer: Answer, missing: str) -> tuple[Reason, str]:
    step = case.blueprint.plan[answer.step]
    wanted = canonical(step.gold)
    made = [call for call, _ in calls_made(case)]
    gold_tools = {other.tool for other in case.blueprint.plan}
    where = f"turn {answer.turn}: {missing!r} was not told"
    if isinstance(case.domains.get(step.domain), CodeDomain):
        return _computed(case, step, missing, where)
    if (step.tool, wanted) in made:
        return "answer_not_told", f"{where}, though {step.tool} was called"
    same = [arguments for tool, arguments in made if tool == step.tool]
    golden = {canonical(s.gold) for s in case.blueprint.plan if s.tool == step.tool}
    if set(same) - golden:
        return "wrong_argument", f"{where}; {step.tool}: expected {wanted}, got {same[-1]}"
    others = [tool for tool, _ in made if tool not in gold_tools]
    if others:
        return "wrong_tool", f"{where}; expected {step.tool}({wanted}), got {others[0]}"
    return "missing_step", f"{where}; {step.tool}({wanted}) was not called"
