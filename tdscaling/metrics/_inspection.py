"""Whether a failing run of tests is a finding rather than a failed attempt.

Enters: a user's words, and the calls that follow. Leaves: which calls only looked at what the user
had said is broken. Somebody who is asked to mend what tests complain about runs them first, to see;
that they fail then is what was to be seen. After a change they are to pass.
"""

from __future__ import annotations

import re

from tdscaling.metrics._messages import Call

_ASKED = re.compile(r"(?<![a-z])(?:tests?|specs?|unittests?|pytest)(?![a-z])", re.IGNORECASE)
_RUNS_TESTS = re.compile(
    r"\b(?:py\.?test|unittest|nose2?|tox|ctest|jest|vitest|mocha|phpunit|rspec)\b"
    r"|\b(?:npm|yarn|pnpm|go|cargo|make|mvn|gradle|dotnet|swift|mix)\s+(?:run\s+)?test\b"
    r"|\b(?:tests?_\w+|\w+_tests?|tests?)\.\w{1,4}\b",
    re.IGNORECASE,
)
_REPORT = re.compile(
    r"\bFAILED\b|--- FAIL|\bnot ok \d|\b\d+ (?:tests? )?(?:failed|failures?|failing)\b"
    r"|\bfailures?\b ?[:=] ?\d|\berrors=\d|\bTests?:\s+\d+ failed",
)
"""How a test runner says that tests ran and some did not pass."""
_CHANGES = re.compile(
    r"(?<![-=<>0-9&])>{1,2}\s*[\w./\"']|\bsed\s+(?:-\w+\s+)*-i|\bwrite_text\b|\.write\("
    r"|\bopen\([^)\n]*['\"][wax]|\b(?:apply_patch|patch|tee|mv|cp|rm)\b"
    r"|\bgit\s+(?:apply|checkout|restore|revert)\b",
)


class Inspection:
    """What is known of a user turn."""

    def __init__(self) -> None:
        self._asked = self._changed = False

    def user(self, text: str) -> None:
        """A user turn begins."""
        self._asked, self._changed = bool(_ASKED.search(text)), False

    def holds(self, call: Call) -> bool:
        """Whether a failed call that runs code is a look at tests, before anything was changed."""
        code = _text(call)
        return (
            self._asked
            and not self._changed
            and not _CHANGES.search(code)
            and bool(_RUNS_TESTS.search(code))
            and bool(_REPORT.search(call.content))
        )

    def see(self, call: Call, *, code: bool) -> None:
        """A call was made; whether it may have changed what the tests are about."""
        changes = bool(_CHANGES.search(_text(call))) if code else call.writes
        self._changed |= call.ok and changes


def _text(call: Call) -> str:
    return "\n".join(text for text in call.arguments.values() if isinstance(text, str))
