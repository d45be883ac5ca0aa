"""Verification by re-execution.

Enters: a case. Leaves: a verdict. The first failure is the reason: the conversation ended by
itself; messages are well-formed; calls are valid or recovered from; a fresh environment gives the
same observations; it ends in the blueprint's state; the answers were told; the arguments of the
calls, and what the assistant states, were observed or said.
"""

from __future__ import annotations

from typing import Any, Literal

from tdscaling.errors import AttemptError, ConfigError
from tdscaling.schema import Message, Provenance, Reason, Verdict, canonical
from tdscaling.verification import Case
from tdscaling.verification._answers import untold
from tdscaling.verification._arguments import ungrounded_argument
from tdscaling.verification._claims import ungrounded
from tdscaling.verification._computed import hard_coded
from tdscaling.verification._diagnose import difference
from tdscaling.verification._differences import differing
from tdscaling.verification._form import bad_call, malformed

Finding = tuple[Reason, str] | None

ENDLESS = {
    "turns": "the user went on past the limit of turns",
    "steps": "the assistant went on past the limit of messages per turn",
    "repeats": "the assistant repeated a call past the limit",
}


class ReplayVerification:
    """Re-executes every call in a fresh environment and compares.

    Args:
        require: provenance that every observation must have; None takes all.
        claims: whether ids, amounts and statuses that the assistant states must be grounded.
    """

    def __init__(self, *, claims: bool, require: Literal["executed"] | None) -> None:
        if require not in (None, "executed"):
            raise ConfigError(f"verification.require: expected executed or null, got {require!r}")
        self._claims = claims
        self.require: Provenance | None = require

    async def verify(self, case: Case) -> Verdict:
        """Accepted, or rejected with the first failure."""
        for check in (_ending, _form, _calls):
            finding = check(case)
            if finding:
                return Verdict(False, *finding)
        try:
            replayed = await _replay(case)
        except AttemptError as error:
            return Verdict(False, error.reason, str(error))
        finding = replayed or untold(case) or hard_coded(case) or ungrounded_argument(case)
        if self._claims and not finding:
            finding = ungrounded(case)
        if self.require and not finding:
            finding = _other_provenance(case, self.require)
        return Verdict(False, *finding) if finding else Verdict(accepted=True)


def _ending(case: Case) -> Finding:
    transcript = case.transcript
    if transcript.failure is not None:
        failure = transcript.failure
        return failure.reason or "environment_failed", failure.detail
    if transcript.stop in ENDLESS:
        return "endless_loop", ENDLESS[transcript.stop]
    if transcript.stop == "silent":
        return "early_stop", "the assistant said nothing and called nothing"
    spoken = sum(message["role"] == "user" for message in transcript.messages)
    wanted = len(case.blueprint.turns)
    if spoken < wanted:
        return "early_stop", f"the user has {wanted} turns, the conversation only {spoken}"
    return None


def _form(case: Case) -> Finding:
    problem = malformed(case.transcript.messages, case.transcript.provenance)
    return ("malformed_message", problem) if problem else None


def _calls(case: Case) -> Finding:
    problem = bad_call(case.transcript.messages, case.domains, case.tools)
    return ("malformed_call", problem) if problem else None


def _other_provenance(case: Case, required: str) -> Finding:
    for number, provenance in enumerate(case.transcript.provenance):
        if provenance != required:
            return "not_executed", f"observation {number}: expected {required}, got {provenance}"
    return None


async def _replay(case: Case) -> Finding:
    """Same observations, then same final state."""
    blueprint = case.blueprint
    environment = case.environments.open(case.domains, blueprint.worlds, blueprint.injections)
    try:
        observed = iter(
            zip(
                (m for m in enumerate(case.transcript.messages) if m[1]["role"] == "tool"),
                case.transcript.provenance,
                strict=True,
            )
        )
        for call in _all_calls(case.transcript.messages):
            seen = await environment.call(call["name"], call["arguments"])
            (position, message), provenance = next(observed)
            if seen.content != message["content"] or not _stands_for(seen.provenance, provenance):
                expected, got = differing(seen.content, message["content"])
                return (
                    "invented_observation",
                    f"message {position}, result of {call['name']}: expected {expected} "
                    f"({seen.provenance}), got {got} ({provenance})",
                )
        changes = environment.changes()
    finally:
        environment.close()
    # Through JSON, since a blueprint that was stored has been there too.
    if canonical(changes) == canonical(blueprint.final_state):
        return None
    return difference(case, changes)


def _stands_for(seen: Provenance, recorded: Provenance) -> bool:
    """Whether an observation of now can bear out one of then.

    What a recording holds of a server was executed when it was recorded.
    """
    return seen == recorded or (seen, recorded) == ("replayed", "executed")


def _all_calls(messages: tuple[Message, ...]) -> list[dict[str, Any]]:
    return [call["function"] for m in messages for call in m.get("tool_calls") or ()]
