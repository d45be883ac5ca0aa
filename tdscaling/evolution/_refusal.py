"""How a knob of an evolution is refused.

Enters: the knob, what it was given. Leaves: nothing, or an error that says what to type.
"""

from __future__ import annotations

from tdscaling.errors import ConfigError


def check(name: str, value: object, fits: bool, expected: str, example: object = 0.5) -> None:
    """Raise unless it fits.

    Raises:
        ConfigError: naming the key, what was expected, what was got, and an example.
    """
    if not fits:
        raise ConfigError(
            f"evolution.{name}: expected {expected}, got {value!r}."
            f" Type for example evolution.{name}={example}"
        )
