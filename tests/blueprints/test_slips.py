"""Mistakes in the code of figures: Python refuses each of them, in many words."""

from __future__ import annotations

import json
from collections import Counter

from tdscaling.bindings import filled
from tdscaling.blueprints._compute import _over_list, _pair
from tdscaling.blueprints._glue_figures import PERCENT, choices, numbers
from tdscaling.coding.areas import CALCULATIONS
from tests.coding.test_glue import _ran, all_figures, pair
from tests.coding.workspaces import area

TRY = """
import contextlib, io, json
said = []
for text in {texts!r}:
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(text, "snippet", "exec"), {{}})
        said.append("nothing")
    except Exception as error:
        said.append(type(error).__name__ + ": " + str(error).partition(" (")[0])
print(json.dumps(said))
"""


def refusals(texts: list[str]) -> Counter[str]:
    session = area(CALCULATIONS).open("figure.0")
    try:
        found = session.execute("run_python", {"code": TRY.format(texts=texts)})
        assert found.ok, found.content
        return Counter(json.loads(found.rows[0]["stdout"]))
    finally:
        session.close()


def test_glue() -> None:
    texts = [_ran(s, glue, one) for glue, one in all_figures()[::7] for s in glue.slips("amount")]
    found = refusals(texts)
    assert "nothing" not in found
    assert len({said.partition(":")[0] for said in found}) >= 4
    assert len(found) >= 12
    assert max(found.values()) < found.total() / 5, found


def test_figures() -> None:
    dates = ["2024-01-02", "2024-03-01", "2024-02-01"]
    figures = [
        *_over_list(0, "price", [1.5, 2.5, 4.0]),
        *_over_list(0, "due_date", dates),
        *_pair("A-1 and A-2", "price", 0, 1, [1.5, 2.5]),
    ]
    texts = []
    for figure in figures:
        values = dates if "days" in figure.code else [1.5, 2.5, 4.0]
        given = {"values": values, "first": 1.5, "second": 2.5}
        made = figure.slips()
        assert len(set(made)) == len(made) >= 2
        texts += [filled(text, given) for text in made]
    found = refusals(texts)
    assert "nothing" not in found
    assert len(found) >= 8


def test_nothing_is_worked_out_over_nothing() -> None:
    for one, other in (([0.0], [5.0]), ([5.0], [0])):
        zero = pair(one, other, "amount", many=False)
        assert not list(numbers(zero, PERCENT, whole=False, money=True))
    none = pair([0.0, 0.0], [1.0], "amount", many=True)
    assert not list(numbers(none, PERCENT, whole=False, money=True))


def test_two_things_are_compared_plainly() -> None:
    two = pair([3.5], [2.5], "amount", many=False)
    for glue in choices(two, "payment_id", "payment"):
        assert "zip" not in glue.code("payment")
        assert "list" not in glue.code("payment")
