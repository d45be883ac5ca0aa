"""No domain file hangs the process, fills the memory, or ends in a traceback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tdscaling.declared.load import load
from tdscaling.declared.world import World
from tdscaling.errors import DomainError, EnvironmentFailure
from tests.bookshop import changed, some

Data = dict[str, Any]
ENDLESS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


def rule(check: str) -> Callable[[Data], None]:
    def change(data: Data) -> None:
        data["tools"]["pay_purchase"]["requires"].insert(0, {"check": check, "error": "no"})

    return change


def words(key: str, template: str) -> Callable[[Data], None]:
    def change(data: Data) -> None:
        data["tools"]["pay_purchase"][key][0] = template

    return change


def column(spec: object) -> Callable[[Data], None]:
    def change(data: Data) -> None:
        data["rows"]["book"]["columns"]["_x"] = spec

    return change


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (rule(ENDLESS), "takes more than 20,000,000 steps"),
        (lambda d: d["tools"]["pay_purchase"].update(returns=ENDLESS), "returns: takes more than"),
        (lambda d: d["tools"]["pay_purchase"].update(cases=ENDLESS), "steps of SQLite"),
        (column({"sql": ENDLESS}), "interrupted"),
        (lambda d: d.update(tables=d["tables"] + f"CREATE TABLE z AS {ENDLESS};"), "steps"),
        (rule("SELECT 1 WHERE datetime('no' || 'w') > '2000'"), "reads the wall clock"),
        (words("intents", "pay {purchase_id:>900000000}"), "a slot is a plain name"),
        (words("intents", "pay {purchase_id!r}"), "a slot is a plain name"),
        (words("answers", "{purchase_id.x} {total[0]}"), "a slot is a plain name"),
        (column({"text": ["{title:>900000000}"]}), "a slot is a plain name"),
        (column({"date": [-9999999, 0]}), "column _x"),
        (lambda d: d.update(phrases={"title": "called {:>900000000}"}), "a slot is a plain name"),
        (lambda d: d.update(phrases={"title": "called"}), "must hold {}"),
        (lambda d: d.update(clock="2025-13-45 99:99"), "no such time"),
        (
            lambda d: d["tools"]["pay_purchase"]["parameters"]["purchase_id"].update(
                items={"$ref": "https://example.com/schema.json"}
            ),
            "`$ref` is not followed",
        ),
    ],
)  # fmt: skip
def test_refused_at_load(tmp_path: Path, change: Callable[[Data], None], told: str) -> None:
    with pytest.raises(DomainError) as caught:
        load(changed(tmp_path, change))
    assert told in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_a_call_without_end_fails_and_leaves_the_state_as_it_was(tmp_path: Path) -> None:
    endless = ENDLESS.replace("FROM n)", "FROM n WHERE :purchase_id = 'PU-0')")
    state = World(load(changed(tmp_path, rule(endless))), "1").open()
    with pytest.raises(EnvironmentFailure, match=r"bookshop\.pay_purchase: takes more than"):
        state.execute("pay_purchase", {"purchase_id": "PU-0"})
    assert state.changes() == {}
    opened = "SELECT purchase_id FROM purchase WHERE purchase_status = 'open'"
    assert state.execute("pay_purchase", {"purchase_id": some(state, opened)}).ok
