"""No sandbox: nothing runs, and what to type is told."""

from __future__ import annotations

import pytest

from tdscaling.errors import SandboxError, TdscalingError
from tdscaling.sandbox.none import NoSandbox


def test_it_is_off_and_says_how_to_turn_it_on() -> None:
    sandbox = NoSandbox()
    for fix in ("sandbox=bubblewrap", "sandbox=docker", "tdscaling doctor"):
        assert fix in sandbox.why_not()
    with pytest.raises(SandboxError, match="the code tool is off"):
        sandbox.open("7")
    with pytest.raises(SandboxError, match="the code tool is off"):
        sandbox.session("7")
    assert sandbox.describe() == {"backend": "none"}
    assert sandbox.probe() == ()
    sandbox.close()


def test_reason_is_passed_on() -> None:
    assert "(no engine)" in NoSandbox(reason="no engine").why_not()


def test_error_is_one_that_a_user_can_mend() -> None:
    assert issubclass(SandboxError, TdscalingError)
