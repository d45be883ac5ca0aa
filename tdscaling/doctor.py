"""Command `doctor`: what works on this machine, found out by trying.

Enters: the parts of a run that depend on the machine. Leaves: a section for each on the terminal
and an exit code. A section is a function that prints and returns whether all is well.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tdscaling.errors import SandboxError
from tdscaling.sandbox import Sandbox
from tdscaling.sandbox._image import REMAKE
from tdscaling.sandbox._image import build as build_image
from tdscaling.sandbox._image import damage as image_damage

Need = Literal["any", "all", "docker", "bubblewrap", "none"]
_PLAIN_WIDTH = 120
"""Columns where the output is no terminal."""


def doctor(
    *,
    docker: Sandbox,
    bubblewrap: Sandbox,
    need: Need,
    strict: bool,
    build: bool,
    cache: str | None,
) -> int:
    """Check this machine.

    Args:
        docker: the sandbox of that name.
        bubblewrap: the sandbox of that name.
        need: which of them must work.
        strict: whether those must also enforce each limit.
        build: whether to make the sandbox's image anew.
        cache: folder of the image; None for the usual one.

    Returns:
        0 if all that is needed works, else 1; also 1 where the image is damaged.

    Raises:
        SandboxError: if the image cannot be made.
    """
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_PLAIN_WIDTH)
    if build:
        image = build_image(Path(cache) if cache else None, again=True, say=_progress)
        console.print(f"image {image.digest} in {image.root}", markup=False, soft_wrap=True)
    elif amiss := _damage(cache):
        console.print(f"image: damaged: {amiss}; type: {REMAKE}", markup=False, soft_wrap=True)
        return 1
    sections: Sequence[Callable[[], bool]] = [
        lambda: _sandboxes(console, [docker, bubblewrap], need, strict),
    ]
    healthy = [section() for section in sections]
    return int(not all(healthy))


def _damage(cache: str | None) -> str:
    """What is amiss with the image that is there."""
    try:
        return image_damage(Path(cache) if cache else None)
    except SandboxError:  # no image can be made here; the backends say so, or need none
        return ""


def _progress(line: str) -> None:
    print(line, file=sys.stderr)  # noqa: T201


def _sandboxes(console: Console, sandboxes: Sequence[Sandbox], need: Need, strict: bool) -> bool:
    """A table for each sandbox; whether those that are needed are well."""
    well = {}
    for sandbox in sandboxes:
        try:
            well[sandbox.name] = _sandbox(console, sandbox, strict)
        finally:
            sandbox.close()
    usable = [name for name, healthy in well.items() if healthy]
    first = usable[0] if usable else "none: the code tool is off"
    console.print(f"sandbox=auto is {first}", markup=False)
    if need == "none":
        return True
    if need in ("any", "all"):
        return (any if need == "any" else all)(well.values())
    return well[need]


def _sandbox(console: Console, sandbox: Sandbox, strict: bool) -> bool:
    amiss = sandbox.why_not()
    if amiss:
        console.print(f"sandbox={sandbox.name}: does not work\n  {amiss}\n", markup=False,
                      soft_wrap=True)  # fmt: skip
        return False
    findings = sandbox.probe()
    table = Table(title=f"sandbox={sandbox.name}: works", title_justify="left")
    for title in ("limit", "enforced", "how it was seen"):
        table.add_column(title)
    for finding in findings:
        table.add_row(finding.limit, "yes" if finding.enforced else "NO", Text(finding.seen))
    console.print(table)
    console.print(f"image {sandbox.describe()['digest']}\n", markup=False, soft_wrap=True)
    return not strict or all(finding.enforced for finding in findings)
