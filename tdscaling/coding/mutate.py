"""One bug in a working module.

Enters: Python source. Leaves: all single mutations of it that a person might make by mistake, as
text edits: comments and layout stay as they are, so a diff shows the bug alone. Whether a mutation
breaks anything is for the tests to say.
"""

from __future__ import annotations

import ast
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass

PARSING = threading.Lock()
"""Held while a syntax tree is made: in some releases of Python, threads that make trees at the same
time count their depth together, and fail with a SystemError."""
_COMPARED: dict[type[ast.cmpop], tuple[str, tuple[str, ...]]] = {
    ast.Lt: ("<", ("<=", ">")),
    ast.LtE: ("<=", ("<", ">=")),
    ast.Gt: (">", (">=", "<")),
    ast.GtE: (">=", (">", "<=")),
    ast.Eq: ("==", ("!=",)),
    ast.NotEq: ("!=", ("==",)),
    ast.In: ("in", ("not in",)),
    ast.NotIn: ("not in", ("in",)),
}
_COMPUTED: dict[type[ast.operator], tuple[str, tuple[str, ...]]] = {
    ast.Add: ("+", ("-",)),
    ast.Sub: ("-", ("+",)),
    ast.Mult: ("*", ("+", "/")),
    ast.FloorDiv: ("//", ("%", "*")),
    ast.Mod: ("%", ("//",)),
    ast.Div: ("/", ("*", "//")),
}
LARGEST = 1000
"""Whole numbers beyond this are no off-by-one candidates."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """A bug: a span of the source replaced."""

    kind: str
    """Such as `comparison`, `off by one`, `swapped arguments`, `missing branch`."""
    function: str
    """Where it is."""
    start: int
    end: int
    """Span in the source, in characters."""
    text: str
    """What stands there instead."""
    others: tuple[str, ...] = ()
    """What else might be tried there, as wrong."""

    def applied(self, source: str, text: str | None = None) -> str:
        """The source with the bug, or with another text in its place."""
        return source[: self.start] + (self.text if text is None else text) + source[self.end :]


def mutations(source: str) -> list[Mutation]:
    """All mutations, in the order of the source; loops that may not end are left alone."""
    with PARSING:
        return _mutations(source)


def _mutations(source: str) -> list[Mutation]:
    tree, at = ast.parse(source), _Offsets(source)
    found: list[Mutation] = []
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            for node in _inside(function):
                for mutation in _of(node, function.name, source, at):
                    if _parses(mutation.applied(source)):
                        found.append(mutation)
    return sorted(set(found), key=lambda m: (m.start, m.end, m.kind, m.text))


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.While | ast.FunctionDef | ast.arguments):
            continue
        yield child
        yield from _inside(child)


def _of(node: ast.AST, function: str, source: str, at: _Offsets) -> Iterator[Mutation]:
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        old, new = _COMPARED.get(type(node.ops[0]), ("", ()))
        span = at.between(node.left, node.comparators[0])
        yield from _operator("comparison", function, source, span, old, new)
    elif isinstance(node, ast.BinOp):
        old, new = _COMPUTED.get(type(node.op), ("", ()))
        span = at.between(node.left, node.right)
        yield from _operator("operator", function, source, span, old, new)
    elif isinstance(node, ast.BoolOp):
        span = at.between(node.values[0], node.values[1])
        old, new = ("and", ("or",)) if isinstance(node.op, ast.And) else ("or", ("and",))
        yield from _operator("operator", function, source, span, old, new)
    elif isinstance(node, ast.Constant) and type(node.value) is int and node.value <= LARGEST:
        span = at.of(node)
        around = (str(node.value + 1), str(node.value - 1))
        for text in around:
            yield Mutation("off by one", function, *span, text, tuple(set(around) - {text}))
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield Mutation("negation", function, at.of(node)[0], at.of(node.operand)[0], "")
    else:
        yield from _larger(node, function, source, at)


def _larger(node: ast.AST, function: str, source: str, at: _Offsets) -> Iterator[Mutation]:
    if isinstance(node, ast.Call) and len(node.args) >= 2 and not node.keywords:
        first, second = node.args[:2]
        if not any(isinstance(arg, ast.Starred | ast.GeneratorExp) for arg in node.args[:2]):
            (start, middle), (after, end) = at.of(first), at.of(second)
            text = source[after:end] + source[middle:after] + source[start:middle]
            yield Mutation("swapped arguments", function, start, end, text)
    elif isinstance(node, ast.If) and not node.orelse:
        start, end = at.lines(node)
        yield Mutation("missing branch", function, start, end, "")
    elif isinstance(node, ast.AugAssign | ast.Continue):
        start, end = at.lines(node)
        yield Mutation("missing statement", function, start, end, "")


def _operator(
    kind: str, function: str, source: str, span: tuple[int, int], old: str, new: tuple[str, ...]
) -> Iterator[Mutation]:
    if not old:
        return
    found = re.search(rf"(?<![\w<>=!*/]){re.escape(old)}(?![\w<>=*/])", source[slice(*span)])
    if found is None:
        return
    start = span[0] + found.start()
    for text in new:
        others = tuple(other for other in new if other != text)
        yield Mutation(kind, function, start, start + len(old), text, others)


def _parses(source: str) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True


class _Offsets:
    """Where nodes are, in characters from the start; the source is ASCII."""

    def __init__(self, source: str) -> None:
        self._lines = [0]
        for line in source.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))

    def of(self, node: ast.expr) -> tuple[int, int]:
        end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or 0
        return (
            self._lines[node.lineno - 1] + node.col_offset,
            self._lines[end_line - 1] + end_column,
        )

    def between(self, left: ast.expr, right: ast.expr) -> tuple[int, int]:
        return self.of(left)[1], self.of(right)[0]

    def lines(self, node: ast.stmt) -> tuple[int, int]:
        return self._lines[node.lineno - 1], self._lines[node.end_lineno or node.lineno]
