"""Repairs are judged by what the module returns; what it does to its process counts for nothing."""

from __future__ import annotations

import pytest

from tdscaling.coding import observed
from tests.coding.workspaces import area

WORLD = "operator.1"
FORGERIES = {
    "verdict": "import unittest\nunittest.TestResult.wasSuccessful = lambda self: True\n",
    "exit": "import os\nprint('passed')\nos._exit(0)\n",
    "list": "print('[]')\nraise SystemExit\n",
    "frames": (
        "import atexit, gc, json, sys\n"
        "frame = sys._getframe()\n"
        "while frame.f_back: frame = frame.f_back\n"
        "texts = [x for o in gc.get_objects() if isinstance(o, dict) for x in list(o.values())\n"
        "         if isinstance(x, str) and len(x) in (16, 64)]\n"
        "atexit.register(lambda: print(texts[0] if texts else 'passed'))\n"
    ),
    "anything": "class Any:\n    def __eq__(self, other): return True\n"
    "    def __call__(self, *a): return self\n    def __getattr__(self, name): return self\n"
    "import sys\nsys.modules[__name__] = Any()\n",
}


def holds(text: str) -> bool:
    session = area("code_repair").open(WORLD)
    try:
        path = session.task.questions[0].hidden.outputs[0]
        session._opened().put(path, text.encode())
        # What else is left behind is not taken over.
        session._opened().put("unittest.py", b"raise SystemExit")
        return bool(session.changes())
    finally:
        session.close()


def texts() -> tuple[str, str]:
    task = area("code_repair").task(WORLD)
    hidden = task.questions[0].hidden
    path = hidden.outputs[0]
    return task.files[path].decode(), hidden.files[path].decode()


def test_working_module_passes_and_the_broken_one_does_not() -> None:
    broken, working = texts()
    assert holds(working)
    assert holds(working + "\n# mended\n\n\ndef helper():\n    return 1\n")
    assert not holds(broken)
    assert not holds("")


@pytest.mark.parametrize("forgery", sorted(FORGERIES))
def test_forgeries_do_not_pass(forgery: str) -> None:
    broken, _ = texts()
    assert not holds(FORGERIES[forgery])
    assert not holds(FORGERIES[forgery] + broken)


def test_program_holds_no_expected_values() -> None:
    body = (
        "    def test_a(self):\n"
        "        self.assertEqual(m.f(1), 4711)\n"
        "        self.assertFalse(m.g(1))\n"
        "        self.assertRaises(LookupError, m.f, 2)\n"
        "        with self.assertRaises(LookupError):\n"
        "            m.f(3)\n"
    )
    text = observed.program("mod", body)
    assert "m.f(1)" in text
    assert "4711" not in text
    assert "LookupError" not in text
    assert "assertFalse" not in text
    with pytest.raises(ValueError, match="assertIn"):
        observed.program("mod", "    def test_a(self):\n        self.assertIn(1, m.f())\n")


def test_outputs_are_compared_by_value() -> None:
    assert observed.same('debug\n["3", "[1, 2.0]"]\n', '["3.0", "[1.0, 2]"]')
    assert observed.same("[\"{'b': 1, 'a': 2}\"]", "[\"{'a': 2, 'b': 1}\"]")
    for said in (
        "",
        "[]",
        '["4"]',
        '["3", "3"]',
        "[" * 9999,
        '{"0": "3"}',
        "[3",
        '["' + "(" * 500 + '"]',
    ):
        assert not observed.same(said, '["3"]'), said
    assert not observed.same("[]", "[]")
