"""Mutations: one place changes, and the tests of the module notice."""

from __future__ import annotations

import ast
from random import Random

from tdscaling.coding._families.repair import KINDS, edit_between, module
from tdscaling.coding.mutate import mutations

SOURCE = '''def first(values, limit):
    """The first < limit values."""
    if not values:
        return []
    while limit > 9:
        limit -= 1
    total = round(limit * 2, 1)
    total += limit
    if total >= 4 and len(values) > 1:
        total += 1
    return values[:total]
'''


def test_each_mutation_is_one_bug_that_parses() -> None:
    found = mutations(SOURCE)
    assert {m.kind for m in found} >= {
        "comparison", "operator", "off by one", "swapped arguments", "missing branch",
        "missing statement", "negation",
    }  # fmt: skip
    for mutation in found:
        changed = mutation.applied(SOURCE)
        ast.parse(changed)
        assert changed != SOURCE
        assert '"""The first < limit values."""' in changed
        assert "while limit > 9:\n        limit -= 1" in changed, "a loop may not end any more"


def test_edits_lead_from_the_bug_to_the_module() -> None:
    for seed in range(30):
        one = module(Random(f"{seed}"))
        for mutation in mutations(one.source):
            broken = mutation.applied(one.source)
            old, new = edit_between(broken, one.source)
            assert broken.count(old) == 1
            assert broken.replace(old, new) == one.source


def test_every_kind_occurs() -> None:
    found = {m.kind for seed in range(60) for m in mutations(module(Random(f"{seed}")).source)}
    assert found >= set(KINDS)
