"""Templates of a domain file.

Enters: text with `{slot}`s. Leaves: the slots. A slot is a plain name: a width as in `{x:>900000}`
would fill the memory, an attribute such as `{x.real}` would reach beyond the value.
"""

from __future__ import annotations

import re
import string

_PLAIN = re.compile(r"\w*")


def slots(template: str) -> frozenset[str]:
    """Names in braces.

    Raises:
        ValueError: if the braces are not balanced, or hold more than a name.
    """
    found = set()
    for _, name, spec, conversion in string.Formatter().parse(template):
        if name is None:
            continue
        if spec or conversion or not _PLAIN.fullmatch(name):
            raise ValueError(f"a slot is a plain name in braces, got {{{name[:40]}...}}")
        found.add(name)
    return frozenset(found)
