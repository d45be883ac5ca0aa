"""Whether what the assistant states was observed or said.

Enters: a case. Leaves: the first id, amount or status in the assistant's words that neither an
observation so far nor the user nor the system message contains.
"""

from __future__ import annotations

import re

from tdscaling.schema import Reason
from tdscaling.verification import Case
from tdscaling.verification._answers import NUMBER, numbers

ID = re.compile(r"\b[A-Z]{1,6}-\d{3,}\b")
_DATE_OR_TIME = re.compile(r"\d{4}-\d\d-\d\d|\b\d{1,2}:\d\d\b")
LARGE = 100
"""Whole numbers below this are counts and sizes that an assistant may work out itself."""


def ungrounded(case: Case) -> tuple[Reason, str] | None:
    """The first invented claim."""
    statuses = {word for domain in case.domains.values() for word in domain.statuses}
    claimed = _claimed_status(statuses)
    grounds = ""
    for number, message in enumerate(case.transcript.messages):
        content = str(message.get("content") or "")
        if message["role"] == "assistant":
            finding = _finding(content, grounds, claimed)
            if finding:
                return finding[0], f"message {number}: {finding[1]} was never observed or said"
        else:
            grounds = f"{grounds}\n{content}"
    return None


def _claimed_status(statuses: set[str]) -> re.Pattern[str] | None:
    if not statuses:
        return None
    words = "|".join(
        re.escape(word).replace("_", "[_ ]") for word in sorted(statuses, key=len, reverse=True)
    )
    return re.compile(rf"\b(?:is|are|now|status:?|been)\s+({words})\b", re.IGNORECASE)


def _finding(
    text: str, grounds: str, claimed: re.Pattern[str] | None
) -> tuple[Reason, str] | None:
    for found in ID.findall(text):
        if found not in grounds:
            return "invented_id", repr(found)
    plain = _DATE_OR_TIME.sub(" ", ID.sub(" ", text))
    amounts = [n for n in NUMBER.findall(plain) if "." in n or float(n.replace(",", "")) >= LARGE]
    if amounts:
        known = set(numbers(_DATE_OR_TIME.sub(" ", grounds)))
        for amount in amounts:
            if float(amount.replace(",", "")) not in known:
                return "invented_amount", repr(amount)
    for status in claimed.findall(text) if claimed else ():
        seen = grounds.casefold().replace("_", " ")
        if status.casefold().replace("_", " ") not in seen:
            return "invented_status", repr(status)
    return None
