"""Command `verify`: does a dataset hold what it claims.

Enters: a JSONL file. Leaves: an exit code, and for each bad line where it differs from what
re-execution gives. No model is needed, whoever played the roles. Lines are streamed: memory does
not grow with the dataset, but for the ids, which must be unique.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from tdscaling.clusters import Clusters
from tdscaling.coding.parts import with_areas
from tdscaling.dataset import file_of, numbered
from tdscaling.environments import Environments
from tdscaling.errors import ConfigError, DatasetError
from tdscaling.execution import Execution
from tdscaling.metrics import Metrics
from tdscaling.sandbox import Sandbox
from tdscaling.tools import Tools
from tdscaling.verification import Verification
from tdscaling.verify._line import Checked, LineCheck
from tdscaling.verify._run import parts_of_run, recording

CHUNK = 16
"""Lines that travel together."""
RECORDED = (
    "what servers answered is taken from {}; to have servers of your own execute the calls again: "
    "parts=here tools=mcp tools.servers=[...]"
)
SHOWN_SANDBOXES = 3
"""Other sandboxes that are shown; all are counted."""
SHOWN = 20
"""Bad lines that are shown; all are counted."""


def verify(
    *,
    dataset: str,
    parts: str,
    tools: Tools,
    clusters: Clusters,
    environments: Environments,
    verification: Verification,
    metrics: Metrics,
    execution: Execution,
    sandbox: Sandbox,
) -> int:
    """Verify a dataset.

    Args:
        dataset: a JSONL file, or the directory of a run.
        parts: `run` or `here`: whose tools, environments and metrics.
        tools: where the domains come from.
        clusters: groups tools that come without a domain.
        environments: execute the calls.
        verification: decides on each conversation.
        metrics: recomputes the figures of each line.
        execution: where lines are checked.
        sandbox: runs the code of coding tasks.

    Returns:
        0 where every line holds, else 1.

    Raises:
        DatasetError: if there is no such dataset, it is empty, or its domains are not known.
    """
    if parts not in ("run", "here"):
        raise ConfigError(f"parts: expected run or here, got {parts!r}")
    path, console = file_of(Path(dataset)), Console(soft_wrap=True, highlight=False)
    used: dict[str, Any] = {
        "tools": tools,
        "clusters": clusters,
        "environments": environments,
        "metrics": metrics,
    }
    if parts == "run":
        found, source = parts_of_run(path)
        used |= found
        if source:
            console.print(f"parts of {source}; parts=here for those of this command line")
        if cassette := recording(used):
            console.print(RECORDED.format(cassette))
    catalog = used["tools"].load()
    domains = used["environments"].prepare(catalog, used["clusters"].build(catalog))
    check = LineCheck(
        domains=with_areas(domains, sandbox),
        environments=used["environments"],
        verification=verification,
        metrics=used["metrics"],
        sandbox=sandbox,
    )
    report = Report(path, console)
    with contextlib.closing(sandbox):
        asyncio.run(_work(path, check, execution, report))
    return report.close()


class Report:
    """Takes checked lines in order; shows and counts bad ones."""

    def __init__(self, path: Path, console: Console) -> None:
        self._path, self._console = path, console
        self._ids: dict[str, int] = {}
        self._blueprints: dict[str, int] = {}
        self._conversations: dict[str, int] = {}
        self._unknown: set[str] = set()
        self._lines = self._bad = self._foreign = 0
        self._unrun: list[int] = []
        self._off = ""
        self._moved: Counter[str] = Counter()
        self._bar = Progress(
            TextColumn("verifying"),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:.0f}% {task.fields[lines]} lines, {task.fields[bad]} bad"),
            TimeRemainingColumn(compact=True),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=path.stat().st_size, lines=0, bad=0)
        self._bar.start()

    def take(self, checked: Checked) -> None:
        """Show and count one line."""
        self._lines += 1
        self._unknown |= checked.unknown
        self._foreign += bool(checked.unknown)
        if checked.unrun:
            self._unrun.append(checked.number)
            self._off = checked.unrun
        if checked.elsewhere:
            self._moved[checked.elsewhere] += 1
        problem = (
            checked.problem
            or _again("id", checked.id, checked.number, self._ids)
            or _again("blueprint", checked.blueprint, checked.number, self._blueprints)
            or _again("conversation", checked.conversation, checked.number, self._conversations)
        )
        if problem:
            self._bad += 1
            if self._bad <= SHOWN:
                where = f"{self._path}:{checked.number}: {checked.id or 'no id'}"
                self._console.print(f"{where}: {problem}", markup=False)
        self._bar.update(self._task, advance=checked.size, lines=self._lines, bad=self._bad)

    def close(self) -> int:
        """Sum up; returns the exit code.

        Raises:
            DatasetError: if there was no line, or lines are of domains that are not known.
        """
        self._bar.stop()
        if not self._lines:
            raise DatasetError(f"{self._path}: expected one trajectory a line, got an empty file")
        if self._bad > SHOWN:
            self._console.print(f"... and {self._bad - SHOWN} more")
        if self._foreign:
            raise DatasetError(
                f"{self._path}: {self._foreign} of {self._lines} lines are of domains that are not "
                f"known here: {', '.join(sorted(self._unknown))}. Type parts=here and leave "
                "tools.domains empty; for domains of your own, add tools.paths=[FILE]"
            )
        if self._unrun:
            listed = ", ".join(map(str, self._unrun[:SHOWN]))
            more = f" and {len(self._unrun) - SHOWN} more" if len(self._unrun) > SHOWN else ""
            self._console.print(
                f"{len(self._unrun)} of {self._lines} lines hold code that could not be run, and "
                f"were not checked: {listed}{more}; {self._off}",
                markup=False,
            )
        for moved, count in self._moved.most_common(SHOWN_SANDBOXES):
            self._console.print(
                f"the code of {count} of {self._lines} lines ran in another sandbox: {moved}; it "
                "was held against what it does here",
                markup=False,
            )
        if len(self._moved) > SHOWN_SANDBOXES:
            rest = len(self._moved) - SHOWN_SANDBOXES
            self._console.print(f"... and in {rest} more sandboxes that differ from the one here")
        if self._bad:
            self._console.print(f"{self._bad} of {self._lines} lines do not hold")
        if self._bad or self._unrun:
            return 1
        self._console.print(f"all {self._lines} trajectories hold")
        return 0


def _again(what: str, value: str, number: int, seen: dict[str, int]) -> str | None:
    first = seen.setdefault(value, number)
    return None if first == number else f"{what} {value} is that of line {first} already"


async def _work(path: Path, check: LineCheck, execution: Execution, report: Report) -> None:
    slots = execution.slots(1)
    # An execution hands through whatever its runner takes: here it is lines instead of a draw.
    runner: Any = check
    async with execution.start(runner, 1) as submit:
        send: Any = submit
        waiting: deque[asyncio.Future[list[Checked]]] = deque()
        try:
            for chunk in _chunks(path):
                waiting.append(asyncio.ensure_future(send(chunk)))
                if len(waiting) >= slots:
                    _take(report, await waiting.popleft())
            while waiting:
                _take(report, await waiting.popleft())
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)


def _take(report: Report, chunk: list[Checked]) -> None:
    for checked in chunk:
        report.take(checked)


def _chunks(path: Path) -> Iterator[list[tuple[int, bytes]]]:
    chunk: list[tuple[int, bytes]] = []
    for line in numbered(path):
        chunk.append(line)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
