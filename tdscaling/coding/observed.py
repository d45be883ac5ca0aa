"""Tests of a module, judged outside of the process that runs the module.

Enters: test methods of ours. Leaves: a program that calls the module as they do and prints what
came back, without what was to come back; and whether two such outputs say the same. The program is
run over the module as it was mended and, in another sandbox, over the working one: whatever the
mended module does to its process, it can only pass by the values that the working module returns.
"""

from __future__ import annotations

import ast
import json

from tdscaling.coding.mutate import PARSING

_PROGRAM = """
import json
from datetime import date
import {module} as m
seen = []
class Raised:
    def __enter__(self):
        return self
    def __exit__(self, kind, error, trace):
        seen.append(kind.__name__ if kind else "nothing raised")
        return True
class Calls:
    def assertEqual(self, got):
        seen.append(repr(got))
    def assertTrue(self, got):
        seen.append(repr(bool(got)))
    def assertRaises(self, call=None, *given):
        if call is None:
            return Raised()
        with Raised():
            call(*given)
    def setUp(self):
        pass
{classes}
for kind in ({names},):
    for name in sorted(vars(kind)):
        if name.startswith("test"):
            one = kind()
            one.setUp()
            getattr(one, name)()
print(json.dumps(seen))
"""
_ASSERTIONS = frozenset({"assertEqual", "assertTrue", "assertFalse", "assertRaises"})


def program(module: str, *bodies: str) -> str:
    """What calls a module as test methods do and prints a list of what came back.

    Args:
        module: its name.
        bodies: methods of test classes.

    Raises:
        ValueError: if a test asserts in a way that is not known here.
    """
    classes = [f"class Tests{n}(Calls):\n{_without_expectations(text)}"
               for n, text in enumerate(bodies)]  # fmt: skip
    names = ", ".join(f"Tests{n}" for n in range(len(bodies)))
    return _PROGRAM.format(module=module, classes="\n".join(classes), names=names).strip()


def same(text: str, wanted: str) -> bool:
    """Whether two outputs of such a program say the same; the first may say anything."""
    last = text.strip().rpartition("\n")[2]
    try:
        seen = json.loads(last)
    except (ValueError, RecursionError):
        return False
    expected = json.loads(wanted)
    if not isinstance(seen, list) or len(seen) != len(expected) or not expected:
        return False
    return all(_equal(one, other) for one, other in zip(seen, expected, strict=True))


def _equal(one: object, other: str) -> bool:
    if one == other:
        return True
    # 3 and 3.0 are the same value, in another way of writing it.
    try:
        return bool(ast.literal_eval(str(one)) == ast.literal_eval(other))
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return False


class _Strip(ast.NodeTransformer):
    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        called = node.func
        if isinstance(called, ast.Attribute) and called.attr.startswith("assert"):
            if called.attr not in _ASSERTIONS or node.keywords:
                raise ValueError(f"expected one of {sorted(_ASSERTIONS)}, got {called.attr}")
            raises = called.attr == "assertRaises"
            node.args = node.args[1:] if raises else node.args[:1]
            # Which of the two it is would be the expected value.
            called.attr = called.attr.replace("assertFalse", "assertTrue")
        return node


def _without_expectations(body: str) -> str:
    with PARSING:
        tree = ast.parse(f"class Tests:\n{body}")
    text = ast.unparse(_Strip().visit(tree))
    return text.partition("\n")[2]
