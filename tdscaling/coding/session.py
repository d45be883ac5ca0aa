"""One conversation's workspace.

Enters: a world of a code domain. Leaves: results of calls, made in a sandbox that is opened with
the first of them; and what the hidden checks say of the workspace in the end. Nothing runs outside
of the sandbox, the checks included.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from tdscaling.coding import observed, printed
from tdscaling.coding.task import Hidden, Question
from tdscaling.declared.session import Result, StateChanges
from tdscaling.errors import EnvironmentFailure, SandboxError, SandboxLostError
from tdscaling.schema import Provenance

if TYPE_CHECKING:
    from tdscaling.coding.domain import CodeDomain
    from tdscaling.sandbox import Language, Mode, Session

_LANGUAGES: dict[str, tuple[Language, str]] = {
    "run_python": ("python", "code"),
    "run_bash": ("bash", "command"),
    "run_sql": ("sql", "query"),
}

_READING = re.compile(r"\s*select\b[^;]*;?\s*$", re.IGNORECASE)
"""A statement that changes nothing; others may."""


class CodeSession:
    """Runs code in one workspace.

    Args:
        domain: the area.
        world: names the task.
    """

    def __init__(self, domain: CodeDomain, world: str) -> None:
        self.domain = domain
        self.provenance: Provenance = "executed"
        self.task = domain.task(world)
        self._world = world
        self._box: Session | None = None
        self._tables: list[str] = []
        """What queries printed."""
        self._touched = False
        """Whether a call may have changed files."""

    def execute(self, name: str, arguments: Mapping[str, Any]) -> Result:
        """Call a tool.

        Raises:
            KeyError: if the domain has no such tool.
            SandboxLostError: if the sandbox cannot be opened, or is gone.
        """
        problem = self.domain.tools[name].problem(arguments)
        if problem:
            return _failed(f"invalid arguments: {problem}")
        box = self._opened()
        self._touched |= name != "run_sql" or not _READING.match(arguments["query"])
        if name == "edit_file":
            return _edited(box, arguments["path"], arguments["old"], arguments["new"])
        language, parameter = _LANGUAGES[name]
        result = _ran(box, arguments[parameter], language)
        if name == "run_sql" and result.ok:
            self._tables.append(result.rows[0]["stdout"])
        return result

    async def call(self, name: str, arguments: Mapping[str, Any]) -> Result:
        """As `execute`, in a thread: other conversations go on while code runs."""
        return await asyncio.to_thread(self.execute, name, arguments)

    def attempt(
        self, name: str, arguments: Mapping[str, Any], wanted: Callable[[Result], bool]
    ) -> Result | None:
        """Call a tool; what it did stays done."""
        result = self.execute(name, arguments)
        return result if wanted(result) else None

    def table(self, query: str, where: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """None: a workspace is no database of ours."""
        return []

    def changes(self) -> StateChanges:
        """Which questions the hidden checks hold for answered; never what the files say."""
        done = {
            f"question {number}": {"answered": [False, True]}
            for number, question in enumerate(self.task.questions, 1)
            if question.hidden.kind != "prints" and self._holds(question.hidden)
        }
        return {f"{self.domain.name}.check": {"changed": done}} if done else {}

    def close(self) -> None:
        """Free the sandbox."""
        if self._box is not None:
            self._box.close()
            self._box = None

    def question(self, turn: int) -> Question | None:
        """What the user asks in a turn; None where the task has no question of its own."""
        return self.task.questions[turn] if turn < len(self.task.questions) else None

    def told(self, turn: int, content: str) -> tuple[str, ...]:
        """Values that an answer must tell of the observation that ends a turn."""
        question = self.question(turn)
        return printed.told(content, names=question is not None and question.names)

    def solution(self, hidden: Hidden) -> str:
        """What a hidden solution prints; a query goes to the database as it was in the beginning.

        Raises:
            EnvironmentFailure: if it fails.
            SandboxLostError: if the sandbox is gone.
        """
        language: Language = "sql" if hidden.kind == "rows" else "python"
        if hidden.kind == "rows" and self._touched:
            with self._fresh(self.task.files) as box:
                result = _ran(box, hidden.code, language, mode="fork", ours=True)
        else:
            result = _ran(self._opened(), hidden.code, language, mode="fork", ours=True)
        if not result.ok:
            raise EnvironmentFailure(f"{self._world}: the hidden solution fails: {result.content}")
        return str(result.rows[0]["stdout"])

    def solutions(self) -> dict[int, str]:
        """What the hidden solutions print, by turn, of those questions that have one that prints.

        Raises:
            EnvironmentFailure: if one fails.
            SandboxLostError: if the sandbox is gone.
        """
        hidden = [question.hidden for question in self.task.questions]
        return {turn: self.solution(h) for turn, h in enumerate(hidden) if h.kind == "prints"}

    def _holds(self, hidden: Hidden) -> bool:
        if hidden.kind == "rows":
            if not self._tables:
                return False
            wanted = printed.rows(self.solution(hidden))
            return any(printed.same_rows(printed.rows(text), wanted, hidden.ordered)
                       for text in self._tables)  # fmt: skip
        outputs = {path: self._file(path) for path in hidden.outputs}
        given = {path: data for path, data in outputs.items() if data is not None}
        if len(given) < len(outputs):
            return False
        if hidden.kind == "returns":
            # The module that is judged gets a sandbox of its own, without what else was left
            # behind; what it should return is never in that sandbox.
            said = self._said(hidden.code, given)
            works = self._said(hidden.code, hidden.files)
            if works is None:
                raise EnvironmentFailure(f"{self._world}: the working module fails")
            return said is not None and observed.same(said, works)
        said = self._said(hidden.code, {**self.task.files, **hidden.files, **given})
        return said is not None and said.strip() == "passed"

    def _said(self, code: str, files: Mapping[str, bytes]) -> str | None:
        """What a program prints in a sandbox of its own; None if it fails."""
        with self._fresh(files) as box:
            result = _ran(box, code, "python", ours=True)
        return str(result.rows[0]["stdout"]) if result.ok else None

    def _opened(self) -> Session:
        if self._box is None:
            self._box = self._fresh(self.task.files)
        return self._box

    def _fresh(self, files: Mapping[str, bytes]) -> Session:
        try:
            box = self.domain.sandbox.open(self._world)
            for path, data in files.items():
                box.put(path, data)
        except SandboxError as error:
            raise SandboxLostError(f"{self.domain.name}: {error}") from error
        return box

    def _file(self, path: str) -> bytes | None:
        try:
            return self._opened().get(path)
        except SandboxError as error:
            if self._opened().lost:
                raise SandboxLostError(f"{self.domain.name}: {error}") from error
            return None


def _ran(
    box: Session, code: str, language: Language, mode: Mode = "notebook", *, ours: bool = False
) -> Result:
    result = box.run(code, language, mode=mode, ours=ours)
    if result.status == "sandbox_lost":
        raise SandboxLostError(result.stderr.strip())
    seen: dict[str, Any] = {"exit_code": result.exit_code, "stdout": "", "stderr": ""}
    # What a killed snippet had said by then depends on how fast it was.
    if result.status in ("ok", "refused"):
        seen |= {"stdout": result.stdout, "stderr": result.stderr}
    if result.status != "ok":
        seen["status"] = result.status
    elif result.truncated:
        seen["truncated"] = True
    content = json.dumps(seen, ensure_ascii=False)
    if result.status == "ok" and result.exit_code == 0:
        return Result(True, (seen,), content)
    return Result(False, (), content)


def _edited(box: Session, path: str, old: str, new: str) -> Result:
    try:
        text = box.get(path).decode()
        if text.count(old) != 1:
            found = "does not occur" if old not in text else f"occurs {text.count(old)} times"
            return _failed(f"{path}: the text to be replaced {found}")
        box.put(path, text.replace(old, new).encode())
    except UnicodeError:
        return _failed(f"{path}: not a text file")
    except SandboxError as error:
        if box.lost:
            raise SandboxLostError(str(error)) from error
        return _failed(str(error))
    seen = {"path": path, "replaced": 1}
    return Result(True, (seen,), json.dumps(seen, ensure_ascii=False))


def _failed(error: str) -> Result:
    return Result(False, (), json.dumps({"error": error}, ensure_ascii=False))
