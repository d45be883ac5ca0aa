"""One error per boundary.

    TdscalingError            anything that a user can mend; `__main__` prints it and exits 1
    +-- ConfigError           an option or override
    +-- DomainError           a declared domain
    +-- DatasetError          a dataset that is read
    +-- RunDirectoryError     a run directory: unwritable, full, of another config
    +-- EndpointError         an LLM endpoint that cannot be used at all
    +-- SandboxError          a sandbox that cannot be started, or a file that it won't move
    +-- EndOfRun              no further request may be made: what is whole is written
        +-- RepliesEnd        because the replies that are played again have no more
    AttemptError              one attempt fails and becomes a rejection with `reason`
    +-- BlueprintError        no blueprint for this draw
    +-- RoleError             a role could not play its turn
    +-- EnvironmentFailure    an environment could not execute a call
        +-- SandboxLostError  the sandbox that ran its code is gone

Messages say where, what was expected, what was got, and what to type.
"""

from __future__ import annotations

from tdscaling.schema import Reason


class TdscalingError(Exception):
    """Something that a user can mend."""


class ConfigError(TdscalingError):
    """An option or override is not usable."""


class DomainError(TdscalingError):
    """A declared domain is refused."""


class ToolsError(TdscalingError):
    """A source of tools is refused as a whole, or a server of it cannot be used."""


class DatasetError(TdscalingError):
    """A dataset cannot be read."""


class RunDirectoryError(TdscalingError):
    """A run directory cannot be written or continued."""


class EndpointError(TdscalingError):
    """An LLM endpoint cannot be used at all."""


class SandboxError(TdscalingError):
    """A sandbox cannot be started, or does not move a file."""


class EndOfRun(TdscalingError):
    """No further request to a model may be made; the run ends with what is whole."""


class RepliesEnd(EndOfRun):
    """The replies that are played again have come to their end."""


class AttemptError(Exception):
    """One attempt fails: it becomes a rejection, the run goes on."""

    reason: Reason = "environment_failed"


class BlueprintError(AttemptError):
    """No blueprint could be made for a draw."""

    reason: Reason = "blueprint_failed"


class RoleError(AttemptError):
    """A role could not play its turn."""

    reason: Reason = "role_failed"


class EnvironmentFailure(AttemptError):
    """An environment could not execute a call."""

    reason: Reason = "environment_failed"


class SandboxLostError(EnvironmentFailure):
    """The sandbox that ran an attempt's code is gone, or none could be opened."""

    reason: Reason = "sandbox_lost"
