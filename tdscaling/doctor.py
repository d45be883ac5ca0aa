"""Command `doctor`: what works here, found out by trying.

Enters: the parts of a run that depend on the machine, and the endpoint of a model. Leaves: a
section for each on the terminal and an exit code. A section is a function that prints and returns
whether all is well.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tdscaling import tracing
from tdscaling.errors import ConfigError, SandboxError
from tdscaling.llm import Endpoint, part_of
from tdscaling.sandbox import Sandbox
from tdscaling.sandbox._image import REMAKE
from tdscaling.sandbox._image import build as build_image
from tdscaling.sandbox._image import damage as image_damage

Need = Literal["any", "all", "docker", "bubblewrap", "none", "skip"]
_HOW_TO_CHECK = "tdscaling doctor llm=vllm llm.base_url=http://HOST:PORT/v1 llm.model=NAME"
_PLAIN_WIDTH = 120
"""Columns where the output is no terminal."""


def doctor(
    *,
    docker: Sandbox,
    bubblewrap: Sandbox,
    llm: Endpoint,
    need: Need,
    strict: bool,
    build: bool,
    cache: str | None,
) -> int:
    """Check this machine, and a model's endpoint.

    Args:
        docker: the sandbox of that name.
        bubblewrap: the sandbox of that name.
        llm: the endpoint; `none` for none.
        need: which of them must work; `skip` not to look at them.
        strict: whether those must also enforce each limit.
        build: whether to make the sandbox's image anew.
        cache: folder of the image; None for the usual one.

    Returns:
        0 if all that is needed works, else 1; also 1 where the image is damaged, or no role could
        be played over the endpoint as it is set.

    Raises:
        SandboxError: if the image cannot be made.
    """
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_PLAIN_WIDTH)
    if build:
        image = build_image(Path(cache) if cache else None, again=True, say=_progress)
        console.print(f"image {image.digest} in {image.root}", markup=False, soft_wrap=True)
    elif need != "skip" and (amiss := _damage(cache)):
        console.print(f"image: damaged: {amiss}; type: {REMAKE}", markup=False, soft_wrap=True)
        return 1
    sections: Sequence[Callable[[], bool]] = [
        lambda: _endpoint(console, llm),
        lambda: _traces(console),
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
    if need == "skip":
        return True
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
        word = {True: "yes", False: "NO", None: "not seen"}[finding.enforced]
        table.add_row(finding.limit, word, Text(finding.seen))
    console.print(table)
    console.print(f"image {sandbox.describe()['digest']}\n", markup=False, soft_wrap=True)
    return not strict or all(finding.enforced for finding in findings)


def _endpoint(console: Console, llm: Endpoint) -> bool:
    """A table of what the endpoint can do, and what to type; whether any role can be played."""
    from tdscaling.llm.none import NoEndpoint
    from tdscaling.llm.replay import ReplayEndpoint

    if isinstance(llm, NoEndpoint | ReplayEndpoint):
        _say(console, f"no model to check; to check one, type: {_HOW_TO_CHECK}")
        return True
    from tdscaling.llm._checkup import ROLES, examine, played
    from tdscaling.llm.openai import OpenAIEndpoint

    if not isinstance(llm, OpenAIEndpoint):
        raise ConfigError(f"llm: expected an endpoint, got {llm!r}; type: {_HOW_TO_CHECK}")
    if llm.model is not None:
        _require(llm)
    findings = asyncio.run(examine(llm))
    can = played(findings)
    cannot = [role for role in ROLES if role not in can]
    works = "works for some roles" if can and cannot else "works"
    works = works if can else "does not work as it is set"
    table = Table(title=Text(f"llm: {llm!r}: {works}"), title_justify="left")
    for title in ("check", "works", "what was seen"):
        table.add_column(title)
    for finding in findings:
        unmet = "NO" if finding.stops else "no, not needed"
        table.add_row(finding.check, "yes" if finding.fine else unmet, Text(finding.seen))
    console.print(table)
    advice = [word for finding in findings for word in finding.set]
    if advice:
        _say(console, f"type: {' '.join(advice)}")
    if can and cannot:
        _say(console, f"can be played as it is set: {', '.join(can)}")
        part = cannot[0].partition("=")[0].replace("/", ".")
        _say(console, f"cannot be played: {', '.join(cannot)}; leave these words out, or type an"
             f" endpoint of its own: +llm@{part}.llm=openai {part}.llm.model=NAME")  # fmt: skip
    return bool(can)


def _traces(console: Console) -> bool:
    """Where spans go; whether they can go there."""
    if tracing.missing():
        _say(console, f"traces: OTEL_ variables are set, but nothing is sent: {tracing.INSTALL}")
        return False
    if tracing.wanted():
        _say(console, "traces: spans are sent as the OTEL_ variables say")
    return True


def _require(llm: Endpoint) -> None:
    try:
        llm.require("doctor")
    except ConfigError as error:
        raise ConfigError(str(error).removeprefix(f"{part_of('doctor')}: ")) from None


def _say(console: Console, line: str) -> None:
    console.print(line, markup=False, soft_wrap=True)
